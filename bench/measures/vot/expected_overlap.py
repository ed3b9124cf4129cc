"""Expected overlap of a sequence of N frames: its curve over N, and its average.

Source: toolkit-legacy ``analysis/estimate_expected_overlap.m``,
``analyze_expected_overlap.m``, ``analyze_average_expected_overlap.m``.

A run is cut into pieces at its initialisations. A piece that ended in a failure goes on for ever
with overlap zero; the last one ends where the sequence does. The expected overlap at N frames is
the weighted mean, over the pieces that are N long, of their mean overlap in frames 2..N.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from collections.abc import Sequence as List
from dataclasses import dataclass

import numpy as np

from bench.measures.vot.runs import EMPTY, FAILED, BoolArray, FloatArray, IntArray, SequenceRuns

_RESTART = 5  # frames from a failure to the next initialisation


@dataclass(frozen=True, eq=False)
class ExpectedOverlap:
    """The sums that a curve is made of, so that sequences can be resampled.

    Attributes:
        sums: ``(S, L)`` weighted sum over the pieces of a sequence, for lengths 1..L.
        weights: ``(S, L)`` sum of the weights of the pieces that are that long.
    """

    sums: FloatArray
    weights: FloatArray

    def curve(self) -> FloatArray:
        """``(L,)`` expected overlap for lengths 1..L; 1 at length 1, NaN where no piece is."""
        return _divide(self.sums.sum(axis=0), self.weights.sum(axis=0))

    def score(self, interval: tuple[int, int]) -> float:
        """Expected average overlap: the mean of the curve over an interval, ends included."""
        low, high = interval
        part = self.curve()[low - 1 : high]
        return float(np.nanmean(part)) if np.isfinite(part).any() else float("nan")

    def resampled_scores(self, counts: IntArray, interval: tuple[int, int]) -> FloatArray:
        """The score of ``(B, S)`` resamples, each a number of uses for every sequence."""
        low, high = interval
        sums, weights = (counts @ part[:, low - 1 : high] for part in (self.sums, self.weights))
        curves = _divide(sums, weights)
        known = np.isfinite(curves)
        with np.errstate(invalid="ignore"):
            scores: FloatArray = np.where(known, curves, 0).sum(axis=1) / known.sum(axis=1)
        return scores


def expected_overlap(
    runs: List[SequenceRuns], longest: int, tag: str | None = None, *, shifted: bool = False
) -> ExpectedOverlap:
    """Sums of the pieces of every sequence for lengths 1..``longest``.

    Args:
        runs: one entry a sequence.
        longest: where the curve ends.
        tag: weigh pieces by the share of their frames that carry it.
        shifted: as vot-toolkit 0.9 does: repetitions weigh one each and all is one frame later.
    """
    if shifted:
        return _shifted(runs, longest)
    sums, weights = np.zeros((2, len(runs), longest))
    for index, run in enumerate(runs):
        for piece, ended, weight in _weighted_pieces(run, tag):
            if weight > 0:
                means = _running_means(piece, longest, ended)
                reach = longest if ended else min(len(piece), longest)
                sums[index, :reach] += weight * means[:reach]
                weights[index, :reach] += weight
    return ExpectedOverlap(sums, weights)


def _shifted(runs: List[SequenceRuns], longest: int) -> ExpectedOverlap:
    """The sums of vot-toolkit 0.9, moved so that ``score`` averages over its lengths.

    Repetitions weigh one each, every failure ends its piece with zeros, and the curve ends with
    the longest stretch of tracking.
    """
    sums, weights = np.zeros((2, len(runs), longest))
    reached = 0
    for index, run in enumerate(runs):
        for codes, overlaps in zip(run.codes, run.eao_overlaps, strict=True):
            for first, last, _ in pieces(codes):
                failure = np.flatnonzero(codes[first : last + 1] == FAILED)
                length = int(failure[0]) + 1 if len(failure) else last + 1 - first
                means = _running_means(
                    np.nan_to_num(overlaps[first : last + 1]), longest, len(failure) > 0
                )
                reach = longest if len(failure) else length
                sums[index, :reach] += means[:reach]
                weights[index, :reach] += 1
                reached = max(reached, length)
    return ExpectedOverlap(sums[:, 1:reached], weights[:, 1:reached])


def pieces(codes: IntArray) -> list[tuple[int, int, bool]]:
    """First and last frame of each piece of a run ``(N,)``, and whether it ended in a failure.

    A failure too late for another initialisation cuts nothing. A piece that ended includes the
    frame of the next initialisation.
    """
    failures = np.flatnonzero(codes == FAILED)
    cuts = [0, *(int(f) + _RESTART for f in failures if f + _RESTART < len(codes))]
    inner = [(start, end, True) for start, end in itertools.pairwise(cuts)]
    return [*inner, (cuts[-1], len(codes) - 1, False)]


def _weighted_pieces(
    run: SequenceRuns, tag: str | None
) -> Iterator[tuple[FloatArray, bool, float]]:
    """Overlaps of each piece, whether it ended in a failure, and its weight."""
    tagged = np.ones(len(run), dtype=bool) if tag is None else run.tagged(tag)
    for codes, overlaps in zip(run.codes, run.eao_overlaps, strict=True):
        known = np.nan_to_num(overlaps) if (codes == FAILED).any() else overlaps
        for first, last, ended in pieces(codes):
            share = _share(tagged, first, last, tag)
            yield known[first : last + 1], ended, share / run.repetitions


def _share(tagged: BoolArray, first: int, last: int, tag: str | None) -> float:
    # The official query ignores the piece for "empty", so the share can exceed 1.
    frames = tagged if tag == EMPTY else tagged[first : last + 1]
    return float(frames.sum()) / (last - first + 1)


def _running_means(piece: FloatArray, longest: int, ended: bool) -> FloatArray:
    """Mean overlap in frames 2..N for N in 1..``longest``; 1 at N = 1."""
    means = np.ones(longest)
    totals = np.cumsum(piece[1:longest])
    means[1 : len(totals) + 1] = totals / np.arange(1, len(totals) + 1)
    if ended and len(totals) + 1 < longest:
        total = totals[-1] if len(totals) else 0.0
        means[len(totals) + 1 :] = total / np.arange(len(totals) + 1, longest)
    return means


def _divide(sums: FloatArray, weights: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients: FloatArray = np.where(weights > 0, sums / weights, np.nan)
    return quotients
