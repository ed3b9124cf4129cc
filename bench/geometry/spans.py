"""Pixels of polygons as row spans, counted with NumPy for many pairs at once.

A row of pixels crosses the edges of a polygon at nodes; sorted, they delimit spans. A polygon
whose edges go down once and up once (a "two-chain" polygon, such as any convex one) has one span
per row, between its two chains; for others the nodes of each row are sorted. No pixel mask is
built. ``compiled`` gives the same counts with numba.

Edges run from the previous corner to the current one, which gives the node
``x + (row - y) / dy * dx``, truncated towards zero: the order of operations in both VOT toolkits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.geometry.windows import Outline, Windows

Int32Array = NDArray[np.int32]

BLOCK_ROWS = 1 << 16  # rows of pixels at once: enough for NumPy, few enough for the cache
_FAR = 1 << 30  # beyond any window's last column


@dataclass(frozen=True, eq=False)
class Rows:
    """Concatenated rows of ``N`` windows, ``M`` in all.

    Attributes:
        starts: ``(N,)`` first row of each window.
        width, height: ``(N,)`` size of each window in pixels.
    """

    starts: IntArray
    width: IntArray
    height: IntArray

    @classmethod
    def of(cls, width: FloatArray | IntArray, height: FloatArray | IntArray) -> Rows:
        """Rows of windows of these sizes, ``(N,)`` each."""
        whole = height.astype(np.int64)
        return cls(np.cumsum(whole) - whole, width.astype(np.int64), whole)

    @property
    def total(self) -> int:
        """Number of rows ``M``."""
        return int(self.starts[-1] + self.height[-1])

    @cached_property
    def last_columns(self) -> Int32Array:
        """``(M,)`` last column of each row."""
        return np.repeat((self.width - 1).astype(np.int32), self.height)

    def sums(self, per_row: Int32Array) -> IntArray:
        """Sums ``(N,)`` over windows of values ``(M,)`` per row."""
        sums: IntArray = np.add.reduceat(per_row, self.starts, dtype=np.int64)
        return sums

    def places(self, windows: IntArray) -> IntArray:
        """Indices of the rows of some windows, concatenated."""
        height = self.height[windows]
        starts = np.cumsum(height) - height
        return np.repeat(self.starts[windows] - starts, height) + np.arange(height.sum())


@dataclass(frozen=True, eq=False)
class Spans:
    """Up to S disjoint spans in each of ``M`` rows: ``low`` and ``high`` ``(S, M)``, inclusive.

    An unused span has ``high < low``.
    """

    low: Int32Array
    high: Int32Array

    @property
    def pixels(self) -> Int32Array:
        """``(M,)`` pixels in each row."""
        pixels: Int32Array = np.maximum(self.high - self.low + 1, 0).sum(axis=0, dtype=np.int32)
        return pixels

    def pixels_in_common(self, other: Spans) -> Int32Array:
        """``(M,)`` pixels of each row that are in spans of both."""
        total = np.zeros(self.low.shape[1], dtype=np.int32)
        for low, high in zip(self.low, self.high, strict=True):
            length = np.minimum(high, other.high) - np.maximum(low, other.low) + 1
            total += np.maximum(length, 0).sum(axis=0, dtype=np.int32)
        return total


def count_pixels(windows: Windows) -> IntArray:
    """``(3, N)`` pixels of the first polygon, the second and both.

    No window may be empty. Memory is bounded by ``BLOCK_ROWS`` and the tallest window.
    """
    counts = np.empty((3, len(windows.width)), dtype=np.int64)
    corners = max(4, len(windows.a.x), len(windows.b.x))
    for block in _blocks(windows.height, BLOCK_ROWS * 4 // corners):
        part = windows[block]
        rows = Rows.of(part.width, part.height)
        first, second = (polygon_spans(side, rows, part.newer) for side in (part.a, part.b))
        counts[0, block] = rows.sums(first.pixels)
        counts[1, block] = rows.sums(second.pixels)
        counts[2, block] = rows.sums(first.pixels_in_common(second))
    return counts


def _blocks(height: FloatArray, limit: int) -> Iterator[slice]:
    """Slices of consecutive windows with at most ``limit`` rows, or of one taller window."""
    ends = np.cumsum(height)
    start = 0
    while start < len(height):
        end = ends[start] - height[start] + limit
        stop = max(int(np.searchsorted(ends, end, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def polygon_spans(outline: Outline, rows: Rows, newer: bool = False) -> Spans:
    """Spans of ``N`` polygons, each in the rows of its window.

    Args:
        outline: integer corners ``(K, N)`` relative to the windows.
        rows: the rows of the windows.
        newer: vot-toolkit's pixels, see ``Windows``.
    """
    nodes = _chain_nodes(outline, rows)
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    if not newer:
        high -= high == low  # a row that merely touches the polygon has no pixel
    low, high = np.maximum(low, 0)[None], np.minimum(high, rows.last_columns)[None]
    others = np.flatnonzero(~_is_two_chain(outline, newer))
    if not len(others):
        return Spans(low, high)
    places = rows.places(others)
    part = Rows.of(rows.width[others], rows.height[others])
    found = _sorted_spans(outline[others], part, newer)
    blank = np.zeros((len(found.low) - 1, rows.total), dtype=np.int32)
    low, high = np.concatenate([low, blank]), np.concatenate([high, blank - 1])
    low[:, places], high[:, places] = found.low, found.high
    return Spans(low, high)


def _is_two_chain(outline: Outline, newer: bool) -> BoolArray:
    """``(N,)`` True for polygons that go down once and up once and are flat only at the ends.

    vot-toolkit also has nodes on flat edges, so it allows one flat edge at each end.
    """
    direction = np.sign(np.roll(outline.y, 1, axis=0) - outline.y)
    following = np.roll(direction, -1, axis=0)
    simple: BoolArray = np.abs(following - direction).sum(axis=0) <= 4
    if newer:
        simple &= ~((direction == 0) & (following == 0)).any(axis=0)
    return simple


def _chain_nodes(outline: Outline, rows: Rows) -> Int32Array:
    """``(2, M)`` nodes of each row on the edges going down and up; -1 if there is none.

    Corners are integers, so two edges of a chain have the same node at their common corner.
    """
    x, y = outline.x, outline.y
    dx, dy = np.roll(x, 1, axis=0) - x, np.roll(y, 1, axis=0) - y
    first = np.maximum(np.minimum(y, y + dy), 0)
    last = np.minimum(np.maximum(y, y + dy), rows.height - 1.0)
    lengths = np.where(dy == 0, 0, np.maximum(last - first + 1, 0)).astype(np.int64).ravel()
    before = np.cumsum(lengths) - lengths
    count = np.arange(lengths.sum())

    def each(edges: FloatArray) -> FloatArray:
        return np.repeat(edges.ravel(), lengths)

    node = (count + each((first - y).ravel() - before)) / each(dy) * each(dx) + each(x)
    places = (dy > 0) * rows.total + rows.starts + first
    nodes = np.full(2 * rows.total, -1, dtype=np.int32)
    nodes[count + np.repeat(places.astype(np.int64).ravel() - before, lengths)] = _whole(node)
    return nodes.reshape(2, -1)


def _whole(nodes: FloatArray) -> Int32Array:
    """Nodes as columns, truncated towards zero and clipped so that they fit the type."""
    return np.clip(nodes, -1.0, _FAR).astype(np.int32)


def _sorted_spans(outline: Outline, rows: Rows, newer: bool) -> Spans:
    """``polygon_spans`` for polygons of any shape: K // 2 spans per row."""
    nodes, counts = _sorted_nodes(outline, rows, newer)
    low, high = _paired(nodes, counts, newer)
    low[1:] = np.maximum(low[1:], high[:-1] + 1)  # adjacent spans may share a pixel
    return Spans(np.maximum(_whole(low), 0), np.minimum(_whole(high), rows.last_columns))


def _sorted_nodes(outline: Outline, rows: Rows, newer: bool) -> tuple[FloatArray, IntArray]:
    """Sorted nodes ``(K, M)`` of each row, padded with infinity, and their number ``(M,)``."""
    x, y = (np.repeat(values, rows.height, axis=1) for values in (outline.x, outline.y))
    dx, dy = np.roll(x, 1, axis=0) - x, np.roll(y, 1, axis=0) - y
    row = np.arange(rows.total) - np.repeat(rows.starts, rows.height)
    meets = (np.minimum(y, y + dy) <= row) & (row <= np.maximum(y, y + dy))
    flat = dy == 0
    if not newer:
        meets &= ~flat
    along = np.divide(row - y, dy, out=np.zeros_like(y), where=~flat)
    nodes = np.where(meets, np.trunc(along * dx + x), np.inf)
    return np.sort(nodes, axis=0), meets.sum(axis=0)


def _paired(nodes: FloatArray, counts: IntArray, newer: bool) -> tuple[FloatArray, FloatArray]:
    """Spans between pairs of sorted nodes, skipping the first of two equal nodes.

    vot-toolkit keeps it if it is the last but one of its row.
    """
    low = np.zeros((len(nodes) // 2, len(counts)))
    high = low - 1
    at, used = np.zeros_like(counts), np.zeros_like(counts)
    for index in range(len(nodes) - 1):
        here = (at == index) & (index < counts - 1)
        passed = here & (nodes[index] == nodes[index + 1])
        if newer:
            passed &= index < counts - 2
        at += passed
        filled = np.flatnonzero(here & ~passed)
        low[used[filled], filled] = nodes[index, filled]
        high[used[filled], filled] = nodes[index + 1, filled]
        at[filled] += 2
        used[filled] += 1
    return low, high
