"""How each toolkit turns the same boxes into a number, as data.

``tables/conventions.json`` holds one row per toolkit; this module gives the rows a type and puts
their differences into words. The functions that obey them are in ``curves``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.arrays import FloatArray
from bench.measures import conventions
from bench.measures.conventions import find_row, phrase, read_table

Score = Literal["mean", "area", "at 20 px", "at 0.2"]
Validity = Literal["positive", "sized", "centre positive", "all"]


@dataclass(frozen=True)
class Convention:
    """One toolkit's definition of success, precision and normalised precision.

    Attributes:
        name: identifier for ``--convention``.
        title: how it is printed.
        source: the files the definition was read from.
        first_frame: whether row 1 of a result is overwritten by the ground truth.
        repair: which broken rows of a result are replaced by the row before.
        longer, shorter: what happens to a result with more or fewer rows than the ground truth.
        missing: what happens to a sequence without a result file.
        rounding: whether all coordinates are rounded to integers first.
        overlap: arithmetic of the intersection over union; "clipped" limits it to [0, 1],
            "epsilon" also adds the machine epsilon to the union.
        valid_overlap, valid_error: which ground-truth rows can be scored: "positive" needs x, y,
            w, h > 0, "sized" w, h > 0, "centre positive" a centre with both coordinates > 0.
        invalid_error: whether a row that cannot be scored counts as precise or not (it never
            counts as a success).
        normalization: whether each centre or their offset is divided by the target's size; equal
            but for the last bit, which decides ties.
        drop: frames left out before counting: where the target is absent or its box unknown.
        denominator: hits are divided by the annotated rows or by the rows kept.
        success: whether an overlap equal to the threshold succeeds.
        pixel_step, pixel_bins: thresholds of the precision curve.
        normalized_bins: number of thresholds of normalised precision over [0, 0.5].
        success_score, precision_score, normalized_score: how a curve becomes one number.
        zero_curves: whether sequences whose whole curve is zero leave the mean.
        coverage: whether the share of frames with a box is a score of its own.
    """

    name: str
    title: str
    source: str
    first_frame: Literal["ground truth", "result"]
    repair: Literal["none", "all NaN", "any NaN", "zero size"]
    longer: Literal["error", "cut"]
    shorter: Literal["error", "zeros"]
    missing: Literal["error", "zeros"]
    rounding: Literal["none", "integer"]
    overlap: Literal["inclusive", "clipped", "epsilon"]
    valid_overlap: Validity
    valid_error: Validity
    invalid_error: Literal["hit", "miss"]
    normalization: Literal["of each centre", "of the offset"]
    drop: Literal["none", "absent", "unknown"]
    denominator: Literal["annotated", "kept"]
    success: Literal["above", "at least"]
    pixel_step: float
    pixel_bins: int
    normalized_bins: int
    success_score: Score
    precision_score: Score
    normalized_score: Score
    zero_curves: Literal["kept", "dropped"]
    coverage: Literal["unknown", "reported"]

    @property
    def success_thresholds(self) -> FloatArray:
        """``(21,)`` overlaps 0, 0.05 .. 1, with the last bits of MATLAB's ``0:0.05:1``."""
        return np.arange(21, dtype=np.float64) * 0.05

    @property
    def precision_thresholds(self) -> FloatArray:
        """Centre errors in pixels."""
        return np.arange(self.pixel_bins, dtype=np.float64) * self.pixel_step

    @property
    def normalized_thresholds(self) -> FloatArray:
        """Centre errors relative to the size of the target, 0 .. 0.5."""
        if self.normalized_bins == 51:
            return np.arange(51, dtype=np.float64) / 100  # MATLAB's (0:50)/100 bit for bit
        return np.linspace(0, 0.5, self.normalized_bins)


_TABLE = "conventions.json"


def convention_names() -> tuple[str, ...]:
    """Every known convention."""
    return tuple(read_table(_TABLE))


def get_convention(name: str, benchmark: str) -> Convention:
    """The convention ``name`` as that toolkit applies it to ``benchmark``.

    Raises:
        ConfigError: no convention has that name.
    """
    row = find_row(_TABLE, name)
    exceptions = row.pop("on").get(benchmark, {})
    return Convention(**{**row, **exceptions})


def words(convention: Convention, rule: str) -> str:
    """What a rule of a convention means, as a phrase, e.g. of its ``"repair"``."""
    return phrase("onepass", rule, getattr(convention, rule))


def differences(convention: Convention, official: Convention) -> list[str]:
    """Where ``convention`` deviates from ``official``, one phrase per rule."""
    return conventions.differences("onepass", convention, official)
