"""Features for correlation filters: image windows and histograms of oriented gradients."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, Image

Floats = NDArray[np.float32]

ORIENTATIONS = 9
_MAX_OVERSAMPLING = 8
_CLIP = 0.2  # clipping of normalised entries, so that one strong edge does not dominate its cell
_ENERGY_WEIGHT = 0.2357  # 1 / sqrt(18): brings the energies to the range of the other channels


def crop(image: Image, centre: FloatArray, size: FloatArray, shape: tuple[int, int]) -> Image:
    """The window of ``size`` around ``centre``, resampled to ``shape``.

    Outside the image, its border pixels are replicated.

    Args:
        image: ``(H, W, 3)``.
        centre: ``(2,)`` x, y in continuous pixels; may be outside the image.
        size: ``(2,)`` width and height in pixels.
        shape: height and width of the result.
    """
    import cv2

    step = size / (shape[1], shape[0])  # image pixels per pixel of the result
    # Bilinear sampling would skip pixels of a large window, so oversample and average.
    oversampling = int(np.clip(step.min(), 1, _MAX_OVERSAMPLING))
    width, height = shape[1] * oversampling, shape[0] * oversampling
    step = step / oversampling
    x, y = centre - step * (width - 1, height - 1) / 2 - 0.5  # pixel 0 covers 0..1
    window = cv2.warpAffine(
        image,
        np.array([[step[0], 0.0, x], [0.0, step[1], y]]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if oversampling > 1:
        window = cv2.resize(window, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return window.astype(np.uint8, copy=False)


def hog_and_colour(window: Image, cell: int) -> Floats:
    """Gradient histograms and mean colour of each cell, ``(H, W, 3) -> (34, H / cell, W / cell)``.

    Args:
        window: RGB; H and W are multiples of ``cell``.
        cell: side of a cell in pixels.
    """
    import cv2

    patch = window.astype(np.float32) / 255
    height, width = window.shape[0] // cell, window.shape[1] // cell
    mean = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA)
    grey = mean.mean(axis=-1)
    colour = [grey - 0.5, mean[..., 0] - grey, mean[..., 1] - grey]
    return np.concatenate([hog(patch.mean(axis=-1), cell), colour])


def hog(grey: Floats, cell: int) -> Floats:
    """Histograms of oriented gradients, ``(H, W) -> (31, H / cell, W / cell)``.

    Felzenszwalb et al., "Object detection with discriminatively trained part-based models",
    TPAMI 2010, section 6: 18 signed and 9 unsigned orientations, each summed over four
    normalisations, and the gradient energy by each of the four.

    Args:
        grey: values in [0, 1]; H and W are multiples of ``cell``.
        cell: side of a cell in pixels.
    """
    signed = _orientation_histograms(grey, cell)  # (18, h, w)
    unsigned = signed[:ORIENTATIONS] + signed[ORIENTATIONS:]
    scales = 1 / np.sqrt(_block_energies((unsigned**2).sum(axis=0)) + 1e-4)  # (4, h, w)
    histograms = np.concatenate([signed, unsigned])
    normalised = np.minimum(histograms * scales[:, None], _CLIP)  # (4, 27, h, w)
    energies = _ENERGY_WEIGHT * normalised[:, : 2 * ORIENTATIONS].sum(axis=1)
    return np.concatenate([normalised.sum(axis=0) / 2, energies])


def _orientation_histograms(grey: Floats, cell: int) -> Floats:
    """Gradients split over the 2 nearest orientations and 4 nearest cells, ``(18, h, w)``."""
    import cv2

    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1, borderType=cv2.BORDER_REPLICATE)
    magnitude, angle = cv2.cartToPolar(dx, dy)  # angle in [0, 2 pi]
    bins = 2 * ORIENTATIONS
    position = angle.ravel() * (bins / (2 * np.pi))
    lower = position.astype(np.int64)
    upper_share = (position - lower) * magnitude.ravel()
    orientation = np.stack([lower, lower + 1]) % bins  # (2, H W)
    vote = np.stack([magnitude.ravel() - upper_share, upper_share])
    height, width = grey.shape[0] // cell, grey.shape[1] // cell
    cells, shares = _nearest_cells(height, width, cell)  # (4, H W)
    size = (height + 2) * (width + 2)
    index = orientation[:, None] * size + cells
    votes = np.bincount(index.ravel(), (vote[:, None] * shares).ravel(), minlength=bins * size)
    histograms = votes.reshape(bins, height + 2, width + 2)[:, 1:-1, 1:-1]
    return histograms.astype(np.float32)


@lru_cache(maxsize=16)
def _nearest_cells(height: int, width: int, cell: int) -> tuple[NDArray[np.int64], Floats]:
    """The four cells around each pixel and their bilinear weights, two ``(4, H W)``.

    Cells are numbered in a grid of ``height + 2`` by ``width + 2``: the border collects the
    weights that fall outside.
    """
    y = (np.arange(height * cell) + 0.5) / cell + 0.5
    x = (np.arange(width * cell) + 0.5) / cell + 0.5
    top, left = y.astype(np.int64), x.astype(np.int64)
    rows, columns = np.stack([top, top + 1]), np.stack([left, left + 1])
    down, right = y - top, x - left
    cells = rows[:, None, :, None] * (width + 2) + columns[None, :, None, :]  # (2, 2, H, W)
    shares = (
        np.stack([1 - down, down])[:, None, :, None]
        * np.stack([1 - right, right])[None, :, None, :]
    )
    return cells.reshape(4, -1), shares.reshape(4, -1).astype(np.float32)


def _block_energies(energy: Floats) -> Floats:
    """Energy of the four blocks of 2 x 2 cells around each cell, ``(h, w) -> (4, h, w)``."""
    padded = np.pad(energy, 1, mode="edge")
    blocks = padded[1:, 1:] + padded[1:, :-1] + padded[:-1, 1:] + padded[:-1, :-1]
    return np.stack([blocks[:-1, :-1], blocks[:-1, 1:], blocks[1:, :-1], blocks[1:, 1:]])
