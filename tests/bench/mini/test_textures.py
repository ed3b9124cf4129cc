from __future__ import annotations

import numpy as np
import pytest

from bench.errors import ConfigError
from bench.mini.places import WORLD, draw_shadows, draw_world, places
from bench.mini.textures import PATTERNS, draw_palette, fractal_noise, surface


def seam(image: np.ndarray, axis: int) -> float:
    """The step across the border relative to the largest step between inner lines."""
    values = image.astype(float)
    steps = np.abs(np.diff(values, axis=axis, append=values.take([0], axis)))
    lines = steps.mean(axis=tuple(d for d in range(3) if d != axis))
    return float(lines[-1] / lines[:-1].max())


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_amplitude_of_noise_falls_as_asked(exponent: float) -> None:
    field = fractal_noise(np.random.default_rng(3), (512, 512), exponent)
    amplitude = np.abs(np.fft.rfft2(field))
    radius = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None, :])
    rings = [(radius > low) & (radius < 1.2 * low) for low in (0.01, 0.02, 0.04, 0.08, 0.16)]
    logs = [np.log(amplitude[ring].mean()) for ring in rings]
    slope = np.polyfit(np.log([0.01, 0.02, 0.04, 0.08, 0.16]), logs, 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.08)
    assert field.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", places())
def test_worlds_have_no_border_and_natural_statistics(name: str) -> None:
    rng = np.random.default_rng(1)
    world = draw_world(rng, name, draw_palette(rng))
    assert world.shape == (WORLD, WORLD, 3)
    assert seam(world, 0) < 1.05
    assert seam(world, 1) < 1.05
    # The amplitude spectrum of natural images falls as 1/f^1.0 +- 0.3 (Field 1987).
    grey = world.mean(axis=2)
    amplitude = np.abs(np.fft.rfft2(grey - grey.mean()))
    radius = np.hypot(np.fft.fftfreq(WORLD)[:, None], np.fft.rfftfreq(WORLD)[None, :])
    lows = [0.01, 0.02, 0.04, 0.08]
    logs = [np.log(amplitude[(radius > r) & (radius < 1.4 * r)].mean()) for r in lows]
    assert -1.8 < np.polyfit(np.log(lows), logs, 1)[0] < -0.7


def test_unknown_place_is_named_with_the_known_ones() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match=r"'forrest'.*'forest'.*street"):
        draw_world(rng, "forrest", draw_palette(rng))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_surfaces_have_contrast_a_tracker_can_hold_on_to(pattern: str) -> None:
    rng = np.random.default_rng(5)
    image = surface(rng, (64, 128), draw_palette(rng), pattern)
    assert image.shape == (64, 128, 3)
    assert image.std(axis=(0, 1)).min() > 5


def test_shadows_are_as_deep_as_asked() -> None:
    assert (draw_shadows(np.random.default_rng(0), 0.0) == 255).all()
    deep = draw_shadows(np.random.default_rng(0), 1.0)
    assert deep.min() < 120
    assert deep.max() > 230
