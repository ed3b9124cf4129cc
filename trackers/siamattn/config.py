"""What a network is made of, as frozen records, and the named presets as data.

A preset is the defaults below, which are the released SiamAttn, with the changes that
``presets.json`` lists for it under dotted names such as ``attention.cross_attention``. Sections
and tables are those of the paper (arXiv 2004.06711).
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

PRESETS = Path(__file__).parent / "presets.json"
_PARTS = ("rpn", "attention", "refine")  # sections of what an ablation leaves out
_ARCHITECTURE = ("backbone", "neck", *_PARTS)  # sections that weights depend on


@dataclass(frozen=True)
class BackboneConfig:
    """The residual network with dilated last stages; the defaults are ResNet-50.

    Attributes:
        stem: channels of the first convolution.
        widths: inner channels of the bottlenecks of the four stages.
        blocks: bottlenecks in each of the four stages.
        expansion: channels that a bottleneck puts out for each inner one.
    """

    stem: int = 64
    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    expansion: int = 4

    def __post_init__(self) -> None:
        """Refuse anything but four stages."""
        if len(self.widths) != 4 or len(self.blocks) != 4:
            raise ConfigError(
                f"backbone: expected widths and blocks of four stages, found {self.widths} and "
                f"{self.blocks}"
            )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the five levels: the stem and the four stages."""
        return (self.stem, *(self.expansion * width for width in self.widths))


@dataclass(frozen=True)
class NeckConfig:
    """The reduction of the last three levels to one width.

    Attributes:
        channels: channels C of all that follows.
        crop: side of the centre crop of the template's features.
        surround: share of the contrast that is left around the target's box in the template crop.
            1 leaves all, as in the release: nothing says where the box ends. With less, the
            network sees what it shall find the extent of.
    """

    channels: int = 256
    crop: int = 7
    surround: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shares outside 0..1."""
        check_ranges(self, "neck", ("surround",), {})


@dataclass(frozen=True)
class AttentionConfig:
    """The deformable Siamese attention of section 3.2; without either attention, an identity.

    Attributes:
        self_attention: spatial and channel attention within a branch.
        cross_attention: channel attention of the other branch.
        deformable_convolution: the last convolution deforms; otherwise it is a plain one.
        formula: where the released code differs from equations 1 and 3, which of the two.
        reduction: C / C', how much narrower queries and keys are.
    """

    self_attention: bool = True
    cross_attention: bool = True
    deformable_convolution: bool = True
    formula: Formula = "released"
    reduction: int = 8

    @property
    def enabled(self) -> bool:
        """Whether there is any attention at all."""
        return self.self_attention or self.cross_attention


@dataclass(frozen=True)
class RPNConfig:
    """Region proposals: anchors, and how the three levels are combined.

    Attributes:
        stride: pixels between neighbouring anchors.
        ratios: height / width of the anchors.
        scales: sides of the anchors in strides.
        weighted: learned weights of the levels; otherwise their mean.
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
        deformable_pooling: RoI pooling moves its bins by learned offsets.
        box_pool: bins per side of the box head.
        mask_pool: bins per side of the mask head, a quarter of the mask's side.
        box_hidden: width of the box head's hidden layers.
        box_registered: the box head's map is pooled where its cells lie, around the crop's middle;
            otherwise as if it covered the crop evenly, as in the release, which shifts and
            shrinks what lies off the middle.
        offset_hidden: width of the hidden layers that predict the bins' offsets.
    """

    box: bool = True
    mask: bool = True
    deformable_pooling: bool = True
    box_pool: int = 4
    mask_pool: int = 16
    box_hidden: int = 512
    box_registered: bool = False
    offset_hidden: int = 1024


@dataclass(frozen=True)
class TrackingConfig:
    """How proposals become a track.

    Attributes:
        penalty_k: weight of the penalty on changes of scale and ratio.
        window_influence: share of the cosine window in the ranking of proposals.
        lr: share of a surely found size in the size of the next frame.
        mask_threshold: probability above which a pixel is the target's.
        exemplar: side of the template crop in pixels.
        instance: side of the search crop in pixels.
        base_size: side of the score map beyond one per stride of shift.
        context: margin around the target, as a share of width plus height.
        registered: crops are cut from whole pixels of the frame, and their answers are read where
            they were cut; otherwise where they would have been cut, as in the release, half a
            pixel off on average. Regions are then pooled where training pools them.
    """

    penalty_k: float = 0.10
    window_influence: float = 0.25
    lr: float = 0.45
    mask_threshold: float = 0.2
    exemplar: int = 127
    instance: int = 255
    base_size: int = 8
    context: float = 0.5
    registered: bool = False

    def __post_init__(self) -> None:
        """Refuse shares outside 0..1 and a negative penalty."""
        shares = ("window_influence", "lr", "mask_threshold")
        check_ranges(self, "tracking", shares, {"penalty_k": 0})


@dataclass(frozen=True)
class Tracking:
    """The released sets of tracking hyper-parameters, by the benchmark they were chosen on."""

    vot: TrackingConfig = TrackingConfig()
    otb: TrackingConfig = TrackingConfig(penalty_k=0.20, window_influence=0.35, lr=0.50)


@dataclass(frozen=True)
class Config:
    """A whole tracker. The defaults are the released SiamAttn.

    Attributes:
        name: name of the preset it started from.
        source: where its numbers are from.
        benchmark: the set of ``tracking`` that is used unless another is asked for.
    """

    name: str = "siamattn"
    source: str = ""
    benchmark: str = "vot"
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    neck: NeckConfig = field(default_factory=NeckConfig)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    rpn: RPNConfig = field(default_factory=RPNConfig)
    refine: RefineConfig = field(default_factory=RefineConfig)
    tracking: Tracking = field(default_factory=Tracking)

    def tracking_for(self, benchmark: str | None = None, **settings: float) -> TrackingConfig:
        """The tracking hyper-parameters of ``benchmark``, with ``settings`` in their place.

        Raises:
            ConfigError: no such set, no such hyper-parameter, or a value out of range.
        """
        known = {f.name for f in fields(self.tracking)}
        name = self.benchmark if benchmark is None else benchmark
        if name not in known:
            raise unknown_name("set of tracking hyper-parameters", name, known)
        chosen: TrackingConfig = getattr(self.tracking, name)
        return overridden(chosen, settings, f"tracking.{name}")

    def override(self, settings: Mapping[str, Any]) -> Config:
        """A copy with ``settings``: dotted name -> value, e.g. ``{"refine.mask": False}``.

        Raises:
            ConfigError: no such name, or a value of another type.
        """
        return overridden(self, settings)

    def to_dict(self) -> dict[str, Any]:
        """Every setting as nested plain values, for a record beside weights."""
        return asdict(self)

    def architecture(self) -> str:
        """All that weights were trained for, as one line of JSON, for a record within them."""
        settings = self.to_dict()
        return json.dumps({name: settings[name] for name in _ARCHITECTURE})

    def serves(self, trained: str) -> bool:
        """Whether this network is the one of a record, which ``architecture`` wrote.

        A setting that the record does not have yet is held to have its default, the release's.
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
    """The preset ``name``, with ``settings`` (dotted name -> value) in place of its own.

    ``size/parts``, e.g. ``siamattn-nano/siamattn-rr``, is the preset ``size`` with the parts of
    another: all of its changes but those of tracking. Ablations are made so.

    Raises:
        ConfigError: no such preset or setting, or a value of another type.
    """
    size, slash, parts = name.partition("/")
    changes = named("preset", size, PRESETS)
    if slash:
        other = named("preset", parts, PRESETS)
        changes |= {k: v for k, v in other.items() if k.split(".")[0] in _PARTS}
    return Config(name=name).override({**changes, **(settings or {})})
