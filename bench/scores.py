"""Scores as records: what evaluation computes and reports draw. Knows neither files nor plots."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Caveat:
    """A restriction that holds for every number computed on a dataset.

    >>> str(Caveat("partial", "5 of 100 sequences"))
    'partial: 5 of 100 sequences'
    """

    kind: Literal["miniature", "partial", "doubtful"]
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


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
            overlap by sequence length.
        notes: remarks to print beside the numbers.
        per_tag: measures by frame tag (VOT), with ``frames``, the number that carry it.
        spread: standard deviation of a measure over repetitions, where there are several.
        missing: sequences of the dataset without a result.
        partial: True if any is missing, even where the official rule scores it as zero.
    """

    measures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    per_sequence: Mapping[str, Mapping[str, float]]
    per_attribute: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, tuple[float, ...]]
    notes: tuple[str, ...] = ()
    per_tag: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    partial: bool = False


@dataclass(frozen=True)
class BenchmarkScores:
    """Scores of several trackers on one benchmark under one convention.

    Attributes:
        benchmark: identifier of the benchmark.
        convention: name of the convention; ``source`` and ``differences`` explain it.
        sequences: number of sequences of the dataset.
        partial: True if the dataset, or any tracker scored here, lacks sequences.
        trackers: scores by tracker.
        thresholds: thresholds of each curve, or the lengths of an expected overlap curve.
        refused: the reason, by tracker, why it has no scores: results that are broken,
            unfinished, or not accepted by the convention.
        caveats: restrictions that hold for every number.
        source: files of the official code that the convention follows.
        differences: where the convention deviates from the benchmark's official one.
        experiment: ``"onepass"``, or the experiment of the VOT challenge.
        interval: lengths that the expected average overlap averages over, both included.
        ranks: rank by tracker in ``accuracy`` and ``robustness``, if requested.
    """

    benchmark: str
    convention: str
    sequences: int
    partial: bool
    trackers: Mapping[str, TrackerScores]
    thresholds: Mapping[str, tuple[float, ...]]
    refused: Mapping[str, str] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()
    source: str = ""
    differences: tuple[str, ...] = ()
    experiment: str = "onepass"
    interval: tuple[int, int] | None = None
    ranks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists; NaN becomes None, since JSON has no NaN."""
        plain = {**dataclasses.asdict(self), "caveats": list(map(str, self.caveats))}
        return {key: _without_nan(value) for key, value in plain.items()}


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
