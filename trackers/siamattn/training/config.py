"""How a network is trained, as frozen records, and the named recipes as data.

A recipe is the defaults below, which are the paper's (section 4.1), with the changes that
``recipes.json`` lists for it under dotted names such as ``weights.mask``. Where the paper is
silent, the defaults are those of the released configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError
from trackers.siamattn.settings import check_ranges, load_table, named, overridden

RECIPES = Path(__file__).parent / "recipes.json"


@dataclass(frozen=True)
class Jitter:
    """Random changes of one crop.

    Attributes:
        shift: most pixels of the crop by which the target leaves the centre, along each axis.
        scale: most by which its width and height change, each on its own, as a share.
        zoom: most by which both change alike, as a logarithm. A tracker that has the size wrong
            sees the target too large or too small; one that never saw that in training keeps on.
        blur: probability of a motion blur.
        flip: probability of a mirrored image.
        colour: probability of other colours.
        strength: of the colours' change: 1 moves the light by 10 grey levels or so.
        light: most by which light falls unevenly, and is brighter or darker in all, in stops.
    """

    shift: float = 4.0
    scale: float = 0.05
    zoom: float = 0.0
    blur: float = 0.0
    flip: float = 0.0
    colour: float = 0.5
    strength: float = 1.0
    light: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what turns a crop inside out, or is no probability."""
        least = dict.fromkeys(("shift", "zoom", "strength", "light"), 0)
        check_ranges(self, "jitter", ("blur", "flip", "colour"), least)
        if not 0 <= self.scale < 1:
            raise ConfigError(f"jitter: expected scale from 0 to less than 1, found {self.scale}")


@dataclass(frozen=True)
class DataConfig:
    """What pairs are made of.

    Attributes:
        mixture: name of a mixture of datasets, or ``generated``.
        negatives: share of pairs whose search image shows another target.
        gray: share of pairs without colour.
        film: share of pairs on a film with faults, see ``film.Film``.
        look: share of pairs that look otherwise, see ``looks.Look``.
        turn: share of pairs whose crops have their axes exchanged, so that tall targets are as
            many as wide ones.
        stretch: most by which both crops of a pair are made wider or taller, as the logarithm of
            the change of the target's aspect.
        margin: most by which each side of both boxes of a pair lies further out or in, as a share
            of the box: people draw them loosely, and the same way in all frames.
        template, search: the changes of the two crops.
        scenes: generated video: scenes of each stream that pairs are drawn from at a time.
        streams: generated video: streams that take turns, at best one for each process.
        uses: generated video: pairs drawn from a scene before another takes its place.
        parts: generated video: share of scenes whose target is a part of something, such as a
            face of a person.
        motley: generated video: share of scenes whose target has parts of unlike colours, such as
            a person, some of them near the ground's.
    """

    mixture: str = "paper"
    negatives: float = 0.2
    gray: float = 0.0
    film: float = 0.0
    look: float = 0.0
    turn: float = 0.0
    stretch: float = 0.0
    margin: float = 0.0
    template: Jitter = Jitter()
    search: Jitter = Jitter(shift=64.0, scale=0.18, blur=0.2, flip=0.2)
    scenes: int = 48
    streams: int = 2
    uses: int = 24
    parts: float = 0.0
    motley: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers of nothing, and shares outside 0..1."""
        shares = ("negatives", "gray", "film", "look", "turn", "parts", "motley")
        check_ranges(self, "data", shares, {"scenes": 2, "streams": 1, "uses": 1, "stretch": 0})
        if not 0 <= self.margin < 0.5:
            raise ConfigError(
                f"data: expected margin from 0 to less than 0.5, found {self.margin}"
            )


@dataclass(frozen=True)
class LabelConfig:
    """Which anchors and regions are trained on.

    Attributes:
        positive: an anchor that overlaps the target more is positive.
        negative: one that overlaps it less is negative; those between are ignored.
        positives: most positive anchors of an image.
        negatives: most negative anchors of an image.
        absent: most negative anchors of an image without the target, near what it shows.
        least: positive anchors of an image for which both thresholds are lowered, to half of them
            at most: a target of a size that no anchor has would else be taught as background.
        overlap: a region that overlaps the target as much is refined.
        regions: regions of an image for the box head.
        mask_regions: those of them that the mask head gets too.
    """

    positive: float = 0.6
    negative: float = 0.3
    positives: int = 16
    negatives: int = 48
    absent: int = 16
    least: int = 0
    overlap: float = 0.5
    regions: int = 16
    mask_regions: int = 16

    def __post_init__(self) -> None:
        """Refuse numbers of nothing, and overlaps outside 0..1."""
        counts = ("positives", "negatives", "absent", "regions", "mask_regions")
        shares = ("positive", "negative", "overlap")
        check_ranges(self, "labels", shares, {**dict.fromkeys(counts, 1), "least": 0})


@dataclass(frozen=True)
class LossConfig:
    """Weights and forms of the losses (equation 5).

    Attributes:
        cls, loc, box, mask: weights; a head whose loss has weight 0 is not computed.
        regression: form of the proposals' regression; the release has ``l1``.
        hardest: share of the mask's pixels that count, the hardest ones.
    """

    cls: float = 1.0
    loc: float = 0.2
    box: float = 0.2
    mask: float = 0.1
    regression: Literal["smooth_l1", "l1"] = "smooth_l1"
    hardest: float = 1.0


@dataclass(frozen=True)
class Schedule:
    """The optimiser and its learning rates.

    Attributes:
        optimizer: ``sgd`` with momentum, or ``adamw``.
        momentum: of ``sgd``.
        weight_decay: of all parameters.
        clip: largest norm of a gradient.
        epochs: of ``pairs`` each.
        pairs: in an epoch.
        batch: pairs in a step, of all processes together.
        warmup: epochs in which the rate grows geometrically from ``first`` to ``warm``.
        first, warm: rates of the first and the last warm-up epoch.
        peak, last: rates of the epochs after it, falling geometrically.
        frozen: epochs in which the backbone stays as it is.
        backbone: share of the rate for the backbone afterwards; its first stage never moves
            unless ``whole`` is set.
        whole: train all of the backbone, its stem too; for networks without ImageNet weights.
    """

    optimizer: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-5
    clip: float = 10.0
    epochs: int = 20
    pairs: int = 600_000
    batch: int = 12
    warmup: int = 5
    first: float = 1e-3
    warm: float = 1e-3
    peak: float = 5e-3
    last: float = 5e-4
    frozen: int = 10
    backbone: float = 0.05
    whole: bool = False

    def __post_init__(self) -> None:
        """Refuse a training of nothing, and rates below 0."""
        counts = dict.fromkeys(("epochs", "pairs", "batch"), 1)
        rates = dict.fromkeys(("first", "warm", "peak", "last"), 1e-12)
        others = dict.fromkeys(("warmup", "frozen", "weight_decay", "clip"), 0)
        check_ranges(self, "schedule", ("momentum", "backbone"), {**counts, **rates, **others})

    def rate(self, epoch: float) -> float:
        """The learning rate of an epoch, counted from 0."""
        if epoch < self.warmup:
            return geometric(self.first, self.warm, self.warmup, epoch)
        return geometric(self.peak, self.last, self.epochs - self.warmup, epoch - self.warmup)


def geometric(first: float, last: float, count: int, index: float) -> float:
    """Member ``index`` of ``count`` numbers from ``first`` to ``last`` in equal ratios."""
    if count < 2:
        return first
    return float(first * (last / first) ** (index / (count - 1)))


@dataclass(frozen=True)
class Recipe:
    """All of a training.

    Attributes:
        name: of the recipe it started from.
        source: where its numbers are from.
        preset: architecture, see ``trackers.siamattn.config``.
        seed: of everything random.
        initial: the weights it begins with, files by name and SHA-256; empty for random ones.
    """

    name: str = "paper"
    source: str = ""
    preset: str = "siamattn"
    seed: int = 0
    initial: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    labels: LabelConfig = field(default_factory=LabelConfig)
    weights: LossConfig = field(default_factory=LossConfig)
    schedule: Schedule = field(default_factory=Schedule)

    def override(self, settings: Mapping[str, Any]) -> Recipe:
        """A copy with ``settings``: dotted name -> value, e.g. ``{"schedule.epochs": 2}``.

        Raises:
            ConfigError: no such name, or a value of another type.
        """
        return overridden(self, settings)

    def to_dict(self) -> dict[str, Any]:
        """Every setting as nested plain values, for the record beside weights."""
        return asdict(self)


def recipe_names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(load_table(RECIPES))


def recipe(name: str, settings: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe ``name``, with ``settings`` (dotted name -> value) in place of its own.

    Raises:
        ConfigError: no such recipe or setting, or a value of another type.
    """
    changes = named("recipe", name, RECIPES)
    return Recipe(name=name).override({**changes, **(settings or {})})


def read_recipe(path: Path) -> Recipe:
    """The recipe that a run wrote down.

    Raises:
        ConfigError: no such file, or not a recipe of this version.
    """
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: expected the recipe of a training ({error})") from error
    return Recipe().override(dict(_flat(found)))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted name."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
