"""Windows and gradient histograms against loops that follow the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackers.features import crop, hog, hog_and_colour

RANDOM = np.random.default_rng(7)
IMAGE = RANDOM.integers(0, 256, (40, 60, 3), dtype=np.uint8)


def _reference_histograms(grey: np.ndarray, cell: int) -> np.ndarray:
    """18 signed orientations per cell, pixel by pixel (Felzenszwalb et al. 2010, section 6.1)."""
    padded = np.pad(grey.astype(float), 1, mode="edge")
    height, width = grey.shape[0] // cell, grey.shape[1] // cell
    histograms = np.zeros((18, height, width))
    for y in range(grey.shape[0]):
        for x in range(grey.shape[1]):
            dx = padded[y + 1, x + 2] - padded[y + 1, x]
            dy = padded[y + 2, x + 1] - padded[y, x + 1]
            position = np.arctan2(dy, dx) % (2 * np.pi) / (2 * np.pi / 18)
            for row in range(height):
                for column in range(width):
                    near_y = max(0, 1 - abs((y + 0.5) / cell - (row + 0.5)))
                    near_x = max(0, 1 - abs((x + 0.5) / cell - (column + 0.5)))
                    lower = int(position)
                    vote = np.hypot(dx, dy) * near_y * near_x
                    histograms[lower % 18, row, column] += vote * (1 - position + lower)
                    histograms[(lower + 1) % 18, row, column] += vote * (position - lower)
    return histograms


def _reference_hog(grey: np.ndarray, cell: int) -> np.ndarray:
    """31 channels: every histogram is divided by the norm of each of its four blocks."""
    signed = _reference_histograms(grey, cell)
    unsigned = signed[:9] + signed[9:]
    energy = np.pad((unsigned**2).sum(axis=0), 1, mode="edge")
    channels = np.zeros((31, *signed.shape[1:]))
    for row, column in np.ndindex(*signed.shape[1:]):
        for block, (dy, dx) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            norm = np.sqrt(
                energy[row + dy : row + dy + 2, column + dx : column + dx + 2].sum() + 1e-4
            )
            clipped = np.minimum(np.r_[signed, unsigned][:, row, column] / norm, 0.2)
            channels[:27, row, column] += clipped / 2
            channels[27 + block, row, column] = 0.2357 * clipped[:18].sum()
    return channels


def test_hog_equals_its_definition() -> None:
    grey = RANDOM.random((12, 20)).astype(np.float32)
    assert hog(grey, 4) == pytest.approx(_reference_hog(grey, 4), abs=2e-3)


@pytest.mark.parametrize(("axis", "channel"), [(1, 0), (0, None)])
def test_a_ramp_has_one_orientation(axis: int, channel: int | None) -> None:
    ramp = np.linspace(0, 1, 24, dtype=np.float32)
    grey = np.tile(ramp, (24, 1)) if axis == 1 else np.tile(ramp[:, None], (1, 24))
    signed = hog(grey, 4)[:18, 2, 2]
    # 90 degrees is midway between the orientations at 80 and 100 degrees.
    expected = {0} if channel == 0 else {4, 5}
    assert set(np.flatnonzero(signed > 0.05)) == expected


def test_a_flat_image_has_no_gradient_and_its_colour() -> None:
    window = np.full((16, 16, 3), (255, 0, 0), dtype=np.uint8)
    features = hog_and_colour(window, 4)
    assert not features[:31].any()
    assert features[31:, 1, 1] == pytest.approx([1 / 3 - 0.5, 2 / 3, -1 / 3], abs=1e-6)


def test_a_window_on_whole_pixels_is_a_slice() -> None:
    window = crop(IMAGE, np.array([20.0, 15.0]), np.array([10.0, 8.0]), (8, 10))
    assert np.array_equal(window, IMAGE[11:19, 15:25])


def test_the_border_is_continued() -> None:
    window = crop(IMAGE, np.array([0.0, 0.0]), np.array([8.0, 8.0]), (8, 8))
    assert (window[:4, :4] == IMAGE[0, 0]).all()
    assert np.array_equal(window[4:, 4:], IMAGE[:4, :4])


def test_shrinking_averages() -> None:
    window = crop(IMAGE, np.array([30.0, 20.0]), np.array([60.0, 40.0]), (10, 15))
    means = IMAGE.reshape(10, 4, 15, 4, 3).mean(axis=(1, 3))
    assert np.abs(window - means).max() <= 1


@given(
    centre=st.tuples(*[st.floats(-500, 500)] * 2),
    size=st.tuples(*[st.floats(0.1, 2000)] * 2),
)
def test_any_window_can_be_cropped(centre: tuple[float, float], size: tuple[float, float]) -> None:
    window = crop(IMAGE, np.array(centre), np.array(size), (12, 16))
    assert window.shape == (12, 16, 3)
    assert np.isfinite(hog_and_colour(window, 4)).all()
