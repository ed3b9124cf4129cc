from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.mini.signals import pulse, roam, smooth, stream, wander

SEEDS = st.integers(0, 2**40)


def test_streams_repeat_and_differ_by_seed_and_name() -> None:
    def draw(seed: int, *names: str) -> list[float]:
        return stream(seed, *names).uniform(size=4).tolist()

    assert draw(0, "a", "b") == draw(0, "a", "b")
    drawn = [draw(0, "a"), draw(1, "a"), draw(0, "b"), draw(0, "a", "b"), draw(0, "train", "a")]
    assert len({tuple(values) for values in drawn}) == len(drawn)


@given(SEEDS, st.integers(2, 200), st.floats(0, 50))
def test_wander_starts_at_rest_and_reaches_its_amplitude(
    seed: int, frames: int, amplitude: float
) -> None:
    values = wander(np.random.default_rng(seed), frames, amplitude)
    assert values.shape == (frames,)
    assert values[0] == 0
    assert np.abs(values).max() == pytest.approx(amplitude)


@given(SEEDS, st.integers(2, 120), st.integers(0, 12))
def test_roam_stays_in_its_square(seed: int, frames: int, legs: int) -> None:
    path = roam(np.random.default_rng(seed), frames, legs)
    assert path.shape == (frames, 2)
    assert np.abs(path).max() <= 1 + 1e-9


def test_smoothing_keeps_constants_and_lines() -> None:
    line = np.arange(60.0)[:, None] * [1, -2]
    assert np.allclose(smooth(np.ones((9, 1)), 2.0), 1)
    assert np.allclose(smooth(line, 3.0)[10:-10], line[10:-10])


def test_pulse_holds_its_plateau() -> None:
    level = pulse(100, centre=50, plateau=10, ramp=8)
    assert (level[45:56] == 1).all()
    assert (level[:37] == 0).all()
    assert (level[63:] < 1e-9).all()
    assert level[41] == pytest.approx(0.5)
