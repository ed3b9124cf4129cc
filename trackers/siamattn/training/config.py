"""Training settings as frozen dataclasses; the named recipes are data.

A recipe is the defaults below plus the overrides that ``recipes.json`` lists for it under dotted
names such as ``weights.mask``. The defaults are the paper's (sections 3.4 and 4.2) and, where the
paper gives none, the released configuration's. A recipe may also come from a file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError
from trackers.siamattn.config import preset
from trackers.siamattn.settings import (
    check_ranges,
    is_file_name,
    load_table,
    named,
    overridden,
    read_table,
)

RECIPES = Path(__file__).parent / "recipes.json"


@dataclass(frozen=True)
class Jitter:
    """Random augmentation of one crop.

    Attributes:
        shift: maximum shift of the target from the centre along each axis, crop pixels.
        scale: maximum relative change of width and of height, drawn separately.
        zoom: maximum log-scale change of both together. Trained without it, a tracker that has
            the wrong size keeps it.
        blur: probability of motion blur.
        flip: probability of a horizontal flip.
        colour: probability of colour jitter.
        strength: strength of the colour jitter; 1 shifts brightness by about 10 grey levels.
        light: maximum local change of illumination, in stops.
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
        """Check ranges."""
        least = dict.fromkeys(("shift", "zoom", "strength", "light"), 0)
        check_ranges(self, "jitter", ("blur", "flip", "colour"), least)
        if not 0 <= self.scale < 1:
            raise ConfigError(f"jitter: expected scale from 0 to less than 1, found {self.scale}")


@dataclass(frozen=True)
class DataConfig:
    """How training pairs are made.

    Attributes:
        mixture: name of a mixture of training sets, a ``.json`` or ``.toml`` file with one, or
            ``generated``.
        generated: share of pairs of generated video in a mixture of training sets.
        negatives: share of pairs whose search image shows another target.
        gray: share of greyscale pairs.
        film: share of pairs with degraded image quality, see ``looks.Degradation``.
        look: share of pairs passed through a random convolution, see ``looks.RandomConvolution``.
        turn: share of pairs with transposed crops, which balances tall and wide targets.
        stretch: maximum log change of the aspect ratio, the same for both crops of a pair.
        margin: maximum shift of each side of both boxes, as a share of the box. It imitates
            annotators who draw loose boxes consistently through a sequence.
        template, search: augmentation of the two crops.
        scenes: generated video: scenes per stream in use at a time.
        streams: generated video: streams used in turn, ideally one per process.
        uses: generated video: pairs drawn from a scene before it is replaced.
        parts: generated video: share of scenes whose target is part of an object, such as a face.
        motley: generated video: share of scenes whose target has several unlike colours, some of
            them close to the background's, like a clothed person.
    """

    mixture: str = "paper"
    generated: float = 0.0
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
        """Check ranges."""
        shares = ("generated", "negatives", "gray", "film", "look", "turn", "parts", "motley")
        check_ranges(self, "data", shares, {"scenes": 2, "streams": 1, "uses": 1, "stretch": 0})
        if not 0 <= self.margin < 0.5:
            raise ConfigError(
                f"data: expected margin from 0 to less than 0.5, found {self.margin}"
            )


@dataclass(frozen=True)
class LabelConfig:
    """Which anchors and regions are trained on.

    Attributes:
        positive: anchors with a higher overlap with the target are positive.
        negative: anchors with a lower overlap are negative; the rest is ignored.
        positives: maximum number of positive anchors per image.
        negatives: maximum number of negative anchors per image.
        absent: maximum number of negatives in an image without the target, near its distractor.
        least: minimum number of positive anchors per image; both thresholds are lowered, by at
            most half, to reach it. Otherwise targets whose size matches no anchor would be
            trained as background.
        overlap: regions with at least this overlap with the target are refined.
        regions: regions per image for the box head.
        mask_regions: how many of them also go to the mask head.
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
        """Check ranges."""
        counts = ("positives", "negatives", "absent", "regions", "mask_regions")
        shares = ("positive", "negative", "overlap")
        check_ranges(self, "labels", shares, {**dict.fromkeys(counts, 1), "least": 0})


@dataclass(frozen=True)
class LossConfig:
    """Weights and forms of the losses (equation 5).

    Attributes:
        cls, loc, box, mask: weights; a head with weight 0 is not computed.
        regression: loss of the proposals' regression; the release uses ``l1``.
        hardest: share of mask pixels that count, those with the largest loss.
    """

    cls: float = 1.0
    loc: float = 0.2
    box: float = 0.2
    mask: float = 0.1
    regression: Literal["smooth_l1", "l1"] = "smooth_l1"
    hardest: float = 1.0


_RATES = ("first", "warm", "peak", "last")


@dataclass(frozen=True)
class Schedule:
    """Optimiser and learning rates.

    Attributes:
        optimizer: ``sgd`` with momentum, or ``adamw``.
        momentum: momentum of ``sgd``.
        weight_decay: weight decay of all parameters.
        clip: maximum gradient norm.
        epochs: number of epochs.
        pairs: pairs per epoch.
        batch: pairs per step over all processes, which share them as evenly as possible.
        each: pairs per step of each process, for more or fewer than ``batch`` in all; 0 for
            ``batch``.
        growth: with ``each``, all rates grow as the number of pairs per step to this power: 0
            keeps them, 1 makes them proportional.
        accumulate: passes in which a step's gradients are computed, one after the other, each with
            its part of the batch: less memory, and batch norms that see one part at a time.
        warmup: epochs in which the rate rises geometrically from ``first`` to ``warm``.
        first, warm: rates of the first and last warm-up epoch.
        peak, last: rates of the first and last epoch after it.
        fall: how the rate falls between them.
        frozen: epochs with a frozen backbone.
        backbone: factor on the backbone's rate afterwards; its stem and first stage stay frozen
            unless ``whole`` is set.
        still: keep the statistics of the backbone's batch norms.
        unmasked: epochs without the loss of masks, whose steps are cheaper.
        whole: train the whole backbone, for networks without ImageNet weights.
        average: decay per step of an exponential moving average of all weights and statistics,
            which is what is validated and exported; 0 for none.
    """

    optimizer: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-5
    clip: float = 10.0
    epochs: int = 20
    pairs: int = 600_000
    batch: int = 12
    each: int = 0
    growth: float = 0.0
    accumulate: int = 1
    warmup: int = 5
    first: float = 1e-3
    warm: float = 1e-3
    peak: float = 5e-3
    last: float = 5e-4
    fall: Literal["geometric", "cosine"] = "geometric"
    frozen: int = 10
    backbone: float = 0.05
    still: bool = False
    unmasked: int = 0
    whole: bool = False
    average: float = 0.0

    def __post_init__(self) -> None:
        """Check ranges."""
        if not 0 <= self.average < 1:
            raise ConfigError(
                f"schedule: expected average from 0 to less than 1, found {self.average}"
            )
        counts = dict.fromkeys(("epochs", "pairs", "batch", "accumulate"), 1)
        rates = dict.fromkeys(_RATES, 1e-12)
        others = dict.fromkeys(
            ("warmup", "frozen", "unmasked", "weight_decay", "clip", "each", "growth"), 0
        )
        check_ranges(self, "schedule", ("momentum", "backbone"), {**counts, **rates, **others})

    def on(self, processes: int) -> Schedule:
        """The schedule of so many processes: ``each`` and ``growth`` are worked into the others.

        Raises:
            ConfigError: a step's pairs cannot be shared by the processes and passes.
        """
        found = self
        if self.each:
            factor = (self.each * processes / self.batch) ** self.growth
            rates = {name: getattr(self, name) * factor for name in _RATES}
            batch = self.each * processes
            found = replace(self, batch=batch, each=0, growth=0.0, **rates)
        if found.batch % found.accumulate or found.batch < found.accumulate * processes:
            raise ConfigError(
                f"schedule.batch: expected a multiple of the {found.accumulate} passes, with a "
                f"pair of each for every one of the {processes} processes, found {found.batch}. "
                "--set schedule.each=PAIRS gives every process as many"
            )
        return found

    def rate(self, epoch: float) -> float:
        """The learning rate of an epoch, counted from 0."""
        if epoch < self.warmup:
            return geometric(self.first, self.warm, self.warmup, epoch)
        course = cosine if self.fall == "cosine" else geometric
        return course(self.peak, self.last, self.epochs - self.warmup, epoch - self.warmup)


def geometric(first: float, last: float, count: int, index: float) -> float:
    """Term ``index`` of a geometric sequence of ``count`` numbers from ``first`` to ``last``."""
    if count < 2:
        return first
    return float(first * (last / first) ** (index / (count - 1)))


def cosine(first: float, last: float, count: int, index: float) -> float:
    """Term ``index`` of ``count`` numbers on half a cosine from ``first`` to ``last``."""
    if count < 2:
        return first
    return last + (first - last) * (1 + math.cos(math.pi * index / (count - 1))) / 2


@dataclass(frozen=True)
class ValidationConfig:
    """How the weights after each epoch are scored: one pass over videos, by mean success.

    Attributes:
        dataset: a dataset as ``bench`` names it, ``folder`` for own clips, or the path of a
            declaration; empty for generated video.
        frames: frames per sequence that are tracked; 0 for all.
        first: the first epoch, counted from 1, whose weights may be kept as the best.
    """

    dataset: str = ""
    frames: int = 0
    first: int = 1

    def __post_init__(self) -> None:
        """Check ranges."""
        check_ranges(self, "validation", (), {"frames": 0, "first": 1})


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run.

    Attributes:
        name: recipe it is based on.
        source: origin of its numbers.
        preset: architecture, see ``trackers.siamattn.config``.
        seed: seed of all random numbers.
        imagenet: ImageNet weights that the backbone starts from, a name in
            ``imagenet.PACKAGES``; empty for random ones or those of the command line.
        initial: initial weights, file name and SHA-256; empty for random ones.
    """

    name: str = "paper"
    source: str = ""
    preset: str = "siamattn"
    seed: int = 0
    imagenet: str = ""
    initial: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    labels: LabelConfig = field(default_factory=LabelConfig)
    weights: LossConfig = field(default_factory=LossConfig)
    schedule: Schedule = field(default_factory=Schedule)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        """Check that the preset can be trained here."""
        if preset(self.preset).refine.in_window:
            raise ConfigError(
                f"preset {self.preset!r} cannot be trained here: there is no loss for masks in "
                "windows. Choose another, such as siamattn-ml"
            )

    def override(self, settings: Mapping[str, Any]) -> Recipe:
        """A copy with ``settings`` (dotted name -> value), e.g. ``{"data.gray": 0.1}``.

        Raises:
            ConfigError: unknown name, or a value of the wrong type.
        """
        return overridden(self, settings)

    def on(self, processes: int) -> Recipe:
        """The recipe as so many processes train it, see ``Schedule.on``."""
        return replace(self, schedule=self.schedule.on(processes))

    @property
    def pretrained(self) -> bool:
        """Whether the backbone is still at first or in part, so that it must be trained before."""
        return self.schedule.frozen > 0 or not self.schedule.whole

    def to_dict(self) -> dict[str, Any]:
        """Every setting as nested plain values, for the record stored with weights."""
        return asdict(self)


def recipe_names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(load_table(RECIPES))


def recipe(name: str, settings: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe ``name``, with ``settings`` (dotted name -> value) overriding its own.

    Args:
        name: of a recipe, or of a ``.json`` or ``.toml`` file with settings, nested or under
            dotted names; ``like`` names the recipe that they change, by default ``paper``.
        settings: override the recipe's.

    Raises:
        ConfigError: unknown recipe or setting, a value of the wrong type, or a file that cannot
            be read.
    """
    if not is_file_name(name):
        changes = named("recipe", name, RECIPES)
        return Recipe(name=name).override({**changes, **(settings or {})})
    own = read_table(Path(name))
    base = named("recipe", str(own.pop("like", "paper")), RECIPES)
    changes = {**base, "source": Path(name).name, **dict(_flat(own)), **(settings or {})}
    return Recipe(name=Path(name).stem).override(_beside(changes, own, Path(name).parent))


def _beside(changes: dict[str, Any], own: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The changes with the mixture that a recipe's file names found beside this file."""
    name = dict(_flat(own)).get("data.mixture")
    if isinstance(name, str) and is_file_name(name) and changes["data.mixture"] == name:
        return {**changes, "data.mixture": str(folder / name)}
    return changes


def read_recipe(path: Path) -> Recipe:
    """The recipe stored with a run.

    Raises:
        ConfigError: the file is missing, or is not a recipe of this version.
    """
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: expected the recipe of a training run ({error})") from error
    return Recipe().override(dict(_flat(found)))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted name."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
