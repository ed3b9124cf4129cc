"""Checks shared by the text and binary formats of VOT trajectories.

A row is a code, a rectangle or a polygon. Masks, written by trackers of later challenges, become
rotated rectangles and are kept beside these.
"""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import geometry
from bench.arrays import FloatArray, IntArray
from bench.errors import ResultError
from bench.files import MAX_PIXEL
from bench.geometry import FAILED, INITIALISED, SKIPPED, Regions, Runs
from bench.sequence import Masks

CODES = (SKIPPED, INITIALISED, FAILED)

# Limits far above real results, so that a corrupt file cannot exhaust the memory.
MAX_ROWS = 200_000
MAX_NUMBERS = 200
MAX_PIXELS = 1 << 30  # of all masks of a file: 1,000 frames of 1024 x 1024


@dataclass(frozen=True, eq=False)
class RawTrajectory:
    """Content of one file.

    Attributes:
        regions: one row per line or record.
        masks: of each row, None where it was none; empty without any mask.
    """

    regions: Regions
    masks: Masks = ()

    @classmethod
    def of(cls, rows: Rows[Rows[float] | Runs]) -> RawTrajectory:
        """A trajectory of numbers and masks, which become the rotated rectangles around them."""
        masks = tuple(row if isinstance(row, np.ndarray) else None for row in rows)
        regions = Regions.from_rows(
            [_rectangle(r) if isinstance(r, np.ndarray) else r for r in rows]
        )
        return cls(regions, masks if any(mask is not None for mask in masks) else ())

    @property
    def converted(self) -> int:
        """Number of rows that were masks."""
        return sum(mask is not None for mask in self.masks)


def check_length(rows: int, where: Path | str) -> None:
    """Check that a number of rows is plausible for one sequence.

    Raises:
        ResultError: there are no rows, or far too many.
    """
    if not 0 < rows <= MAX_ROWS:
        raise ResultError(f"{where}: expected one row per frame of a sequence, found {rows} rows")


def check_pixels(pixels: int, where: str) -> None:
    """Check that the masks of a file can be drawn in a few seconds.

    Raises:
        ResultError: they have far more pixels than a sequence.
    """
    if pixels > MAX_PIXELS:
        raise ResultError(
            f"{where}: expected masks of at most {MAX_PIXELS} pixels in a file, found more"
        )


def checked_row(numbers: Rows[float], where: str) -> Rows[float]:
    """Check one row for ``Regions``.

    A region with NaN becomes ``SKIPPED``, as in vot-toolkit; a code may have NaN after it.

    Raises:
        ResultError: it is not a code, rectangle or polygon, or out of range.
    """
    count = len(numbers)
    if not _is_kind(count):
        raise ResultError(
            f"{where}: expected 1 number (a code), 4 (a rectangle), or 6, 8, ... {MAX_NUMBERS} "
            f"(a polygon), found {count}"
        )
    if any(number != number for number in numbers):
        padded = numbers[0] in CODES and all(number != number for number in numbers[1:])
        return [numbers[0] if padded else SKIPPED]
    if count == 1 and numbers[0] not in CODES:
        raise ResultError(
            f"{where}: expected the code 0 (skipped), 1 (initialised) or 2 (failed), found "
            f"{numbers[0]:g}"
        )
    if max(map(abs, numbers)) > MAX_PIXEL:
        raise ResultError(f"{where}: expected a region in pixels, found {list(numbers)}")
    return numbers


def are_checked(flat: FloatArray, counts: IntArray) -> bool:
    """True if ``checked_row`` accepts every row unchanged; ``flat`` concatenates the rows."""
    kinds = np.flatnonzero(np.bincount(counts)).tolist()
    if not all(map(_is_kind, kinds)):
        return False
    codes = flat[(counts.cumsum() - 1)[counts == 1]]
    pixels = flat.min() >= -MAX_PIXEL and flat.max() <= MAX_PIXEL
    return bool(pixels and set(codes.tolist()).issubset(CODES))


def _is_kind(count: int) -> bool:
    """True if a code or region can have ``count`` numbers."""
    return count in (1, 4) or (6 <= count <= MAX_NUMBERS and count % 2 == 0)


def _rectangle(runs: Runs) -> Rows[float]:
    """The rotated rectangle (8 numbers) around a mask; a box without area for an empty mask."""
    mask = geometry.runs_to_mask(runs)
    if not mask.any():
        return [*runs[:2].tolist(), 0, 0]
    polygon = geometry.mask_to_polygon(mask) + runs[:2]
    return [float(number) for number in polygon.ravel()]
