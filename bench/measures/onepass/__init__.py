"""Measures of one-pass evaluation, as pure functions on arrays."""

from bench.measures.conventions import (
    Convention,
    differences,
    get_convention,
    words,
)
from bench.measures.onepass.curves import (
    CURVES,
    Curves,
    FrameMeasures,
    counted_sequences,
    covered_frames,
    curve_score,
    frame_measures,
    kept_frames,
    mean_curve,
    repair_rows,
    sequence_curves,
    thresholds_of,
)
from bench.measures.onepass.summary import (
    counted_in_means,
    run_measures,
    summarize,
    weighted_mean,
)

__all__ = [
    "CURVES",
    "Convention",
    "Curves",
    "FrameMeasures",
    "counted_in_means",
    "counted_sequences",
    "covered_frames",
    "curve_score",
    "differences",
    "frame_measures",
    "get_convention",
    "kept_frames",
    "mean_curve",
    "repair_rows",
    "run_measures",
    "sequence_curves",
    "summarize",
    "thresholds_of",
    "weighted_mean",
    "words",
]
