"""Crops, samples and generated pairs: exact places, awkward targets, the same pairs again."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from bench.mini.signals import stream
from trackers.siamattn.config import preset
from trackers.siamattn.engine import Engine
from trackers.siamattn.network import Network
from trackers.siamattn.training import samples
from trackers.siamattn.training.config import Jitter, recipe
from trackers.siamattn.training.crops import (
    Crop,
    Shot,
    cut,
    cut_pair,
    gray,
    loosened,
    mirrored,
    turned,
)
from trackers.siamattn.training.data import Samples, Steps, make_loader, steps_per_epoch
from trackers.siamattn.training.film import Film, draw_film
from trackers.siamattn.training.generated import GeneratedPairs, draw_clip
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.looks import Look, draw_look
from trackers.siamattn.training.samples import Pair, collate, make_sample

WORLD = {"data.scenes": 2, "data.streams": 1, "data.parts": 0.0, "data.motley": 0.0}
RECIPE = recipe("nano", {**WORLD, "data.margin": 0.0, "data.look": 0.0, "schedule.batch": 4})
CONFIG = preset(RECIPE.preset)
TRACKING = CONFIG.tracking_for()
STILL = Jitter(shift=0, scale=0, blur=0, flip=0, colour=0)
WILD = Jitter(shift=40, scale=0.3, blur=1, flip=1, colour=1, strength=3, light=1)


def shot(box: tuple[float, ...], size: tuple[int, int] = (240, 320)) -> Shot:
    """Noise with a bright rectangle on the target, which may lie outside."""
    image = np.random.default_rng(0).integers(0, 60, (*size, 3), dtype=np.uint8)
    x, y, w, h = (round(v) for v in box)
    mask = np.zeros(size, dtype=bool)
    mask[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
    image[mask] = (250, 200, 150)
    return Shot(image, np.array(box, dtype=np.float64), mask)


def mask_corners(mask: np.ndarray) -> np.ndarray:
    ys, xs = np.nonzero(mask)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) - 0.5


@pytest.mark.parametrize("seed", range(20))
def test_box_and_mask_stay_with_the_pixels(seed: int) -> None:
    found = cut(shot((120, 90, 50, 34)), 191, TRACKING, WILD, np.random.default_rng(seed))
    assert found.mask is not None
    assert found.image.shape == (191, 191, 3)
    seen = np.clip(found.box, -0.5, 190.5)
    assert mask_corners(found.mask) == pytest.approx(seen, abs=1.5)


@pytest.mark.parametrize("seed", range(10))
def test_both_crops_are_stretched_and_turned_alike(seed: int) -> None:
    """Where nothing else changes, the target has one new aspect in both crops, in the middle."""
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


def test_both_boxes_of_a_pair_are_loose_in_the_same_way() -> None:
    """Each side by a share of its own, at most as asked; the picture stays, the mask too."""
    wide, narrow = shot((120, 90, 50, 34)), shot((100, 60, 25, 68))
    sides = np.array([0.1, -0.1, 0.2, 0.0])
    assert loosened(wide, sides).box == pytest.approx([115, 93.4, 65, 30.6])
    assert loosened(narrow, sides).box == pytest.approx([97.5, 66.8, 32.5, 61.2])
    assert loosened(wide, sides).mask is wide.mask
    data = dataclasses.replace(RECIPE.data, margin=0.12, template=STILL, search=STILL, gray=0.0)
    data = dataclasses.replace(data, film=0.0, turn=0.0, stretch=0.0)
    loose = dataclasses.replace(RECIPE, data=data)
    changes = []
    for seed in range(30):
        pair = Pair(wide, wide, True)
        found = make_sample(pair, loose, CONFIG, np.random.default_rng(seed)).box[0].numpy()
        changes.append(np.log((found[2] - found[0]) / (found[3] - found[1]) / (50 / 34)))
    assert np.abs(changes).max() <= np.log(1.24 / 0.76)
    assert np.std(changes) > 0.05


def test_a_template_shows_its_box_as_the_tracker_shows_it() -> None:
    """A square of 127 pixels, cut where pixels lie: both paths give the same picture."""
    target = shot((80.75, 60.75, 63.5, 63.5))
    data = dataclasses.replace(
        RECIPE.data, template=STILL, search=STILL, gray=0.0, film=0.0, turn=0.0, stretch=0.0
    )
    faint = preset(RECIPE.preset, {"neck.surround": 0.25})
    bare = dataclasses.replace(RECIPE, data=data)
    pair = Pair(target, target, True)
    trained = make_sample(pair, bare, faint, np.random.default_rng(0)).template[0].numpy()
    seen = []
    engine = Engine(Network(faint).eval())
    engine.network.template = lambda pixels: seen.append(pixels[0].numpy())
    centre = target.box[:2] + target.box[2:] / 2
    engine.start(target.image, np.concatenate([centre, target.box[2:]]), TRACKING, masked=False)
    np.testing.assert_allclose(trained, seen[0], atol=1)
    assert np.ptp(seen[0][0, :20]) < 20, "the noise around the target has 60 grey levels"


def test_half_of_the_pairs_of_a_wide_target_show_it_tall() -> None:
    data = dataclasses.replace(RECIPE.data, stretch=0.0, turn=0.5)
    target, rng = shot((120, 90, 80, 34)), np.random.default_rng(0)
    tall = []
    for _ in range(60):
        crops = cut_pair(target, target, TRACKING, data, rng)
        tall.append([np.less(*(crop.box[2:] - crop.box[:2])) for crop in crops])
    assert [each for each in tall if each[0] != each[1]] == []
    assert 20 < np.sum(tall, 0)[0] < 40


def test_a_still_crop_is_where_the_tracker_looks() -> None:
    """The target in the middle, with the margin of equation 1 of SiamFC."""
    found = cut(shot((120, 90, 50, 34)), 191, TRACKING, STILL, np.random.default_rng(0))
    assert (found.box[:2] + found.box[2:]) / 2 == pytest.approx([95, 95])
    margin = 0.5 * (50 + 34)
    zoom = 127 / np.sqrt((50 + margin) * (34 + margin))
    assert found.box[2:] - found.box[:2] == pytest.approx(np.array([50, 34]) * zoom)


def test_a_search_crop_zooms_both_sides_alike() -> None:
    """As far as asked, in and out; the box stays with the pixels."""
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


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((-400, -400, 30, 30), (240, 320)),
        ((310, 230, 80, 90), (240, 320)),
        ((5, 5, 0.2, 0.2), (240, 320)),
        ((-10, -10, 60, 60), (8, 8)),
        ((3, 3, 1000, 2), (240, 320)),
    ],
    ids=["outside", "over the border", "a point", "larger than the image", "a line"],
)
def test_awkward_targets_make_samples(box: tuple[float, ...], size: tuple[int, int]) -> None:
    for positive in (True, False):
        pair = Pair(shot((120, 90, 50, 34)), shot(box, size), positive)
        found = make_sample(pair, RECIPE, CONFIG, np.random.default_rng(0))
        assert torch.isfinite(found.loc).all()
        assert torch.isfinite(found.box).all()
        assert bool(found.masked) == (positive and bool(found.mask.any()))


def test_flips_turns_and_gray() -> None:
    crop = Crop(shot((10, 20, 30, 40)).image, np.array([10.0, 20, 40, 60]), None)
    again = mirrored(mirrored(crop))
    assert np.array_equal(again.image, crop.image)
    assert np.array_equal(again.box, crop.box)
    assert mirrored(crop).box.tolist() == [319 - 40, 20, 319 - 10, 60]
    assert turned(crop).box.tolist() == [20, 10, 60, 40]
    assert np.array_equal(turned(crop).image[5, 7], crop.image[7, 5])
    plain = gray(crop).image
    assert (plain == plain[..., :1]).all()
    assert plain.shape == crop.image.shape


def test_no_mask_no_mask_loss() -> None:
    pair = Pair(
        shot((120, 90, 50, 34)), dataclasses.replace(shot((100, 90, 50, 34)), mask=None), True
    )
    found = make_sample(pair, RECIPE, CONFIG, np.random.default_rng(0))
    assert not found.masked
    assert found.positive


@pytest.fixture(scope="module")
def source() -> GeneratedPairs:
    return GeneratedPairs(RECIPE.data, seed=3)


def same(a: Pair, b: Pair) -> bool:
    return (
        a.positive == b.positive
        and np.array_equal(a.template.image, b.template.image)
        and np.array_equal(a.search.image, b.search.image)
        and np.array_equal(a.search.box, b.search.box)
    )


def test_generated_pairs_are_the_same_whenever_asked_for(source: GeneratedPairs) -> None:
    other = GeneratedPairs(RECIPE.data, seed=3)
    assert same(source.pair(7), other.pair(7))
    assert same(source.pair(2), other.pair(2))
    assert not same(source.pair(7), source.pair(8))
    assert not same(source.pair(7), GeneratedPairs(RECIPE.data, seed=4).pair(7))


def test_generated_pairs_show_their_target(source: GeneratedPairs) -> None:
    pairs = [source.pair(index) for index in range(30)]
    share = np.mean([not pair.positive for pair in pairs])
    assert 0 < share < 0.5  # 20 % of them, by chance
    for pair in pairs:
        for each in (pair.template, pair.search):
            assert each.mask is not None
            assert each.mask.any()
            assert (each.box[2:] >= 6).all()


def test_motley_targets_come_in_their_share_and_leave_other_scenes_alone() -> None:
    plain, half, every = (
        GeneratedPairs(dataclasses.replace(RECIPE.data, motley=share, uses=1), seed=3)
        for share in (0.0, 0.5, 1.0)
    )
    kinds = []
    for index in range(12):
        image = half.pair(index).template.image
        as_plain = np.array_equal(image, plain.pair(index).template.image)
        as_every = np.array_equal(image, every.pair(index).template.image)
        kinds.append((as_plain, as_every))
    assert set(kinds) == {(True, False), (False, True)}


def test_parts_of_things_lie_within_them_and_have_no_mask() -> None:
    """The same scenes with and without: a part's box is inside its thing's."""
    inside = []
    for seed in range(12):
        whole = draw_clip(np.random.default_rng(seed))
        part = draw_clip(np.random.default_rng(seed), part=True)
        if whole is None or part is None:
            continue
        things = {shot.image.tobytes(): shot.box for shot in whole.shots}
        for shot in part.shots:
            assert shot.mask is None
            assert (shot.box[2:] >= 10).all()
            thing = things.get(shot.image.tobytes())
            if thing is not None:
                assert (shot.box[:2] >= thing[:2]).all()
                assert (shot.box[:2] + shot.box[2:] <= thing[:2] + thing[2:]).all()
                inside.append(np.prod(shot.box[2:]) / np.prod(thing[2:]))
    assert len(inside) > 10
    assert np.mean(inside) < 0.7


def test_film_changes_colours_and_detail_but_no_places() -> None:
    image = np.full((60, 80, 3), (200, 120, 40), np.uint8)
    image[20:40, 30:50] = (20, 40, 220)
    assert np.array_equal(Film()(image), image)
    dull = Film(saturation=0.0)(image)
    assert (dull[..., 0] == dull[..., 2]).all()
    flat = Film(contrast=0.5)(image)
    assert np.ptp(flat[..., 0].astype(int)) < 0.6 * np.ptp(image[..., 0].astype(int))
    coarse = Film(detail=2.5, quality=40)(image)
    edges = np.abs(np.diff(coarse[30, :, 0].astype(int)))
    assert {int(k) for k in np.flatnonzero(edges > 30)} <= {*range(27, 33), *range(47, 53)}
    assert edges.max() < np.abs(np.diff(image[30, :, 0].astype(int))).max(), "an edge is spread"
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    assert np.std(Film(detail=2.5)(noise)) < 0.7 * np.std(noise)
    worse, better = (np.abs(Film(quality=q)(noise).astype(int) - noise).mean() for q in (15, 95))
    assert worse > better > 0
    dark, light = (Film(gamma=gamma)(image).mean() for gamma in (1.5, 0.6))
    assert dark < image.mean() < light
    films = [draw_film(np.random.default_rng(seed)) for seed in range(20)]
    assert len(set(films)) > 10
    assert all(film(image).shape == image.shape for film in films)


def test_both_crops_of_a_pair_are_on_one_film(monkeypatch, source: GeneratedPairs) -> None:  # type: ignore[no-untyped-def]
    for share, grey in ((1.0, True), (0.0, False)):
        films = iter([Film(saturation=0.0), Film()])  # one for each crop would be one too many
        monkeypatch.setattr(samples, "draw_film", lambda _, films=films: next(films))
        chosen = recipe("nano", {"data.film": share, "data.gray": 0.0, "data.look": 0.0})
        sample = make_sample(source.pair(1), chosen, CONFIG, np.random.default_rng(0))
        for crop in (sample.template[0], sample.search[0]):
            assert bool((crop[0] == crop[2]).all()) == grey


def test_a_look_is_one_convolution_of_both_crops() -> None:
    """By hand: colours exchanged, one place to the right; the same greys become the same greys."""
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[0, 2, 1, 0] = kernel[1, 1, 1, 0] = kernel[2, 0, 1, 0] = 1
    noise = np.random.default_rng(0).integers(60, 190, (40, 40, 3), dtype=np.uint8)
    search = cv2.blur(noise, (3, 3))
    template = search[10:30, 10:30]
    first, second = Look(kernel, 1.0, 30.0)(template, search)
    assert np.array_equal(first[:, 1:], second[10:30, 11:30])
    moved = search[:, :-1, ::-1].astype(float)
    for colour in range(3):
        seen, expected = second[:, 1:, colour].ravel(), moved[..., colour].ravel()
        assert np.corrcoef(seen, expected)[0, 1] > 0.999
    assert second.std((0, 1)).mean() == pytest.approx(30, rel=0.05)
    assert np.abs(second.mean((0, 1)) - 128).max() < 2
    unchanged = Look(kernel, 0.0, 30.0)(template, search)
    assert np.array_equal(unchanged[0], template)
    assert np.array_equal(unchanged[1], search)


def test_looks_are_many_and_shades_stay_within_a_picture() -> None:
    search = np.full((40, 40, 3), 90, np.uint8)
    search[:, 20:] = (200, 30, 40)
    looks = [draw_look(np.random.default_rng(seed)) for seed in range(40)]
    assert {look.kernel.shape[-1] for look in looks} == {1, 3, 5, 7}
    found = np.array([look(search[:20, 10:30], search)[1] for look in looks])
    assert len({picture.tobytes() for picture in found}) == len(looks)
    assert np.ptp(found[:, :, 3:17], axis=2).max() <= 1, "no edge is near"
    flat = np.full((40, 40, 3), 90, np.uint8)
    for look in looks:
        assert np.ptp(look(flat, flat)[1], axis=(0, 1)).max() <= 2, "nothing is made of nothing"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_that_share_of_the_pairs_looks_otherwise(share: float, source: GeneratedPairs) -> None:
    settings = {"data.gray": 0.0, "data.film": 0.0}
    chosen = [recipe("nano", {**settings, "data.look": part}) for part in (0.0, share)]
    plain, other = (
        make_sample(source.pair(1), each, CONFIG, np.random.default_rng(0)) for each in chosen
    )
    assert torch.equal(plain.box, other.box)
    assert torch.equal(plain.template, other.template) == (share == 0)
    assert torch.equal(plain.search, other.search) == (share == 0)


def test_light_falls_unevenly_by_some_stops_at_most() -> None:
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


def test_generated_training_never_shows_the_miniature() -> None:
    """Streams are named: equal numbers would need equal names."""
    names = ("training", "0", "scene", "0", "0"), ("miniature", "otb2015", "Board", "0")
    first, second = (stream(0, *each).integers(0, 2**63, 8).tolist() for each in names)
    assert first != second


def test_steps_go_on_where_they_were_and_share_the_pairs() -> None:
    chosen = recipe("nano", {"schedule.pairs": 20, "schedule.batch": 4})
    assert steps_per_epoch(chosen) == 5
    whole = list(Steps(chosen, lambda: 5))
    assert whole == [[4 * s, 4 * s + 1, 4 * s + 2, 4 * s + 3] for s in range(5, 10)]
    assert list(Steps(chosen, lambda: 8)) == whole[3:]
    parts = [list(Steps(chosen, lambda: 5, rank, 2)) for rank in (0, 1)]
    assert [sorted(a + b) for a, b in zip(*parts, strict=True)] == whole


def test_workers_make_no_difference(source: GeneratedPairs) -> None:
    chosen = RECIPE.override({"schedule.pairs": 8})
    samples = Samples(source, chosen, CONFIG)
    alone, helped = (list(make_loader(samples, Steps(chosen, lambda: 0), n)) for n in (0, 1))
    assert len(alone) == len(helped) == 2
    for a, b in zip(alone, helped, strict=True):
        assert all(
            torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
        )


def test_collated_rows_keep_their_order(source: GeneratedPairs) -> None:
    samples = [Samples(source, RECIPE, CONFIG)[index] for index in (0, 1)]
    both = collate(samples)
    assert isinstance(both, Batch)
    assert len(both) == 2
    assert torch.equal(both.search[1:], samples[1].search)
