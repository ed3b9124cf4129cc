"""From the mask head's small mask to the frame, and to the rectangle around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray

SMALLEST_AREA = 100.0  # of an outline in square pixels, for a rectangle to be put around it


def paste(
    mask: NDArray[np.float32], corner: FloatArray, size: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """A mask of a region in its place in the frame, 0 beyond the region.

    Written out because ``cv2.warpAffine``, which the released code calls, rounds places to 1/32
    pixel before OpenCV 5 and moves the mask's outline by it.

    Args:
        mask: probabilities ``(h, w)``.
        corner: ``(2,)`` of the region in the frame.
        size: ``(2,)`` of the region in pixels of the frame.
        shape: H, W of the frame.

    Returns:
        ``(H, W)``, interpolated linearly.
    """
    height, width = shape
    pasted = np.zeros(shape)
    rows, above = _places(height, mask.shape[0], float(corner[1]), float(size[1]))
    columns, left = _places(width, mask.shape[1], float(corner[0]), float(size[0]))
    between = _interpolated(mask.astype(np.float64), above)
    pasted[np.ix_(rows, columns)] = _interpolated(between.T, left).T
    return pasted


def _places(
    pixels: int, cells: int, corner: float, size: float
) -> tuple[NDArray[np.int64], FloatArray]:
    """The frame's pixels along one axis that a mask reaches, and where in its cells each lies."""
    # The released code maps the first and last pixel of the frame to its borders, hence the 1.
    places = np.arange(pixels) * pixels / max(pixels - 1, 1)
    position = (places - corner) * cells / size
    inside = np.flatnonzero((position > -1) & (position < cells))
    return inside, position[inside]


def _interpolated(cells: FloatArray, positions: FloatArray) -> FloatArray:
    """Cells along the first axis at positions between them, zero beyond the first and last."""
    padded = np.pad(cells, ((1, 1), (0, 0)))
    before = np.floor(positions).astype(np.int64)
    share = (positions - before)[:, None]
    between: FloatArray = (1 - share) * padded[before + 1] + share * padded[before + 2]
    return between


def rotated_rectangle(mask: BoolArray) -> FloatArray | None:
    """Corners ``(4, 2)`` of the smallest rectangle around the largest part of a mask ``(H, W)``.

    None where no part has an outline of more than 100 square pixels.
    """
    import cv2

    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) <= SMALLEST_AREA:
        return None
    corners = cv2.boxPoints(cv2.minAreaRect(largest.reshape(-1, 2)))
    return np.asarray(corners, dtype=np.float64)
