"""The challenge's raster in NumPy, many pairs of polygons at once.

The rule is that of the 2018 state of the official ``region.c``. A window covers both polygons,
cut at the bounds. Corners are moved into it in single precision and rounded, halves away from
zero. In each row the edges that meet it (both ends included, horizontal ones left out) are crossed
in double precision and cut to whole numbers; between sorted crossings the pixels are filled, ends
included, equal neighbours skipped.

Nothing is ever painted: a row of a polygon is a few spans, and spans have lengths.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bench.geometry.regions import Regions

FloatArray = NDArray[np.float64]
Corners = NDArray[np.float32]
IntArray = NDArray[np.int64]
Window = tuple[float, float, float, float]

_NONE = np.iinfo(np.int64).max
_BLOCK = 1 << 19  # rows of pixels at once: some 100 MB


def corners(regions: Regions, shrink: float, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """The corners ``(N, K, 2)`` of regions; a polygon of fewer than K repeats its last.

    A rectangle spans x..x+w-shrink, computed in single precision.
    """
    values = regions.values.astype(dtype)
    polygons = values[:, : values.shape[1] // 2 * 2].reshape(len(values), -1, 2).copy()
    boxes = regions.counts == 4
    x, y, w, h = values[boxes, :4].T
    right, bottom = x + w - values.dtype.type(shrink), y + h - values.dtype.type(shrink)
    polygons[boxes, :4] = np.stack(
        [np.stack([x, right, right, x], 1), np.stack([y, y, bottom, bottom], 1)], axis=2
    )
    last = np.where(boxes, 3, regions.counts // 2 - 1)
    columns = np.minimum(np.arange(polygons.shape[1]), last[:, None])
    return np.take_along_axis(polygons, columns[:, :, None], axis=1)


def overlaps(a: Corners, b: Corners, window: Window) -> FloatArray:
    """Intersection over union of polygons ``(N, K, 2)`` with polygons ``(N, L, 2)``, ``(N,)``.

    Args:
        a, b: corners in single precision.
        window: first and last column and row that count: left, top, right, bottom.
    """
    origin, size, meets = windows(a, b, window)
    result = np.zeros(len(a))
    pairs = np.flatnonzero(meets)
    heights = size[pairs, 1]
    blocks = np.cumsum(heights) // _BLOCK
    for block in np.unique(blocks):
        chosen = pairs[blocks == block]
        first, second = (_whole(p[chosen] - origin[chosen, None]) for p in (a, b))
        result[chosen] = _block_overlaps(first, second, size[chosen])
    return result


def windows(a: Corners, b: Corners, window: Window) -> tuple[Corners, IntArray, NDArray[np.bool_]]:
    """Origin ``(N, 2)`` and size ``(N, 2)`` of the window of each pair, and where they can meet."""
    low_bound = np.array(window[:2], dtype=np.float32)
    high_bound = np.array(window[2:], dtype=np.float32)
    low = [np.maximum(np.floor(p.min(axis=1)), low_bound) for p in (a, b)]
    high = [np.minimum(np.ceil(p.max(axis=1)), high_bound) for p in (a, b)]
    origin = np.minimum(*low)
    size = (np.maximum(*high) - origin).astype(np.int64) + 1
    meets = (np.minimum(*high) > np.maximum(*low)).all(axis=1) & (size > 0).all(axis=1)
    return origin, size, meets


def _whole(points: Corners) -> FloatArray:
    """Rounded, halves away from zero."""
    half = np.float32(0.5)
    rounded = np.where(points >= 0, np.floor(points + half), np.ceil(points - half))
    return rounded.astype(np.float64)


def _block_overlaps(a: FloatArray, b: FloatArray, size: IntArray) -> FloatArray:
    heights = size[:, 1]
    starts = np.cumsum(heights) - heights
    pair = np.repeat(np.arange(len(size)), heights)
    row = np.arange(len(pair)) - starts[pair]
    width = size[pair, 0]
    first, second = (_spans(polygon, pair, row, width) for polygon in (a, b))
    common = np.zeros(len(pair), dtype=np.int64)
    for low, high in first:
        for other_low, other_high in second:
            common += np.maximum(np.minimum(high, other_high) - np.maximum(low, other_low) + 1, 0)
    areas = [
        sum(np.maximum(high - low + 1, 0) for low, high in spans) for spans in (first, second)
    ]
    total, inside = np.add.reduceat(areas[0] + areas[1], starts), np.add.reduceat(common, starts)
    union = (total - inside).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = inside.astype(np.float32) / union
    return np.where(union > 0, shares, 0.0)


def _spans(
    polygon: FloatArray, pair: IntArray, row: IntArray, width: IntArray
) -> list[tuple[IntArray, IntArray]]:
    """First and last pixel of the spans of each row, from left to right; empty where last < first."""
    nodes = np.sort(_crossings(polygon, pair, row), axis=1)
    spans = []
    taken = np.zeros(len(row), dtype=bool)  # the left neighbour ended a span here
    done = np.zeros(len(row), dtype=np.int64) - 1  # last pixel that is filled
    for index in range(nodes.shape[1] - 1):
        first, last = nodes[:, index], nodes[:, index + 1]
        starts = ~taken & (first != last) & (last != _NONE) & (first < width) & (last >= 0)
        low = np.where(starts, np.maximum(first, done + 1), 0)
        high = np.where(starts, np.minimum(last, width - 1), -1)
        done = np.maximum(done, high)
        taken = ~taken & (first != last)
        spans.append((low, high))
    return [span for span in spans if (span[1] >= span[0]).any()]


def _crossings(polygon: FloatArray, pair: IntArray, row: IntArray) -> IntArray:
    """Where each edge of a polygon crosses each row, ``(M, K)``; ``_NONE`` where it does not."""
    found = np.full((len(row), polygon.shape[1]), _NONE, dtype=np.int64)
    for corner in range(polygon.shape[1]):
        end, start = polygon[:, corner], polygon[:, corner - 1]
        run, rise = (start - end).T
        low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
        meets = np.flatnonzero((low[pair] <= row) & (row <= high[pair]) & (rise[pair] != 0))
        at = pair[meets]
        share = (row[meets] - end[at, 1]) / rise[at]
        found[meets, corner] = (end[at, 0] + share * run[at]).astype(np.int64)
    return found
