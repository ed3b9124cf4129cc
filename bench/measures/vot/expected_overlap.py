"""Expected overlap by sequence length, its average (EAO), and the interval of lengths.

Source: toolkit-legacy ``analysis/estimate_expected_overlap.m``,
``analyze_expected_overlap.m``, ``analyze_average_expected_overlap.m``.

A run is cut into segments at its initialisations. A segment that ends in a failure is padded
with overlap zero; the last one ends with the sequence. The expected overlap at N frames is the
weighted mean, over segments of at least N frames, of their mean overlap in frames 2..N.
"""

from __future__ import annotations

from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.arrays import FloatArray, IntArray
from bench.geometry import FAILED
from bench.measures.vot.runs import EMPTY, SequenceRuns

_RESTART = 5  # frames from a failure to the next initialisation
_MASS = 0.5  # share of the lengths' probability in the interval
Cut = Literal["official", "late", "shifted"]
"""How runs are cut into segments, see ``cut_runs``."""


@dataclass(frozen=True, eq=False)
class ExpectedOverlap:
    """Sums behind the curve, kept per sequence for resampling.

    Attributes:
        sums: ``(S, L)`` weighted sum over the segments of a sequence, for lengths 1..L.
        weights: ``(S, L)`` total weight of the segments of at least that length.
    """

    sums: FloatArray
    weights: FloatArray

    def curve(self) -> FloatArray:
        """``(L,)`` expected overlap for lengths 1..L; 1 at length 1, NaN without segments."""
        return _divide(self.sums.sum(axis=0), self.weights.sum(axis=0))

    def score(self, interval: tuple[int, int]) -> float:
        """EAO: the mean of the curve over an interval, both ends included."""
        return float(self.resampled_scores(np.ones((1, len(self.sums))), interval)[0])

    def resampled_scores(
        self, counts: FloatArray | IntArray, interval: tuple[int, int]
    ) -> FloatArray:
        """``(B,)`` EAO of resamples, given as sequence counts ``(B, S)``."""
        low, high = interval
        sums, weights = (counts @ part[:, low - 1 : high] for part in (self.sums, self.weights))
        curves = _divide(sums, weights)
        known = np.isfinite(curves)
        return _divide(np.where(known, curves, 0).sum(axis=1), known.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Segments:
    """The ``P`` segments of the runs on one sequence, ordered by repetition.

    Attributes:
        repetition, first: ``(P,)`` repetition and first frame of a segment, from 0.
        length: ``(P,)`` number of frames. The official code includes the frame of the next
            initialisation; vot-toolkit ends before the failure.
        span, until: ``(P,)`` number of frames that a tag's share is taken of, and where counting
            the tag ends; they differ from the length in runs shorter than their sequence.
        reach: ``(P,)`` greatest length with a value; L if it ended in a failure.
        means: ``(P, L)`` mean overlap in frames 2..N for N in 1..L; 1 at N = 1, 0 beyond reach.
    """

    repetition: IntArray
    first: IntArray
    length: IntArray
    span: IntArray
    until: IntArray
    reach: IntArray
    means: FloatArray

    def only(self, repetition: int) -> Segments:
        """The segments of one repetition, counted from 0."""
        rows = slice(*np.searchsorted(self.repetition, [repetition, repetition + 1]))
        return Segments(
            self.repetition[rows],
            self.first[rows],
            self.length[rows],
            self.span[rows],
            self.until[rows],
            self.reach[rows],
            self.means[rows],
        )


@dataclass(frozen=True, eq=False)
class CutRuns:
    """Runs of one tracker, cut into segments.

    Attributes:
        runs: one entry per sequence.
        segments: the segments of each entry.
        cut: how they were cut.
    """

    runs: List[SequenceRuns]
    segments: List[Segments]
    cut: Cut

    def expected_overlap(self, tag: str | None = None) -> ExpectedOverlap:
        """Expected overlap; a tag weights segments by their fraction of tagged frames."""
        weights = [_weights(*pair, tag) for pair in zip(self.runs, self.segments, strict=True)]
        if self.cut == "shifted":  # vot-toolkit does not weight segments
            weights = [np.ones(len(each.first)) for each in self.segments]
        return self._weigh(weights)

    def only(self, repetition: int) -> CutRuns:
        """One repetition; sequences with fewer repetitions cycle through theirs."""
        chosen = [repetition % run.repetitions for run in self.runs]
        runs = [run.only(index) for run, index in zip(self.runs, chosen, strict=True)]
        segments = [each.only(index) for each, index in zip(self.segments, chosen, strict=True)]
        return CutRuns(runs, segments, self.cut)

    def _weigh(self, weights: List[FloatArray]) -> ExpectedOverlap:
        pairs = list(zip(weights, self.segments, strict=True))
        sums = np.stack([weight @ each.means for weight, each in pairs])
        lengths = np.stack([_by_length(w, each.reach, sums.shape[1]) for w, each in pairs])
        if self.cut != "shifted":
            return ExpectedOverlap(sums, lengths)
        # vot-toolkit counts lengths from 0 and ends its curve with the longest segment.
        end = max(int(each.length.max()) for each in self.segments)
        return ExpectedOverlap(sums[:, 1:end], lengths[:, 1:end])


def cut_runs(runs: List[SequenceRuns], longest: int, cut: Cut = "official") -> CutRuns:
    """Cut runs into segments.

    Args:
        runs: one entry per sequence.
        longest: length at which the curve ends.
        cut: ``"official"``: at initialisations, so a failure too late for a restart does not
            end its segment; ``"late"``: a failure 5 frames before the end does (pysot-toolkit);
            ``"shifted"``: every failure does, frames up to the next initialisation belong to no
            segment, and lengths shift by one frame (vot-toolkit 0.9).
    """
    return CutRuns(runs, [_cut(run, longest, cut) for run in runs], cut)


def _cut(run: SequenceRuns, longest: int, cut: Cut) -> Segments:
    """Segments of all repetitions; frames are numbered across repetitions."""
    frames, total = len(run), run.codes.size
    lengths = np.full(run.repetitions, frames) if run.lengths is None else run.lengths
    failures = np.flatnonzero(run.codes == FAILED)
    late_enough = failures % frames + _RESTART < lengths[failures // frames]
    begins = np.arange(0, total, frames)
    starts = np.sort(np.concatenate([begins, failures[late_enough] + _RESTART]))
    within, first = starts // frames, starts % frames
    goes_on = np.append(within[1:] == within[:-1], False)
    following = np.where(goes_on, np.append(starts[1:], total), (begins + lengths)[within])
    if cut == "shifted":
        failure = np.append(failures, total)[np.searchsorted(failures, starts)]
        ended = failure < following
        length = np.where(ended, failure, following) - starts
    else:
        ended = np.isin(following - _RESTART, failures) if cut == "late" else goes_on
        length = following + ended - starts
    span, until = length, np.minimum(first + length, lengths[within])
    if run.lengths is not None:
        # Official: the last segment of a short run weighs as far as it goes, one without
        # failures as if it were whole.
        short = ~goes_on & (lengths[within] < frames)
        whole = short & (first == 0) & ~np.isin(within, failures // frames)
        span = np.where(short, frames - first, span)
        until = np.where(whole, frames, until)
    reach = np.where(ended, longest, np.minimum(length, longest))
    overlaps = np.nan_to_num(run.eao_overlaps).ravel()
    means = _running_means(overlaps, starts, following - starts, longest)
    means *= np.arange(longest) < reach[:, None]
    return Segments(within, first, length, span, until, reach, means)


def _running_means(
    overlaps: FloatArray, starts: IntArray, length: IntArray, longest: int
) -> FloatArray:
    """``(P, longest)`` mean overlap in frames 2..N of each segment, zero-padded at its end."""
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


def _weights(run: SequenceRuns, segments: Segments, tag: str | None) -> FloatArray:
    """``(P,)`` fraction of tagged frames, divided by the number of repetitions."""
    last = segments.until
    tagged = last - segments.first
    if tag is not None:
        until = np.concatenate([[0], np.cumsum(run.tagged(tag))])
        # The official query ignores the segment for EMPTY, so this fraction can exceed 1.
        tagged = until[-1:] if tag == EMPTY else until[last] - until[segments.first]
    weights: FloatArray = tagged / segments.span / run.repetitions
    return weights


def _by_length(weights: FloatArray, reach: IntArray, longest: int) -> FloatArray:
    """``(longest,)`` total weight of the segments that reach each length."""
    ending = np.bincount(reach - 1, weights, longest)
    # Summed backwards for exact zeros at the far end.
    sums: FloatArray = np.cumsum(ending[::-1], dtype=np.float64)[::-1]
    return sums


def _divide(sums: FloatArray, weights: FloatArray | IntArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients: FloatArray = np.where(weights > 0, sums / weights, np.nan)
    return quotients


def estimate_interval(lengths: FloatArray) -> tuple[int, int, int]:
    """The most likely sequence length, and the interval around it with half of the probability.

    The density of lengths 1..longest is a normalised Gaussian kernel estimate. From its mode,
    the interval grows one frame at a time towards the larger density (official
    ``estimate_expected_overlap.m`` with ``gmm_estimate.m``). VOT2016 gives 168, 108, 371 and
    VOT2018 gives 160, 100, 356.

    Args:
        lengths: ``(S,)`` numbers of frames.

    Returns:
        peak, low, high; both ends included. All three are equal for sequences of equal length.
    """
    longest = int(lengths.max())
    variance = kernel_variance(lengths)
    if variance == 0:
        return longest, longest, longest
    grid = np.arange(1, longest + 1)
    density = np.exp(-0.5 * (grid[:, None] - lengths) ** 2 / variance).sum(axis=1)
    density /= density.sum()
    peak = low = high = int(density.argmax())
    mass = density[peak]
    while mass < _MASS:
        left = density[low - 1] if low > 0 else -1.0
        right = density[high + 1] if high + 1 < longest else -1.0
        if left > right:
            low, mass = low - 1, mass + left
        else:
            high, mass = high + 1, mass + right
    return peak + 1, low + 1, high + 1


def kernel_variance(values: FloatArray) -> float:
    """Variance of the Gaussian kernel for ``(S,)`` values, by the plug-in rule of oKDE.

    The integrated squared curvature is estimated from the sample smoothed by a pilot kernel:
    M. Kristan, A. Leonardis and D. Skocaj, "Multivariate online kernel density estimation with
    Gaussian kernels", Pattern Recognition 44 (2011), section 3.
    """
    count = len(values)
    pilot = float(values.var()) * (4 / (3 * count)) ** (2 / 5)
    if pilot == 0:
        return 0.0
    distance = (values[:, None] - values) ** 2 / pilot
    curvature = 2 * (1 - 2 * distance) + (1 - distance) ** 2  # F equals the pilot variance here
    smoothed = np.exp(-0.5 * distance) / np.sqrt(2 * np.pi * pilot)
    integral = float((smoothed * curvature).sum()) / count**2
    scale = (1 / (count * np.sqrt(pilot) * np.sqrt(4 * np.pi) * integral)) ** (1 / 5)
    return float(pilot * scale**2)
