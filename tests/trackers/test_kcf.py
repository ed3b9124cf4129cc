"""The correlation filter: its algebra, its invariances, and real sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage

from bench.errors import ConfigError
from bench.files import read_rows
from bench.geometry import box_iou
from bench.images import ImageFiles
from bench.registry import make_spec, tracker_options
from trackers.features import crop
from trackers.kcf import KCF, subpixel_peak

SIZE = (240, 320)


def texture(seed: int, shape: tuple[int, int], grain: float) -> np.ndarray:
    """Smooth coloured noise ``(H, W, 3)`` over the whole range of bytes."""
    noise = np.random.default_rng(seed).standard_normal((*shape, 3))
    smooth = ndimage.gaussian_filter(noise, (grain, grain, 0), mode="wrap")
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


BACKGROUND = texture(1, SIZE, 6.0)
TARGET = texture(2, (160, 160), 6.0)


def scene(x: float, y: float, side: float) -> np.ndarray:
    """The target, ``side`` pixels wide, with its corner at x, y on the background."""
    grid = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    rows, columns = (grid[0] - y) * 160 / side - 0.5, (grid[1] - x) * 160 / side - 0.5
    inside = (rows > -0.5) & (rows < 159.5) & (columns > -0.5) & (columns < 159.5)
    image = BACKGROUND.copy()
    for channel in range(3):
        values = ndimage.map_coordinates(
            TARGET[..., channel], [rows[inside], columns[inside]], order=1, mode="nearest"
        )
        image[inside, channel] = values
    return image


def follow(tracker: KCF, images: list[np.ndarray], box: list[float]) -> np.ndarray:
    tracker.init(images[0], np.array(box))
    return np.array([tracker.update(image).region for image in images[1:]])


def test_it_tracks_a_moving_patch() -> None:
    steps = np.arange(25)
    x, y = 60 + 5.3 * steps, 90 + 25 * np.sin(steps / 4)
    images = [scene(*corner, 48) for corner in zip(x, y, strict=True)]
    boxes = follow(KCF(), images, [x[0], y[0], 48, 48])
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    truth = np.stack([x, y], axis=1)[1:] + 24
    errors = np.linalg.norm(centres - truth, axis=1)
    assert errors.max() < 2.5
    assert errors.mean() < 1


@pytest.mark.parametrize("rate", [0.985, 0.99, 1.0, 1.01, 1.015])
def test_it_tracks_a_zoom(rate: float) -> None:
    first = scene(130, 90, 60)
    zooms = rate ** np.arange(30)
    middle, extent = np.array([160.0, 120.0]), np.array([320.0, 240.0])
    images = [crop(first, middle, extent / zoom, SIZE) for zoom in zooms]
    boxes = follow(KCF(), images, [130, 90, 60, 60])
    assert boxes[-1, 2:] == pytest.approx(60 * zooms[[-1, -1]], rel=0.02)
    fixed = follow(KCF(scales=1), images, [130, 90, 60, 60])
    assert (fixed[:, 2:] == 60).all()


@settings(max_examples=10)
@given(dx=st.integers(-40, 40), dy=st.integers(-30, 30))
def test_a_shifted_scene_gives_shifted_boxes(dx: int, dy: int) -> None:
    images = [scene(130 + 4 * step, 90 - 3 * step, 40) for step in range(4)]
    shifted = [np.roll(image, (dy, dx), axis=(0, 1)) for image in images]
    boxes = follow(KCF(), images, [130, 90, 40, 40])
    moved = follow(KCF(), shifted, [130 + dx, 90 + dy, 40, 40])
    assert moved == pytest.approx(boxes + np.array([dx, dy, 0, 0]), abs=0.05)


def test_the_score_falls_when_the_target_is_gone() -> None:
    tracker = KCF()
    tracker.init(scene(100, 80, 48), np.array([100.0, 80, 48, 48]))
    present = tracker.update(scene(102, 80, 48)).score
    gone = tracker.update(BACKGROUND).score
    assert present is not None
    assert gone is not None
    assert 0.4 < present <= 1.1
    assert gone < 0.7 * present


@pytest.mark.parametrize("width", [44, 52])
def test_the_kernel_is_that_of_all_cyclic_shifts(width: int) -> None:
    tracker = KCF(window=32)
    tracker.init(scene(100, 80, 48), np.array([100.0, 80, width, 30]))
    h, w = tracker.shape
    random = np.random.default_rng(3)
    x, z = random.standard_normal((2, 5, h, w)).astype(np.float32)
    kernel = fft.irfft2(tracker._correlate(fft.rfft2(x), fft.rfft2(z)), (h, w))
    for dy, dx in np.ndindex(h, w):
        distance = ((np.roll(x, (dy, dx), axis=(1, 2)) - z) ** 2).sum()
        expected = np.exp(-distance / (0.5**2 * x.size))
        assert kernel[dy, dx] == pytest.approx(expected, abs=1e-5)


@given(
    x=st.floats(-3.9, 3.9),
    y=st.floats(-3.9, 3.9),
    height=st.integers(9, 20),
    width=st.integers(9, 20),
)
def test_the_peak_is_found_between_cells(x: float, y: float, height: int, width: int) -> None:
    rows = ((np.arange(height) - y + height / 2) % height - height / 2)[:, None]
    columns = (np.arange(width) - x + width / 2) % width - width / 2
    response = np.exp(-(rows**2 + columns**2) / 20).astype(np.float32)
    assert subpixel_peak(response) == pytest.approx([x, y], abs=0.05)


@pytest.mark.parametrize(
    "box",
    [
        [0, 0, 1, 1],
        [100, 100, 2, 3],
        [319, 239, 1, 1],
        [-30, -20, 40, 30],
        [300, 220, 60, 60],
        [900, 900, 20, 20],
        [-5000, 0, 10, 10],
        [0, 0, 320, 240],
        [-100, -100, 5000, 4000],
        [10, 10, 300, 1],
        [10, 10, 1, 230],
        [50, 50, 0, 0],
    ],
)
def test_unusual_boxes(box: list[float]) -> None:
    images = [scene(100 + 9 * step, 80, 48) for step in range(4)]
    boxes = follow(KCF(), images, box)
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > 0).all()
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    assert (centres >= 0).all()
    assert (centres <= SIZE[::-1]).all()


@pytest.mark.parametrize("value", [0, 255])
def test_flat_and_changing_images(value: int) -> None:
    flat = np.full((120, 160, 3), value, dtype=np.uint8)
    small = np.full((3, 2, 3), value, dtype=np.uint8)
    boxes = follow(KCF(), [flat, flat, small, flat], [50, 40, 20, 20])
    assert np.isfinite(boxes).all()


def test_a_run_repeats_to_the_bit() -> None:
    images = [scene(100 + 3 * step, 80, 48) for step in range(6)]
    tracker = KCF()
    first = follow(tracker, images, [100, 80, 48, 48])
    assert np.array_equal(follow(tracker, images, [100, 80, 48, 48]), first)


def test_options_are_typed_and_checked() -> None:
    options = tracker_options("kcf")
    assert options["padding"].annotation is float
    assert options["scales"].annotation is int
    spec = make_spec("kcf", {"scales": "5", "learning_rate": "0.01"})
    assert spec.options == {"scales": 5, "learning_rate": 0.01}
    for setting in ({"scales": "4"}, {"padding": "-1"}, {"window": "8"}, {"scale_step": "nan"}):
        with pytest.raises(ConfigError, match=r"kcf: option .* expected .* found"):
            make_spec("kcf", setting).build()


@pytest.mark.parametrize(
    ("name", "least"), [("Crossing", 0.70), ("Couple", 0.60), ("Football1", 0.65)]
)
def test_real_sequences(shared: Path, name: str, least: float) -> None:
    """Mean overlap is at least that of the first version, less a margin."""
    folder = shared / "data/otb2015/sequences" / name
    truth = read_rows(folder / "groundtruth_rect.txt") - [1, 1, 0, 0]
    frames = ImageFiles(tuple(sorted((folder / "img").glob("*.jpg"))[: len(truth)]))
    tracker = KCF()
    tracker.init(frames[0], truth[0])
    boxes = [tracker.update(frames[index]).region for index in range(1, len(frames))]
    assert box_iou(np.array(boxes), truth[1:]).mean() > least
