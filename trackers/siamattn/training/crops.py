"""From frames to what the network sees: crops around the target, changed at random.

One warp from the frame to the crop, so a target's place, size and mask are exact. Boxes are x, y,
width, height in frames, corners from the centre of the first pixel in crops.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, Image
from trackers.siamattn.config import TrackingConfig
from trackers.siamattn.search import context_side
from trackers.siamattn.training.config import DataConfig, Jitter
from trackers.siamattn.training.sources import BoolArray

_BLUR = (3, 15)  # shortest and longest motion blur, pixels
_LAMPS = (2, 3)  # places along a side between which the light changes
_SHARPEST = 8.0  # times that the edge of a shadow is steeper than a change between two places


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
    """A square cut from a frame.

    Attributes:
        image: RGB ``uint8 (S, S, 3)``.
        box: ``(4,)`` corners of the target, which may lie outside.
        mask: ``(S, S)`` uint8 0 or 1, or None.
    """

    image: Image
    box: FloatArray
    mask: NDArray[np.uint8] | None


def loosened(shot: Shot, sides: FloatArray) -> Shot:
    """The same with left, top, right and bottom of its box moved out by shares ``(4,)`` of it."""
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
    """The template crop, with its small changes, and the search crop, with its large ones.

    Both have boxes as loose, and are stretched and turned alike, as ``data.margin``,
    ``data.stretch`` and ``data.turn`` say.
    """
    if data.margin:
        sides = rng.uniform(-data.margin, data.margin, 4)
        template, search = loosened(template, sides), loosened(search, sides)
    stretch = np.ones(2)
    if data.stretch:
        stretch = np.exp(rng.uniform(-data.stretch, data.stretch) * np.array([0.5, -0.5]))
    crops = (
        cut(template, tracking.exemplar, tracking, data.template, rng, stretch),
        cut(search, tracking.instance, tracking, data.search, rng, stretch),
    )
    if data.turn and rng.random() < data.turn:
        crops = (turned(crops[0]), turned(crops[1]))
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
        shot: what to cut from.
        side: of the crop.
        tracking: ``exemplar`` and ``context`` say how large the target shall be.
        jitter: the random changes.
        rng: their randomness.
        stretch: ``(2,)`` factors of the frame's width and height, by which it is stretched first.
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
    image = _warp(shot.image, matrix, side, cv2.INTER_LINEAR, shot.image.mean((0, 1)))
    mask = None
    if shot.mask is not None:
        mask = _warp(shot.mask.astype(np.uint8), matrix, side, cv2.INTER_NEAREST, np.zeros(1))
    half = size * scale / 2
    crop = Crop(image, np.concatenate([middle - half, middle + half]), mask)
    if rng.random() < jitter.flip:
        crop = mirrored(crop)
    image = crop.image
    if rng.random() < jitter.colour:
        image = _coloured(image, jitter.strength, rng)
    if jitter.light:
        image = _lit(image, jitter.light, rng)
    if rng.random() < jitter.blur:
        image = _blurred(image, rng)
    return Crop(image, crop.box, crop.mask)


def mirrored(crop: Crop) -> Crop:
    """Left and right exchanged."""
    last = crop.image.shape[1] - 1
    box = np.array([last - crop.box[2], crop.box[1], last - crop.box[0], crop.box[3]])
    mask = None if crop.mask is None else np.ascontiguousarray(crop.mask[:, ::-1])
    return Crop(np.ascontiguousarray(crop.image[:, ::-1]), box, mask)


def turned(crop: Crop) -> Crop:
    """Its axes exchanged."""
    mask = None if crop.mask is None else np.ascontiguousarray(crop.mask.T)
    return Crop(np.ascontiguousarray(crop.image.transpose(1, 0, 2)), crop.box[[1, 0, 3, 2]], mask)


def gray(crop: Crop) -> Crop:
    """The same without colour."""
    one = cv2.cvtColor(crop.image, cv2.COLOR_RGB2GRAY)
    return Crop(np.repeat(np.asarray(one, dtype=np.uint8)[..., None], 3, -1), crop.box, crop.mask)


def _warp(
    image: NDArray[np.uint8], matrix: FloatArray, side: int, how: int, fill: FloatArray
) -> NDArray[np.uint8]:
    found = cv2.warpAffine(
        image, matrix, (side, side), flags=how, borderMode=cv2.BORDER_CONSTANT,
        borderValue=[float(value) for value in fill],
    )  # fmt: skip
    return np.asarray(found, dtype=np.uint8)


def _coloured(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Another light, contrast and balance of colours."""
    light = rng.normal(0, 8 * strength) + rng.normal(0, 3 * strength, 3)
    gain = np.exp(rng.normal(0, 0.08 * strength)) * np.exp(rng.normal(0, 0.03 * strength, 3))
    levels = np.arange(256)[:, None]
    table = np.clip((levels - 128) * gain + 128 + light, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[:, None]), dtype=np.uint8)


def _lit(image: Image, stops: float, rng: np.random.Generator) -> Image:
    """In a light that is brighter here than there, with soft or sharp shadows."""
    places = rng.uniform(-1, 1, (int(rng.choice(_LAMPS)),) * 2).astype(np.float32)
    field = np.asarray(cv2.resize(places, image.shape[:2], interpolation=cv2.INTER_CUBIC))
    sharp = np.exp(rng.uniform(0, np.log(_SHARPEST)))
    gain = 2.0 ** (stops * rng.uniform() * np.tanh(sharp * (field - rng.uniform(-0.5, 0.5))))
    return np.asarray(np.clip(image * gain[..., None], 0, 255), dtype=np.uint8)


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    """Smeared along a random direction."""
    length = int(rng.integers(*_BLUR)) | 1
    kernel = np.zeros((length, length), dtype=np.float32)
    kernel[length // 2] = 1.0 / length
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1.0)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), dtype=np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), dtype=np.uint8)
