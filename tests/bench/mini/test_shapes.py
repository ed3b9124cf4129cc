from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ConfigError
from bench.mini.shapes import KINDS, draw_shape


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 2**32), st.floats(-3, 3), st.floats(0, 1))
def test_outlines_stay_in_their_square(
    kind: str, seed: int, phase: float, suppleness: float
) -> None:
    parts = draw_shape(np.random.default_rng(seed), kind, suppleness).outline(phase)
    for polygon, layer in parts:
        assert polygon.ndim == 2
        assert polygon.shape[1] == 2
        assert layer in range(4)
        assert np.abs(polygon).max() <= 1.06


@pytest.mark.parametrize("kind", ["blob", "walker", "bird"])
def test_living_things_move_and_repeat_their_cycle(kind: str) -> None:
    shape = draw_shape(np.random.default_rng(0), kind, 1.0)
    now, later, again = (shape.outline(phase) for phase in (0.1, 0.35, 1.1))
    same = [np.allclose(a[0], b[0]) for a, b in zip(now, again, strict=True)]
    moved = [not np.allclose(a[0], b[0], atol=0.02) for a, b in zip(now, later, strict=True)]
    assert all(same)
    assert any(moved)


def test_unknown_shape_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'walkers'.*'walker'"):
        draw_shape(np.random.default_rng(0), "walkers", 0.5)
