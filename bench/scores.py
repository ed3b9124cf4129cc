"""Scores as records: what evaluation computes and reports draw. Knows neither files nor plots."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MEASURES = ("success", "precision", "normalized_precision")


@dataclass(frozen=True)
class TrackerScores:
    """Scores of one tracker on one benchmark, as fractions of 1 (fps in frames per second).

    Attributes:
        measures: one-pass ``success``, ``precision``, ``normalized_precision``,
            ``success_rate_50``, ``success_rate_75`` and TrackingNet's ``coverage``; reset-based
            ``accuracy``, ``robustness`` (failures per 100 frames), ``failures``, ``eao`` and
            ``reliability`` (the x of AR plots); unsupervised ``average_overlap``; and ``fps``
            where times were stored.
        intervals: 95 % bootstrap interval over sequences of a measure, (low, high).
        per_sequence: measures by sequence.
        per_attribute: measures by attribute, with ``sequences``, the number that carry it.
        curves: mean curve of success, precision and normalised precision; or the expected
            overlap by length of sequence.
        notes: what must be said beside the numbers.
        per_tag: measures by tag of frames (VOT), with ``frames``, the number that carry it.
        spread: standard deviation of a measure over repetitions, where there are several.
    """

    measures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    per_sequence: Mapping[str, Mapping[str, float]]
    per_attribute: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, tuple[float, ...]]
    notes: tuple[str, ...] = ()
    per_tag: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchmarkScores:
    """Scores of several trackers on one benchmark under one convention.

    Attributes:
        benchmark: identifier of the benchmark.
        convention: name of the convention; ``source`` and ``differences`` say what it means.
        sequences: number of sequences of the dataset at hand.
        partial: True if the dataset or any tracker's results are not complete.
        trackers: scores by tracker.
        thresholds: thresholds of each curve, or the lengths that an expected overlap is of.
        refused: why the convention refuses to score a tracker, by tracker.
        caveats: what must be said wherever a number of these stands.
        source: files of the official code the convention follows.
        differences: where the convention deviates from the benchmark's official one.
        experiment: ``"onepass"``, or which experiment of the VOT challenge was scored.
        interval: lengths that the expected average overlap is the mean over, both included.
        ranks: rank by tracker in ``accuracy`` and ``robustness``, where they were asked for.
    """

    benchmark: str
    convention: str
    sequences: int
    partial: bool
    trackers: Mapping[str, TrackerScores]
    thresholds: Mapping[str, tuple[float, ...]]
    refused: Mapping[str, str] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    source: str = ""
    differences: tuple[str, ...] = ()
    experiment: str = "onepass"
    interval: tuple[int, int] | None = None
    ranks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists; NaN becomes None, since JSON has no NaN."""
        plain: dict[str, Any] = _without_nan(dataclasses.asdict(self))
        return plain


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
