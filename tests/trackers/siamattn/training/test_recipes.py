"""Recipes, and the learning rates of the released schedule."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from bench.errors import ConfigError
from tests.trackers.siamattn.training.conftest import GOLDEN, needs_golden
from trackers.siamattn.config import preset
from trackers.siamattn.training.config import Recipe, recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_trains_an_existing_preset(name: str) -> None:
    found = recipe(name)
    assert found.name == name
    assert found.source
    assert preset(found.preset).name == found.preset
    assert found.labels.mask_regions <= found.labels.regions


@needs_golden
def test_released_rates() -> None:
    expected = json.loads((GOLDEN / "training.json").read_text())["lr_spaces"]
    schedule = recipe("released").schedule
    found = [schedule.rate(epoch) for epoch in range(schedule.epochs)]
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_papers_losses_and_schedule() -> None:
    """Section 4.1: weights .2, .2, .1; 20 epochs, five of them at 1e-3, the backbone after ten."""
    found = Recipe()
    assert (found.weights.loc, found.weights.box, found.weights.mask) == (0.2, 0.2, 0.1)
    rates = [found.schedule.rate(epoch) for epoch in range(20)]
    assert rates[:5] == [1e-3] * 5
    assert rates[5] == pytest.approx(5e-3)
    assert rates[19] == pytest.approx(5e-4)
    assert found.schedule.frozen == 10
    assert found.schedule.backbone == 1 / 20


def test_a_rate_that_falls_by_half_a_cosine() -> None:
    """From the peak to the last, through their mean, steepest in the middle."""
    schedule = recipe("paper", {"schedule.fall": "cosine", "schedule.epochs": 26}).schedule
    rates = [schedule.rate(epoch) for epoch in range(5, 26)]
    assert rates[::10] == pytest.approx([5e-3, 2.75e-3, 5e-4])
    steps = [before - after for before, after in pairwise(rates)]
    assert steps[0] < steps[4] < steps[9] == max(steps)
    assert min(steps) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule.epoch": 3}, "schedule.epoch.*schedule.epochs"),
        ({"schedule.epochs": "many"}, "expected int"),
        ({"weights.regression": "l3"}, "l3.*l1"),
        ({"schedule.batch": 0}, "schedule: expected batch of 1 or more, found 0"),
        ({"schedule.epochs": 0}, "schedule: expected epochs of 1 or more, found 0"),
        ({"schedule.peak": 0.0}, "schedule: expected peak of"),
        ({"data.scenes": 1}, "data: expected scenes of 2 or more, found 1"),
        ({"data.uses": 0}, "data: expected uses of 1 or more, found 0"),
        ({"data.negatives": 1.5}, "data: expected negatives from 0 to 1, found 1.5"),
        ({"data.margin": 0.5}, "data: expected margin from 0 to less than 0.5, found 0.5"),
        ({"data.look": 1.1}, "data: expected look from 0 to 1, found 1.1"),
        ({"data.search.light": -1.0}, "jitter: expected light of 0 or more, found -1.0"),
        ({"data.search.scale": 1.2}, "jitter: expected scale from 0 to less than 1, found 1.2"),
        ({"data.search.blur": float("nan")}, "jitter: expected blur from 0 to 1, found nan"),
        ({"labels.regions": 0}, "labels: expected regions of 1 or more, found 0"),
        ({"preset": "siammask"}, "'siammask' cannot be trained here: .*siamattn-ml"),
    ],
)
def test_invalid_settings_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe("paper", changes)


def test_a_recipe_like_another() -> None:
    """``nano-proposals`` is ``nano`` with the changes of its row."""
    base, like = recipe("nano"), recipe("nano-proposals")
    assert (like.weights.box, like.weights.mask, like.schedule.epochs) == (0.0, 0.0, 40)
    assert (like.weights.cls, like.labels, like.data) == (base.weights.cls, base.labels, base.data)


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"nana.*nano"):
        recipe("nana")
