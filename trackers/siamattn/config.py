"""Network configurations as frozen dataclasses; the named presets are data.

A preset is the defaults below, the released SiamAttn, plus the overrides that ``presets.json``
lists for it under dotted names such as ``attention.cross_attention``; in ``tracking.*.lr`` the
star stands for both sets. Sections and tables are those of the paper (arXiv 2004.06711).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError, unknown_name
from trackers.siamattn.settings import check_ranges, load_table, named, overridden

Formula = Literal["released", "paper"]
Family = Literal["resnet", "mobilenetv2", "alexnet", "efficientnet-lite"]
Precision = Literal["float32", "bf16", "fp16", "tf32"]
Kernels = Literal["winograd", "direct"]

PRESETS = Path(__file__).parent / "presets.json"
_PARTS = ("rpn", "attention", "refine")  # sections that ablations change
_ARCHITECTURE = ("backbone", "neck", *_PARTS)  # sections that weights depend on


@dataclass(frozen=True)
class BackboneConfig:
    """The backbone; the defaults are ResNet-50 with dilated last stages.

    Attributes:
        family: the kind of network; a ``resnet`` has its last stages dilated.
        levels: its levels that proposals use; a ``resnet`` has none after these.
        stem: channels of a residual network's first convolution.
        widths: inner channels of the bottlenecks of its four stages.
        blocks: bottlenecks in each of the four stages.
        expansion: output channels of a bottleneck per inner channel.
        width: factor on the channels of another family.
    """

    family: Family = "resnet"
    levels: tuple[int, ...] = (2, 3, 4)
    stem: int = 64
    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    expansion: int = 4
    width: float = 1.0

    def __post_init__(self) -> None:
        """Check that there are four stages."""
        if len(self.widths) != 4 or len(self.blocks) != 4:
            raise ConfigError(
                f"backbone: expected widths and blocks of four stages, found {self.widths} and "
                f"{self.blocks}"
            )


@dataclass(frozen=True)
class NeckConfig:
    """Reduction of the backbone's levels to a common width.

    Attributes:
        reduction: reduce them; else the backbone's channels are those of all later layers.
        channels: channels C of all later layers.
        crop: side of the centre crop of the template's features.
        surround: contrast factor outside the target's box in the template crop. With 1, as in the
            release, nothing marks the box; with less, the network sees its extent.
    """

    reduction: bool = True
    channels: int = 256
    crop: int = 7
    surround: float = 1.0

    def __post_init__(self) -> None:
        """Check ranges."""
        check_ranges(self, "neck", ("surround",), {})


@dataclass(frozen=True)
class AttentionConfig:
    """The deformable Siamese attention of section 3.2; an identity without either attention.

    Attributes:
        self_attention: spatial and channel attention within a branch.
        cross_attention: channel attention from the other branch.
        deformable_convolution: make the last convolution deformable.
        formula: which to use where the released code differs from equations 1 and 3.
        reduction: C / C', the channel reduction of queries and keys.
    """

    self_attention: bool = True
    cross_attention: bool = True
    deformable_convolution: bool = True
    formula: Formula = "released"
    reduction: int = 8

    @property
    def enabled(self) -> bool:
        """Whether there is any attention."""
        return self.self_attention or self.cross_attention


@dataclass(frozen=True)
class RPNConfig:
    """Region proposals: anchors, and how the levels are combined.

    Attributes:
        stride: pixels between neighbouring anchors.
        ratios: height / width of the anchors.
        scales: sides of the anchors in strides.
        weighted: combine several levels by learned weights instead of their mean.
    """

    stride: int = 8
    ratios: tuple[float, ...] = (0.33, 0.5, 1.0, 2.0, 3.0)
    scales: tuple[float, ...] = (8.0,)
    weighted: bool = True

    @property
    def anchors(self) -> int:
        """Anchors at each position."""
        return len(self.ratios) * len(self.scales)


@dataclass(frozen=True)
class RefineConfig:
    """The region refinement of section 3.3.

    Attributes:
        box: refine the box.
        mask: predict a mask.
        fusion: what the mask's map is made of beside the backbone's first two levels: the
            attentional features of the search image, as released, or their correlations with the
            template's, as in the paper.
        mask_window: predict it as SiamMask does, from the correlation at the proposal's position,
            in a window of the template's size there; else in the region of the refined box.
        deformable_pooling: RoI pooling moves its bins by learned offsets.
        box_pool: bins per side of the box head.
        mask_pool: bins per side of the mask head, a quarter of the mask's side.
        box_hidden: width of the box head's hidden layers.
        box_registered: pool the box head's map at the true position of its cells, around the
            crop's centre. The release assumes that the map covers the whole crop, which shifts
            and shrinks regions away from the centre.
        offset_hidden: width of the hidden layers that predict the bins' offsets.
    """

    box: bool = True
    mask: bool = True
    fusion: Formula = "released"
    mask_window: bool = False
    deformable_pooling: bool = True
    box_pool: int = 4
    mask_pool: int = 16
    box_hidden: int = 512
    box_registered: bool = False
    offset_hidden: int = 1024

    @property
    def in_window(self) -> bool:
        """Whether masks are predicted in windows."""
        return self.mask and self.mask_window

    @property
    def correlated_mask(self) -> bool:
        """Whether masks are predicted from correlations of all levels, as in the paper."""
        return self.mask and not self.mask_window and self.fusion == "paper"


@dataclass(frozen=True)
class TrackingConfig:
    """Hyper-parameters that turn proposals into a track.

    Attributes:
        penalty_k: weight of the penalty on changes of scale and ratio.
        window_influence: weight of the cosine window in the ranking of proposals.
        lr: weight of a confident proposal's size in the next size.
        mask_threshold: probability above which a pixel belongs to the target.
        mask_grid: parts of a mask's cell to which positions in it are rounded; 0 for none.
        exemplar: side of the template crop in pixels.
        instance: side of the search crop in pixels.
        base_size: side of the score map beyond one cell per stride of shift.
        context: margin around the target, as a share of width plus height.
        registered: crop at whole pixels of the frame and map predictions back accordingly, as in
            training. The release maps them back as if the crop were not rounded, which is half a
            pixel off on average.
    """

    penalty_k: float = 0.10
    window_influence: float = 0.25
    lr: float = 0.45
    mask_threshold: float = 0.2
    mask_grid: int = 0
    exemplar: int = 127
    instance: int = 255
    base_size: int = 8
    context: float = 0.5
    registered: bool = False

    def __post_init__(self) -> None:
        """Check ranges."""
        shares = ("window_influence", "lr", "mask_threshold")
        check_ranges(self, "tracking", shares, {"penalty_k": 0, "mask_grid": 0})


@dataclass(frozen=True)
class Tracking:
    """The released tracking hyper-parameters, by the benchmark they were tuned on."""

    vot: TrackingConfig = TrackingConfig()
    otb: TrackingConfig = TrackingConfig(penalty_k=0.20, window_influence=0.35, lr=0.50)


@dataclass(frozen=True)
class Config:
    """Configuration of a tracker. The defaults are the released SiamAttn.

    Attributes:
        name: preset it is based on.
        tracker: registered name of the tracker that runs it.
        source: origin of its numbers.
        benchmark: the default set of ``tracking``.
    """

    name: str = "siamattn"
    tracker: str = "siamattn"
    source: str = ""
    benchmark: str = "vot"
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    neck: NeckConfig = field(default_factory=NeckConfig)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    rpn: RPNConfig = field(default_factory=RPNConfig)
    refine: RefineConfig = field(default_factory=RefineConfig)
    tracking: Tracking = field(default_factory=Tracking)

    def tracking_for(self, benchmark: str | None = None, **settings: float) -> TrackingConfig:
        """The tracking hyper-parameters of ``benchmark``, overridden by ``settings``.

        Raises:
            ConfigError: unknown set or hyper-parameter, or a value out of range.
        """
        known = {f.name for f in fields(self.tracking)}
        name = self.benchmark if benchmark is None else benchmark
        if name not in known:
            raise unknown_name("set of tracking hyper-parameters", name, known)
        chosen: TrackingConfig = getattr(self.tracking, name)
        return overridden(chosen, settings, f"tracking.{name}")

    def override(self, settings: Mapping[str, Any]) -> Config:
        """A copy with ``settings`` (dotted name -> value), e.g. ``{"refine.mask": False}``.

        Raises:
            ConfigError: unknown name, or a value of the wrong type.
        """
        return overridden(self, settings)

    def to_dict(self) -> dict[str, Any]:
        """Every setting as nested plain values, for the record stored with weights."""
        return asdict(self)

    def architecture(self) -> str:
        """The settings that weights depend on, as one line of JSON, for the record in them."""
        settings = self.to_dict()
        return json.dumps({name: settings[name] for name in _ARCHITECTURE})

    def serves(self, trained: str) -> bool:
        """Whether this network matches a record written by ``architecture``.

        Settings missing from an older record take their default, the release's.
        """
        usual = json.loads(Config().architecture())
        try:
            found = json.loads(trained)
            sections = {name: {**usual[name], **found.pop(name)} for name in _ARCHITECTURE}
        except (AttributeError, KeyError, TypeError, ValueError):
            return False
        return not found and bool(sections == json.loads(self.architecture()))


def preset_names() -> list[str]:
    """The names of all presets, sorted."""
    return sorted(load_table(PRESETS))


def preset(name: str, settings: Mapping[str, Any] | None = None) -> Config:
    """The preset ``name``, with ``settings`` (dotted name -> value) overriding its own.

    ``size/parts``, e.g. ``siamattn-nano/siamattn-rr``, is the preset ``size`` with the attention,
    proposals and refinement of the preset ``parts``, as ablations need.

    Raises:
        ConfigError: unknown preset or setting, or a value of the wrong type.
    """
    size, slash, parts = name.partition("/")
    changes = named("preset", size, PRESETS)
    if slash:
        other = named("preset", parts, PRESETS)
        changes |= {k: v for k, v in other.items() if k.split(".")[0] in _PARTS}
    return Config(name=name).override({**changes, **(settings or {})})
