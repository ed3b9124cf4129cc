"""Two runs side by side, sequence by sequence, and where they part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.geometry import FAILED, INITIALISED, TRACKED, Regions, box_iou
from bench.results.stores import Store
from bench.sequence import Dataset, Sequence

_MOST_DECIMALS = 6
_NOISE = 1e-6  # pixels; of the last bit of a double


@dataclass(frozen=True, eq=False)
class Track:
    """What one run answered along a sequence, in the numbers of its file.

    Attributes:
        boxes: ``(M, 4)`` x, y, w, h, the bounding box of a polygon; NaN for a code or no answer,
            and for leading frames that a toolkit leaves out (Tiger1).
        codes: ``(M,)`` code of each row, see ``bench.geometry``.
        unit: the step of its numbers, 1 for whole pixels; 0 where they are not rounded.
        given: rows of the file, without leading frames that it leaves out.
        repetitions: every stored run, this one first.
    """

    boxes: FloatArray
    codes: IntArray
    unit: float
    given: int
    repetitions: tuple[Regions, ...] = ()

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def of(cls, runs: list[Regions], sequence: Sequence) -> Track:
        """The first of several runs."""
        first = runs[0]
        boxes, leading = boxes_of(first), sequence.leading(len(first))
        return cls(
            np.concatenate([np.full((leading, 4), np.nan), boxes]),
            np.concatenate([np.full(leading, TRACKED), first.codes]),
            unit_of(boxes),
            len(first),
            tuple(runs),
        )


@dataclass(frozen=True, eq=False)
class Pair:
    """One sequence of both runs.

    Attributes:
        sequence: the annotation.
        a, b: the runs.
    """

    sequence: Sequence
    a: Track
    b: Track

    @property
    def name(self) -> str:
        return self.sequence.name

    @property
    def truth(self) -> FloatArray:
        """``(N, 4)`` ground truth in the numbers of its file."""
        return self.sequence.ground_truth

    @property
    def tolerance(self) -> float:
        """Pixels by which two files of the same boxes may differ, each rounded to its unit."""
        return (self.a.unit + self.b.unit) / 2 * 1.01 + _NOISE

    @property
    def rows(self) -> int:
        """Rows that both have, counted from the first."""
        return min(len(self.a), len(self.b))

    def swapped(self) -> Pair:
        """The same with a and b exchanged."""
        return Pair(self.sequence, self.b, self.a)

    def distance(self) -> FloatArray:
        """``(rows,)`` greatest difference of x, y, w, h in pixels; inf where one has no box."""
        return row_distance(self.a.boxes[: self.rows], self.b.boxes[: self.rows])


def pairs_of(dataset: Dataset, store: Store, a: str, b: str) -> Iterator[Pair]:
    """Every sequence of which both runs have a result."""
    both = store.sequences(a) & store.sequences(b)
    for sequence in dataset:
        if sequence.name in both:
            tracks = (Track.of(store.read_runs(name, sequence.name), sequence) for name in (a, b))
            yield Pair(sequence, *tracks)


def boxes_of(regions: Regions) -> FloatArray:
    """``(N, 4)`` bounding boxes; NaN for codes."""
    values, counts = regions.values, regions.counts
    boxes = np.full((len(regions), 4), np.nan)
    plain = counts == 4
    boxes[plain] = values[plain, :4]
    for corners in np.unique(counts[counts > 4]).tolist():
        rows = counts == corners
        points = values[rows, :corners].reshape(-1, corners // 2, 2)
        low, high = points.min(axis=1), points.max(axis=1)
        boxes[rows] = np.concatenate([low, high - low], axis=1)
    return boxes


def unit_of(boxes: FloatArray) -> float:
    """The step that all numbers are multiples of: 1, 0.1, ..., 1e-6; 0 for none of these."""
    known = boxes[1:][np.isfinite(boxes[1:])]  # the first row is the given box
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = known * 10**decimals
        if (np.abs(scaled - np.rint(scaled)) <= 1e-6).all():
            return float(10.0**-decimals)
    return 0.0


def row_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """``(N,)`` greatest difference of each row; inf where one row has no box, 0 where neither."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(a - b).max(axis=1)
    none_a, none_b = np.isnan(a).any(axis=1), np.isnan(b).any(axis=1)
    return np.where(none_a & none_b, 0.0, np.where(none_a | none_b, np.inf, distance))


@dataclass(frozen=True)
class Parting:
    """Where two runs part on a sequence; indices of frames from 0, None for never.

    Attributes:
        sequence: its name.
        any: the first frame at which they differ by more than the rounding of their files.
        pixel: the first at which a side differs by more than a pixel.
        apart: the first at which the two boxes do not overlap each other.
        step: by how many pixels they differ at ``any``; inf where one has no box there.
        only_a, only_b: frames of failures that one has and the other has not, under resets.
        frames: rows that both have.
    """

    sequence: str
    any: int | None
    pixel: int | None
    apart: int | None
    step: float = 0.0
    only_a: tuple[int, ...] = ()
    only_b: tuple[int, ...] = ()
    frames: int = field(default=0)


def parting_of(pair: Pair) -> Parting:
    """Where the first runs of a sequence part."""
    distance = pair.distance()
    codes_a, codes_b = pair.a.codes[: pair.rows], pair.b.codes[: pair.rows]
    distance = np.where(codes_a == codes_b, distance, np.inf)
    first = _first(distance > pair.tolerance)
    with np.errstate(all="ignore"):
        overlap = box_iou(pair.a.boxes[: pair.rows], pair.b.boxes[: pair.rows])
    failed_a, failed_b = (
        set(np.flatnonzero(t.codes == FAILED).tolist()) for t in (pair.a, pair.b)
    )
    return Parting(
        pair.name,
        first,
        _first(distance > 1 + _NOISE),
        _first(np.equal(overlap, 0)),
        0.0 if first is None else float(distance[first]),
        tuple(sorted(failed_a - failed_b)),
        tuple(sorted(failed_b - failed_a)),
        pair.rows,
    )


def _first(flags: BoolArray) -> int | None:
    places = np.flatnonzero(flags)
    return int(places[0]) if len(places) else None


def restart_gaps(regions: Regions) -> list[int]:
    """Frames from a failure to each later start of a run; 0 for a start without a failure."""
    failures, starts = (np.flatnonzero(regions.codes == c) for c in (FAILED, INITIALISED))
    gaps = []
    for before, start in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        between = failures[(failures > before) & (failures < start)]
        gaps.append(int(start - between[-1]) if len(between) else 0)
    return gaps
