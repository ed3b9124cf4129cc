"""Ranks that count two trackers as equal where tests cannot tell them apart.

Source: toolkit-legacy ``analyze_accuracy_robustness.m`` (tests), ``adapted_ranks.m``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.measures.vot.accuracy import frame_accuracy
from bench.measures.vot.runs import FAILED, BoolArray, FloatArray, SequenceRuns

ALPHA = 0.05
_MIN_SAMPLES = 25
Mode = Literal["none", "mean", "median", "best"]


@dataclass(frozen=True)
class Ranks:
    """Ranks of trackers in accuracy and robustness; 1 is best, equal trackers share.

    Attributes:
        accuracy, robustness: adapted rank by tracker.
    """

    accuracy: Mapping[str, float]
    robustness: Mapping[str, float]


def rank_trackers(runs: Mapping[str, List[SequenceRuns]], mode: Mode = "mean") -> Ranks:
    """Rank trackers that have runs of the same sequences, by name.

    Two are equal in accuracy if a Wilcoxon signed-rank test on the frames both have finds no
    difference at 0.05 (it needs 25 frames), or the mean difference is below the practical one;
    in robustness if a Mann-Whitney test on the failures of each run finds none.
    """
    names = list(runs)
    overlaps = {name: _frames(each) for name, each in runs.items()}
    practical = np.concatenate([_practical(one) for one in runs[names[0]]])
    failures = {name: _failures(each) for name, each in runs.items()}
    accuracy = np.array([np.nanmean(overlaps[name]) for name in names])
    robustness = np.array([-failures[name].mean() for name in names])
    same_accuracy, same_robustness = (np.eye(len(names), dtype=bool) for _ in range(2))
    for i, one in enumerate(names):
        for j in range(i):
            other = names[j]
            alike = equal_accuracy(overlaps[one], overlaps[other], practical)
            same_accuracy[i, j] = same_accuracy[j, i] = alike
            alike = equal_robustness(failures[one], failures[other])
            same_robustness[i, j] = same_robustness[j, i] = alike
    first = adapted_ranks(_places(accuracy), same_accuracy, mode)
    second = adapted_ranks(_places(robustness), same_robustness, mode)
    return Ranks(
        dict(zip(names, first.tolist(), strict=True)),
        dict(zip(names, second.tolist(), strict=True)),
    )


def equal_accuracy(a: FloatArray, b: FloatArray, practical: FloatArray) -> bool:
    """Whether overlaps ``(F,)`` of two trackers differ neither surely nor practically."""
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
    return bool(wilcoxon(difference).pvalue >= ALPHA)


def equal_robustness(a: FloatArray, b: FloatArray) -> bool:
    """Whether the failures of the runs of two trackers come from the same distribution."""
    from scipy.stats import mannwhitneyu

    return bool(mannwhitneyu(a, b, alternative="two-sided").pvalue >= ALPHA)


def adapted_ranks(ranks: FloatArray, same: BoolArray, mode: Mode) -> FloatArray:
    """Ranks ``(T,)`` adapted to the equal trackers of each, ``same`` ``(T, T)``.

    ``mean`` and ``median`` are over the ranks of the equal ones. ``best`` keeps the official
    inverted test: a tracker that is *different* from the one before takes its rank.
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
    """1 for the highest score, and so on; ties in the order given."""
    places = np.empty(len(scores))
    places[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return places


def _frames(runs: List[SequenceRuns]) -> FloatArray:
    return np.concatenate([frame_accuracy(one, np.ones(len(one), dtype=bool)) for one in runs])


def _failures(runs: List[SequenceRuns]) -> FloatArray:
    """Failures of every repetition of every sequence."""
    counts = [(one.codes == FAILED).sum(axis=1) for one in runs]
    return np.concatenate(counts).astype(np.float64)


def _practical(run: SequenceRuns) -> FloatArray:
    return np.zeros(len(run)) if run.practical is None else run.practical
