"""Random convolutions and degraded image quality."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from trackers.siamattn.training.looks import (
    Degradation,
    RandomConvolution,
    draw_convolution,
    draw_degradation,
)


def test_degradation_changes_colours_and_detail_but_moves_nothing() -> None:
    image = np.full((60, 80, 3), (200, 120, 40), np.uint8)
    image[20:40, 30:50] = (20, 40, 220)
    assert np.array_equal(Degradation()(image), image)
    dull = Degradation(saturation=0.0)(image)
    assert (dull[..., 0] == dull[..., 2]).all()
    flat = Degradation(contrast=0.5)(image)
    assert np.ptp(flat[..., 0].astype(int)) < 0.6 * np.ptp(image[..., 0].astype(int))
    coarse = Degradation(detail=2.5, quality=40)(image)
    edges = np.abs(np.diff(coarse[30, :, 0].astype(int)))
    assert {int(k) for k in np.flatnonzero(edges > 30)} <= {*range(27, 33), *range(47, 53)}
    assert edges.max() < np.abs(np.diff(image[30, :, 0].astype(int))).max(), "an edge is spread"
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    assert np.std(Degradation(detail=2.5)(noise)) < 0.7 * np.std(noise)
    worse, better = (
        np.abs(Degradation(quality=q)(noise).astype(int) - noise).mean() for q in (15, 95)
    )
    assert worse > better > 0
    dark, light = (Degradation(gamma=gamma)(image).mean() for gamma in (1.5, 0.6))
    assert dark < image.mean() < light
    films = [draw_degradation(np.random.default_rng(seed)) for seed in range(20)]
    assert len(set(films)) > 10
    assert all(film(image).shape == image.shape for film in films)


def test_both_crops_pass_through_one_convolution() -> None:
    """A kernel that swaps colours and shifts by one pixel maps both crops alike."""
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[0, 2, 1, 0] = kernel[1, 1, 1, 0] = kernel[2, 0, 1, 0] = 1
    noise = np.random.default_rng(0).integers(60, 190, (40, 40, 3), dtype=np.uint8)
    search = cv2.blur(noise, (3, 3))
    template = search[10:30, 10:30]
    first, second = RandomConvolution(kernel, 1.0, 30.0)(template, search)
    assert np.array_equal(first[:, 1:], second[10:30, 11:30])
    moved = search[:, :-1, ::-1].astype(float)
    for colour in range(3):
        seen, expected = second[:, 1:, colour].ravel(), moved[..., colour].ravel()
        assert np.corrcoef(seen, expected)[0, 1] > 0.999
    assert second.std((0, 1)).mean() == pytest.approx(30, rel=0.05)
    assert np.abs(second.mean((0, 1)) - 128).max() < 2
    unchanged = RandomConvolution(kernel, 0.0, 30.0)(template, search)
    assert np.array_equal(unchanged[0], template)
    assert np.array_equal(unchanged[1], search)


def test_convolutions_vary_and_flat_areas_stay_flat() -> None:
    search = np.full((40, 40, 3), 90, np.uint8)
    search[:, 20:] = (200, 30, 40)
    looks = [draw_convolution(np.random.default_rng(seed)) for seed in range(40)]
    assert {look.kernel.shape[-1] for look in looks} == {1, 3, 5, 7}
    found = np.array([look(search[:20, 10:30], search)[1] for look in looks])
    assert len({picture.tobytes() for picture in found}) == len(looks)
    assert np.ptp(found[:, :, 3:17], axis=2).max() <= 1, "no edge is near"
    flat = np.full((40, 40, 3), 90, np.uint8)
    for look in looks:
        assert np.ptp(look(flat, flat)[1], axis=(0, 1)).max() <= 2, "nothing is made of nothing"
