"""Procedural textures with the statistics of natural images.

1/f noise, stripes, spots and tiles. Images are RGB ``uint8 (H, W, 3)``; colours are float
``(K, 3)`` in 0..255.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.arrays import Image

Field = NDArray[np.float32]


def fractal_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    exponent: float = 1.1,
    stretch: float = 1.0,
) -> Field:
    """Periodic 1/f^exponent noise ``(H, W)`` with mean 0 and standard deviation 1.

    ``stretch`` > 1 elongates it along x, as in water.
    """
    height, width = shape
    fy = np.fft.fftfreq(height)[:, None].astype(np.float32)
    fx = np.fft.rfftfreq(width)[None, :].astype(np.float32) * np.float32(stretch)
    radius = np.hypot(fx, fy)
    radius[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape, dtype=np.float32))
    field: Field = np.fft.irfft2(spectrum * radius**-exponent, s=shape).astype(np.float32)
    return field / max(float(field.std()), 1e-9)


def draw_palette(rng: np.random.Generator, colours: int = 5, vividness: float = 1.0) -> Field:
    """Matching colours ``(colours, 3)``: similar hues with different brightness.

    ``vividness`` scales the saturation: about 0.5 for landscapes, 1 for objects.
    """
    hue = (rng.uniform() + rng.normal(0, 0.07, colours)) % 1.0
    hue[-1] = (hue[0] + rng.uniform(0.25, 0.6)) % 1.0
    saturation = vividness * rng.beta(2, 3) * rng.uniform(0.6, 1.2, colours)
    value = rng.permutation(np.linspace(0.28, 0.92, colours)) + rng.normal(0, 0.05, colours)
    hsv = np.stack([hue * 360, np.clip(saturation, 0, 1), np.clip(value, 0.1, 1)], axis=-1)
    rgb = cv2.cvtColor(hsv[None].astype(np.float32), cv2.COLOR_HSV2RGB)[0]
    return np.asarray(rgb * 255, dtype=np.float32)


def _clouds(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    return _ranked(fractal_noise(rng, shape, rng.uniform(1.4, 1.9)))


def _stripes(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Wavy bands with whole numbers of periods in x and y, which keeps them periodic."""
    turns_x, turns_y = rng.integers(-4, 5), rng.integers(1, 6)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    phase = x * (turns_x / shape[1]) + y * (turns_y / shape[0])
    phase += rng.uniform(0.02, 0.15) * fractal_noise(rng, shape, 2.0)
    wave: Field = 0.5 + 0.5 * np.tanh(3 * np.sin(2 * np.pi * phase))
    return wave


def _spots(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    noise = fractal_noise(rng, shape, 0.0)
    sigma = min(shape) / rng.uniform(14, 30)
    fine = cv2.GaussianBlur(noise, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    spots: Field = 0.5 + 0.5 * np.tanh(4 * (fine / fine.std() - 0.6))
    return spots.astype(np.float32)


def _tiles(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    rows, columns = rng.integers(3, 8, 2)
    levels = rng.uniform(0, 1, (rows, columns)).astype(np.float32)
    tiles = cv2.resize(levels, shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(tiles, dtype=np.float32)


PATTERNS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Field]] = {
    "clouds": _clouds,
    "stripes": _stripes,
    "spots": _spots,
    "tiles": _tiles,
}


def surface(
    rng: np.random.Generator,
    shape: tuple[int, int],
    palette: Field,
    pattern: str = "clouds",
    grain: float = 9.0,
) -> Image:
    """Surface ``(H, W, 3)`` with a pattern and brightness noise.

    Args:
        rng: random generator.
        shape: height and width in pixels.
        palette: ``(K, 3)`` colours of the pattern.
        pattern: a name in ``PATTERNS``.
        grain: standard deviation of the 1/f brightness noise, in grey levels.
    """
    colours = colourise(PATTERNS[pattern](rng, shape), palette)
    wear: Field = np.float32(grain) * (
        fractal_noise(rng, shape, 1.3) + np.float32(0.7) * fractal_noise(rng, shape, 0.5)
    )
    return to_image(colours + wear[..., None])


def colourise(level: Field, palette: Field) -> Field:
    """Map levels ``(H, W)`` in [0, 1] to colours ``(H, W, 3)`` along the palette."""
    position = np.linspace(0, 1, len(palette))
    steps = np.linspace(0, 1, 256)
    table = np.stack([np.interp(steps, position, channel) for channel in palette.T], axis=-1)
    index = (np.clip(level, 0, 1) * 255).astype(np.uint8)
    return table.astype(np.float32)[index]


def to_image(values: Field) -> Image:
    """Floats to ``uint8``, clipped."""
    return np.clip(values, 0, 255).astype(np.uint8)


def _ranked(field: Field) -> Field:
    """Squash a field of standard deviation 1 into [0, 1] with nearly uniform levels."""
    ranked: Field = 0.5 + 0.5 * np.tanh(0.9 * field)
    return ranked
