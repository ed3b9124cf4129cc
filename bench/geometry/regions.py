"""Rows of regions of different kinds: what a file of the VOT challenge holds."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Regions:
    """``N`` regions, each a row of numbers.

    A row of four numbers is a rectangle x, y, w, h; one of six or more (an even number) the
    corners x1, y1, x2, y2, ... of a polygon; a row of one number is a code of the protocol and
    no region at all.

    Attributes:
        values: ``(N, V)``, NaN beyond the numbers of a row; V is at least 8.
        counts: ``(N,)`` how many numbers each row has.
    """

    values: FloatArray
    counts: IntArray

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | IntArray) -> Regions:
        return Regions(self.values[rows], self.counts[rows])

    @property
    def codes(self) -> IntArray:
        """``(N,)`` the code of each row without a region, -1 where there is a region."""
        codes = np.full(len(self), -1, dtype=np.int64)
        special = self.counts == 1
        codes[special] = self.values[special, 0].astype(np.int64)
        return codes

    @classmethod
    def from_rows(cls, rows: Rows[Rows[float]]) -> Regions:
        """Regions from rows of numbers of different lengths.

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
        """All rows of several, in order."""
        width = max(part.values.shape[1] for part in parts)
        padded = [
            np.pad(
                part.values, ((0, 0), (0, width - part.values.shape[1])), constant_values=np.nan
            )
            for part in parts
        ]
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
        values = np.full((len(boxes), 8), np.nan)
        values[:, :4] = boxes
        return cls(values, np.full(len(boxes), 4, dtype=np.int64))
