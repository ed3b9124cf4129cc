"""Crops: exact positions, sizes and masks under augmentation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.trackers.siamattn.training.conftest import RECIPE, STILL, TRACKING, shot
from trackers.siamattn.training.config import Jitter
from trackers.siamattn.training.crops import (
    Crop,
    cut,
    cut_pair,
    gray,
    mirrored,
    transposed,
)

WILD = Jitter(shift=40, scale=0.3, blur=1, flip=1, colour=1, strength=3, light=1)


def mask_corners(mask: np.ndarray) -> np.ndarray:
    ys, xs = np.nonzero(mask)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) - 0.5


@pytest.mark.parametrize("seed", range(20))
def test_box_and_mask_match_the_pixels(seed: int) -> None:
    found = cut(shot((120, 90, 50, 34)), 191, TRACKING, WILD, np.random.default_rng(seed))
    assert found.mask is not None
    assert found.image.shape == (191, 191, 3)
    seen = np.clip(found.box, -0.5, 190.5)
    assert mask_corners(found.mask) == pytest.approx(seen, abs=1.5)


@pytest.mark.parametrize("seed", range(10))
def test_both_crops_are_stretched_and_transposed_alike(seed: int) -> None:
    """Without other augmentation, both crops show the target centred, with the same new aspect."""
    still = dataclasses.replace(RECIPE.data, template=STILL, search=STILL)
    data = dataclasses.replace(still, stretch=0.8, turn=0.5)
    target, rng = shot((120, 90, 50, 34)), np.random.default_rng(seed)
    template, search = cut_pair(target, target, TRACKING, data, rng)
    size = search.box[2:] - search.box[:2]
    assert template.box[2:] - template.box[:2] == pytest.approx(size)
    assert template.image == pytest.approx(search.image[32:159, 32:159], abs=30)
    change = abs(np.log(size[0] / size[1]))
    assert change != pytest.approx(np.log(50 / 34))
    assert change < np.log(50 / 34) + 0.8
    assert mask_corners(search.mask) == pytest.approx(search.box, abs=1.5)
    assert (search.box[:2] + search.box[2:]) / 2 == pytest.approx([95, 95])
    context = 0.5 * size.sum()
    assert np.sqrt((size + context).prod()) == pytest.approx(127)


def test_half_of_the_pairs_of_a_wide_target_show_it_tall() -> None:
    data = dataclasses.replace(RECIPE.data, stretch=0.0, turn=0.5)
    target, rng = shot((120, 90, 80, 34)), np.random.default_rng(0)
    tall = []
    for _ in range(60):
        crops = cut_pair(target, target, TRACKING, data, rng)
        tall.append([np.less(*(crop.box[2:] - crop.box[:2])) for crop in crops])
    assert [each for each in tall if each[0] != each[1]] == []
    assert 20 < np.sum(tall, 0)[0] < 40


def test_a_crop_without_jitter_is_what_the_tracker_sees() -> None:
    """The target is centred, with the margin of equation 1 of SiamFC."""
    found = cut(shot((120, 90, 50, 34)), 191, TRACKING, STILL, np.random.default_rng(0))
    assert (found.box[:2] + found.box[2:]) / 2 == pytest.approx([95, 95])
    margin = 0.5 * (50 + 34)
    zoom = 127 / np.sqrt((50 + margin) * (34 + margin))
    assert found.box[2:] - found.box[:2] == pytest.approx(np.array([50, 34]) * zoom)


def test_a_search_crop_zooms_both_sides_alike() -> None:
    """Up to the given factor, in and out; the box matches the pixels."""
    target, rng = shot((120, 90, 50, 34)), np.random.default_rng(0)
    usual = cut(target, 191, TRACKING, STILL, rng).box
    zoom = dataclasses.replace(STILL, zoom=0.45)
    changes = []
    for _ in range(60):
        found = cut(target, 191, TRACKING, zoom, rng)
        assert mask_corners(found.mask) == pytest.approx(found.box, abs=1.5)
        changes.append(np.log((found.box[2:] - found.box[:2]) / (usual[2:] - usual[:2])))
    assert np.ptp(changes, axis=1) == pytest.approx(0)
    assert -0.45 <= np.min(changes) < -0.4
    assert 0.4 < np.max(changes) <= 0.45


def test_flips_transposition_and_gray() -> None:
    crop = Crop(shot((10, 20, 30, 40)).image, np.array([10.0, 20, 40, 60]), None)
    again = mirrored(mirrored(crop))
    assert np.array_equal(again.image, crop.image)
    assert np.array_equal(again.box, crop.box)
    assert mirrored(crop).box.tolist() == [319 - 40, 20, 319 - 10, 60]
    assert transposed(crop).box.tolist() == [20, 10, 60, 40]
    assert np.array_equal(transposed(crop).image[5, 7], crop.image[7, 5])
    plain = gray(crop).image
    assert (plain == plain[..., :1]).all()
    assert plain.shape == crop.image.shape


def test_illumination_varies_within_its_limit() -> None:
    target, dark, spread = shot((120, 90, 50, 34)), [], []
    target.image[:] = 60
    for seed in range(30):
        lit = dataclasses.replace(STILL, light=1.0)
        found = cut(target, 191, TRACKING, lit, np.random.default_rng(seed)).image.astype(float)
        assert (found[..., 0] == found[..., 2]).all(), "the light has no colour"
        assert 29 <= found.min() <= found.max() <= 120
        dark.append(found.mean())
        spread.append(np.ptp(found))
    assert min(dark) < 50 < 75 < max(dark)
    assert np.median(spread) > 15
