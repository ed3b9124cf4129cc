"""Rows of boxes, polygons and codes, as VOT result files hold them."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.geometry.boxes import box_to_polygon

SKIPPED, INITIALISED, FAILED, TRACKED = 0, 1, 2, -1
"""Codes of the VOT protocols; ``TRACKED`` marks rows that hold a region."""

LARGEST_IMAGE = 65_535
"""Pixels; no JPEG file is wider or higher."""
_LEAST = 1e-18  # pixels; what a subtraction of coordinates leaves is larger, or zero


@dataclass(frozen=True, eq=False)
class Regions:
    """``N`` rows of numbers, each a region or a code.

    Four numbers are a rectangle x, y, w, h; an even count of six or more are the corners x1, y1,
    x2, y2, ... of a polygon; a single number is a code of the protocol.

    Attributes:
        values: ``(N, V)``, padded with NaN; V is at least 4.
        counts: ``(N,)`` numbers per row.
    """

    values: FloatArray
    counts: IntArray

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: slice | BoolArray | IntArray) -> Regions:
        return Regions(self.values[rows], self.counts[rows])

    @property
    def codes(self) -> IntArray:
        """``(N,)`` code of each row, ``TRACKED`` for regions."""
        codes = np.full(len(self), TRACKED, dtype=np.int64)
        special = self.counts == 1
        codes[special] = self.values[special, 0].astype(np.int64)
        return codes

    @classmethod
    def from_rows(cls, rows: Rows[Rows[float]]) -> Regions:
        """Regions from rows of different lengths.

        >>> Regions.from_rows([[1], [10, 20, 30, 40]]).codes.tolist()
        [1, -1]
        """
        counts = np.array([len(row) for row in rows], dtype=np.int64)
        values = np.full((len(rows), max(8, counts.max(initial=0))), np.nan)
        for index, row in enumerate(rows):
            values[index, : len(row)] = row
        return cls(values, counts)

    @classmethod
    def concatenate(cls, parts: Rows[Regions]) -> Regions:
        """All rows of ``parts``, in order."""
        width = max(part.values.shape[1] for part in parts)
        padded = [_padded(part.values, width) for part in parts]
        return cls(np.concatenate(padded), np.concatenate([part.counts for part in parts]))

    @classmethod
    def from_polygons(cls, polygons: FloatArray) -> Regions:
        """Regions from polygons ``(N, K, 2)``."""
        rows = len(polygons)
        values = polygons.reshape(rows, 2 * polygons.shape[1])
        return cls(values, np.full(rows, values.shape[1], dtype=np.int64))

    @classmethod
    def from_boxes(cls, boxes: FloatArray) -> Regions:
        """Regions from rectangles ``(N, 4)``."""
        return cls(boxes, np.full(len(boxes), 4, dtype=np.int64))


def off_scale(rows: FloatArray) -> BoolArray:
    """Rows ``(N,)`` of ``(N, K)`` with a number that no tracker writes; NaN is none.

    Beyond any image, or so small that only other bytes read as a number give it.

    >>> off_scale(np.array([[0, 1, 2, 3], [0, 1, 2, 1e300], [0, 1e-40, 2, 3]])).tolist()
    [False, True, True]
    """
    size = np.abs(rows)
    odd = (size > LARGEST_IMAGE) | ((size < _LEAST) & (size > 0))
    if not odd.any():  # as in almost every result; asking row by row takes longer
        return np.zeros(len(rows), dtype=bool)
    found: BoolArray = np.asarray(odd.any(axis=1))
    return found


def outlines(regions: Regions, index_base: float) -> FloatArray:
    """Regions to draw, 0-based: ``(N, 4)`` boxes if all are, else ``(N, 2K)`` corners.

    Shorter polygons repeat their last corner; codes become NaN.
    """
    counts = regions.counts
    if not (counts > 4).any():
        boxes = np.where(counts[:, None] == 4, regions.values[:, :4], np.nan)
        boxes[:, :2] -= index_base
        return boxes
    corners = regions.values[:, : counts.max()].copy()
    boxes_at = counts == 4
    corners[boxes_at, :8] = box_to_polygon(regions.values[boxes_at, :4]).reshape(-1, 8)
    used = np.where(boxes_at, 8, counts)
    for row in np.flatnonzero((used < corners.shape[1]) & (used > 1)):
        last = corners[row, used[row] - 2 : used[row]]
        corners[row, used[row] :] = np.tile(last, (corners.shape[1] - used[row]) // 2)
    corners[counts == 1] = np.nan
    return corners - index_base


def _padded(values: FloatArray, width: int) -> FloatArray:
    extra = width - values.shape[1]
    return np.pad(values, ((0, 0), (0, extra)), constant_values=np.nan)
