"""Accuracy and robustness, pooled over frames, by tag or by sequence.

Source: toolkit-legacy ``analysis/analyze_accuracy_robustness.m``, ``estimate_accuracy.m``,
``sequence_tag_selectors.m``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence as List
from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.geometry import FAILED, INITIALISED
from bench.measures.vot.runs import SequenceRuns

BURN_IN = 10
SENSITIVITY = 30.0


@dataclass(frozen=True)
class AccuracyRobustness:
    """Accuracy and failures of one tracker on a selection of frames.

    Attributes:
        accuracy: mean overlap of the valid frames; NaN without any.
        failures: mean over repetitions, summed over sequences.
        frames: number of frames in the selection; a mean for averaged selections.
    """

    accuracy: float
    failures: float
    frames: float

    @property
    def robustness(self) -> float:
        """Failures per 100 frames, the R printed in papers; lower is better."""
        return 100 * self.failures / self.frames if self.frames else math.nan

    @property
    def reliability(self) -> float:
        """exp(-S F / frames) with S = 30, the x axis of AR plots; higher is better."""
        rate = self.failures / self.frames if self.frames else math.nan
        return math.exp(-SENSITIVITY * rate)


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums behind accuracy and robustness, each ``(S,)``, one value per sequence.

    Attributes:
        overlap: sum of the overlaps of the valid frames.
        valid: number of valid frames.
        failures: mean number of failures over repetitions.
        frames: number of frames in the selection.
    """

    overlap: FloatArray
    valid: FloatArray
    failures: FloatArray
    frames: FloatArray

    def pooled(self) -> AccuracyRobustness:
        """Scores pooled over the frames of all sequences."""
        return _quotient(*(float(part.sum()) for part in self._parts()))

    def by_sequence(self) -> list[AccuracyRobustness]:
        """Scores of each sequence."""
        return [_quotient(*row) for row in np.stack(self._parts(), axis=1).tolist()]

    def _parts(self) -> tuple[FloatArray, ...]:
        return self.overlap, self.valid, self.failures, self.frames


def _quotient(overlap: float, valid: float, failures: float, frames: float) -> AccuracyRobustness:
    return AccuracyRobustness(overlap / valid if valid else math.nan, failures, frames)


def tally(
    runs: List[SequenceRuns],
    tag: str | None = None,
    burn_in: int = BURN_IN,
    *,
    filter_first: bool = True,
) -> Tally:
    """Overlaps and failures of every sequence.

    The official code selects the tagged frames before it removes the burn-in.

    Args:
        runs: one entry per sequence.
        tag: name of a tag, ``"empty"``, or None for all frames.
        burn_in: number of frames ignored from each initialisation on, including it.
        filter_first: False removes the burn-in before selecting, as got10k does.
    """
    rows = [_sums(one, tag, burn_in, filter_first=filter_first) for one in runs]
    return Tally(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def tally_repetitions(runs: List[SequenceRuns]) -> list[Tally]:
    """Sums of each repetition; sequences with fewer repetitions cycle through theirs."""
    sums = [_run_sums(one) for one in runs]
    return [
        Tally(*np.array([each[index % len(each)] for each in sums]).T)
        for index in range(max(one.repetitions for one in runs))
    ]


def _run_sums(run: SequenceRuns) -> FloatArray:
    """``(R, 4)`` sums of every repetition of a sequence."""
    overlaps = run.accuracy_overlaps
    valid = ~(np.isnan(overlaps) | burnt_in(run.codes))
    overlap = np.where(valid, overlaps, 0).sum(axis=1)
    failures = (run.codes == FAILED).sum(axis=1)
    frames = np.full(run.repetitions, len(run))
    return np.stack([overlap, valid.sum(axis=1), failures, frames], axis=1)


def _sums(
    run: SequenceRuns, tag: str | None, burn_in: int, *, filter_first: bool
) -> tuple[float, float, float, float]:
    chosen = slice(None) if tag is None else run.tagged(tag)
    if filter_first:
        overlaps = frame_accuracy(run, chosen, burn_in)
    else:
        overlaps = frame_accuracy(run, slice(None), burn_in)[chosen]
    known = overlaps[~np.isnan(overlaps)]
    failures = np.count_nonzero(run.codes[:, chosen] == FAILED) / run.repetitions
    return float(known.sum()), len(known), failures, len(overlaps)


def run_accuracy(run: SequenceRuns) -> float:
    """Accuracy of a sequence in vot-toolkit: the mean over repetitions.

    A repetition without a valid frame counts as 0.
    """
    sums = _run_sums(run)
    return float(np.mean(sums[:, 0] / np.maximum(sums[:, 1], 1)))


def frame_accuracy(
    run: SequenceRuns, chosen: BoolArray | slice = slice(None), burn_in: int = BURN_IN
) -> FloatArray:
    """Overlap of each chosen frame, averaged over repetitions; NaN if none is valid."""
    overlaps = run.accuracy_overlaps[:, chosen]
    valid = ~(np.isnan(overlaps) | burnt_in(run.codes[:, chosen], burn_in))
    with np.errstate(invalid="ignore"):  # frames without a valid repetition
        mean: FloatArray = np.where(valid, overlaps, 0).sum(axis=0) / valid.sum(axis=0)
    return mean


def burnt_in(codes: IntArray, burn_in: int = BURN_IN) -> BoolArray:
    """``(R, N)`` True for the ``burn_in`` frames from each initialisation on."""
    started = np.cumsum(codes == INITIALISED, axis=1)
    burnt: BoolArray = started > 0
    burnt[:, burn_in:] = started[:, burn_in:] > started[:, : max(0, started.shape[1] - burn_in)]
    return burnt


def weighted_mean(parts: List[AccuracyRobustness]) -> AccuracyRobustness:
    """Mean of selections weighted by their frames (``weighted_mean`` in toolkit-legacy)."""
    frames = np.array([part.frames for part in parts], dtype=np.float64)
    weights = frames / frames.sum()
    accuracy = float(np.nansum(weights * [part.accuracy for part in parts]))
    failures = float((weights * [part.failures for part in parts]).sum())
    return AccuracyRobustness(accuracy, failures, float(frames.mean()))
