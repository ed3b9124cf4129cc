"""Rows of ground truth that cannot be, and rows that a benchmark's own files do not hold.

What cannot be is refused when a file is read: infinite numbers, positions that no image has, or a
box of which only some numbers are known. Rows without a box are another matter: UAV123 writes NaN
where the target is out of view, LaSOT writes any size where it is absent, and a few official rows
have no size although nothing says why (``without_box`` of its table). Any other row without a
box is doubtful: it is scored as the official rule scores it, and named wherever a score stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.benchmarks import Benchmark
from bench.errors import DatasetError
from bench.sequence import Sequence

LARGEST = 1e6
"""Pixels; no image is wider."""
_SHOWN = 5


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
        far = np.abs(rows) > LARGEST
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
    """Refuse polygons ``(N, 4, 2)`` of whole numbers that are no rotated boxes.

    Four numbers with a comma for the decimal point look like four corners. Every polygon of the
    official files is a rotated box, to within two pixels.

    Raises:
        DatasetError: the first such row, by its number from 1.
    """
    skew = np.abs(polygons[:, 0] + polygons[:, 2] - polygons[:, 1] - polygons[:, 3]).max(axis=1)
    sides = np.roll(polygons, -1, axis=1) - polygons
    following = np.roll(sides, -1, axis=1)
    turns = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
    convex = (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
    whole = (polygons == np.round(polygons)).all(axis=(1, 2))
    for index in np.flatnonzero(whole & ((skew > 3) | ~convex))[:1]:
        values = ",".join(f"{value:g}" for value in polygons[index].ravel())
        raise DatasetError(
            f"{where}:{index + 1}: expected the corners of a rotated box, found {values}. "
            "Write decimals with a point if every second comma is a decimal one."
        )


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


def miscounted_absences(benchmark: Benchmark, sequence: Sequence) -> str:
    """What is wrong with the number of rows of NaN; empty if nothing, or unknown."""
    listed = benchmark.rows.get(sequence.name)
    if listed is None or listed.absent is None or len(sequence.ground_truth) != listed.frames:
        return ""
    found = int(np.isnan(sequence.ground_truth).any(axis=1).sum())
    return "" if found == listed.absent else f"{found} rows of NaN, expected {listed.absent}"


def doubts(benchmark: Benchmark, sequences: Iterable[Sequence]) -> Iterator[str]:
    """One line on all doubtful rows of a dataset, and one on absences that do not add up."""
    counts: Counter[str] = Counter()
    odd, unflagged = [], []
    for sequence in sequences:
        if benchmark.needs_absence and sequence.absent is None:
            unflagged.append(sequence.name)
        if problem := miscounted_absences(benchmark, sequence):
            odd.append(f"{sequence.name} ({problem})")
        elif number := len(doubtful_rows(benchmark, sequence)):
            counts[sequence.name] = number
    if total := sum(counts.values()):
        plural = "s" * (total != 1)
        places = _listed([f"{name} ({number})" for name, number in counts.items()])
        yield (
            f"{total} row{plural} of ground truth without a box where the files of "
            f"{benchmark.title} have one: {places}"
        )
    if unflagged:
        yield (
            f"no flags of absence for {len(unflagged)} sequences, whose frames without a target "
            f"the official rule leaves out: {_listed(unflagged)}"
        )
    if odd:
        yield f"absent targets do not agree with the files of {benchmark.title}: {_listed(odd)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
