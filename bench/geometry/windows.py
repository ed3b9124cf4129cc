"""Pixel windows in which two regions are compared, by the rule of each toolkit.

Both VOT toolkits round corners relative to the smallest window around a pair of regions, so the
pixels of a region depend on its partner. All rounding happens here; ``spans`` and ``compiled``
only count pixels.

Pairs are the last axis of arrays: corners are ``(K, N)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, IntArray

Float32Array = NDArray[np.float32]
Bounds = tuple[float, float] | None

_TINY_RATIO = 1e-10  # of bounding areas; the official code gives no overlap below it
_FARTHEST = float(1 << 30)  # largest coordinate that can be a pixel


@dataclass(frozen=True, eq=False)
class Outline:
    """``N`` polygons of K corners each: ``x`` and ``y`` are ``(K, N)``."""

    x: FloatArray
    y: FloatArray

    def __getitem__(self, rows: IntArray | slice) -> Outline:
        return Outline(self.x[:, rows], self.y[:, rows])


@dataclass(frozen=True, eq=False)
class Windows:
    """``N`` pairs of polygons, each in its own window.

    Attributes:
        a, b: corners in whole pixels relative to the window.
        width, height: ``(N,)`` size of the window in pixels.
        settled: ``(N,)`` overlap if known without counting, else NaN.
        newer: True for vot-toolkit's pixels, False for those of the 2016-2018 challenges.
    """

    a: Outline
    b: Outline
    width: FloatArray
    height: FloatArray
    settled: FloatArray
    newer: bool

    def __getitem__(self, rows: IntArray | slice) -> Windows:
        return Windows(
            self.a[rows],
            self.b[rows],
            self.width[rows],
            self.height[rows],
            self.settled[rows],
            self.newer,
        )


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Bounding boxes in whole pixels, sides ``(N,)`` inclusive."""

    left: Float32Array
    top: Float32Array
    right: Float32Array
    bottom: Float32Array

    @property
    def outline(self) -> Outline:
        """Corners of each box."""
        x = np.stack([self.left, self.right, self.right, self.left])
        y = np.stack([self.top, self.top, self.bottom, self.bottom])
        return Outline(x.astype(np.float64), y.astype(np.float64))

    @property
    def has_no_area(self) -> BoolArray:
        """Boxes of at most one column or row."""
        flat: BoolArray = (self.left >= self.right) | (self.top >= self.bottom)
        return flat

    @property
    def is_empty(self) -> BoolArray:
        """Boxes without a pixel, from rectangles without width or height."""
        empty: BoolArray = (self.right < self.left) | (self.bottom < self.top)
        return empty

    @property
    def area(self) -> Float32Array:
        area: Float32Array = (self.right - self.left) * (self.bottom - self.top)
        return area

    def common(self, other: _Boxes) -> _Boxes:
        return _Boxes(
            np.maximum(self.left, other.left),
            np.maximum(self.top, other.top),
            np.minimum(self.right, other.right),
            np.minimum(self.bottom, other.bottom),
        )

    def around(self, other: _Boxes) -> _Boxes:
        return _Boxes(
            np.minimum(self.left, other.left),
            np.minimum(self.top, other.top),
            np.maximum(self.right, other.right),
            np.maximum(self.bottom, other.bottom),
        )

    def moved(self, window: _Boxes) -> _Boxes:
        """Relative to a window."""
        x, y = window.left, window.top
        return _Boxes(self.left - x, self.top - y, self.right - x, self.bottom - y)

    def within(self, right: float, bottom: float) -> _Boxes:
        """Clipped to 0..right and 0..bottom."""
        zero, *last = (np.array(value, dtype=np.float32) for value in (0, right, bottom))
        return self.common(_Boxes(zero, zero, *last))


def is_somewhere(values: FloatArray) -> BoolArray:
    """``(N,)`` True for rows of ``(N, V)`` whose numbers are finite and within 2**30."""
    somewhere: BoolArray = np.all(np.abs(values) <= _FARTHEST, axis=1)
    return somewhere


def image_outline(values: FloatArray) -> Outline:
    """Rectangles ``(N, 4)`` or corners ``(N, 2 K)`` in whole image pixels, by the rule ``vot``."""
    x, y = _single(values, 0.0)
    return Outline(_half_away(x), _half_away(y))


def official_windows(
    a: FloatArray, b: FloatArray, bounds: Bounds, rectangle_end: float
) -> Windows:
    """Windows of the 2016-2018 challenges (toolkit-legacy ``region_overlap.cpp``, ``region.c``).

    Bounding boxes extend to whole pixels and are clipped to the bounds; corners are moved into
    the window in single precision, then rounded with halves away from zero.

    Args:
        a, b: ``(N, 4)`` rectangles or ``(N, 2 K)`` corners.
        bounds: last column and row of the image, or None.
        rectangle_end: added to x + w and y + h for the far side of a rectangle.
    """
    first, second = (_single(values, rectangle_end) for values in (a, b))
    boxes = [_reaching_out(*corners) for corners in (first, second)]
    if bounds is not None:
        boxes = [box.within(*bounds) for box in boxes]
    window = boxes[0].around(boxes[1])
    # Truncated to int by the official code; only fractional bounds make a difference.
    width = np.floor(window.right - window.left).astype(np.float64) + 1
    height = np.floor(window.bottom - window.top).astype(np.float64) + 1
    nothing = _sure_to_miss(*boxes) | (width < 1) | (height < 1)
    placed, other = (
        Outline(_half_away(x - window.left), _half_away(y - window.top))
        for x, y in (first, second)
    )
    return Windows(placed, other, width, height, np.where(nothing, 0.0, np.nan), newer=False)


def _single(values: FloatArray, rectangle_end: float) -> tuple[Float32Array, Float32Array]:
    """Corners x and y, ``(K, N)`` each, in single precision as in the official code."""
    columns = values.T
    if len(columns) == 4:
        x, y, w, h = columns
        right, bottom = x + w + rectangle_end, y + h + rectangle_end
        columns = np.stack([x, y, right, y, right, bottom, x, bottom])
    single = np.ascontiguousarray(columns, dtype=np.float32)
    return single[0::2], single[1::2]


def _reaching_out(x: Float32Array, y: Float32Array) -> _Boxes:
    left, top = np.floor(x.min(axis=0)), np.floor(y.min(axis=0))
    return _Boxes(left, top, np.ceil(x.max(axis=0)), np.ceil(y.max(axis=0)))


def _sure_to_miss(a: _Boxes, b: _Boxes) -> BoolArray:
    """Disjoint pairs, and those that the official code rejects by their boxes alone.

    Boxes that share only a border are apart. For two boxes without area all comparisons are with
    NaN, and the pixels decide.
    """
    common = a.common(b)
    shared = common.area
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = a.area.astype(np.float64), b.area.astype(np.float64)
        tiny = (first / second < _TINY_RATIO) | (second / first < _TINY_RATIO)
        apart = shared / (a.area + b.area - shared) <= 0
    missed: BoolArray = tiny | apart | common.is_empty
    return missed


def _half_away(values: Float32Array) -> FloatArray:
    # In double precision, adding a half to a single-precision number is exact.
    exact = values.astype(np.float64)
    rounded: FloatArray = np.copysign(np.floor(np.abs(exact) + 0.5), exact)
    return rounded


def toolkit_windows(a: FloatArray, b: FloatArray, bounds: Bounds) -> Windows:
    """Windows of vot-toolkit 0.9 (``vot/region/raster.py``).

    All numbers, including x, y, w, h of a rectangle, are first rounded with halves to even; a
    rectangle then ends at x + w - 1. Two regions in a window without area count as equal.

    Args:
        a, b: ``(N, 4)`` rectangles or ``(N, 2 K)`` corners.
        bounds: width and height of the image, or None.
    """
    rounded = [_to_even(values.T) for values in (a, b)]
    boxes = [_toolkit_box(columns) for columns in rounded]
    window = boxes[0].around(boxes[1])
    same = window.has_no_area
    if bounds is not None:
        window = window.within(bounds[0] - 1, bounds[1] - 1)
    outlines, empty = [], window.has_no_area
    for columns, box in zip(rounded, boxes, strict=True):
        if len(columns) == 4:
            box = box.moved(window) if bounds else _cut_by_toolkit(box.moved(window), window)
            empty |= box.is_empty
            outlines.append(box.outline)
        else:
            x, y = columns[0::2] - window.left, columns[1::2] - window.top
            outlines.append(Outline(x.astype(np.float64), y.astype(np.float64)))
    width = (window.right - window.left + 1).astype(np.float64)
    height = (window.bottom - window.top + 1).astype(np.float64)
    settled = np.select([same, empty], [1.0, 0.0], np.nan)
    return Windows(outlines[0], outlines[1], width, height, settled, newer=True)


def _to_even(columns: FloatArray) -> Float32Array:
    single = np.ascontiguousarray(columns, dtype=np.float32)
    return np.round(single, out=single)


def _toolkit_box(columns: Float32Array) -> _Boxes:
    if len(columns) != 4:
        return _reaching_out(columns[0::2], columns[1::2])
    x, y, w, h = columns
    return _Boxes(x, y, x + w - 1, y + h - 1)


def _cut_by_toolkit(box: _Boxes, window: _Boxes) -> _Boxes:
    """A rectangle as vot-toolkit fills it in an unbounded window.

    It clips the far side, relative to the window, at the window's last column relative to the
    image; a negative end then counts from the back, as in a Python slice.
    """
    right, bottom = np.minimum(box.right, window.right), np.minimum(box.bottom, window.bottom)
    right = np.where(right < -1, right + window.right - window.left + 1, right)
    bottom = np.where(bottom < -1, bottom + window.bottom - window.top + 1, bottom)
    return _Boxes(box.left, box.top, right, bottom)
