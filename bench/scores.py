"""Score records: the output of evaluation and the input of reports."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Caveat:
    """A restriction on every number computed on a dataset.

    >>> str(Caveat("partial", "5 of 100 sequences"))
    'partial: 5 of 100 sequences'
    """

    kind: Literal["miniature", "partial", "doubtful", "unlisted"]
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
            ``reliability`` (x axis of AR plots); unsupervised ``average_overlap``; ``fps`` if
            times are stored; and where the dataset annotates absence, ``presence_auroc``,
            ``presence_f`` and the like (``tables/measures.json``) if scores are stored,
            ``absence_precision`` and ``absence_recall`` if the tracker says "not visible".
        intervals: 95 % bootstrap interval (low, high) over sequences, by measure.
        per_sequence: measures by sequence.
        per_attribute: measures by attribute, and ``sequences``, how many have it.
        curves: mean success, precision and normalised precision by threshold; or the expected
            overlap by sequence length.
        notes: remarks to print beside the numbers.
        per_tag: measures by frame tag (VOT), and ``frames``, how many have it.
        spread: standard deviation over repetitions, by measure; empty without repetitions.
        spread_per_sequence: the same by sequence and measure (one-pass evaluation).
        repetitions: number of runs of every sequence that the measures are means over; where
            sequences have different numbers, the smallest.
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
    spread_per_sequence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    repetitions: int = 1


@dataclass(frozen=True)
class BenchmarkScores:
    """Scores of several trackers on one benchmark under one convention.

    Attributes:
        benchmark: identifier of the benchmark.
        convention: name of the convention.
        sequences: number of sequences in the dataset.
        partial: True if the dataset or a scored tracker lacks sequences.
        trackers: scores by tracker.
        thresholds: thresholds of each curve, or sequence lengths for expected overlap.
        refused: why a tracker has no scores, by tracker: its results are broken, incomplete,
            or rejected by the convention.
        caveats: restrictions on every number.
        source: files of the official code that the convention follows.
        differences: deviations of the convention from the benchmark's official one.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
        interval: sequence lengths (both included) that the EAO averages over.
        ranks: ranks by tracker in ``accuracy`` and ``robustness``, if requested.
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
        """Convert to dictionaries and lists; NaN becomes None, since JSON has no NaN."""
        plain = {**dataclasses.asdict(self), "caveats": list(map(str, self.caveats))}
        return {key: without_nan(value) for key, value in plain.items()}


def without_nan(value: Any) -> Any:
    """Dictionaries and lists as they are, NaN and infinity in them None, as JSON has neither."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
