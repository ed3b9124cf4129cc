"""Ranks in which statistically indistinguishable trackers are equal.

Source: toolkit-legacy ``analyze_accuracy_robustness.m`` (tests), ``adapted_ranks.m``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.errors import ResultError
from bench.geometry import FAILED
from bench.measures.vot.accuracy import frame_accuracy
from bench.measures.vot.runs import SequenceRuns

ALPHA = 0.05
_MIN_SAMPLES = 25
Mode = Literal["none", "mean", "median", "best"]


@dataclass(frozen=True)
class Ranks:
    """Ranks of trackers in accuracy and robustness; 1 is best, equal trackers share a rank.

    Attributes:
        accuracy, robustness: adapted rank by tracker.
    """

    accuracy: Mapping[str, float]
    robustness: Mapping[str, float]


def rank_trackers(runs: Mapping[str, List[SequenceRuns]], mode: Mode = "mean") -> Ranks:
    """Rank trackers on the same sequences.

    Two trackers are equal in accuracy if a Wilcoxon signed-rank test on their common frames
    (at least 25) is not significant at 0.05, or if their mean difference is below the practical
    one; in robustness if a Mann-Whitney test on the failures of each run is not significant. A
    tracker's missing repetitions count as the mean of those it has.

    Args:
        runs: runs by tracker, one entry per sequence, in the same order for all.
        mode: how equal trackers share ranks, see ``adapted_ranks``.

    Raises:
        ResultError: the trackers ran on different sequences.
    """
    _check_same_sequences(runs)
    overlaps = [np.concatenate([frame_accuracy(one) for one in each]) for each in runs.values()]
    first = next(iter(runs.values()))
    practical = np.concatenate([_practical(one) for one in first])
    repetitions = max(one.repetitions for each in runs.values() for one in each)
    failures = [_failures(each, repetitions) for each in runs.values()]
    accuracy = _places(np.array([_mean(each) for each in overlaps]))
    robustness = _places(np.array([-_mean(each) for each in failures]))
    alike = _pairs(overlaps, lambda a, b: equal_accuracy(a, b, practical))
    steady = _pairs(failures, equal_robustness)
    return Ranks(
        dict(zip(runs, adapted_ranks(accuracy, alike, mode).tolist(), strict=True)),
        dict(zip(runs, adapted_ranks(robustness, steady, mode).tolist(), strict=True)),
    )


def _check_same_sequences(runs: Mapping[str, List[SequenceRuns]]) -> None:
    expected: list[tuple[str, int]] | None = None
    for name, each in runs.items():
        found = [(one.name, len(one)) for one in each]
        if expected is None:
            first, expected = name, found
        elif found != expected:
            raise ResultError(
                f"ranks: expected all trackers on the same sequences, found {len(found)} for "
                f"{name} and {len(expected)} for {first}, which differ. Rank complete trackers."
            )


def _pairs(
    samples: List[FloatArray], equal: Callable[[FloatArray, FloatArray], bool]
) -> BoolArray:
    """``(T, T)`` pairs of equal samples; the diagonal is True."""
    same = np.eye(len(samples), dtype=bool)
    for i, j in itertools.combinations(range(len(samples)), 2):
        same[i, j] = same[j, i] = equal(samples[i], samples[j])
    return same


def equal_accuracy(a: FloatArray, b: FloatArray, practical: FloatArray) -> bool:
    """True if overlaps ``(F,)`` differ neither significantly nor practically.

    Too few frames for a test count as equal; the official code warns and treats them as
    different. ``practical`` is the practical difference of each frame, 0 where unknown.
    """
    from scipy.stats import wilcoxon

    known = ~np.isnan(a) & ~np.isnan(b)
    difference = a[known] - b[known]
    if len(difference) < _MIN_SAMPLES or not difference.any():
        return True
    noticeable = practical[known] > 0
    if noticeable.any():
        steps = difference[noticeable] / practical[known][noticeable]
        if abs(steps.mean()) < 1:
            return True
    return bool(wilcoxon(difference, method="approx").pvalue >= ALPHA)


def equal_robustness(a: FloatArray, b: FloatArray) -> bool:
    """True if the failures of two trackers' runs do not differ significantly."""
    from scipy.stats import mannwhitneyu

    return bool(mannwhitneyu(a, b, alternative="two-sided").pvalue >= ALPHA)


def adapted_ranks(ranks: FloatArray, same: BoolArray, mode: Mode) -> FloatArray:
    """Adapt ranks ``(T,)`` to equal trackers, ``same`` ``(T, T)``.

    ``mean`` and ``median`` average the ranks of equal trackers. ``best`` keeps the inverted
    test of the official code: a tracker *different* from the previous one takes its rank.
    """
    if mode == "none":
        return ranks.astype(np.float64)
    if mode == "best":
        return _best(ranks, same)
    middle = np.mean if mode == "mean" else np.median
    return np.array([middle(ranks[row]) for row in same], dtype=np.float64)


def _best(ranks: FloatArray, same: BoolArray) -> FloatArray:
    adapted = ranks.astype(np.float64).copy()
    order = np.argsort(ranks, kind="stable")
    for before, tracker in itertools.pairwise(order):
        if not same[before, tracker]:
            adapted[tracker] = adapted[before]
    return adapted


def _places(scores: FloatArray) -> FloatArray:
    """Ranks from 1 for the highest score; ties keep their order."""
    places = np.empty(len(scores))
    places[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return places


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _failures(runs: List[SequenceRuns], repetitions: int) -> FloatArray:
    """Failures in ``repetitions`` runs of every sequence; the mean fills missing runs."""
    counts = [np.count_nonzero(one.codes == FAILED, axis=1) for one in runs]
    filled = [np.append(each, np.full(repetitions - len(each), each.mean())) for each in counts]
    return np.concatenate(filled)


def _practical(run: SequenceRuns) -> FloatArray:
    return np.zeros(len(run)) if run.practical is None else run.practical
