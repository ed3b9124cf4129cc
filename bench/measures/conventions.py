"""Conventions: toolkits' definitions of the measures, by name.

The rows of ``tables/conventions.json`` and ``tables/vot_conventions.json`` get a type here; the
rules are implemented in ``onepass.curves`` and in ``vot``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import TABLES, get_benchmark
from bench.benchmarks.typed import typed
from bench.errors import unknown_name

if TYPE_CHECKING:
    from bench.measures.vot.expected_overlap import Cut

Score = Literal["mean", "area", "at 20 px", "at 0.2"]
Validity = Literal["positive", "sized", "centre positive", "scaled centre positive", "all"]
Kind = Literal["onepass", "vot"]

_FILES = {"onepass": "conventions.json", "vot": "vot_conventions.json"}


@dataclass(frozen=True)
class Convention:
    """One toolkit's definition of success, precision and normalised precision.

    Attributes:
        name: identifier for ``--convention``.
        title: display name.
        source: files of the toolkit that define it.
        first_frame: whether row 1 of a result is replaced by the ground truth, or left out.
        repair: which invalid rows of a result are replaced by the previous row.
        longer, shorter: handling of results with more or fewer rows than the ground truth.
        missing: handling of sequences without a result.
        rounding: whether all coordinates are rounded to integers first.
        overlap: arithmetic of the intersection over union; "clipped" limits it to [0, 1],
            "epsilon" also adds the machine epsilon to the union.
        valid_overlap, valid_error, valid_normalized: which ground-truth rows are valid:
            "positive" requires x, y, w, h > 0, "sized" w, h > 0, "centre positive" both centre
            coordinates > 0, "scaled centre positive" both after division by the size.
        invalid_error: whether a frame with invalid ground truth counts as precise (it never
            counts as a success).
        normalization: whether both centres or their offset are divided by the target's size;
            the results differ in the last bit, which decides ties.
        drop: frames excluded before counting: those with an absent target or unknown box;
            "absent as invalid" instead takes an absent target for invalid ground truth.
        denominator: whether hits are divided by all annotated frames or by the frames kept.
        success: whether an overlap equal to the threshold is a success.
        success_steps: how the thresholds 0, 0.05, ..., 1 are computed, which decides ties:
            "from both ends" as MATLAB's ``0:0.05:1``, whose upper half counts down from 1, or
            "multiples" of 0.05 as in numpy and Octave.
        success_bins: number of thresholds of success.
        pixel_step, pixel_bins: thresholds of the precision curve.
        normalized_bins: number of thresholds of normalised precision in [0, 0.5].
        success_score, precision_score, normalized_score: how a curve becomes one number.
        zero_curves: whether sequences with an all-zero curve are dropped from the mean.
        coverage: whether the fraction of frames with a box is reported.
        clip: whether boxes and ground truth are clipped to the image first.
        pooling: whether measures are means over sequences, or over the frames of all of them.
        average_overlap: whether the mean overlap of all counted frames is reported.
    """

    name: str
    title: str
    source: str
    first_frame: Literal["ground truth", "result", "left out"]
    repair: Literal["none", "all NaN", "any NaN", "zero size"]
    longer: Literal["error", "cut"]
    shorter: Literal["error", "zeros"]
    missing: Literal["error", "zeros"]
    rounding: Literal["none", "integer"]
    overlap: Literal["inclusive", "clipped", "epsilon"]
    valid_overlap: Validity
    valid_error: Validity
    valid_normalized: Validity
    invalid_error: Literal["hit", "miss"]
    normalization: Literal["of each centre", "of the offset"]
    drop: Literal["none", "absent", "absent as invalid", "unknown"]
    denominator: Literal["annotated", "kept"]
    success: Literal["above", "at least"]
    success_steps: Literal["from both ends", "multiples"]
    pixel_step: float
    pixel_bins: int
    normalized_bins: int
    success_score: Score
    precision_score: Score
    normalized_score: Score
    zero_curves: Literal["kept", "dropped"]
    coverage: Literal["unknown", "reported"]
    clip: Literal["none", "image"] = "none"
    pooling: Literal["sequences", "frames"] = "sequences"
    average_overlap: Literal["unknown", "reported"] = "unknown"
    success_bins: int = 21

    @property
    def success_thresholds(self) -> FloatArray:
        """``(success_bins,)`` overlaps 0, 0.05, ..., 1, bit for bit as the toolkit computes them.

        MATLAB's 13th step is 0.6499999999999999, so an overlap of exactly 0.65 succeeds there.
        """
        if self.success_bins != 21:
            return np.linspace(0, 1, self.success_bins)
        steps = np.arange(21, dtype=np.float64)
        if self.success_steps == "multiples":
            return steps * 0.05
        return np.where(steps <= 10, steps * 0.05, 1 - (20 - steps) * 0.05)

    @property
    def precision_thresholds(self) -> FloatArray:
        """``(pixel_bins,)`` centre errors in pixels."""
        return np.arange(self.pixel_bins, dtype=np.float64) * self.pixel_step

    @property
    def normalized_thresholds(self) -> FloatArray:
        """``(normalized_bins,)`` centre errors relative to the target's size, 0 to 0.5."""
        if self.normalized_bins == 51:
            return np.arange(51, dtype=np.float64) / 100  # bit for bit as MATLAB's (0:50)/100
        return np.linspace(0, 0.5, self.normalized_bins)


@dataclass(frozen=True)
class VotConvention:
    """One toolkit's definition of the VOT measures.

    Attributes:
        name: identifier for ``--convention``.
        title: display name.
        source: files of the toolkit that define it.
        overlap: rule of ``bench.geometry.region_overlaps``.
        accuracy_bounds: last column and row counted in accuracy: the image size W, H as the
            MATLAB code passes it, or W - 1, H - 1 as it does for expected overlaps. The latter
            also reproduces the fourth digit of the challenge's results; no printed digit
            depends on it.
        accuracy: averaging of accuracy and failures: over all frames, over sequences weighted
            by length, or over tags weighted by frames.
        expected_overlap: the official definition; ``"late"``: a failure 5 frames before the end
            of a sequence ends a segment; ``"shifted"``: averaged one frame later, repetitions
            unweighted, and any failure near the end ends a segment; or none.
        repetitions: runs that count: all, or the first unless there are exactly 15.
    """

    name: str
    title: str
    source: str
    overlap: str
    accuracy_bounds: Literal["size", "size less one"]
    accuracy: Literal["pooled", "by sequence", "by tag"]
    expected_overlap: Literal["official", "late", "shifted", "none"]
    repetitions: Literal["all", "first unless 15"]

    @property
    def cut(self) -> Cut:
        """How runs are cut into segments for expected overlaps."""
        return "official" if self.expected_overlap == "none" else self.expected_overlap


AnyConvention = TypeVar("AnyConvention", Convention, VotConvention)


def convention_names(benchmark: str) -> tuple[str, ...]:
    """Names of the conventions that can score a benchmark.

    Raises:
        ConfigError: unknown benchmark.
    """
    return tuple(read_table(_FILES[get_benchmark(benchmark).kind]))


def get_convention(name: str, benchmark: str) -> Convention:
    """The one-pass convention ``name`` as its toolkit applies it to ``benchmark``.

    Raises:
        ConfigError: unknown convention, or the benchmark states a rule of it that cannot be.
    """
    row, stated = _find_row("onepass", name), get_benchmark(benchmark).conventions.get(name, {})
    return typed(Convention, {**row, **stated}, f"benchmark {benchmark!r}: conventions: {name}")


def get_vot_convention(name: str) -> VotConvention:
    """The convention of the VOT measures called ``name``.

    Raises:
        ConfigError: unknown convention.
    """
    return VotConvention(**_find_row("vot", name))


def words(convention: Convention, rule: str) -> str:
    """Describe one rule of a convention, e.g. its ``"repair"``."""
    described: str = _phrases("onepass")[rule][getattr(convention, rule)]
    return described


def differences(convention: AnyConvention, official: AnyConvention) -> list[str]:
    """Rules in which ``convention`` deviates from ``official``, one phrase each."""
    mine, theirs = asdict(convention), asdict(official)
    kind: Kind = "onepass" if isinstance(convention, Convention) else "vot"
    return [
        phrases[mine[rule]]
        for rule, phrases in _phrases(kind).items()
        if mine[rule] != theirs[rule] and mine[rule] in phrases
    ]


def _phrases(kind: Kind) -> dict[str, dict[str, str]]:
    """Descriptions of the rules' values, by rule and value."""
    return read_table("convention_phrases.json")[kind]


def _find_row(kind: Kind, name: str) -> dict[str, Any]:
    rows = read_table(_FILES[kind])
    if name not in rows:
        raise unknown_name("convention", name, rows)
    return {"name": name, **rows[name]}


@lru_cache(maxsize=8)
def read_table(name: str) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads((TABLES / name).read_text(encoding="utf-8"))
    return table
