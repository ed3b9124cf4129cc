"""Success, precision and normalised precision curves under a convention.

Boxes are ``(N, 4)`` x, y, w, h in the coordinates of the annotation file: the official
definitions compare them with zero, so the index base of the file matters. Sources: OTB
``calcSeqErrRobust.m``, LaSOT ``calc_seq_err_robust.m``, TrackingNet ``metrics.py`` and the
files listed in ``tables/conventions.json``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bench import geometry
from bench.arrays import BoolArray, FloatArray
from bench.errors import ResultError
from bench.measures.conventions import Convention, Score, Validity


@dataclass(frozen=True, eq=False)
class FrameMeasures:
    """Measures of the ``K`` frames that a convention keeps, for one or many results.

    Attributes:
        overlap: ``(..., K)`` intersection over union; -1 for invalid ground truth.
        error: ``(..., K)`` centre distance in pixels; -1 is a hit, inf and NaN are misses.
        normalized_error: ``(..., K)`` centre distance relative to the target's size.
        counted: number of frames that hits are divided by.
    """

    overlap: FloatArray
    error: FloatArray
    normalized_error: FloatArray
    counted: int


Curves: TypeAlias = dict[str, FloatArray]
"""Curves of one sequence by name: fractions ``(..., T)`` for one or many results."""


@dataclass(frozen=True)
class Curve:
    """Definition of one curve.

    Attributes:
        count: number of hits at each threshold, ``(..., K) -> (..., T)``.
        thresholds: the thresholds ``(T,)`` of a convention.
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
    size: tuple[int, int] | None = None,
) -> FrameMeasures:
    """Overlap and centre errors of every frame.

    Args:
        result: ``(..., M, 4)`` boxes of one or many trackers.
        truth: ``(N, 4)`` ground truth, NaN where unknown.
        convention: the rules to follow.
        absent: ``(N,)`` True where the target is not visible; None if not annotated.
        size: (width, height) of the images in pixels, None if unknown.

    Raises:
        ResultError: the convention rejects the number of rows, or a row; or it clips boxes to an
            image of unknown size.
    """
    count = len(truth)
    result = _same_length(result, count, convention)
    if convention.rounding == "integer":
        result, truth = np.rint(result), np.rint(truth)
    if convention.clip == "image":
        result, truth = _clipped(result, size, convention), _clipped(truth, size, convention)
    result = repair_rows(result, truth, convention)
    measures = _measure(result, truth, convention, absent)
    if convention.first_frame == "ground truth":
        for values, perfect in zip(
            measures, _measure(truth[:1], truth[:1], convention, absent), strict=True
        ):
            values[..., 0] = perfect[0]
    kept = kept_frames(truth, absent, convention)
    if kept is None:
        return FrameMeasures(*measures, count)
    overlap, error, normalized = (values[..., kept] for values in measures)
    counted = count if convention.denominator == "annotated" else int(kept.sum())
    return FrameMeasures(overlap, error, normalized, counted)


def _clipped(
    boxes: FloatArray, size: tuple[int, int] | None, convention: Convention
) -> FloatArray:
    """Boxes ``(..., 4)`` clipped to the image (got10k ``metrics.py``: ``rect_iou`` with bound)."""
    if size is None:
        raise ResultError(
            f"the size of the images is unknown, and the convention {convention.name!r} clips "
            "boxes to them. Provide the images, or the benchmark's file that states it"
        )
    corner = np.clip(boxes[..., :2], 0, size)
    return np.concatenate([corner, np.clip(boxes[..., 2:], 0, size - corner)], axis=-1)


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
        f"the convention {convention.name!r} requires one row per frame"
    )


def repair_rows(result: FloatArray, truth: FloatArray, convention: Convention) -> FloatArray:
    """Replace invalid rows of ``(..., N, 4)`` by the (repaired) previous row.

    The convention decides which rows are invalid. Row 1 and rows whose ground truth contains
    NaN stay as they are.

    Raises:
        ResultError: the convention rejects a row (pytracking: NaN or negative size).
    """
    if convention.repair == "none":
        return result
    invalid = _invalid_rows(result, convention)
    if not invalid.any():
        return result
    invalid &= ~np.isnan(truth).any(axis=-1)
    invalid[..., 0] = False
    source = np.maximum.accumulate(np.where(invalid, 0, np.arange(len(truth))), axis=-1)
    repaired: FloatArray = np.take_along_axis(result, source[..., None], axis=-2)
    return repaired


def _invalid_rows(result: FloatArray, convention: Convention) -> BoolArray:
    """``(..., N)`` rows of a result that the convention treats as invalid."""
    width, height = result[..., 2], result[..., 3]
    some_nan = bool(np.isnan(result.sum()))  # one fast pass; most results have no NaN
    if convention.repair == "zero size":
        if some_nan or (np.minimum(width, height) < 0).any():
            raise ResultError(f"{convention.title} rejects results with NaN or negative size")
        return np.equal(np.minimum(width, height), 0)
    invalid: BoolArray = np.less_equal(np.fmin(width, height), 0)
    if some_nan:
        unknown = np.isnan(result)
        invalid |= unknown.all(axis=-1) if convention.repair == "all NaN" else unknown.any(axis=-1)
    return invalid


def kept_frames(
    truth: FloatArray, absent: BoolArray | None, convention: Convention
) -> BoolArray | None:
    """``(N,)`` mask of the frames to score; None for all."""
    kept: BoolArray | None = None
    if convention.drop == "absent" and absent is not None:
        kept = ~absent
    if convention.drop == "unknown":
        kept = np.logical_not(np.isnan(truth).any(axis=1))
    if convention.first_frame == "left out":
        kept = np.ones(len(truth), dtype=bool) if kept is None else kept.copy()
        kept[0] = False
    return kept


def _measure(
    result: FloatArray, truth: FloatArray, convention: Convention, absent: BoolArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    if convention.overlap == "inclusive":
        overlap = geometry.box_iou(result, truth)
    else:
        epsilon = np.finfo(float).eps if convention.overlap == "epsilon" else 0.0
        overlap = geometry.clipped_iou(result, truth, epsilon)
    of_offset = convention.normalization == "of the offset"
    error, normalized = geometry.centre_errors(result, truth, of_offset=of_offset)
    hidden: BoolArray = np.zeros(len(truth), dtype=bool)
    if convention.drop == "absent as invalid" and absent is not None:
        hidden = absent[: len(truth)]
    invalid = ~_valid(truth, convention.valid_overlap) | hidden
    overlap[..., invalid] = -1.0
    if convention.valid_error != convention.valid_overlap:
        invalid = ~_valid(truth, convention.valid_error) | hidden
    error[..., invalid] = -1.0 if convention.invalid_error == "hit" else np.inf
    if convention.valid_normalized != convention.valid_error:
        invalid = ~_valid(truth, convention.valid_normalized) | hidden
    normalized[..., invalid] = -1.0
    return overlap, error, normalized


def _valid(truth: FloatArray, rule: Validity) -> BoolArray:
    if rule == "all":
        return np.ones(len(truth), dtype=bool)
    parts = geometry.columns(truth)
    if rule == "sized":
        parts = parts[2:]
    if rule in ("centre positive", "scaled centre positive"):
        parts = np.stack(geometry.box_centre(truth))
    if rule == "scaled centre positive":  # pysot adds 1e-16 to the size before it divides
        parts = np.where(truth[:, 2:].T < 0, -parts, parts)
    valid: BoolArray = np.all(parts > 0, axis=0)
    return valid


def sequence_curves(measures: FrameMeasures, convention: Convention) -> Curves:
    """Curves of one sequence, as fractions of its counted frames."""
    counted = max(1, measures.counted)
    return {
        name: curve.count(measures, convention) / counted
        for name, curve in curves_of(convention).items()
    }


def curves_of(convention: Convention) -> dict[str, Curve]:
    """The curves of a convention, with average overlap as one of a single value."""
    whole = convention.average_overlap == "reported"
    return {**CURVES, "average_overlap": _AVERAGE} if whole else CURVES


def thresholds_of(convention: Convention) -> Curves:
    """Thresholds of each curve under a convention."""
    return {name: curve.thresholds(convention) for name, curve in curves_of(convention).items()}


def sequence_scores(curves: Curves, convention: Convention) -> Curves:
    """Summarise each curve as one fraction of 1 per sequence, ``(..., T) -> (...)``."""
    known = curves_of(convention)
    return {
        name: curve_score(
            values, known[name].thresholds(convention), known[name].score(convention)
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
    """Count values above each threshold, ``(..., K) -> (..., T)``; NaN is never above."""
    side: Literal["left", "right"] = "right" if strict else "left"
    below = _count_sorted(values, np.append(thresholds, np.inf), side)  # at inf: all but NaN
    return below[..., -1:] - below[..., :-1]


def _count_within(values: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Count values up to each threshold, ``(..., K) -> (..., T)``; NaN is never counted."""
    return _count_sorted(values, thresholds, side="right")


def _count_sorted(
    values: FloatArray, thresholds: FloatArray, side: Literal["left", "right"]
) -> FloatArray:
    """Count values below each threshold; sorting is faster than comparing all pairs.

    NaN sorts last, beyond every threshold.
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
"""All curves of one-pass evaluation; their titles and axes are in ``tables/measures.json``."""


_AVERAGE = Curve(
    lambda measures, _: measures.overlap.clip(0).sum(axis=-1, keepdims=True),
    lambda _: np.zeros(1),
    lambda _: "mean",
)


def counted_sequences(curves: FloatArray, convention: Convention) -> BoolArray:
    """``(S,)`` sequences that enter the mean of curves ``(S, T)``.

    OTB and LaSOT drop all-zero curves (``plotDrawSave.m`` keeps rows with sum > eps).
    """
    nonzero: BoolArray = np.greater(curves.sum(axis=1), np.finfo(float).eps)
    if convention.zero_curves == "kept" or not nonzero.any():
        return np.ones(len(curves), dtype=bool)
    return nonzero


def mean_curve(
    curves: FloatArray, convention: Convention, weights: FloatArray | None = None
) -> FloatArray:
    """Mean over the counted sequences, ``(S, T) -> (T,)``, with weights ``(S,)`` if any."""
    counted = counted_sequences(curves, convention)
    if weights is None:
        mean: FloatArray = curves[counted].mean(axis=0)
        return mean
    return np.average(curves[counted], axis=0, weights=weights[counted])


def curve_score(curve: FloatArray, thresholds: FloatArray, score: Score) -> FloatArray:
    """Summarise each curve as a fraction of 1, ``(..., T) -> (...)``."""
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
    """Count rows ``(N, 4)`` with a box, x + y + w + h > 0 (TrackingNet ``metrics.py``).

    Row 1 always counts, since the ground truth replaces it.

    >>> covered_frames(np.array([[0.0] * 4, [5.0, 5.0, 2.0, 2.0], [0.0] * 4]))
    2
    """
    return 1 + int((np.rint(result[1:]).sum(axis=1) > 0).sum())
