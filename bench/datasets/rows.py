"""Rows of ground truth that cannot be, and rows that a benchmark's own files do not hold.

What cannot be is refused when a file is read: infinite numbers, positions that no image has, or a
box of which only some numbers are known. Rows without a box are another matter: UAV123 writes NaN
where the target is out of view, LaSOT writes any size where it is absent, and a few official rows
have no size although nothing says why (``without_box`` of its table). Any other row without a
box is doubtful: it is scored as the official rule scores it, and named wherever a score stands.
So are a region of VOT that is not a rotated box, a box outside any image or within one pixel, one
that leaps far away for a single row, and all of a sequence whose rows move as corners do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.benchmarks import Benchmark
from bench.errors import DatasetError
from bench.geometry import LARGEST_IMAGE, columns, leaps
from bench.sequence import Sequence

_SHOWN = 5
_SKEW = 3  # pixels; the corners of the official rotated boxes agree to within 0.1
_FEWEST = 10  # rows, all of them moving, that can tell how all are written
_TOGETHER = 0.3  # at most 0 in the ten of 1,343 real sequences with w > x and h > y throughout
_LEAP = 12  # sizes of the target; in 1,492 real sequences no box leaps by more than 5.5


def refuse_impossible(
    rows: FloatArray, where: str, numbers: IntArray | None = None, *, nan: bool = True
) -> None:
    """Refuse rows ``(N, K)`` with a number that no image has, or with only some numbers known.

    Args:
        rows: boxes or corners in file coordinates.
        where: what messages put before the number of the row.
        numbers: ``(N,)`` rows of the file from 0; by default all in order.
        nan: whether a row may be NaN throughout.

    Raises:
        DatasetError: the first such row, by its number from 1.
    """
    unknown = np.isnan(rows)
    with np.errstate(invalid="ignore"):
        far = np.abs(rows) > LARGEST_IMAGE
    partly = unknown.any(axis=1) & (~unknown.all(axis=1) | (not nan))
    for index in np.flatnonzero(far.any(axis=1) | partly)[:1]:
        number = index if numbers is None else numbers[index]
        expected = "finite numbers" if far[index].any() or not nan else "numbers or NaN alone"
        values = ", ".join(f"{value:g}" for value in rows[index])
        raise DatasetError(
            f"{where}{number + 1}: expected {expected} in pixels of an image, found {values}. "
            "Restore the file from its source."
        )


def refuse_decimal_commas(polygons: FloatArray, where: str) -> None:
    """Refuse polygons ``(N, 4, 2)`` of whole numbers that are not rotated boxes.

    Four numbers with a comma for the decimal point look like four corners. Every polygon of the
    official files is a rotated box, to within two pixels.

    Raises:
        DatasetError: the first such row, by its number from 1.
    """
    sides = np.roll(polygons, -1, axis=1) - polygons
    following = np.roll(sides, -1, axis=1)
    turns = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
    convex = (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
    whole = (polygons == np.round(polygons)).all(axis=(1, 2))
    for index in np.flatnonzero(whole & ((_skew(polygons) > _SKEW) | ~convex))[:1]:
        values = ",".join(f"{value:g}" for value in polygons[index].ravel())
        raise DatasetError(
            f"{where}:{index + 1}: expected the corners of a rotated box, found {values}. "
            "Write decimals with a point if every second comma is a decimal one."
        )


def _skew(polygons: FloatArray) -> FloatArray:
    """How far ``(N, 4, 2)`` corners are from those of a parallelogram, ``(N,)`` in pixels."""
    skew: FloatArray = np.abs(
        polygons[:, 0] + polygons[:, 2] - polygons[:, 1] - polygons[:, 3]
    ).max(axis=1)
    return skew


def doubtful_rows(benchmark: Benchmark, sequence: Sequence) -> IntArray:
    """Rows from 0 that hold no box although nothing in the benchmark's files explains it."""
    boxes = sequence.ground_truth
    unknown: BoolArray = np.asarray(np.isnan(boxes).any(axis=1))
    with np.errstate(invalid="ignore"):
        flat: BoolArray = np.asarray((boxes[:, 2:] <= 0).any(axis=1))
    doubtful = np.zeros(len(boxes), dtype=bool)
    if "nan" not in benchmark.boxless:
        doubtful |= unknown
    if "size" not in benchmark.boxless:
        doubtful |= flat
    if sequence.absent is not None:
        doubtful &= ~sequence.absent
    doubtful[0] = unknown[0] or flat[0]
    listed = benchmark.rows.get(sequence.name)
    known = listed.without_box if listed else ()
    rows = [row for row in np.flatnonzero(doubtful).tolist() if row + 1 not in known]
    return np.array(rows, dtype=np.int64)


def skewed_rows(benchmark: Benchmark, sequence: Sequence) -> IntArray:
    """Rows from 0 of VOT whose four corners are not those of a rotated box."""
    if sequence.polygons is None or benchmark.kind != "vot":
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(_skew(sequence.polygons) > _SKEW)


def leaping_rows(benchmark: Benchmark, sequence: Sequence) -> IntArray:
    """Rows from 0 whose box is many sizes of the target away from those before and after it."""
    boxes = sequence.ground_truth
    if sequence.absent is not None:
        boxes = np.where(sequence.absent[:, None], np.nan, boxes)
    return np.flatnonzero(leaps(boxes) > _LEAP)


def outside_rows(benchmark: Benchmark, sequence: Sequence) -> IntArray:
    """Rows from 0 of a benchmark whose box no pixel of an image can lie in."""
    base = sequence.index_base
    x, y, width, height = columns(sequence.ground_truth)
    with np.errstate(invalid="ignore"):
        outside = (x + width <= base) | (y + height <= base)
        if sequence.size is not None:
            outside |= (x >= sequence.size[0] + base) | (y >= sequence.size[1] + base)
        outside &= (width > 0) & (height > 0)
    if sequence.absent is not None:
        outside &= ~sequence.absent
    return np.flatnonzero(outside & (not benchmark.open))


def fractional_rows(benchmark: Benchmark, sequence: Sequence) -> IntArray:
    """Rows from 0 whose box lies within the first pixel, as fractions of an image do."""
    boxes = sequence.ground_truth
    if boxes[0].max() > 1:  # as almost everywhere; asking all rows takes longer
        return np.empty(0, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        within = (np.abs(boxes) <= 1).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
        return np.flatnonzero(within & (boxes % 1 > 0).any(axis=1))


def corner_rows(benchmark: Benchmark, sequence: Sequence) -> IntArray:
    """All rows of a sequence of corners x1, y1, x2, y2: w, h exceed x, y and move with them.

    How two numbers move together is twice the sum of products of their steps by that of squares:
    1 where the steps are equal.
    """
    boxes = sequence.ground_truth
    if (boxes[0, 2:] <= boxes[0, :2]).any() or (boxes[:, 2:] <= boxes[:, :2]).any():
        return np.empty(0, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    if len(known) < _FEWEST:
        return known[:0]
    one, other = np.diff(boxes[known, :2], axis=0), np.diff(boxes[known, 2:], axis=0)
    if np.count_nonzero(one + other, axis=0).min() < _FEWEST - 1:
        return known[:0]
    together = 2 * (one * other).sum(axis=0) / np.maximum((one**2 + other**2).sum(axis=0), 1e-9)
    return known[: len(known) * bool(together.min() > _TOGETHER)]


@dataclass(frozen=True)
class RowCheck:
    """One reason to doubt rows of ground truth.

    Attributes:
        find: rows from 0 of a sequence.
        one: what is said of one row.
        all: what is said of the rows of a whole dataset, with the benchmark's ``title``.
    """

    find: Callable[[Benchmark, Sequence], IntArray]
    one: str
    all: str


ROW_CHECKS = (
    RowCheck(
        doubtful_rows, "is not a valid box", "without a box where the files of {title} have one"
    ),
    RowCheck(
        skewed_rows, "is not a rotated box", "that are not rotated boxes, as those of {title} are"
    ),
    RowCheck(outside_rows, "lies outside any image", "outside any image"),
    RowCheck(
        fractional_rows,
        "lies within one pixel, as a fraction of the image",
        "within one pixel, as fractions of the image are",
    ),
    RowCheck(
        corner_rows,
        "reads as corners x1, y1, x2, y2, not as x, y, w, h",
        "that read as corners x1, y1, x2, y2, not as x, y, w, h",
    ),
    RowCheck(
        leaping_rows,
        "lies far from the rows before and after it",
        "far from the rows before and after them",
    ),
)


def miscounted_rows(benchmark: Benchmark, sequence: Sequence) -> str:
    """How many rows a sequence has and should have; empty if right, hidden, or unknown.

    Files without the frames that toolkits skip have as many rows fewer.
    """
    listed = benchmark.rows.get(sequence.name)
    rows = len(sequence.ground_truth)
    if sequence.hidden or listed is None or listed.frames is None:
        return ""
    if rows in (listed.frames, listed.frames - listed.skippable):
        return ""
    return f"{rows}, expected {listed.frames}"


def miscounted_absences(benchmark: Benchmark, sequence: Sequence) -> str:
    """What is wrong with the rows without the target; empty if nothing, or unknown."""
    flags, listed = sequence.absent, benchmark.rows.get(sequence.name)
    if benchmark.needs_absence and flags is not None and flags[0]:
        return "absent in the first frame"
    if listed is None or listed.absent is None or len(sequence.ground_truth) != listed.frames:
        return ""
    absent = np.isnan(sequence.ground_truth).any(axis=1) if flags is None else flags
    found, what = int(np.count_nonzero(absent)), "rows of NaN" if flags is None else "absent rows"
    return "" if found == listed.absent else f"{found} {what}, expected {listed.absent}"


def doubts(benchmark: Benchmark, sequences: Iterable[Sequence]) -> Iterator[str]:
    """One line on all doubtful rows of a kind, and one on absences that do not add up."""
    counts: list[Counter[str]] = [Counter() for _ in ROW_CHECKS]
    odd, unflagged, lengths = [], [], []
    for sequence in sequences:
        if benchmark.needs_absence and sequence.absent is None:
            unflagged.append(sequence.name)
        if problem := miscounted_rows(benchmark, sequence):
            lengths.append(f"{sequence.name} ({problem})")
        if problem := miscounted_absences(benchmark, sequence):
            odd.append(f"{sequence.name} ({problem})")
        for check, counted in zip(ROW_CHECKS, counts, strict=True):
            if number := len(check.find(benchmark, sequence)):
                counted[sequence.name] = number
    for check, counted in zip(ROW_CHECKS, counts, strict=True):
        if total := sum(counted.values()):
            plural = "s" * (total != 1)
            places = _listed([f"{name} ({number})" for name, number in counted.items()])
            what = check.all.format(title=benchmark.title)
            yield f"{total} row{plural} of ground truth {what}: {places}"
    if unflagged:
        yield (
            f"no flags of absence for {len(unflagged)} sequences, whose frames without a target "
            f"the official rule leaves out: {_listed(unflagged)}"
        )
    if lengths:
        yield f"another number of rows than the files of {benchmark.title}: {_listed(lengths)}"
    if odd:
        yield f"absent targets do not agree with the files of {benchmark.title}: {_listed(odd)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
