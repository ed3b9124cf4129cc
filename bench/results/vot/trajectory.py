"""What a trajectory file of the VOT challenge may hold, whichever way it is written.

A row is a code (1 initialised, 2 failed, 0 skipped), a rectangle, or a polygon. Trackers of later
challenges also write masks; those become the rotated rectangle around them, and are counted so
that this can be said wherever the result is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import geometry
from bench.errors import ResultError
from bench.geometry import Regions
from bench.results.formats.base import MAX_PIXEL

CODES = (0, 1, 2)
"""Skipped, initialised, failed."""

# Beyond anything that a tracker writes, so that a broken file cannot ask for all memory.
MAX_ROWS = 200_000
MAX_NUMBERS = 200
MAX_MASK_PIXELS = 1 << 24


@dataclass(frozen=True, eq=False)
class RawTrajectory:
    """What one file says.

    Attributes:
        regions: a row for every line or record.
        masks: how many of them are rotated rectangles in place of a mask.
    """

    regions: Regions
    masks: int = 0


def check_length(rows: int, where: Path | str) -> None:
    """Check that a file can be of one sequence.

    Raises:
        ResultError: it has no rows, or far too many.
    """
    if not 0 < rows <= MAX_ROWS:
        raise ResultError(
            f"{where}: expected a row for every frame of one sequence, found {rows} rows"
        )


def checked_row(numbers: Rows[float], where: str) -> Rows[float]:
    """``numbers`` as they may stand in ``Regions``.

    A region with NaN is no answer: it becomes code 0, as vot-toolkit reads it.

    Raises:
        ResultError: they are no code, rectangle or polygon, or cannot be scored.
    """
    count = len(numbers)
    if not _is_kind(count):
        raise ResultError(
            f"{where}: expected 1 number (a code), 4 (a rectangle), or 6, 8, ... {MAX_NUMBERS} "
            f"(a polygon), found {count}"
        )
    if any(number != number for number in numbers):
        return [0.0]
    if count == 1 and numbers[0] not in CODES:
        raise ResultError(
            f"{where}: expected the code 0 (skipped), 1 (initialised) or 2 (failed), found "
            f"{numbers[0]:g}"
        )
    if max(map(abs, numbers)) > MAX_PIXEL:
        raise ResultError(f"{where}: expected a region in pixels, found {list(numbers)}")
    return numbers


def are_checked(flat: NDArray[np.float64], counts: NDArray[np.int64]) -> bool:
    """True if ``checked_row`` would return every row as it is; ``flat`` has all their numbers."""
    kinds = np.flatnonzero(np.bincount(counts)).tolist()
    if not all(map(_is_kind, kinds)):
        return False
    codes = flat[(counts.cumsum() - 1)[counts == 1]]
    pixels = flat.min() >= -MAX_PIXEL and flat.max() <= MAX_PIXEL
    return bool(pixels and set(codes.tolist()).issubset(CODES))


def _is_kind(count: int) -> bool:
    """True if a code or region can have so many numbers."""
    return count in (1, 4) or (6 <= count <= MAX_NUMBERS and count % 2 == 0)


def mask_row(numbers: Iterable[int], where: str) -> Rows[float]:
    """The rotated rectangle, 8 numbers, around a mask; an empty one gives a box without area.

    Args:
        numbers: x, y of the mask's corner, its width and height, then how many pixels in turn
            are out of and in it, row by row (vot-toolkit).
        where: what messages call the place.

    Raises:
        ResultError: they are no mask, or one too large to be true.
    """
    x, y, width, height, *runs = numbers
    pixels = width * height
    if min(width, height) < 0 or pixels > MAX_MASK_PIXELS:
        raise ResultError(
            f"{where}: expected a mask of at most {MAX_MASK_PIXELS} pixels, found "
            f"{width} x {height}"
        )
    if min(runs, default=0) < 0 or sum(runs) > pixels:
        raise ResultError(
            f"{where}: expected runs that fill a mask of {width} x {height} pixels, found "
            f"{sum(runs)} pixels in {len(runs)} runs"
        )
    inside = np.arange(len(runs)) % 2 == 1
    mask = np.zeros(pixels, dtype=bool)
    mask[: sum(runs)] = np.repeat(inside, runs)
    if not mask.any():
        return [x, y, 0, 0]
    polygon = geometry.mask_to_polygon(mask.reshape(height, width)) + np.array([x, y])
    return [float(number) for number in polygon.ravel()]
