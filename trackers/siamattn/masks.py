"""Masks from the mask head's region to the frame, and rotated rectangles around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray

SMALLEST_AREA = 100.0  # minimum area of an outline for a rectangle, square pixels


def paste(
    mask: NDArray[np.float32],
    corner: FloatArray,
    size: FloatArray,
    shape: tuple[int, int],
    grid: int = 0,
) -> FloatArray:
    """Paste a region's mask into the frame; 0 outside the region.

    The interpolation is exact without a grid. ``cv2.warpAffine``, which released code calls,
    rounds positions to 1/32 before OpenCV 5, which shifts the outline: a grid of 32.

    Args:
        mask: probabilities ``(h, w)``.
        corner: ``(2,)`` of the region in the frame.
        size: ``(2,)`` of the region in pixels of the frame.
        shape: H, W of the frame.
        grid: parts of a cell to which positions in the mask are rounded; 0 for none.

    Returns:
        ``(H, W)``, linearly interpolated.
    """
    height, width = shape
    pasted = np.zeros(shape)
    rows, above = _places(height, mask.shape[0], float(corner[1]), float(size[1]), grid)
    columns, left = _places(width, mask.shape[1], float(corner[0]), float(size[0]), grid)
    between = _interpolated(mask.astype(np.float64), above)
    pasted[np.ix_(rows, columns)] = _interpolated(between.T, left).T
    return pasted


def _places(
    pixels: int, cells: int, corner: float, size: float, grid: int
) -> tuple[NDArray[np.int64], FloatArray]:
    """The pixels of one frame axis that the mask reaches, and their positions in its cells."""
    # The released code maps the frame's first and last pixel to its borders, hence the 1.
    places = np.arange(pixels) * pixels / max(pixels - 1, 1)
    position = (places - corner) * cells / size
    if grid:
        position = np.floor(position * grid + 0.5) / grid
    inside = np.flatnonzero((position > -1) & (position < cells))
    return inside, position[inside]


def _interpolated(cells: FloatArray, positions: FloatArray) -> FloatArray:
    """Cells along the first axis, interpolated at positions; zero outside the map."""
    padded = np.pad(cells, ((1, 1), (0, 0)))
    before = np.floor(positions).astype(np.int64)
    share = (positions - before)[:, None]
    between: FloatArray = (1 - share) * padded[before + 1] + share * padded[before + 2]
    return between


def rotated_rectangle(mask: BoolArray) -> FloatArray | None:
    """Corners ``(4, 2)`` of the smallest rectangle around a mask's largest part ``(H, W)``.

    None if no part has an outline of more than 100 square pixels.
    """
    import cv2

    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) <= SMALLEST_AREA:
        return None
    corners = cv2.boxPoints(cv2.minAreaRect(largest.reshape(-1, 2)))
    return np.asarray(corners, dtype=np.float64)
