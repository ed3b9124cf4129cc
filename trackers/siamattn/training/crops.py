"""Training crops: cut around the target and augmented.

A single warp takes the frame to the crop, so the target's position, size and mask stay exact.
Boxes are x, y, width, height in frames; in crops they are corners, relative to the centre of the
first pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from trackers.siamattn.config import TrackingConfig
from trackers.siamattn.search import context_side
from trackers.siamattn.training.config import DataConfig, Jitter

_BLUR = (3, 15)  # motion blur length range, pixels
_LIGHT_GRID = (2, 3)  # control points per side of the illumination field
_SHARPEST = 8.0  # maximum contrast of shadow edges relative to the smooth field


@dataclass(frozen=True, eq=False)
class Shot:
    """A target in a frame.

    Attributes:
        image: RGB ``uint8 (H, W, 3)``.
        box: ``(4,)`` x, y, width, height.
        mask: ``(H, W)`` bool, or None.
    """

    image: Image
    box: FloatArray
    mask: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class Crop:
    """A square crop of a frame.

    Attributes:
        image: RGB ``uint8 (S, S, 3)``.
        box: ``(4,)`` corners of the target; may extend beyond the crop.
        mask: ``(S, S)`` uint8 0 or 1, or None.
    """

    image: Image
    box: FloatArray
    mask: NDArray[np.uint8] | None


def expanded(shot: Shot, sides: FloatArray) -> Shot:
    """The shot with its box's left, top, right, bottom moved out by shares ``(4,)`` of it."""
    x, y, width, height = shot.box
    left, top, right, bottom = sides
    box = [
        x - left * width,
        y - top * height,
        width * (1 + left + right),
        height * (1 + top + bottom),
    ]
    return Shot(shot.image, np.array(box), shot.mask)


def cut_pair(
    template: Shot,
    search: Shot,
    tracking: TrackingConfig,
    data: DataConfig,
    rng: np.random.Generator,
) -> tuple[Crop, Crop]:
    """The template crop, augmented mildly, and the search crop, augmented strongly.

    ``data.margin``, ``data.stretch`` and ``data.turn`` apply to both crops alike.
    """
    if data.margin:
        sides = rng.uniform(-data.margin, data.margin, 4)
        template, search = expanded(template, sides), expanded(search, sides)
    stretch = np.ones(2)
    if data.stretch:
        stretch = np.exp(rng.uniform(-data.stretch, data.stretch) * np.array([0.5, -0.5]))
    crops = (
        cut(template, tracking.exemplar, tracking, data.template, rng, stretch),
        cut(search, tracking.instance, tracking, data.search, rng, stretch),
    )
    if data.turn and rng.random() < data.turn:
        crops = (transposed(crops[0]), transposed(crops[1]))
    return crops


def cut(
    shot: Shot,
    side: int,
    tracking: TrackingConfig,
    jitter: Jitter,
    rng: np.random.Generator,
    stretch: FloatArray | None = None,
) -> Crop:
    """A crop of ``side`` pixels around the target.

    Args:
        shot: frame and target.
        side: side of the crop.
        tracking: ``exemplar`` and ``context`` determine the target's size in the crop.
        jitter: augmentation.
        rng: source of randomness.
        stretch: ``(2,)`` factors on the frame's width and height, applied first.
    """
    size = np.maximum(shot.box[2:], 1.0)
    stretch = np.ones(2) if stretch is None else stretch
    usual = tracking.exemplar / float(context_side(size * stretch, tracking.context))
    scale = usual * stretch * (1 + rng.uniform(-jitter.scale, jitter.scale, 2))
    if jitter.zoom:
        scale = scale * np.exp(rng.uniform(-jitter.zoom, jitter.zoom))
    middle = side // 2 + rng.uniform(-jitter.shift, jitter.shift, 2)
    centre = shot.box[:2] + (shot.box[2:] - 1) / 2
    matrix = np.column_stack([np.diag(scale), middle - scale * centre])
    image = _warp(shot.image, matrix, side, cv2.INTER_LINEAR, cv2.mean(shot.image))
    mask = None
    if shot.mask is not None:
        mask = _warp(shot.mask.view(np.uint8), matrix, side, cv2.INTER_NEAREST, (0.0,))
    half = size * scale / 2
    crop = Crop(image, np.concatenate([middle - half, middle + half]), mask)
    if rng.random() < jitter.flip:
        crop = mirrored(crop)
    image = crop.image
    if rng.random() < jitter.colour:
        image = _colour_jittered(image, jitter.strength, rng)
    if jitter.light:
        image = _illuminated(image, jitter.light, rng)
    if rng.random() < jitter.blur:
        image = _blurred(image, rng)
    return Crop(image, crop.box, crop.mask)


def mirrored(crop: Crop) -> Crop:
    """The crop flipped horizontally."""
    last = crop.image.shape[1] - 1
    box = np.array([last - crop.box[2], crop.box[1], last - crop.box[0], crop.box[3]])
    mask = None if crop.mask is None else np.ascontiguousarray(crop.mask[:, ::-1])
    return Crop(np.ascontiguousarray(crop.image[:, ::-1]), box, mask)


def transposed(crop: Crop) -> Crop:
    """The crop transposed."""
    mask = None if crop.mask is None else np.ascontiguousarray(crop.mask.T)
    return Crop(np.ascontiguousarray(crop.image.transpose(1, 0, 2)), crop.box[[1, 0, 3, 2]], mask)


def gray(crop: Crop) -> Crop:
    """The crop in greyscale."""
    one = cv2.cvtColor(crop.image, cv2.COLOR_RGB2GRAY)
    return Crop(np.repeat(np.asarray(one, dtype=np.uint8)[..., None], 3, -1), crop.box, crop.mask)


def _warp(
    image: NDArray[np.uint8], matrix: FloatArray, side: int, how: int, fill: Sequence[float]
) -> NDArray[np.uint8]:
    found = cv2.warpAffine(
        image, matrix, (side, side), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )
    return np.asarray(found, dtype=np.uint8)


def _colour_jittered(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Brightness, contrast and colour balance jittered."""
    light = rng.normal(0, 8 * strength) + rng.normal(0, 3 * strength, 3)
    gain = np.exp(rng.normal(0, 0.08 * strength)) * np.exp(rng.normal(0, 0.03 * strength, 3))
    levels = np.arange(256)[:, None]
    table = np.clip((levels - 128) * gain + 128 + light, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[:, None]), dtype=np.uint8)


def _illuminated(image: Image, stops: float, rng: np.random.Generator) -> Image:
    """Uneven illumination with soft or sharp shadows, up to ``stops`` brighter or darker."""
    places = rng.uniform(-1, 1, (int(rng.choice(_LIGHT_GRID)),) * 2).astype(np.float32)
    field = np.asarray(cv2.resize(places, image.shape[:2], interpolation=cv2.INTER_CUBIC))
    sharp = np.exp(rng.uniform(0, np.log(_SHARPEST)))
    gain = 2.0 ** (stops * rng.uniform() * np.tanh(sharp * (field - rng.uniform(-0.5, 0.5))))
    return np.asarray(np.clip(image * gain[..., None], 0, 255), dtype=np.uint8)


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    """Motion blur in a random direction."""
    length = int(rng.integers(*_BLUR)) | 1
    kernel = np.zeros((length, length), dtype=np.float32)
    kernel[length // 2] = 1.0 / length
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1.0)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), dtype=np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), dtype=np.uint8)
