"""Recipes, and the learning rates of the released schedule."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bench.errors import ConfigError
from tests.trackers.siamattn.training.conftest import GOLDEN, needs_golden
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.config import Recipe, recipe, recipe_names
from trackers.siamattn.training.module import freeze


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
    """Sections 3.4 and 4.2: weights .2, .2, .1; 20 epochs, five at 1e-3, the backbone after ten,
    then with its stem: "the whole networks are trained"."""
    found = Recipe()
    assert (found.weights.loc, found.weights.box, found.weights.mask) == (0.2, 0.2, 0.1)
    rates = [found.schedule.rate(epoch) for epoch in range(20)]
    assert rates[:5] == [1e-3] * 5
    assert rates[5] == pytest.approx(5e-3)
    assert rates[19] == pytest.approx(5e-4)
    assert found.schedule.frozen == 10
    assert found.schedule.backbone == 1 / 20
    assert recipe("paper").schedule.whole
    assert not recipe("released").schedule.whole
    assert recipe("paper").validation.first == 11


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


def test_a_recipe_from_a_file(tmp_path: Path) -> None:
    """Nested or under dotted names, in both formats, with the mixture beside it."""
    text = 'like = "released"\nseed = 7\n[schedule]\nbatch = 24\n[data]\nmixture = "own.json"\n'
    (tmp_path / "mine.toml").write_text(text)
    flat = {"like": "released", "seed": 7, "schedule.batch": 24, "data.mixture": "own.json"}
    (tmp_path / "mine.json").write_text(json.dumps(flat))
    one, other = (recipe(str(tmp_path / f"mine.{kind}")) for kind in ("toml", "json"))
    assert (one.name, one.source, one.seed, one.schedule.batch) == ("mine", "mine.toml", 7, 24)
    assert one == replace(other, source="mine.toml")
    assert one.weights == recipe("released").weights
    assert one.data.mixture == str(tmp_path / "own.json")
    changed = recipe(str(tmp_path / "mine.json"), {"data.mixture": "paper", "schedule.batch": 12})
    assert (changed.data.mixture, changed.schedule.batch) == ("paper", 12)
    (tmp_path / "plain.json").write_text("{}")
    assert recipe(str(tmp_path / "plain.json")).schedule == recipe("paper").schedule


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "[1]", "a.json: expected settings by name, found list"),
        ("a.json", "{", "a.json: cannot be read as JSON"),
        ("a.toml", "seed 3", "a.toml: expected TOML"),
        ("a.json", '{"schedule": {"epoch": 3}}', "schedule.epochs"),
        ("a.json", '{"like": "papier"}', "unknown recipe 'papier'"),
    ],
)
def test_a_broken_recipe_is_named(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        recipe(str(tmp_path / name))


@pytest.mark.parametrize(("name", "whole"), [("paper", True), ("released", False)])
def test_the_paper_trains_the_whole_backbone(name: str, whole: bool) -> None:
    """ "The whole networks are trained end-to-end for the last 10 epochs"; the release keeps the
    stem and the first stage."""
    chosen = recipe(name)
    network = Network(preset("siamattn-nano"))
    freeze(network, chosen.schedule, 9)
    assert not any(p.requires_grad for p in network.backbone.parameters())
    freeze(network, chosen.schedule, 10)
    parts = dict(network.backbone.named_children())
    for part in ("conv1", "layer1", "layer4"):
        trains = {p.requires_grad for p in parts[part].parameters()}
        assert trains == {whole or part == "layer4"}
    assert chosen.pretrained
    assert not recipe("nano").pretrained
