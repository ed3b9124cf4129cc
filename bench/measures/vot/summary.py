"""Summarises one tracker's runs: means, intervals, scores per sequence and tag."""

from __future__ import annotations

import math
from collections.abc import Sequence as List
from dataclasses import replace
from functools import lru_cache

import numpy as np

from bench.arrays import FloatArray, IntArray
from bench.measures.conventions import VotConvention
from bench.measures.statistics import CONFIDENCE, RESAMPLES
from bench.measures.vot.accuracy import (
    AccuracyRobustness,
    Tally,
    frame_accuracy,
    run_accuracy,
    tally,
    tally_repetitions,
    weighted_mean,
)
from bench.measures.vot.expected_overlap import CutRuns, ExpectedOverlap, cut_runs
from bench.measures.vot.runs import EMPTY, SequenceRuns
from bench.scores import TrackerScores

_ALL_REPETITIONS = 15
_WEIGHTED = ("official", "late")  # definitions whose segments can be weighted by tag
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
        runs: its runs, one entry per sequence, with the overlaps of ``rule``.
        rule: the convention.
        interval: sequence lengths (both included) that the EAO averages over.
        longest: length of the longest sequence of the dataset, where the curve ends.
        notes: remarks to print beside the numbers.
    """
    counted = [_counted(one, rule) for one in runs]
    cut = cut_runs(counted, longest, rule.cut)
    expected, sums = cut.expected_overlap(), tally(counted)
    curves = {}
    if rule.expected_overlap != "none":
        curves["expected_overlap"] = tuple(expected.curve().tolist())
    return TrackerScores(
        measures=_measures(_selected(counted, sums, rule), expected, rule, interval),
        intervals=_intervals(sums, expected, rule, interval),
        per_sequence={
            one.name: _plain(score) for one, score in zip(counted, sums.by_sequence(), strict=True)
        },
        per_attribute={},
        curves=curves,
        notes=notes,
        per_tag=_per_tag(cut, rule, interval),
        spread=_spread(cut, rule, interval),
    )


def summarize_unsupervised(
    runs: List[SequenceRuns],
    notes: tuple[str, ...] = (),
    *,
    by_sequence: bool = False,
) -> TrackerScores:
    """Average overlap without resets.

    The official mean is over the frames of all sequences; frames without an overlap, including
    the first, count as zero (toolkit-legacy ``analyze_overlap.m``).

    Args:
        runs: the tracker's runs, one entry per sequence.
        notes: remarks to print beside the numbers.
        by_sequence: instead weight sequences by length and ignore their first 10 frames
            (``average_accuracy`` in vot-toolkit).
    """
    frames = np.array([len(one) for one in runs], dtype=np.float64)
    average = run_accuracy if by_sequence else _whole_overlap
    overlaps = np.array([average(one) for one in runs])
    counts = _resamples(len(runs))
    resampled = (counts @ (overlaps * frames)) / (counts @ frames)
    rows = zip(runs, overlaps.tolist(), strict=True)
    return TrackerScores(
        measures={"average_overlap": float((overlaps * frames).sum() / frames.sum())},
        intervals={"average_overlap": _percentiles(resampled)},
        per_sequence={one.name: {"average_overlap": value} for one, value in rows},
        per_attribute={},
        curves={},
        notes=notes,
        per_tag={} if by_sequence else _overlap_per_tag(runs),
    )


def _counted(run: SequenceRuns, rule: VotConvention) -> SequenceRuns:
    everything = rule.repetitions == "all" or run.repetitions == _ALL_REPETITIONS
    return run if everything else run.only(0)


def _selected(runs: List[SequenceRuns], sums: Tally, rule: VotConvention) -> AccuracyRobustness:
    """Accuracy and failures on all frames, averaged by the convention."""
    if rule.accuracy == "by sequence":
        parts = zip(runs, sums.by_sequence(), strict=True)
        return weighted_mean([replace(part, accuracy=run_accuracy(one)) for one, part in parts])
    if rule.accuracy == "by tag":
        return weighted_mean([_tagged(runs, tag, rule) for tag in _tags(runs)])
    return sums.pooled()


def _tagged(runs: List[SequenceRuns], tag: str, rule: VotConvention) -> AccuracyRobustness:
    return tally(runs, tag, filter_first=rule.accuracy != "by tag").pooled()


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


def _per_tag(cut: CutRuns, rule: VotConvention, interval: Interval) -> dict[str, dict[str, float]]:
    """Measures by tag, without tags that no frame has."""
    table = {}
    for tag in _tags(cut.runs):
        score = _tagged(cut.runs, tag, rule)
        if score.frames:
            table[tag] = {**_plain(score), "frames": score.frames}
            if rule.expected_overlap in _WEIGHTED:
                table[tag]["eao"] = cut.expected_overlap(tag).score(interval)
    return table


def _tags(runs: List[SequenceRuns]) -> list[str]:
    return [*dict.fromkeys(tag for one in runs for tag in one.tags), EMPTY]


def _spread(cut: CutRuns, rule: VotConvention, interval: Interval) -> dict[str, float]:
    """Standard deviation over repetitions; empty if all are equal.

    A tracker may need more repetitions on some sequences than on others; sequences with fewer
    cycle through theirs.
    """
    if all(_repeats(one) for one in cut.runs):
        return {}
    rows = []
    for index, sums in enumerate(tally_repetitions(cut.runs)):
        once = cut.only(index)
        selected = _selected(once.runs, sums, rule)
        rows.append(_measures(selected, once.expected_overlap(), rule, interval))
    return {m: float(np.std([row[m] for row in rows], ddof=1)) for m in rows[0]}


def _repeats(run: SequenceRuns) -> bool:
    """True if all repetitions are equal."""
    return all(
        np.array_equal(values, np.broadcast_to(values[:1], values.shape), equal_nan=True)
        for values in (run.codes, run.eao_overlaps)
    )


def _intervals(
    sums: Tally, expected: ExpectedOverlap, rule: VotConvention, interval: Interval
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals over sequences, with the same resamples for all measures.

    Computed only for measures that follow the official definition.
    """
    found = {}
    counts = _resamples(len(sums.frames))
    if rule.accuracy == "pooled":
        with np.errstate(invalid="ignore"):  # resamples without a valid frame
            found["accuracy"] = _percentiles((counts @ sums.overlap) / (counts @ sums.valid))
        failures = counts @ sums.failures
        found["robustness"] = _percentiles(100 * failures / (counts @ sums.frames))
    if rule.expected_overlap in _WEIGHTED:
        found["eao"] = _percentiles(expected.resampled_scores(counts, interval))
    return found


@lru_cache(maxsize=4)
def _resamples(sequences: int) -> IntArray:
    """``(B, S)`` count of each sequence in each resample; B is 0 for a single sequence."""
    if sequences < 2:
        return np.empty((0, sequences), dtype=np.int64)
    generator = np.random.default_rng(0)
    return generator.multinomial(sequences, np.full(sequences, 1 / sequences), size=RESAMPLES)


def _percentiles(values: FloatArray) -> tuple[float, float]:
    if np.isnan(values).all():
        return math.nan, math.nan
    low, high = np.nanpercentile(values, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return float(low), float(high)


def _whole_overlaps(run: SequenceRuns) -> FloatArray:
    """``(N,)`` overlap of every frame, averaged over repetitions; 0 without a region."""
    overlaps: FloatArray = np.nan_to_num(frame_accuracy(run, burn_in=0))
    return overlaps


def _whole_overlap(run: SequenceRuns) -> float:
    return float(_whole_overlaps(run).mean())


def _overlap_per_tag(runs: List[SequenceRuns]) -> dict[str, dict[str, float]]:
    table = {}
    for tag in _tags(runs):
        values = np.concatenate([_whole_overlaps(one)[one.tagged(tag)] for one in runs])
        if len(values):
            table[tag] = {"average_overlap": float(values.mean()), "frames": len(values)}
    return table
