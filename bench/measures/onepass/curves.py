"""Success, precision and normalised precision of one-pass runs, by named convention.

Pure functions on arrays. Boxes are ``(N, 4)`` x, y, w, h in the coordinates of the annotation
file: the official definitions compare them with zero, so the base of the file matters.
Sources: SEMANTICS of OTB ``calcSeqErrRobust.m``, LaSOT ``calc_seq_err_robust.m``, TrackingNet
``metrics.py`` and, for the named conventions, the files listed in ``tables/conventions.json``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bench import geometry
from bench.arrays import BoolArray, FloatArray
from bench.errors import ResultError
from bench.measures.onepass.conventions import Convention, Score, Validity


@dataclass(frozen=True, eq=False)
class FrameMeasures:
    """Per-frame measures of the ``K`` frames that a convention keeps, of one or many results.

    Attributes:
        overlap: ``(..., K)`` intersection over union; -1 where the ground truth cannot be scored.
        error: ``(..., K)`` distance of centres in pixels; -1 counts as a hit, inf and NaN as a
            miss.
        normalized_error: ``(..., K)`` the same with centres divided by the target's size.
        counted: number of frames that hits are divided by.
    """

    overlap: FloatArray
    error: FloatArray
    normalized_error: FloatArray
    counted: int


Curves: TypeAlias = dict[str, FloatArray]
"""The curves of one sequence by name, each ``(..., T)`` fractions, of one or many results."""


@dataclass(frozen=True)
class Curve:
    """How one curve of ``CURVES`` is computed.

    Attributes:
        count: how many frames succeed at each threshold, ``(..., K) -> (..., T)``.
        thresholds: ``(T,)``, as a convention has them.
        score: how a convention turns the curve into one number.
    """

    count: Callable[[FrameMeasures, Convention], FloatArray]
    thresholds: Callable[[Convention], FloatArray]
    score: Callable[[Convention], Score]


def frame_measures(
    result: FloatArray,
    truth: FloatArray,
    convention: Convention,
    absent: BoolArray | None = None,
) -> FrameMeasures:
    """Overlap and centre errors of every frame.

    Args:
        result: ``(..., M, 4)`` boxes, of one tracker or of many at once.
        truth: ``(N, 4)`` ground truth, NaN where unknown.
        convention: the rules to follow.
        absent: ``(N,)`` True where the target is not visible; None if not annotated.

    Raises:
        ResultError: the result has a number of rows, or rows, that the convention refuses.
    """
    count = len(truth)
    result = _same_length(result, count, convention)
    if convention.rounding == "integer":
        result, truth = np.rint(result), np.rint(truth)
    result = repair_rows(result, truth, convention)
    measures = _measure(result, truth, convention)
    if convention.first_frame == "ground truth":
        for values, perfect in zip(
            measures, _measure(truth[:1], truth[:1], convention), strict=True
        ):
            values[..., 0] = perfect[0]
    kept = _kept_frames(truth, absent, convention)
    if kept is None:
        return FrameMeasures(*measures, count)
    overlap, error, normalized = (values[..., kept] for values in measures)
    counted = count if convention.denominator == "annotated" else int(kept.sum())
    return FrameMeasures(overlap, error, normalized, counted)


def _same_length(result: FloatArray, count: int, convention: Convention) -> FloatArray:
    rows = result.shape[-2]
    if rows == count:
        return result
    if rows > count and convention.longer == "cut":
        return result[..., :count, :]
    if rows < count and convention.shorter == "zeros":
        return np.concatenate([result, np.zeros((*result.shape[:-2], count - rows, 4))], axis=-2)
    raise ResultError(
        f"the result has {rows} rows, the ground truth {count}; "
        f"the convention {convention.name!r} needs as many rows as frames"
    )


def repair_rows(result: FloatArray, truth: FloatArray, convention: Convention) -> FloatArray:
    """``(..., N, 4)`` with broken rows replaced by the (repaired) row before.

    Which rows are broken is the convention's to say. Rows whose ground truth holds a NaN are
    left alone; row 1 is never replaced.

    Raises:
        ResultError: the convention refuses a row (pytracking: NaN or negative size).
    """
    if convention.repair == "none":
        return result
    broken = _broken_rows(result, convention)
    if not broken.any():
        return result
    broken &= ~np.isnan(truth).any(axis=-1)
    broken[..., 0] = False
    source = np.maximum.accumulate(np.where(broken, 0, np.arange(len(truth))), axis=-1)
    repaired: FloatArray = np.take_along_axis(result, source[..., None], axis=-2)
    return repaired


def _broken_rows(result: FloatArray, convention: Convention) -> BoolArray:
    """``(..., N)`` True where a row of a result is no box in the eyes of the convention."""
    width, height = result[..., 2], result[..., 3]
    some_nan = bool(np.isnan(result.sum()))  # one fast pass tells that most results have none
    if convention.repair == "zero size":
        if some_nan or (np.minimum(width, height) < 0).any():
            raise ResultError(f"{convention.title} refuses results with NaN or negative size")
        return np.equal(np.minimum(width, height), 0)
    broken: BoolArray = np.less_equal(np.fmin(width, height), 0)
    if some_nan:
        unknown = np.isnan(result)
        vanished = unknown.all(axis=-1) if convention.repair == "all NaN" else unknown.any(axis=-1)
        broken |= vanished
    return broken


def _kept_frames(
    truth: FloatArray, absent: BoolArray | None, convention: Convention
) -> BoolArray | None:
    """``(N,)`` mask of the frames to score, or None for all of them."""
    if convention.drop == "absent":
        return None if absent is None else ~absent
    if convention.drop == "unknown":
        return np.logical_not(np.isnan(truth).any(axis=1))
    return None


def _measure(
    result: FloatArray, truth: FloatArray, convention: Convention
) -> tuple[FloatArray, FloatArray, FloatArray]:
    if convention.overlap == "inclusive":
        overlap = geometry.box_iou(result, truth)
    else:
        epsilon = np.finfo(float).eps if convention.overlap == "epsilon" else 0.0
        overlap = geometry.clipped_iou(result, truth, epsilon)
    of_offset = convention.normalization == "of the offset"
    error, normalized = geometry.centre_errors(result, truth, of_offset=of_offset)
    invalid = ~_valid(truth, convention.valid_overlap)
    overlap[..., invalid] = -1.0
    if convention.valid_error != convention.valid_overlap:
        invalid = ~_valid(truth, convention.valid_error)
    error[..., invalid] = -1.0 if convention.invalid_error == "hit" else np.inf
    normalized[..., invalid] = -1.0
    return overlap, error, normalized


def _valid(truth: FloatArray, rule: Validity) -> BoolArray:
    if rule == "all":
        return np.ones(len(truth), dtype=bool)
    centred = rule == "centre positive"
    parts = np.stack(geometry.box_centre(truth)) if centred else geometry.columns(truth)
    valid: BoolArray = np.all(parts > 0, axis=0)
    return valid


def sequence_curves(measures: FrameMeasures, convention: Convention) -> Curves:
    """The curves of one sequence as fractions of its counted frames."""
    return {
        name: curve.count(measures, convention) / measures.counted
        for name, curve in CURVES.items()
    }


def thresholds_of(convention: Convention) -> Curves:
    """The thresholds of each curve under a convention."""
    return {name: curve.thresholds(convention) for name, curve in CURVES.items()}


def sequence_scores(curves: Curves, convention: Convention) -> Curves:
    """Each curve as one number per sequence, ``(..., T) -> (...)``, as a fraction of 1."""
    return {
        name: curve_score(
            values, CURVES[name].thresholds(convention), CURVES[name].score(convention)
        )
        for name, values in curves.items()
    }


def _successes(measures: FrameMeasures, convention: Convention) -> FloatArray:
    strict = convention.success == "above"
    return _count_above(measures.overlap, convention.success_thresholds, strict=strict)


def _precise(measures: FrameMeasures, convention: Convention) -> FloatArray:
    return _count_within(measures.error, convention.precision_thresholds)


def _normally_precise(measures: FrameMeasures, convention: Convention) -> FloatArray:
    return _count_within(measures.normalized_error, convention.normalized_thresholds)


def _count_above(values: FloatArray, thresholds: FloatArray, *, strict: bool) -> FloatArray:
    """How many values lie above each threshold, ``(..., K) -> (..., T)``; NaN never does."""
    side: Literal["left", "right"] = "right" if strict else "left"
    below = _count_sorted(values, np.append(thresholds, np.inf), side)  # the last: all numbers
    return below[..., -1:] - below[..., :-1]


def _count_within(values: FloatArray, thresholds: FloatArray) -> FloatArray:
    """How many values are at most each threshold, ``(..., K) -> (..., T)``; NaN never is."""
    return _count_sorted(values, thresholds, side="right")


def _count_sorted(
    values: FloatArray, thresholds: FloatArray, side: Literal["left", "right"]
) -> FloatArray:
    """How many values lie below each threshold: sorting beats comparing each with all.

    NaN sorts last, behind every threshold.
    """
    ordered = np.sort(values, axis=-1).reshape(-1, values.shape[-1])
    counts: FloatArray = np.empty((len(ordered), len(thresholds)))
    for row, values_below in zip(ordered, counts, strict=True):
        values_below[:] = np.searchsorted(row, thresholds, side=side)
    shaped: FloatArray = counts.reshape(*values.shape[:-1], len(thresholds))
    return shaped


CURVES: dict[str, Curve] = {
    "success": Curve(
        _successes, lambda rule: rule.success_thresholds, lambda rule: rule.success_score
    ),
    "precision": Curve(
        _precise, lambda rule: rule.precision_thresholds, lambda rule: rule.precision_score
    ),
    "normalized_precision": Curve(
        _normally_precise,
        lambda rule: rule.normalized_thresholds,
        lambda rule: rule.normalized_score,
    ),
}
"""Every curve of one-pass evaluation; its title and axis stand in ``tables/measures.json``."""


def counted_sequences(curves: FloatArray, convention: Convention) -> BoolArray:
    """``(S,)`` the sequences that enter the mean, of their curves ``(S, T)``.

    OTB and LaSOT leave out all-zero curves (``plotDrawSave.m`` keeps rows with sum > eps).
    """
    nonzero: BoolArray = np.greater(curves.sum(axis=1), np.finfo(float).eps)
    if convention.zero_curves == "kept" or not nonzero.any():
        return np.ones(len(curves), dtype=bool)
    return nonzero


def mean_curve(curves: FloatArray, convention: Convention) -> FloatArray:
    """Mean over the sequences that count, ``(S, T) -> (T,)``."""
    mean: FloatArray = curves[counted_sequences(curves, convention)].mean(axis=0)
    return mean


def curve_score(curve: FloatArray, thresholds: FloatArray, score: Score) -> FloatArray:
    """One number of each curve, ``(..., T) -> (...)``, as a fraction of 1."""
    if score == "mean":
        value: FloatArray = curve.mean(axis=-1)
    elif score == "area":
        steps = np.diff(thresholds)
        heights = (curve[..., 1:] + curve[..., :-1]) / 2
        value = (steps * heights).sum(axis=-1) / thresholds[-1]
    else:
        target = 20.0 if score == "at 20 px" else 0.2
        value = curve[..., int(np.argmin(np.abs(thresholds - target)))]
    return value


def covered_frames(result: FloatArray) -> int:
    """How many rows ``(N, 4)`` hold a box, x + y + w + h > 0 (TrackingNet ``metrics.py``).

    Row 1 always does, since the ground truth overwrites it.

    >>> covered_frames(np.array([[0.0] * 4, [5.0, 5.0, 2.0, 2.0], [0.0] * 4]))
    2
    """
    return 1 + int((np.rint(result[1:]).sum(axis=1) > 0).sum())
