"""The film a pair is shot on: dull, flat, coarse or compressed, as real video often is.

Generated video is crisp and colourful. Both crops of a pair get the same film, so that nothing
of it tells the target from the rest; each is exposed for itself, as a camera does: contrast is
lost around the crop's own mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.arrays import Image

_COARSEST = 2.5  # pixels of a crop in which there is no detail
_CHANCE = 0.5  # of each of the film's faults


@dataclass(frozen=True)
class Film:
    """What becomes of a picture.

    Attributes:
        saturation: share of the colour that is left.
        contrast: share of the contrast that is left, or more than there was.
        gamma: exponent of the brightness.
        detail: pixels in which there is no detail; 1 leaves all.
        quality: of the JPEG compression, 1 to 100; 0 for none.
    """

    saturation: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    detail: float = 1.0
    quality: int = 0

    def __call__(self, image: Image) -> Image:
        """``image``, RGB ``uint8 (H, W, 3)``, as it looks on this film."""
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


def draw_film(rng: np.random.Generator) -> Film:
    """A film with some faults, each by chance."""
    faults = rng.random(5) < _CHANCE
    drawn = Film(
        saturation=rng.uniform(0.0, 1.0),
        contrast=rng.uniform(0.35, 1.2),
        gamma=float(np.exp(rng.uniform(-0.6, 0.6))),
        detail=rng.uniform(1.0, _COARSEST),
        quality=int(rng.integers(15, 80)),
    )
    values = zip(vars(drawn).items(), faults, strict=True)
    return Film(**{name: value for (name, value), fault in values if fault})
