"""Operations on images and masks that drawing is made of.

Images are ``uint8 (H, W, 3)`` or ``(H, W)``; sizes and offsets are (x, y) in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.mini.signals import FloatArray
from bench.mini.textures import Field, Image

Mask = NDArray[np.bool_]

LONGEST_STREAK = 25.0  # motion blur of more pixels than this is cut short
_SHARP = 1.5  # shorter streaks, in pixels, are not worth a filter


def blend(below: Image, above: Image, cover: Image) -> Image:
    """One image over another, as far as ``cover`` ``(H, W)`` 0..255 says."""
    weight = cover * np.float32(1 / 255)
    return np.asarray(cv2.blendLinear(above, below, weight, 1 - weight), dtype=np.uint8)


def lit(image: Image, light: Field) -> Image:
    """An image under a light ``(H, W)`` of which 1 changes nothing."""
    product = cv2.multiply(image, cv2.merge([light, light, light]), dtype=cv2.CV_8U)
    return np.asarray(product, dtype=np.uint8)


def streaked(image: Image, motion: FloatArray) -> Image:
    """An image blurred along a straight streak ``motion`` (x, y) pixels long."""
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
    """An image with ``pad`` pixels more on every side; ``border`` is OpenCV's."""
    return np.asarray(cv2.copyMakeBorder(image, pad, pad, pad, pad, border), dtype=np.uint8)


def warp(image: Image, matrix: FloatArray, size: tuple[int, int], border: int) -> Image:
    """An image moved by an affine matrix ``(2, 3)`` into a view of ``size``."""
    warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(warped, dtype=np.uint8)


def remap(image: Image, x: Field, y: Field, border: int) -> Image:
    """An image whose pixels come from where the fields x and y ``(H, W)`` say."""
    moved = cv2.remap(
        image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(moved, dtype=np.uint8)


def resize(image: Image, side: int) -> Image:
    """A smaller square image, its pixels averaged."""
    resized = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def overlap(
    patch: tuple[int, ...], offset: tuple[int, int], frame: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of a patch and of the frame where the patch at ``offset`` (x, y) covers it."""
    inside, window = [], []
    for start, length, limit in zip(offset[::-1], patch, frame, strict=False):
        low, high = min(max(start, 0), limit), max(min(start + length, limit), 0)
        high = max(low, high)
        window.append(slice(low, high))
        inside.append(slice(low - start, high - start))
    return (inside[0], inside[1]), (window[0], window[1])


def place(mask: Mask, offset: tuple[int, int], size: tuple[int, int]) -> Mask:
    """A mask with its own index_base as a mask ``(H, W)`` of the frame."""
    placed = np.zeros(size[::-1], dtype=np.bool_)
    inside, window = overlap(mask.shape, offset, placed.shape)
    placed[window] = mask[inside]
    return placed
