"""Runs of one tracker on many sequences into its scores: means, intervals, break-downs."""

from __future__ import annotations

import math
from collections.abc import Sequence as List
from functools import lru_cache

import numpy as np

from bench.measures.statistics import CONFIDENCE, RESAMPLES
from bench.measures.vot.accuracy import (
    AccuracyRobustness,
    accuracy_robustness,
    frame_accuracy,
    weighted_mean,
)
from bench.measures.vot.conventions import VotConvention
from bench.measures.vot.expected_overlap import ExpectedOverlap, expected_overlap
from bench.measures.vot.runs import EMPTY, FAILED, FloatArray, IntArray, SequenceRuns
from bench.scores import TrackerScores

_ALL_REPETITIONS = 15
Interval = tuple[int, int]


def summarize_runs(
    runs: List[SequenceRuns],
    rule: VotConvention,
    interval: Interval,
    longest: int,
    notes: tuple[str, ...] = (),
) -> TrackerScores:
    """Accuracy, robustness and expected average overlap of one tracker.

    Args:
        runs: its runs, one entry a sequence.
        rule: the convention, whose overlaps the runs carry.
        interval: lengths that the expected overlap is averaged over, ends included.
        longest: length of the longest sequence of the dataset, where the curve ends.
        notes: what must be said beside the numbers.
    """
    counted = [_counted(one, rule) for one in runs]
    expected = expected_overlap(counted, longest, shifted=rule.expected_overlap == "shifted")
    measures = _measures(_selected(counted, rule), expected, rule, interval)
    curves = {}
    if rule.expected_overlap != "none":
        curves["expected_overlap"] = tuple(expected.curve().tolist())
    return TrackerScores(
        measures=measures,
        intervals=_intervals(counted, expected, rule, interval),
        per_sequence={one.name: _plain(accuracy_robustness([one])) for one in counted},
        per_attribute={},
        curves=curves,
        notes=notes,
        per_tag=_per_tag(counted, rule, interval, longest),
        spread=_spread(counted, rule, interval, longest),
    )


def summarize_unsupervised(runs: List[SequenceRuns], notes: tuple[str, ...] = ()) -> TrackerScores:
    """Average overlap without resets: the mean over sequences, weighted by their frames.

    The frame a tracker starts on does not count. vot-toolkit's ``average_accuracy`` weighs the
    same way.
    """
    overlaps = [_run_overlap(one) for one in runs]
    lengths = np.array([len(one) for one in runs], dtype=np.float64)
    values = np.array(overlaps)
    counts = _resamples(len(runs))
    resampled = (counts @ (values * lengths)) / (counts @ lengths)
    return TrackerScores(
        measures={"average_overlap": float((values * lengths).sum() / lengths.sum())},
        intervals={"average_overlap": _percentiles(resampled)},
        per_sequence={
            one.name: {"average_overlap": value} for one, value in zip(runs, overlaps, strict=True)
        },
        per_attribute={},
        curves={},
        notes=notes,
        per_tag={tag: _tag_overlap(runs, tag) for tag in _tags(runs)},
    )


def _counted(run: SequenceRuns, rule: VotConvention) -> SequenceRuns:
    everything = rule.repetitions == "all" or run.repetitions == _ALL_REPETITIONS
    return run if everything else run.only(0)


def _selected(runs: List[SequenceRuns], rule: VotConvention) -> AccuracyRobustness:
    """Accuracy and failures on all frames, averaged as the convention does."""
    if rule.accuracy == "by sequence":
        return weighted_mean([accuracy_robustness([one]) for one in runs])
    if rule.accuracy == "by tag":
        tags = [accuracy_robustness(runs, tag, filter_first=False) for tag in _tags(runs)]
        return weighted_mean(tags)
    return accuracy_robustness(runs)


def _measures(
    selected: AccuracyRobustness,
    expected: ExpectedOverlap,
    rule: VotConvention,
    interval: Interval,
) -> dict[str, float]:
    measures = _plain(selected)
    measures["reliability"] = selected.reliability
    if rule.expected_overlap != "none":
        measures["eao"] = expected.score(interval)
    return measures


def _plain(score: AccuracyRobustness) -> dict[str, float]:
    return {
        "accuracy": score.accuracy,
        "robustness": score.robustness,
        "failures": score.failures,
    }


def _per_tag(
    runs: List[SequenceRuns], rule: VotConvention, interval: Interval, longest: int
) -> dict[str, dict[str, float]]:
    """Measures by tag; tags that no frame carries are left out."""
    table = {}
    for tag in _tags(runs):
        score = accuracy_robustness(runs, tag)
        if score.frames:
            table[tag] = {**_plain(score), "frames": score.frames}
            if rule.expected_overlap == "official":
                table[tag]["eao"] = expected_overlap(runs, longest, tag).score(interval)
    return table


def _tags(runs: List[SequenceRuns]) -> list[str]:
    return [*dict.fromkeys(tag for one in runs for tag in one.tags), EMPTY]


def _spread(
    runs: List[SequenceRuns], rule: VotConvention, interval: Interval, longest: int
) -> dict[str, float]:
    """Standard deviation over the repetitions; a sequence with one repetition has it always."""
    repetitions = max(one.repetitions for one in runs)
    if repetitions < 2 or all(_repeats(one) for one in runs):
        return {}
    rows = []
    for index in range(repetitions):
        once = [one.only(index % one.repetitions) for one in runs]
        rows.append(
            _measures(_selected(once, rule), expected_overlap(once, longest), rule, interval)
        )
    return {m: float(np.std([row[m] for row in rows], ddof=1)) for m in rows[0]}


def _repeats(run: SequenceRuns) -> bool:
    return bool((run.codes == run.codes[:1]).all()) and np.array_equal(
        run.eao_overlaps, np.broadcast_to(run.eao_overlaps[:1], run.eao_overlaps.shape), True
    )


def _intervals(
    runs: List[SequenceRuns], expected: ExpectedOverlap, rule: VotConvention, interval: Interval
) -> dict[str, Interval | tuple[float, float]]:
    """95 % bootstrap intervals over sequences, all measures on the same resamples."""
    counts = _resamples(len(runs))
    frames = np.array([len(one) for one in runs], dtype=np.float64)
    failures = np.array([(one.codes == FAILED).sum(axis=1).mean() for one in runs])
    overlaps = [frame_accuracy(one, np.ones(len(one), dtype=bool)) for one in runs]
    sums = np.array([np.nansum(each) for each in overlaps])
    valid = np.array([(~np.isnan(each)).sum() for each in overlaps])
    with np.errstate(invalid="ignore"):
        accuracy = (counts @ sums) / (counts @ valid)
    found = {"robustness": _percentiles(100 * (counts @ failures) / (counts @ frames))}
    if rule.accuracy == "pooled":
        found["accuracy"] = _percentiles(accuracy)
    if rule.expected_overlap == "official":
        found["eao"] = _percentiles(expected.resampled_scores(counts, interval))
    return found


@lru_cache(maxsize=4)
def _resamples(sequences: int) -> IntArray:
    """How often each sequence is drawn in each resample, ``(B, S)``."""
    generator = np.random.default_rng(0)
    return generator.multinomial(sequences, np.full(sequences, 1 / sequences), size=RESAMPLES)


def _percentiles(values: FloatArray) -> tuple[float, float]:
    if np.isnan(values).all() or len(np.unique(values)) < 2:
        return math.nan, math.nan
    low, high = np.nanpercentile(values, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return float(low), float(high)


def _run_overlap(run: SequenceRuns) -> float:
    values = run.accuracy_overlaps[~np.isnan(run.accuracy_overlaps)]
    return float(values.mean()) if len(values) else math.nan


def _tag_overlap(runs: List[SequenceRuns], tag: str) -> dict[str, float]:
    parts = [one.accuracy_overlaps[:, one.tagged(tag)].ravel() for one in runs]
    values = np.concatenate(parts)
    known = values[~np.isnan(values)]
    frames = sum(int(one.tagged(tag).sum()) for one in runs)
    return {"average_overlap": float(known.mean()) if len(known) else math.nan, "frames": frames}
