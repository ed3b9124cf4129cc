"""Image and mask operations for drawing.

Images are ``uint8 (H, W, 3)`` or ``(H, W)``; sizes and offsets are (x, y) in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.mini.textures import Field

Mask = BoolArray

LONGEST_STREAK = 25.0  # motion blur is limited to this many pixels
_SHARP = 1.5  # streaks shorter than this, in pixels, are not drawn


def blend(below: Image, above: Image, cover: Image) -> Image:
    """Blend one image over another with opacity ``cover`` ``(H, W)``, 0..255."""
    weight = cover * np.float32(1 / 255)
    return np.asarray(cv2.blendLinear(above, below, weight, 1 - weight), dtype=np.uint8)


def lit(image: Image, light: Field) -> Image:
    """Multiply an image by a light ``(H, W)``; 1 leaves it unchanged."""
    product = cv2.multiply(image, cv2.merge([light, light, light]), dtype=cv2.CV_8U)
    return np.asarray(product, dtype=np.uint8)


def streaked(image: Image, motion: FloatArray) -> Image:
    """Blur an image along ``motion`` (x, y), in pixels."""
    length = min(float(np.hypot(*motion)), LONGEST_STREAK)
    if length < _SHARP:
        return image
    reach = int(np.ceil(length / 2))
    step = motion / np.hypot(*motion) * (length / 2)
    ends = np.rint((np.stack([-step, step]) + reach) * 16).astype(int)
    streak = np.zeros((2 * reach + 1, 2 * reach + 1), dtype=np.uint8)
    cv2.line(streak, ends[0].tolist(), ends[1].tolist(), 255, 1, cv2.LINE_AA, 4)
    kernel = streak.astype(np.float32) / float(streak.sum())
    return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.uint8)


def padded(image: Image, pad: int, border: int) -> Image:
    """Pad an image by ``pad`` pixels on every side; ``border`` is OpenCV's border type."""
    return np.asarray(cv2.copyMakeBorder(image, pad, pad, pad, pad, border), dtype=np.uint8)


def warp(image: Image, matrix: FloatArray, size: tuple[int, int], border: int) -> Image:
    """Warp an image by an affine matrix ``(2, 3)`` into a view of ``size``."""
    warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(warped, dtype=np.uint8)


def remap(image: Image, x: Field, y: Field, border: int) -> Image:
    """Sample an image at the coordinates x and y, ``(H, W)`` each."""
    moved = cv2.remap(
        image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(moved, dtype=np.uint8)


def resize(image: Image, side: int) -> Image:
    """Shrink an image to a square by averaging pixels."""
    resized = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def overlap(
    patch: tuple[int, ...], offset: tuple[int, int], frame: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of a patch at ``offset`` (x, y) and of the frame where the two overlap."""
    inside, window = [], []
    for start, length, limit in zip(offset[::-1], patch, frame, strict=False):
        low, high = min(max(start, 0), limit), max(min(start + length, limit), 0)
        high = max(low, high)
        window.append(slice(low, high))
        inside.append(slice(low - start, high - start))
    return (inside[0], inside[1]), (window[0], window[1])


def place(mask: Mask, offset: tuple[int, int], size: tuple[int, int]) -> Mask:
    """Place a mask at ``offset`` (x, y) in a frame of ``size``."""
    placed = np.zeros(size[::-1], dtype=np.bool_)
    inside, window = overlap(mask.shape, offset, placed.shape)
    placed[window] = mask[inside]
    return placed
