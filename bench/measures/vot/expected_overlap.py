"""Expected overlap of a sequence of N frames: its curve over N, and its average.

Source: toolkit-legacy ``analysis/estimate_expected_overlap.m``,
``analyze_expected_overlap.m``, ``analyze_average_expected_overlap.m``.

A run is cut into pieces at its initialisations. A piece that ended in a failure goes on for ever
with overlap zero; the last one ends where the sequence does. The expected overlap at N frames is
the weighted mean, over the pieces that are N long, of their mean overlap in frames 2..N.
"""

from __future__ import annotations

from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.measures.vot.runs import EMPTY, FAILED, FloatArray, IntArray, SequenceRuns

_RESTART = 5  # frames from a failure to the next initialisation
Cut = Literal["official", "late", "shifted"]
"""How runs fall into pieces, see ``cut_runs``."""


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
        return float(self.resampled_scores(np.ones((1, len(self.sums))), interval)[0])

    def resampled_scores(
        self, counts: FloatArray | IntArray, interval: tuple[int, int]
    ) -> FloatArray:
        """``(B,)`` scores of resamples, each a number of uses for every sequence ``(B, S)``."""
        low, high = interval
        sums, weights = (counts @ part[:, low - 1 : high] for part in (self.sums, self.weights))
        curves = _divide(sums, weights)
        known = np.isfinite(curves)
        return _divide(np.where(known, curves, 0).sum(axis=1), known.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Pieces:
    """The ``P`` pieces that the runs on one sequence fall into, repetition by repetition.

    Attributes:
        repetition, first: ``(P,)`` where a piece begins, counted from 0.
        length: ``(P,)`` number of its frames. The official code includes the frame of the next
            initialisation, vot-toolkit ends before the failure.
        reach: ``(P,)`` longest length that it has a value for, all if it ended in a failure.
        means: ``(P, L)`` mean overlap in frames 2..N for N in 1..L, 1 at N = 1; 0 beyond reach.
    """

    repetition: IntArray
    first: IntArray
    length: IntArray
    reach: IntArray
    means: FloatArray

    def only(self, repetition: int) -> Pieces:
        """Those of one repetition, counted from 0."""
        rows = slice(*np.searchsorted(self.repetition, [repetition, repetition + 1]))
        return Pieces(
            self.repetition[rows],
            self.first[rows],
            self.length[rows],
            self.reach[rows],
            self.means[rows],
        )


@dataclass(frozen=True, eq=False)
class CutRuns:
    """Runs of one tracker with their pieces, to be weighed in several ways.

    Attributes:
        runs: one entry a sequence.
        pieces: the pieces of each.
        cut: how they were cut.
    """

    runs: List[SequenceRuns]
    pieces: List[Pieces]
    cut: Cut

    def expected_overlap(self, tag: str | None = None) -> ExpectedOverlap:
        """All repetitions; with a tag, pieces weigh by the share of their frames that carry it."""
        weights = [_weights(*pair, tag) for pair in zip(self.runs, self.pieces, strict=True)]
        if self.cut == "shifted":  # every repetition weighs one
            weights = [np.ones(len(each.first)) for each in self.pieces]
        return self._weigh(weights)

    def only(self, repetition: int) -> CutRuns:
        """One repetition; sequences that have fewer begin again with their first."""
        chosen = [repetition % run.repetitions for run in self.runs]
        runs = [run.only(index) for run, index in zip(self.runs, chosen, strict=True)]
        pieces = [each.only(index) for each, index in zip(self.pieces, chosen, strict=True)]
        return CutRuns(runs, pieces, self.cut)

    def _weigh(self, weights: List[FloatArray]) -> ExpectedOverlap:
        pairs = list(zip(weights, self.pieces, strict=True))
        sums = np.stack([weight @ each.means for weight, each in pairs])
        lengths = np.stack([_by_length(w, each.reach, sums.shape[1]) for w, each in pairs])
        if self.cut != "shifted":
            return ExpectedOverlap(sums, lengths)
        # vot-toolkit counts lengths from 0, and its curve ends with the longest piece.
        end = max(int(each.length.max()) for each in self.pieces)
        return ExpectedOverlap(sums[:, 1:end], lengths[:, 1:end])


def expected_overlap(
    runs: List[SequenceRuns], longest: int, tag: str | None = None
) -> ExpectedOverlap:
    """Sums over the pieces of every sequence for lengths 1..``longest``; see ``CutRuns``."""
    return cut_runs(runs, longest).expected_overlap(tag)


def cut_runs(runs: List[SequenceRuns], longest: int, cut: Cut = "official") -> CutRuns:
    """Cut runs into pieces.

    Args:
        runs: one entry a sequence.
        longest: where the curve ends.
        cut: ``"official"``: at initialisations, so a failure too late for another one ends no
            piece; ``"late"``: one 5 frames before the end does, as in pysot-toolkit;
            ``"shifted"``: every failure does, the frames from there to the next initialisation
            belong to none, and all is one frame later, as in vot-toolkit 0.9.
    """
    return CutRuns(runs, [_cut(run, longest, cut) for run in runs], cut)


def _cut(run: SequenceRuns, longest: int, cut: Cut) -> Pieces:
    """Pieces of all repetitions, whose frames are counted through."""
    frames, total = len(run), run.codes.size
    failures = np.flatnonzero(run.codes == FAILED)
    restarts = failures[failures % frames + _RESTART < frames] + _RESTART
    starts = np.sort(np.concatenate([np.arange(0, total, frames), restarts]))
    following = np.append(starts[1:], total)
    if cut == "shifted":
        failure = np.append(failures, total)[np.searchsorted(failures, starts)]
        ended = failure < following
        length = np.where(ended, failure, following) - starts
    else:
        late = np.isin(following - _RESTART, failures)
        ended = late if cut == "late" else following % frames > 0
        length = following + ended - starts
    reach = np.where(ended, longest, np.minimum(length, longest))
    overlaps = np.nan_to_num(run.eao_overlaps).ravel()
    means = _running_means(overlaps, starts, following - starts, longest)
    means *= np.arange(longest) < reach[:, None]
    return Pieces(starts // frames, starts % frames, length, reach, means)


def _running_means(
    overlaps: FloatArray, starts: IntArray, length: IntArray, longest: int
) -> FloatArray:
    """``(P, longest)`` mean overlap in frames 2..N of each piece, 0 in frames beyond its end."""
    frames = np.arange(min(int(length.max()), longest))
    within = frames < length[:, None]
    totals = overlaps[np.where(within, starts[:, None] + frames, 0)] * within
    totals[:, 0] = 0
    np.cumsum(totals, axis=1, out=totals)
    means = np.empty((len(starts), longest))
    means[:, : len(frames)] = totals
    means[:, len(frames) :] = totals[:, -1:]
    means /= np.maximum(np.arange(longest), 1)
    means[:, 0] = 1
    return means


def _weights(run: SequenceRuns, pieces: Pieces, tag: str | None) -> FloatArray:
    """``(P,)`` share of a piece's frames that carry the tag, over the number of repetitions."""
    last = np.minimum(pieces.first + pieces.length, len(run))
    tagged = last - pieces.first
    if tag is not None:
        until = np.concatenate([[0], np.cumsum(run.tagged(tag))])
        # The official query ignores the piece for "empty", so that share can exceed 1.
        tagged = until[-1:] if tag == EMPTY else until[last] - until[pieces.first]
    weights: FloatArray = tagged / pieces.length / run.repetitions
    return weights


def _by_length(weights: FloatArray, reach: IntArray, longest: int) -> FloatArray:
    """``(longest,)`` sum of the weights of the pieces that reach each length."""
    ending = np.bincount(reach - 1, weights, longest)
    # Backwards, for exact zeros at the far end.
    sums: FloatArray = np.cumsum(ending[::-1], dtype=np.float64)[::-1]
    return sums


def _divide(sums: FloatArray, weights: FloatArray | IntArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients: FloatArray = np.where(weights > 0, sums / weights, np.nan)
    return quotients
