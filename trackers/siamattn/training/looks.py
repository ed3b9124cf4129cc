"""Appearance augmentation: random convolutions and degraded image quality.

Both crops of a pair are changed alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bench.arrays import Image

_SIDES = (1, 3, 5, 7)  # kernel sizes
_CONTRAST = (25.0, 65.0)  # standard deviation range of the output, grey levels


@dataclass(frozen=True, eq=False)
class RandomConvolution:
    """A random convolution (Xu et al., ICLR 2021), against reliance on generated textures.

    It changes colours, edges and textures but moves nothing.

    Attributes:
        kernel: ``(3, 3, K, K)`` weights: output colour, input colour, row, column.
        share: blending weight of the convolved image; the rest is the original.
        contrast: standard deviation of the convolved image, grey levels.
    """

    kernel: NDArray[np.float32]
    share: float
    contrast: float

    def __call__(self, template: Image, search: Image) -> tuple[Image, Image]:
        """Both RGB ``uint8 (S, S, 3)`` images, normalised by the search image's statistics."""
        found = [self._convolved(image) for image in (template, search)]
        middle = found[1].mean((1, 2), keepdim=True)
        gain = self.contrast / (float(found[1].std(dim=(1, 2)).mean()) + 1e-3)
        return (
            self._mixed(template, (found[0] - middle) * gain + 128),
            self._mixed(search, (found[1] - middle) * gain + 128),
        )

    def _convolved(self, image: Image) -> torch.Tensor:
        picture = torch.from_numpy(image.astype(np.float32).transpose(2, 0, 1))[None]
        edge = self.kernel.shape[-1] // 2
        padded = functional.pad(picture, (edge,) * 4, mode="reflect")
        return functional.conv2d(padded, torch.from_numpy(self.kernel))[0]

    def _mixed(self, image: Image, found: torch.Tensor) -> Image:
        there = found.numpy().transpose(1, 2, 0)
        both = self.share * there + (1 - self.share) * image
        return np.asarray(np.clip(both, 0, 255), dtype=np.uint8)


def draw_convolution(rng: np.random.Generator) -> RandomConvolution:
    """A random convolution of random size and blending weight."""
    side = int(rng.choice(_SIDES))
    kernel = rng.standard_normal((3, 3, side, side), dtype=np.float32)
    return RandomConvolution(kernel, float(rng.uniform()), float(rng.uniform(*_CONTRAST)))


_COARSEST = 2.5  # maximum loss of detail, pixels
_CHANCE = 0.5  # probability of each degradation


@dataclass(frozen=True)
class Degradation:
    """Image degradation as in real video: dull, flat, blurred or compressed.

    Generated video is crisp and colourful. Both crops of a pair get the same degradation, so it
    cannot tell the target from its surroundings; contrast changes about each crop's own mean, as
    a camera's exposure would.

    Attributes:
        saturation: share of the colour saturation that is kept.
        contrast: contrast factor.
        gamma: exponent of the brightness.
        detail: downsampling factor; 1 keeps all detail.
        quality: JPEG quality, 1 to 100; 0 for no compression.
    """

    saturation: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    detail: float = 1.0
    quality: int = 0

    def __call__(self, image: Image) -> Image:
        """The degraded ``image``, RGB ``uint8 (H, W, 3)``."""
        return self._compressed(self._coarse(self._toned(image)))

    def _toned(self, image: Image) -> Image:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        dull = cv2.addWeighted(image, self.saturation, grey, 1 - self.saturation, 0)
        levels = 255 * (np.arange(256) / 255) ** self.gamma
        middle = levels[int(grey.mean())]
        table = np.clip((levels - middle) * self.contrast + middle, 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(dull, table), dtype=np.uint8)

    def _coarse(self, image: Image) -> Image:
        if self.detail <= 1:
            return image
        height, width = image.shape[:2]
        size = (round(width / self.detail), round(height / self.detail))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))

    def _compressed(self, image: Image) -> Image:
        if not self.quality:
            return image
        _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), dtype=np.uint8)


def draw_degradation(rng: np.random.Generator) -> Degradation:
    """A random degradation; each fault occurs independently."""
    faults = rng.random(5) < _CHANCE
    drawn = Degradation(
        saturation=rng.uniform(0.0, 1.0),
        contrast=rng.uniform(0.35, 1.2),
        gamma=float(np.exp(rng.uniform(-0.6, 0.6))),
        detail=rng.uniform(1.0, _COARSEST),
        quality=int(rng.integers(15, 80)),
    )
    values = zip(vars(drawn).items(), faults, strict=True)
    return Degradation(**{name: value for (name, value), fault in values if fault})
