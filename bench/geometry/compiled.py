"""``spans.count_pixels`` with numba: the same counts, many times as fast.

Import it lazily: numba takes half a second to load. The algorithm and terms are those of
``spans``, applied to one pair of polygons at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from bench.arrays import FloatArray, IntArray
from bench.geometry.spans import Int32Array
from bench.geometry.windows import Outline, Windows

Function = TypeVar("Function", bound=Callable[..., Any])

_FAR = float(1 << 30)


def _compiled(function: Function) -> Function:
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def count_pixels(windows: Windows) -> IntArray:
    """``(3, N)`` pixels of the first polygon, the second and both; no window may be empty."""
    counts = np.zeros((3, len(windows.width)), dtype=np.int64)
    a, b = (_contiguous(outline) for outline in (windows.a, windows.b))
    _count(a.x, a.y, b.x, b.y, windows.width, windows.height, windows.newer, counts)
    return counts


def _contiguous(outline: Outline) -> Outline:
    # A single memory layout makes numba compile once.
    return Outline(np.ascontiguousarray(outline.x), np.ascontiguousarray(outline.y))


@_compiled
def _count(
    ax: FloatArray,
    ay: FloatArray,
    bx: FloatArray,
    by: FloatArray,
    width: FloatArray,
    height: FloatArray,
    newer: bool,
    counts: IntArray,
) -> None:
    rows = int(height.max())
    numbers = np.arange(rows).astype(np.float64)
    low_a, high_a = _buffers(len(ax), rows)
    low_b, high_b = _buffers(len(bx), rows)
    for n in range(len(width)):
        w, h = width[n], height[n]
        first_a, last_a, slots_a = _spans(ax[:, n], ay[:, n], w, h, newer, numbers, low_a, high_a)
        first_b, last_b, slots_b = _spans(bx[:, n], by[:, n], w, h, newer, numbers, low_b, high_b)
        first, last = max(first_a, first_b), min(last_a, last_b)
        for i in range(slots_a):
            counts[0, n] += _pixels(low_a[i], high_a[i], first_a, last_a)
        for j in range(slots_b):
            counts[1, n] += _pixels(low_b[j], high_b[j], first_b, last_b)
        for i in range(slots_a):
            for j in range(slots_b):
                counts[2, n] += _common(low_a[i], high_a[i], low_b[j], high_b[j], first, last)


@_compiled
def _buffers(corners: int, rows: int) -> tuple[Int32Array, Int32Array]:
    shape = (max(corners // 2, 1), rows)
    return np.empty(shape, np.int32), np.empty(shape, np.int32)


@_compiled
def _pixels(low: Int32Array, high: Int32Array, first: int, last: int) -> int:
    low, high = low[first : last + 1], high[first : last + 1]
    total = 0
    for row in range(len(low)):
        total += max(high[row] - low[row] + 1, 0)
    return total


@_compiled
def _common(
    low_a: Int32Array,
    high_a: Int32Array,
    low_b: Int32Array,
    high_b: Int32Array,
    first: int,
    last: int,
) -> int:
    low_a, high_a = low_a[first : last + 1], high_a[first : last + 1]
    low_b, high_b = low_b[first : last + 1], high_b[first : last + 1]
    total = 0
    for row in range(len(low_a)):
        total += max(min(high_a[row], high_b[row]) - max(low_a[row], low_b[row]) + 1, 0)
    return total


@_compiled
def _spans(
    x: FloatArray,
    y: FloatArray,
    width: float,
    height: float,
    newer: bool,
    numbers: FloatArray,
    low: Int32Array,
    high: Int32Array,
) -> tuple[int, int, int]:
    """Fill ``low`` and ``high``; return the first and last row filled and the spans per row."""
    first = int(min(max(y.min(), 0.0), height))
    last = int(max(min(y.max(), height - 1), -1.0))
    if not _is_two_chain(y, newer):
        _sorted_spans(x, y, first, last, width, newer, low, high)
        return first, last, len(low)
    _chain_nodes(x, y, first, last, numbers, low[0], high[0])
    _ordered(low[0], high[0], first, last, int(width) - 1, newer)
    return first, last, 1


@_compiled
def _is_two_chain(y: FloatArray, newer: bool) -> bool:
    corners = len(y)
    turns = 0.0
    for i in range(corners):
        here = np.sign(y[i - 1] - y[i])
        following = np.sign(y[i] - y[(i + 1) % corners])
        turns += abs(following - here)
        if newer and here == 0 and following == 0:
            return False
    return turns <= 4


@_compiled
def _chain_nodes(
    x: FloatArray,
    y: FloatArray,
    first: int,
    last: int,
    numbers: FloatArray,
    down: Int32Array,
    up: Int32Array,
) -> None:
    down[first : last + 1] = -1  # kept where a polygon is flat
    up[first : last + 1] = -1
    for i in range(len(x)):
        dx, dy = x[i - 1] - x[i], y[i - 1] - y[i]
        if dy == 0:
            continue
        nodes = up if dy < 0 else down
        start = min(max(min(y[i], y[i - 1]), first), last + 1)
        stop = max(min(max(y[i], y[i - 1]), last), first - 1)
        rows = slice(int(start), int(stop) + 1)
        part, row = nodes[rows], numbers[rows]
        for n in range(len(part)):
            part[n] = np.int32(min(max((row[n] - y[i]) / dy * dx + x[i], -1.0), _FAR))


@_compiled
def _ordered(
    low: Int32Array, high: Int32Array, first: int, last: int, last_column: int, newer: bool
) -> None:
    low, high = low[first : last + 1], high[first : last + 1]
    for row in range(len(low)):
        left, right = min(low[row], high[row]), max(low[row], high[row])
        if left == right and not newer:
            right -= 1
        low[row], high[row] = max(left, 0), min(right, last_column)


@_compiled
def _sorted_spans(
    x: FloatArray,
    y: FloatArray,
    first: int,
    last: int,
    width: float,
    newer: bool,
    low: Int32Array,
    high: Int32Array,
) -> None:
    nodes = np.empty(len(x), np.float64)
    for row in range(first, last + 1):
        count = _sorted_nodes(x, y, row, newer, nodes)
        used, at, end = 0, 0, -np.inf
        while at < count - 1:
            same = nodes[at] == nodes[at + 1]
            if same and not (newer and at == count - 2):
                at += 1
                continue
            left, end = max(nodes[at], end + 1), nodes[at + 1]
            low[used, row] = np.int32(min(max(left, 0.0), _FAR))
            high[used, row] = np.int32(max(min(end, width - 1), -1.0))
            at += 2
            used += 1
        low[used:, row] = 0
        high[used:, row] = -1


@_compiled
def _sorted_nodes(x: FloatArray, y: FloatArray, row: int, newer: bool, nodes: FloatArray) -> int:
    """Fill ``nodes`` with the sorted nodes of one row; return their number."""
    count = 0
    for i in range(len(x)):
        dx, dy = x[i - 1] - x[i], y[i - 1] - y[i]
        if not min(y[i], y[i - 1]) <= row <= max(y[i], y[i - 1]) or (dy == 0 and not newer):
            continue
        node = np.trunc((row - y[i]) / dy * dx + x[i]) if dy != 0 else x[i]
        place = count
        while place > 0 and nodes[place - 1] > node:
            nodes[place] = nodes[place - 1]
            place -= 1
        nodes[place] = node
        count += 1
    return count
