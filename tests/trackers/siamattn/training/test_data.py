"""Samples and batches: unusual targets, reproducible steps."""

from __future__ import annotations

import dataclasses
from itertools import chain

import numpy as np
import pytest
import torch

from bench.errors import ConfigError
from tests.trackers.siamattn.training.conftest import CONFIG, RECIPE, STILL, TRACKING, shot
from trackers.siamattn.config import preset
from trackers.siamattn.engine import Engine
from trackers.siamattn.network import Network
from trackers.siamattn.training import data as training_data
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.crops import (
    expanded,
)
from trackers.siamattn.training.data import (
    Pair,
    Samples,
    Steps,
    collate,
    make_loader,
    make_sample,
)
from trackers.siamattn.training.generated import GeneratedPairs
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.looks import (
    Degradation,
)


def test_both_boxes_of_a_pair_are_equally_loose() -> None:
    """Each side moves by its own share, up to the maximum; image and mask stay."""
    wide, narrow = shot((120, 90, 50, 34)), shot((100, 60, 25, 68))
    sides = np.array([0.1, -0.1, 0.2, 0.0])
    assert expanded(wide, sides).box == pytest.approx([115, 93.4, 65, 30.6])
    assert expanded(narrow, sides).box == pytest.approx([97.5, 66.8, 32.5, 61.2])
    assert expanded(wide, sides).mask is wide.mask
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


def test_training_and_tracking_mark_the_template_alike() -> None:
    """For a square of 127 whole pixels, both paths give the same crop."""
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
def test_unusual_targets_make_samples(box: tuple[float, ...], size: tuple[int, int]) -> None:
    for positive in (True, False):
        pair = Pair(shot((120, 90, 50, 34)), shot(box, size), positive)
        found = make_sample(pair, RECIPE, CONFIG, np.random.default_rng(0))
        assert torch.isfinite(found.loc).all()
        assert torch.isfinite(found.box).all()
        assert bool(found.masked) == (positive and bool(found.mask.any()))


def test_a_pair_without_mask_has_no_mask_loss() -> None:
    pair = Pair(
        shot((120, 90, 50, 34)), dataclasses.replace(shot((100, 90, 50, 34)), mask=None), True
    )
    found = make_sample(pair, RECIPE, CONFIG, np.random.default_rng(0))
    assert not found.masked
    assert found.positive


def test_both_crops_of_a_pair_are_degraded_alike(monkeypatch, source: GeneratedPairs) -> None:  # type: ignore[no-untyped-def]
    for share, grey in ((1.0, True), (0.0, False)):
        films = iter(
            [Degradation(saturation=0.0), Degradation()]
        )  # drawing one per crop would exhaust the iterator
        monkeypatch.setattr(training_data, "draw_degradation", lambda _, films=films: next(films))
        chosen = recipe("nano", {"data.film": share, "data.gray": 0.0, "data.look": 0.0})
        sample = make_sample(source.pair(1), chosen, CONFIG, np.random.default_rng(0))
        for crop in (sample.template[0], sample.search[0]):
            assert bool((crop[0] == crop[2]).all()) == grey


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_given_share_of_pairs_is_convolved(share: float, source: GeneratedPairs) -> None:
    settings = {"data.gray": 0.0, "data.film": 0.0}
    chosen = [recipe("nano", {**settings, "data.look": part}) for part in (0.0, share)]
    plain, other = (
        make_sample(source.pair(1), each, CONFIG, np.random.default_rng(0)) for each in chosen
    )
    assert torch.equal(plain.box, other.box)
    assert torch.equal(plain.template, other.template) == (share == 0)
    assert torch.equal(plain.search, other.search) == (share == 0)


def test_steps_resume_and_share_the_pairs() -> None:
    chosen = recipe("nano", {"schedule.pairs": 20, "schedule.batch": 4})
    assert len(Steps(chosen, lambda: 0)) == 5
    whole = list(Steps(chosen, lambda: 5))
    assert whole == [[4 * s, 4 * s + 1, 4 * s + 2, 4 * s + 3] for s in range(5, 10)]
    assert list(Steps(chosen, lambda: 8)) == whole[3:]
    parts = [list(Steps(chosen, lambda: 5, rank, 2)) for rank in (0, 1)]
    assert [sorted(a + b) for a, b in zip(*parts, strict=True)] == whole


@pytest.mark.parametrize("name", ["paper", "released", "released-defaults", "nano"])
@pytest.mark.parametrize("processes", [1, 2, 4, 8])
def test_every_recipe_runs_on_one_to_eight_processes(name: str, processes: int) -> None:
    """They share the batches of 12, 11, 13 and 16 pairs; nobody is left without."""
    chosen = recipe(name)
    steps = [
        next(iter(Steps(chosen.on(processes), lambda: 3, rank, processes)))
        for rank in range(processes)
    ]
    batch = chosen.schedule.batch
    assert sorted(chain.from_iterable(steps)) == list(range(3 * batch, 4 * batch))
    assert {len(step) for step in steps} <= {batch // processes, -(-batch // processes)}


def test_passes_of_a_step_share_its_pairs() -> None:
    chosen = recipe("nano", {"schedule.pairs": 24, "schedule.batch": 12, "schedule.accumulate": 3})
    steps = [Steps(chosen, lambda: 1, rank, 2) for rank in (0, 1)]
    assert [len(each) for each in steps] == [6, 6]
    passes = [list(each) for each in steps]
    assert [len(each) for each in passes] == [3, 3]
    assert {len(part) for each in passes for part in each} == {2}
    assert sorted(chain.from_iterable(chain.from_iterable(passes))) == list(range(12, 24))


def test_a_batch_for_each_process_and_its_rate() -> None:
    chosen = recipe("paper", {"schedule.each": 12, "schedule.growth": 0.5})
    found = chosen.on(4)
    assert (found.schedule.batch, found.schedule.peak) == (48, pytest.approx(1e-2))
    assert found.schedule.rate(19) == pytest.approx(1e-3)
    assert found.on(4) == found
    assert recipe("paper", {"schedule.each": 12}).on(4).schedule.peak == 5e-3
    for processes, settings in ((16, {}), (1, {"schedule.accumulate": 5})):
        with pytest.raises(ConfigError, match=r"schedule\.each=PAIRS"):
            recipe("paper", settings).on(processes)


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
