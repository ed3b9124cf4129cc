"""Other looks of the same pair, so that no texture of generated video is relied on.

A random convolution leaves what is where and changes how everything looks: colours, edges,
textures (random convolutions as augmentation: Xu et al., ICLR 2021). Both crops of a pair go
through the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bench.arrays import Image

_SIDES = (1, 3, 5, 7)  # pixels of a kernel
_CONTRAST = (25.0, 65.0)  # grey levels, deviation of what a convolution finds


@dataclass(frozen=True, eq=False)
class Look:
    """A convolution of pictures.

    Attributes:
        kernel: ``(3, 3, K, K)`` weights: colours out, colours in, rows, columns.
        share: of the convolved picture; the rest is the picture as it was.
        contrast: deviation of the convolved picture, grey levels.
    """

    kernel: NDArray[np.float32]
    share: float
    contrast: float

    def __call__(self, template: Image, search: Image) -> tuple[Image, Image]:
        """Both RGB ``uint8 (S, S, 3)`` pictures; the search image says how bright both become."""
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


def draw_look(rng: np.random.Generator) -> Look:
    """A random convolution of a random size, mixed in by a random share."""
    side = int(rng.choice(_SIDES))
    kernel = rng.standard_normal((3, 3, side, side), dtype=np.float32)
    return Look(kernel, float(rng.uniform()), float(rng.uniform(*_CONTRAST)))
