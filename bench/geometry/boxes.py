"""Box conversions, overlap and distances, equal to the official code to the last bit."""

from __future__ import annotations

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.errors import TrackerError


def polygon_to_box(polygon: FloatArray) -> FloatArray:
    """Bounding box of each polygon, ``(..., K, 2) -> (..., 4)``.

    >>> polygon_to_box(np.array([[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]))
    array([1., 2., 3., 6.])
    """
    low = polygon.min(axis=-2)
    return np.concatenate([low, polygon.max(axis=-2) - low], axis=-1)


def box_to_polygon(box: FloatArray) -> FloatArray:
    """Corners of each box, clockwise from the top left, ``(..., 4) -> (..., 4, 2)``.

    >>> box_to_polygon(np.array([1.0, 2.0, 3.0, 6.0])).tolist()
    [[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]
    """
    x, y, w, h = np.moveaxis(np.asarray(box, dtype=np.float64), -1, 0)
    xs = np.stack([x, x + w, x + w, x], axis=-1)
    ys = np.stack([y, y, y + h, y + h], axis=-1)
    return np.stack([xs, ys], axis=-1)


def area_preserving_box(polygon: FloatArray) -> FloatArray:
    """Axis-aligned box with the centre and area of a quadrangle, ``(..., 4, 2) -> (..., 4)``.

    Centred on the mean of the corners, with the aspect ratio of the bounding box and the area of
    the rotated rectangle. VOT trackers start from it (PySOT ``get_axis_aligned_bbox``, which adds
    1 to each side; here pixels are continuous).
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
    """Whole-pixel box of inclusive pixel corners, ``(..., K, 2) -> (..., 4)``.

    As OTB ``corner2rect.m``: width and height include the last pixel (+1), and MATLAB rounds
    halves away from zero.

    >>> pixel_corners_to_box(np.array([[1.0, 2.0], [4.0, 2.0], [4.0, 8.0], [1.0, 8.0]]))
    array([1., 2., 4., 7.])
    """
    return _rounded(polygon_to_box(polygon) + np.array([0.0, 0.0, 1.0, 1.0]))


def _rounded(values: FloatArray) -> FloatArray:
    """Whole numbers as MATLAB's ``round`` gives them, halves away from zero."""
    rounded: FloatArray = np.copysign(np.floor(np.abs(values) + 0.5), values)
    return rounded


def warped_pixels_to_box(warps: FloatArray, height: float, width: float) -> FloatArray:
    """Box around a template of pixels 1..width by 1..height after warps, ``(N, 2, 3) -> (N, 4)``.

    As OTB ``getLKcorner.m`` and ``corner2rect.m``: pixel (x, y, 1) goes to ``warp @ (x, y, 1)``.

    >>> warped_pixels_to_box(np.array([[[2.0, 0.0, 10.0], [0.0, 2.0, 20.0]]]), 8, 16)
    array([[12., 22., 31., 15.]])
    """
    corners = np.array([[1, 1, 1], [1, height, 1], [width, height, 1], [width, 1, 1]])
    return pixel_corners_to_box(corners @ warps.transpose(0, 2, 1))


def warped_rows_to_box(warps: FloatArray, height: float, width: float) -> FloatArray:
    """The same of warps ``(N, 2, 3)`` of row, column, 1 to row, column; ``(N, 4)``.

    As OTB ``calcCenter_L1.m``: corners are rounded, and the box spans the first and the last.

    >>> warped_rows_to_box(np.array([[[2.0, 0.0, 20.0], [0.0, 2.0, 10.0]]]), 8, 16)
    array([[12., 22., 31., 15.]])
    """
    first, last = (_rounded(warps @ [*pixel, 1.0])[:, ::-1] for pixel in ((1, 1), (height, width)))
    return np.concatenate([first, last - first + 1], axis=1)


def warped_template_to_box(warps: FloatArray, width: float, height: float) -> FloatArray:
    """Box of a template around 0 after an affine warp, ``(N, 6) -> (N, 4)``.

    As OTB ``calcRectCenter.m``: of p, the corner (u, v) goes to x = p1 + p3 u + p4 v,
    y = p2 + p5 u + p6 v; corners are rounded down, and the box spans the first and the third.

    >>> warped_template_to_box(np.array([[21.0, 31.0, 0.625, 0.0, 0.0, 0.625]]), 32, 32)
    array([[11., 21., 20., 20.]])
    """
    u, v = width / 2, height / 2
    centre, of_u, of_v = warps[:, :2], warps[:, (2, 4)], warps[:, (3, 5)]
    first = np.floor(centre - of_u * u - of_v * v)
    third = np.floor(centre + of_u * u + of_v * v)
    return np.concatenate([first, third - first], axis=1)


def mask_to_box(mask: BoolArray) -> FloatArray:
    """Bounding box ``(4,)`` of the true pixels of a mask ``(H, W)``.

    The pixel at row r, column c covers c..c+1 by r..r+1, so one pixel gives a 1 x 1 box.

    Raises:
        TrackerError: the mask is empty.
    """
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        raise TrackerError("expected a mask with at least one true pixel, found an empty one")
    x, y = columns[0], rows[0]
    return np.array([x, y, columns[-1] + 1 - x, rows[-1] + 1 - y], dtype=np.float64)


def box_iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Row-wise intersection over union of boxes, ``(..., 4), (..., 4) -> (...)``.

    Keeps the inclusive-pixel form of the official code (OTB ``calcRectInt.m``, LaSOT
    ``calc_rect_int.m``): its ``-1`` and ``+1`` cancel in exact arithmetic but decide the last
    bit. Comparisons ignore a NaN operand, as in MATLAB.

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
    """Continuous intersection over union, clipped to [0, 1], ``(..., 4), (..., 4) -> (...)``.

    ``epsilon`` is added to the union (got10k ``rect_iou``; 0 gives pysot-toolkit's
    ``overlap_ratio``). NaN propagates.
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
    """Centre (x, y) of each box in inclusive pixels, ``(..., 4) -> (...), (...)``.

    ``x + (w - 1) / 2`` as in OTB ``calcSeqErrRobust.m``; the -1 cancels between two boxes.
    """
    x, y, w, h = columns(box)
    return x + (w - 1) / 2, y + (h - 1) / 2


def centre_errors(
    a: FloatArray, b: FloatArray, *, of_offset: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Centre distances in pixels and normalised, ``(..., 4), (..., 4) -> (...), (...)``.

    The second is normalised by the size of ``b``: by dividing each centre (LaSOT
    ``calc_seq_err_robust.m``) or, with ``of_offset``, their difference (TrackingNet
    ``metrics.py``). The two differ in the last bit, which decides ties at a threshold. Infinite
    or NaN where ``b`` has no size.
    """
    (ax, ay), (bx, by) = box_centre(a), box_centre(b)
    _, _, width, height = columns(b)
    error = _length(ax - bx, ay - by)
    with np.errstate(divide="ignore", invalid="ignore"):
        if of_offset:
            return error, _length((ax - bx) / width, (ay - by) / height)
        return error, _length(ax / width - bx / width, ay / height - by / height)


def columns(box: FloatArray) -> FloatArray:
    """``(..., 4) -> (4, ...)`` with contiguous columns, which compute four times as fast."""
    last = box.ndim - 1
    return np.ascontiguousarray(box.transpose(last, *range(last)))


def leaps(boxes: FloatArray, image: tuple[float, float] | None = None) -> FloatArray:
    """How many sizes of the target each box lies away from both its neighbours, ``(N,)``.

    Its neighbours are the boxes before and after it. A size is the root of the area of the larger
    one, or the shorter side of the box itself if that is more, and as much more as the neighbours
    are apart. Zero for the first and the last box, and where one of the three has no size.

    Args:
        boxes: ``(N, 4)`` in order of time.
        image: its width and height; then only what lies outside it counts.

    >>> leaps(np.array([[10, 20, 5, 5], [10, 920, 5, 5], [10, 20, 5, 5.0]])).tolist()
    [0.0, 180.0, 0.0]
    """
    x, y, width, height = columns(boxes)
    corners = np.stack([x, y, x + width, y + height])
    if image is not None:
        corners -= np.clip(corners, 0, np.tile(image, 2)[:, None])
    found = np.zeros(len(boxes))
    with np.errstate(invalid="ignore"):
        steps = np.abs(corners[:, 1:] - corners[:, :-1]).max(axis=0)
        across = np.abs(corners[:, 2:] - corners[:, :-2]).max(axis=0)
        size, shorter = np.sqrt(np.maximum(width * height, 1)), np.minimum(width, height)
        reach = across + np.maximum(np.maximum(size[:-2], size[2:]), shorter[1:-1])
        known = shorter > 0
        known = known[:-2] & known[1:-1] & known[2:]
        np.divide(np.minimum(steps[:-1], steps[1:]), reach, out=found[1:-1], where=known)
    return found


def _length(x: FloatArray, y: FloatArray) -> FloatArray:
    # Not np.hypot, whose last bit differs from the official square root of a sum.
    length: FloatArray = np.sqrt(x * x + y * y)
    return length
