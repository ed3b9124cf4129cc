"""Masks to and from polygons and run lengths, and their overlap with regions.

Integer polygon coordinates are pixel centres here, as in the VOT toolkits and OpenCV's contours:
the pixel at row r, column c is the point (c, r).
"""

from __future__ import annotations

from collections.abc import Sequence as Numbers
from typing import TypeAlias

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.errors import TrackerError
from bench.geometry.regions import TRACKED, Regions
from bench.geometry.spans import Rows, Spans, polygon_spans
from bench.geometry.windows import image_outline, is_somewhere

Runs: TypeAlias = IntArray
"""A mask as vot-toolkit writes it: x, y, width, height of the box around its pixels, then lengths
of runs along its rows from the top left, alternately outside and inside, the first outside."""
EMPTY: Runs = np.array([0, 0, 1, 1, 1])
"""A mask without a pixel, as vot-toolkit writes it."""
_TIE = 1e-3  # corners closer than this, in pixels, tie


def mask_to_runs(mask: BoolArray) -> Runs:
    """The run lengths of a mask ``(H, W)``, equal to those of vot-toolkit's ``encode_mask``.

    >>> mask_to_runs(np.array([[0, 0, 0], [0, 1, 1], [0, 0, 1]], dtype=bool)).tolist()
    [1, 1, 2, 2, 0, 2, 1, 1]
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return EMPTY
    (top, bottom), (left, right) = rows[[0, -1]], columns[[0, -1]]
    inner = mask[top : bottom + 1, left : right + 1].ravel()
    changes = np.flatnonzero(inner[1:] != inner[:-1]) + 1
    starts = np.concatenate([[0], [0] * bool(inner[0]), changes, [len(inner)]])
    box = [left, top, right - left + 1, bottom - top + 1]
    return np.concatenate([box, np.diff(starts)]).astype(np.int64)


def has_pixels(runs: Runs) -> bool:
    """Whether a mask has any pixel inside."""
    return bool(runs[5::2].any())


def runs_to_mask(runs: Numbers[int] | Runs, size: tuple[int, int] | None = None) -> BoolArray:
    """The mask ``(H, W)`` of run lengths; what lies outside the image is cut off.

    Args:
        runs: see ``Runs``; what they leave open at the end is outside.
        size: width and height of the image; by default, the mask is as large as its own box.
    """
    x, y, width, height, *lengths = (int(number) for number in runs)
    inside = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    inner = np.zeros((height, width), dtype=bool)
    inner.ravel()[: len(inside)] = inside
    if size is None:
        return inner
    mask = np.zeros((size[1], size[0]), dtype=bool)
    left, top = max(x, 0), max(y, 0)
    part = inner[top - y : size[1] - y, left - x : size[0] - x]
    mask[top : top + part.shape[0], left : left + part.shape[1]] = part
    return mask


def mask_to_polygon(mask: BoolArray) -> FloatArray:
    """Minimum-area rotated rectangle ``(4, 2)`` of the largest component of a mask ``(H, W)``.

    As SiamMask and SiamAttn predict: it passes through the centres of the outermost pixels, so a
    component one pixel thin has zero area. Corners are in the order of ``canonical_corners`` for
    every version of OpenCV.

    Raises:
        TrackerError: the mask is empty.
    """
    import cv2

    pixels = np.ascontiguousarray(mask, dtype=np.uint8)
    contours, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        raise TrackerError("expected a mask with at least one true pixel, found an empty one")
    largest = max(contours, key=cv2.contourArea)
    return canonical_corners(np.asarray(cv2.boxPoints(cv2.minAreaRect(largest)), dtype=float))


def canonical_corners(polygon: FloatArray) -> FloatArray:
    """Corners ``(K, 2)`` of a polygon, clockwise in the image from the one nearest the top left.

    Nearest means the smallest x + y, ties within 0.001 pixels going to the smallest y. The result
    does not depend on the first corner or the direction of the input.

    >>> canonical_corners(np.array([[4.0, 8.0], [4.0, 2.0], [1.0, 2.0], [1.0, 8.0]])).tolist()
    [[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]
    """
    x, y = polygon.T
    clockwise = np.sum(np.roll(x, 1) * y - x * np.roll(y, 1)) >= 0  # as y points down
    if not clockwise:
        polygon = polygon[::-1]
    distance = polygon.sum(axis=1)
    height = np.where(distance <= distance.min() + _TIE, polygon[:, 1], np.inf)
    return np.roll(polygon, -int(height.argmin()), axis=0)


def rasterize(region: FloatArray, width: int, height: int) -> BoolArray:
    """Mask ``(height, width)`` of a region, by the overlap rule ``vot``.

    A region with a non-finite number or one beyond 2**30 has no pixels.

    Args:
        region: ``(4,)`` x, y, w, h or ``(2 K,)`` or ``(K, 2)`` corners, K >= 3.
        width, height: size of the image in pixels, >= 1.
    """
    mask = np.zeros((height, width), dtype=bool)
    spans = _spans_in_image(region, width, height)
    columns = np.arange(width, dtype=np.int32)
    for low, high in zip(spans.low, spans.high, strict=True):
        mask |= (low[:, None] <= columns) & (columns <= high[:, None])
    return mask


def mask_overlap(mask: BoolArray, regions: Regions) -> FloatArray:
    """Intersection over union of one mask and each region, ``(N,)``, by the rule ``vot``.

    Regions are rasterised as by ``rasterize`` at the mask's size. NaN where a row is a code, 0
    where neither has a pixel.

    Args:
        mask: ``(H, W)``.
        regions: any number of rows.
    """
    height, width = mask.shape
    row = np.arange(height)
    # Running count of true pixels along rows: a span holds the difference of two.
    before = np.zeros((height, width + 1), dtype=np.int64)
    np.cumsum(mask, axis=1, out=before[:, 1:])
    area = int(before[:, -1].sum())
    overlaps = np.full(len(regions), np.nan)
    for index in np.flatnonzero(regions.codes == TRACKED):
        numbers = regions.values[index, : regions.counts[index]]
        spans = _spans_in_image(numbers, width, height)
        start = np.minimum(spans.low, width)
        stop = np.maximum(spans.high + 1, start)
        both = int((before[row, stop] - before[row, start]).sum())
        union = area + int(spans.pixels.sum()) - both
        overlaps[index] = both / max(union, 1)
    return overlaps


def _spans_in_image(region: FloatArray, width: int, height: int) -> Spans:
    """Spans of one region in every row of an image."""
    numbers = np.asarray(region, dtype=np.float64).reshape(1, -1)
    rows = Rows.of(np.array([float(width)]), np.array([float(height)]))
    if not is_somewhere(numbers).all():
        nowhere = np.zeros((1, height), dtype=np.int32)
        return Spans(nowhere, nowhere - 1)
    return polygon_spans(image_outline(numbers), rows)
