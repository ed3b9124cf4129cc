"""Generated pairs: reproducible, visible targets, parts and colours."""

from __future__ import annotations

import dataclasses

import numpy as np

from bench.mini.signals import stream
from tests.trackers.siamattn.training.conftest import RECIPE
from trackers.siamattn.training.data import (
    Pair,
)
from trackers.siamattn.training.generated import GeneratedPairs, draw_clip


def same(a: Pair, b: Pair) -> bool:
    return (
        a.positive == b.positive
        and np.array_equal(a.template.image, b.template.image)
        and np.array_equal(a.search.image, b.search.image)
        and np.array_equal(a.search.box, b.search.box)
    )


def test_generated_pairs_are_reproducible(source: GeneratedPairs) -> None:
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


def test_multicoloured_targets_leave_other_scenes_unchanged() -> None:
    plain, half, every = (
        GeneratedPairs(dataclasses.replace(RECIPE.data, motley=share, uses=1), seed=3)
        for share in (0.0, 0.5, 1.0)
    )
    kinds = []
    for index in range(6):
        image = half.pair(index).template.image
        as_plain = np.array_equal(image, plain.pair(index).template.image)
        as_every = np.array_equal(image, every.pair(index).template.image)
        kinds.append((as_plain, as_every))
    assert set(kinds) == {(True, False), (False, True)}


def test_parts_are_inside_their_object_and_have_no_mask() -> None:
    """In the same scenes, a part's box is inside its object's."""
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


def test_generated_training_never_shows_the_miniature() -> None:
    """Random streams depend on their names, which differ."""
    names = ("training", "0", "scene", "0", "0"), ("miniature", "otb2015", "Board", "0")
    first, second = (stream(0, *each).integers(0, 2**63, 8).tolist() for each in names)
    assert first != second
