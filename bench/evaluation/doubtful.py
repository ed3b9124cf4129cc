"""Counts what makes results doubtful: rows without a valid region, and regions that are odd.

Odd are those of VOT runs that no tracker answers, or that the protocol would not have kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.benchmarks import get_benchmark
from bench.evaluation.selection import first_few
from bench.geometry import (
    FAILED,
    INITIALISED,
    SKIPPED,
    TRACKED,
    Regions,
    columns,
    leaps,
    off_scale,
)
from bench.measures.vot import SequenceRuns
from bench.results.stores import rows_beyond
from bench.sequence import Dataset
from bench.tracker import seen_boxes

_FARTHEST = 1e6  # pixels
_THIN = 1e-3  # pixels
_LEAP = 3  # sizes of the target; none of 2.1 million real rows leaps by more than 1.0
_IMAGE = (1280, 720)  # pixels; that of UAV123 and of most of LaSOT
_LARGE_IMAGE = (4096, 2160)  # which own clips may have
_KINDS = {
    "scale": "regions with numbers that are not pixels of an image",
    "size": "regions without width or height",
    "start": "starts without a failure before them",
    "begin": "runs that do not begin with a start, code 1",
    "leap": "single regions off the target, where the protocol counts a failure",
}


Size = tuple[float, float]


@dataclass(frozen=True)
class RowCounts:
    """Rows of one result.

    Attributes:
        rows: all that are counted; the given first row of a sequence is not.
        invalid: those without a valid region.
        far: those with a number that no image has room for, the first row included.
        leaping: those far outside the image between rows that are not.
    """

    rows: int = 0
    invalid: int = 0
    far: int = 0
    leaping: int = 0


@dataclass(eq=False)
class InvalidRows:
    """Rows of one tracker.

    Attributes:
        rows: number of counted rows.
        invalid: number of invalid rows.
        far: number of rows beyond any image.
        sequences: number of sequences with an invalid row.
        leaping: number of rows that leap out of the image, by sequence.
    """

    rows: int = 0
    invalid: int = 0
    far: int = 0
    sequences: int = 0
    leaping: Counter[str] = field(default_factory=Counter)

    def add(self, counts: RowCounts, sequence: str) -> None:
        """Add one run on a sequence."""
        self.rows += counts.rows
        self.invalid += counts.invalid
        self.far += counts.far
        self.sequences += counts.invalid > 0
        if counts.leaping:
            self.leaping[sequence] += counts.leaping

    @property
    def all(self) -> bool:
        """True if every row is invalid."""
        return 0 < self.rows <= self.invalid

    def note(self, kind: str, consequence: str) -> list[str]:
        """The remark to print beside the scores; empty if every row is valid."""
        if not self.invalid:
            return []
        places = "1 sequence" if self.sequences == 1 else f"{self.sequences} sequences"
        return [f"{self.invalid} of {self.rows} rows {kind}, in {places}: {consequence}"]


def largest_image(dataset: Dataset) -> Size:
    """A width and height that no image of unknown size exceeds, as far as ground truth tells."""
    ends = [
        np.nanmax(boxes[:2] + boxes[2:], axis=1, initial=0)
        for boxes in (columns(each.ground_truth) for each in dataset if each.size is None)
    ]
    usual = _LARGE_IMAGE if get_benchmark(dataset.benchmark).open else _IMAGE
    width, height = np.max([usual, *ends], axis=0).tolist()
    return width, height


def count_rows(boxes: FloatArray, image: Size) -> RowCounts:
    """Count boxes ``(M, 4)`` with NaN or without area after the first, and far or leaping ones.

    Args:
        boxes: of one run; far is a number such as 1e300.
        image: width and height of the frames, or the largest that they may have.
    """
    if not boxes.size:
        return RowCounts()
    rows = len(boxes) - 1
    by_column = columns(boxes)
    low, high = by_column.min(axis=1).tolist(), by_column.max(axis=1).tolist()
    beyond = max(-low[0], -low[1], high[0] + high[2] - image[0], high[1] + high[3] - image[1])
    leaping = 0
    if not beyond <= _LEAP * max(min(low[2:]), 1):  # asking row by row takes longer
        leaping = int(np.count_nonzero(leaps(seen_boxes(boxes), image) > _LEAP))
    if min(low) >= -_FARTHEST and max(high) <= _FARTHEST and min(low[2:]) > 0:  # False for NaN
        return RowCounts(rows, leaping=leaping)
    answers = boxes[1:]
    sized = np.minimum(answers[:, 2], answers[:, 3]) > 0  # False for NaN
    sound = np.count_nonzero(sized & ~np.isnan(answers[:, :2]).any(axis=1))
    far = len(rows_beyond(boxes, _FARTHEST))
    return RowCounts(rows, rows - int(sound), far, leaping)


def invalid_answers(codes: IntArray, lengths: IntArray | None = None) -> RowCounts:
    """Count answered frames, and those that were skipped without a failure before.

    A region with NaN is read as ``SKIPPED``, which the protocol writes only after a failure.
    Such frames count as answered.

    Args:
        codes: ``(R, N)`` codes of the runs on a sequence.
        lengths: ``(R,)`` frames that each run has; None if all have ``N``.
    """
    skipped = codes == SKIPPED
    if lengths is not None:
        skipped &= np.arange(codes.shape[1]) < lengths[:, None]
    before = np.maximum.accumulate(np.where(skipped, 0, np.arange(codes.shape[1])), axis=1)
    failed = np.take_along_axis(codes, before, axis=1) == FAILED
    broken = int(np.count_nonzero(skipped & ~failed))
    return RowCounts(broken + int(np.count_nonzero(codes == TRACKED)), broken)


class OddRegions:
    """Odd rows of one tracker, by kind."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._sequences: dict[str, list[str]] = {kind: [] for kind in _KINDS}

    def add(self, runs: list[Regions], scored: SequenceRuns, *, supervised: bool) -> None:
        """Add the runs of one sequence.

        Args:
            runs: ``R`` runs of up to ``N`` rows.
            scored: their codes and overlaps, ``(R, N)``.
            supervised: whether a frame without overlap ends a stretch of tracking.
        """
        counts = Counter(
            scale=sum(int(off_scale(run.values).sum()) for run in runs),
            size=sum(int(_flat(run).sum()) for run in runs),
            leap=_leaps(runs, scored.eao_overlaps) if supervised else 0,
            start=_starts(scored.codes) if supervised else 0,
            begin=int(np.count_nonzero(scored.codes[:, 0] != INITIALISED)) if supervised else 0,
        )
        self._rows += counts
        for kind in +counts:
            self._sequences[kind].append(scored.name)

    def notes(self) -> Iterator[str]:
        """One remark per kind, to print beside the scores."""
        for kind, text in _KINDS.items():
            if number := self._rows[kind]:
                yield f"{text}: {number}, in {first_few(self._sequences[kind])}"


def _flat(run: Regions) -> BoolArray:
    """Rectangles without a width or height; 0, 0, 0, 0 says that the target is absent."""
    least = np.minimum(run.values[:, 2], run.values[:, 3])
    flat: BoolArray = (run.counts == 4) & ~(least > _THIN)
    if flat.any():
        flat &= run.values[:, :4].any(axis=1)
    return flat


def _starts(codes: IntArray) -> int:
    """Count starts after the first that no failure and no skipped frame precedes."""
    again = (codes[:, 1:] == INITIALISED) & (codes[:, :-1] != SKIPPED) & (codes[:, :-1] != FAILED)
    return int(np.count_nonzero(again))


def _leaps(runs: list[Regions], overlaps: FloatArray) -> int:
    """Count regions beside the target, and beside both the one before and after, which are on it.

    Overlaps are NaN where there is no region.
    """
    on = overlaps > 0
    lost = (overlaps[:, 1:-1] <= 0) & on[:, :-2] & on[:, 2:]
    leaps = 0
    for run, row in np.argwhere(lost).tolist():
        low, high = _extents(runs[run][row : row + 3])
        apart = (low[1] > high[[0, 2]]) | (high[1] < low[[0, 2]])
        leaps += bool(apart.any(axis=1).all())
    return leaps


def _extents(rows: Regions) -> tuple[FloatArray, FloatArray]:
    """Least and greatest x and y of regions, ``(N, 2)`` each."""
    corners = rows.values.reshape(len(rows), -1, 2)
    low, high = np.nanmin(corners, axis=1), np.nanmax(corners, axis=1)
    boxes = rows.counts == 4
    starts, ends = corners[boxes, 0], corners[boxes, 0] + corners[boxes, 1]
    low[boxes], high[boxes] = np.minimum(starts, ends), np.maximum(starts, ends)
    return low, high
