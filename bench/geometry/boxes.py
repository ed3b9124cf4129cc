"""Boxes: conversions, overlap and distances, in the last bits of the official code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.errors import TrackerError

FloatArray = NDArray[np.float64]


def polygon_to_box(polygon: FloatArray) -> FloatArray:
    """The box that bounds each polygon, ``(..., K, 2) -> (..., 4)``.

    >>> polygon_to_box(np.array([[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]))
    array([1., 2., 3., 6.])
    """
    low = polygon.min(axis=-2)
    return np.concatenate([low, polygon.max(axis=-2) - low], axis=-1)


def box_to_polygon(box: FloatArray) -> FloatArray:
    """The corners of each box, from the top left clockwise, ``(..., 4) -> (..., 4, 2)``.

    >>> box_to_polygon(np.array([1.0, 2.0, 3.0, 6.0])).tolist()
    [[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]
    """
    x, y, w, h = np.moveaxis(np.asarray(box, dtype=np.float64), -1, 0)
    xs = np.stack([x, x + w, x + w, x], axis=-1)
    ys = np.stack([y, y, y + h, y + h], axis=-1)
    return np.stack([xs, ys], axis=-1)


def area_preserving_box(polygon: FloatArray) -> FloatArray:
    """The box around a quadrangle's centre with its area, ``(..., 4, 2) -> (..., 4)``.

    Centred on the mean of the corners, with the proportions of the bounding box and the area
    of the rotated rectangle: what trackers of the VOT challenge start from (PySOT
    ``get_axis_aligned_bbox``, there with ``+1`` on each side, here in continuous pixels).
    """
    centre = polygon.mean(axis=-2)
    extent = np.ptp(polygon, axis=-2)
    sides = np.linalg.norm(np.diff(polygon[..., :3, :], axis=-2), axis=-1)
    bounding = extent.prod(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(bounding > 0, np.sqrt(sides.prod(axis=-1) / bounding), 0.0)
    size = extent * scale[..., None]
    return np.concatenate([centre - size / 2, size], axis=-1)


def pixel_corners_to_box(polygon: FloatArray) -> FloatArray:
    """The box of corners that are pixels of the target, ``(..., K, 2) -> (..., 4)`` whole numbers.

    OTB ``corner2rect.m``: the last pixel belongs to the box, hence one more in width and height,
    and MATLAB rounds halves away from zero.

    >>> pixel_corners_to_box(np.array([[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]))
    array([1., 2., 4., 7.])
    """
    box = polygon_to_box(polygon) + np.array([0.0, 0.0, 1.0, 1.0])
    rounded: FloatArray = np.copysign(np.floor(np.abs(box) + 0.5), box)
    return rounded


def mask_to_box(mask: NDArray[np.bool_]) -> FloatArray:
    """The box ``(4,)`` that bounds the true pixels of a mask ``(H, W)``.

    A pixel (row r, column c) covers c..c+1 by r..r+1, so a mask of one pixel has size 1 x 1.

    Raises:
        TrackerError: no pixel of the mask is true.
    """
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        raise TrackerError("expected a mask with at least one true pixel, found an empty one")
    x, y = columns[0], rows[0]
    return np.array([x, y, columns[-1] + 1 - x, rows[-1] + 1 - y], dtype=np.float64)


def box_iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of boxes, row by row, ``(..., 4), (..., 4) -> (...)``.

    Written in the inclusive-pixel form of the official code (OTB ``calcRectInt.m``, LaSOT
    ``calc_rect_int.m``): its ``-1`` and ``+1`` cancel in exact arithmetic, and keeping them
    gives the same last bit. NaN in one operand is ignored by the comparisons, as in MATLAB.

    >>> box_iou(np.array([0.0, 0.0, 2.0, 2.0]), np.array([1.0, 0.0, 2.0, 2.0])).item()
    0.3333333333333333
    """
    ax, ay, aw, ah = columns(a)
    bx, by, bw, bh = columns(b)
    width = np.fmin(ax + aw - 1, bx + bw - 1) - np.fmax(ax, bx) + 1
    height = np.fmin(ay + ah - 1, by + bh - 1) - np.fmax(ay, by) + 1
    intersection = np.fmax(0.0, width) * np.fmax(0.0, height)
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap: FloatArray = intersection / (aw * ah + bw * bh - intersection)
    return overlap


def clipped_iou(a: FloatArray, b: FloatArray, epsilon: float = 0.0) -> FloatArray:
    """Intersection over union in continuous form, limited to [0, 1], ``(..., 4) -> (...)``.

    ``epsilon`` is added to the union (got10k ``rect_iou``; 0 is pysot-toolkit's
    ``overlap_ratio``). NaN in one operand gives NaN.
    """
    ax, ay, aw, ah = columns(a)
    bx, by, bw, bh = columns(b)
    width = np.maximum(np.minimum(ax + aw, bx + bw) - np.maximum(ax, bx), 0.0)
    height = np.maximum(np.minimum(ay + ah, by + bh) - np.maximum(ay, by), 0.0)
    intersection = width * height
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = intersection / (aw * ah + bw * bh - intersection + epsilon)
    clipped: FloatArray = np.clip(overlap, 0.0, 1.0)
    return clipped


def box_centre(box: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre of each box with pixels counted inclusively, ``(..., 4) -> (...), (...)``.

    ``x + (w - 1) / 2`` as in OTB ``calcSeqErrRobust.m``; between two boxes the -1 cancels.
    """
    x, y, w, h = columns(box)
    return x + (w - 1) / 2, y + (h - 1) / 2


def centre_errors(
    a: FloatArray, b: FloatArray, *, of_offset: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Distance between the centres of boxes, ``(..., 4), (..., 4) -> (...), (...)``.

    The first is in pixels. The second is relative to the size of ``b``: each centre is divided by
    it (LaSOT ``calc_seq_err_robust.m``) or, with ``of_offset``, their offset is (TrackingNet
    ``metrics.py``); these are equal but for the last bit, which decides ties at a threshold.
    Where ``b`` has no size it is infinite or NaN.
    """
    (ax, ay), (bx, by) = box_centre(a), box_centre(b)
    _, _, width, height = columns(b)
    error = _length(ax - bx, ay - by)
    with np.errstate(divide="ignore", invalid="ignore"):
        if of_offset:
            return error, _length((ax - bx) / width, (ay - by) / height)
        return error, _length(ax / width - bx / width, ay / height - by / height)


def columns(box: FloatArray) -> FloatArray:
    """``(..., 4) -> (4, ...)``, each column contiguous: four times faster to compute with."""
    last = box.ndim - 1
    return np.ascontiguousarray(box.transpose(last, *range(last)))


def _length(x: FloatArray, y: FloatArray) -> FloatArray:
    # Not np.hypot: the official code squares, adds and takes the root, to the last bit.
    length: FloatArray = np.sqrt(x * x + y * y)
    return length
