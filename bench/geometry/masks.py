"""Masks: to and from polygons, and their overlap with regions.

Whole coordinates of a polygon are centres of pixels here, as in the VOT toolkits' pixels and in
OpenCV's contours: the pixel (row r, column c) is the point (c, r).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.errors import TrackerError
from bench.geometry.regions import Regions
from bench.geometry.spans import Rows, Spans, polygon_spans
from bench.geometry.windows import image_outline, is_somewhere

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_TIE = 1e-3  # pixels by which two corners must differ to be told apart


def mask_to_polygon(mask: BoolArray) -> FloatArray:
    """The rotated rectangle ``(4, 2)`` around the largest part of a mask ``(H, W)``.

    The smallest one around the outer contour of the part with the largest area (as SiamMask and
    SiamAttn answer), through the centres of its outermost pixels, so that a part one pixel thin
    has a rectangle without area. Corners stand in the order of ``canonical_corners``, whatever
    the version of OpenCV.

    Raises:
        TrackerError: no pixel of the mask is true.
    """
    import cv2

    pixels = np.ascontiguousarray(mask, dtype=np.uint8)
    contours, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        raise TrackerError("expected a mask with at least one true pixel, found an empty one")
    largest = max(contours, key=cv2.contourArea)
    return canonical_corners(np.asarray(cv2.boxPoints(cv2.minAreaRect(largest)), dtype=float))


def canonical_corners(polygon: FloatArray) -> FloatArray:
    """A polygon's corners ``(K, 2)`` clockwise in the image, from the one nearest the top left.

    Nearest is the smallest x + y; of several within a thousandth of a pixel, the highest in the
    image (smallest y). The same whichever corner the list starts from and whichever way it runs.

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
    """The pixels ``(height, width)`` of a region in an image, by the overlap rule ``vot``.

    A region with a number that is not finite, or beyond 2**30, has no pixels.

    Args:
        region: ``(4,)`` x, y, w, h or ``(2 K,)`` or ``(K, 2)`` corners, K at least 3.
        width, height: size of the image in pixels, at least 1.
    """
    mask = np.zeros((height, width), dtype=bool)
    spans = _spans_in_image(region, width, height)
    columns = np.arange(width, dtype=np.int32)
    for low, high in zip(spans.low, spans.high, strict=True):
        mask |= (low[:, None] <= columns) & (columns <= high[:, None])
    return mask


def mask_overlap(mask: BoolArray, regions: Regions) -> FloatArray:
    """Intersection over union of one mask and each region, ``(N,)``, by the rule ``vot``.

    Regions have the pixels of ``rasterize`` in an image of the mask's size. NaN where a row is a
    code and no region, 0 where neither has a pixel.

    Args:
        mask: ``(H, W)``.
        regions: any number of rows.
    """
    height, width = mask.shape
    row = np.arange(height)
    # How many true pixels lie left of each column: a span's share is a difference of two.
    before = np.zeros((height, width + 1), dtype=np.int64)
    np.cumsum(mask, axis=1, out=before[:, 1:])
    area = int(before[:, -1].sum())
    overlaps = np.full(len(regions), np.nan)
    for index in np.flatnonzero(regions.codes < 0):
        numbers = regions.values[index, : regions.counts[index]]
        spans = _spans_in_image(numbers, width, height)
        start = np.minimum(spans.low, width)
        stop = np.maximum(spans.high + 1, start)
        both = int((before[row, stop] - before[row, start]).sum())
        union = area + int(spans.pixels.sum()) - both
        overlaps[index] = both / max(union, 1)
    return overlaps


def _spans_in_image(region: FloatArray, width: int, height: int) -> Spans:
    """The spans of one region in all rows of an image."""
    numbers = np.asarray(region, dtype=np.float64).reshape(1, -1)
    rows = Rows.of(np.array([float(width)]), np.array([float(height)]))
    if not is_somewhere(numbers).all():
        nowhere = np.zeros((1, height), dtype=np.int32)
        return Spans(nowhere, nowhere - 1)
    return polygon_spans(image_outline(numbers), rows)
