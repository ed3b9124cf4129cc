"""Scores of a tracker: intervals, spread, unsupervised overlap, conventions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError
from bench.measures.conventions import convention_names
from bench.measures.vot import (
    SequenceRuns,
    differences,
    get_convention,
    summarize_runs,
    summarize_unsupervised,
)
from tests.bench.measures.vot.conftest import load, simulate

OFFICIAL = get_convention("vot")
INTERVAL = (5, 30)


def clips(count: int = 12, repetitions: int = 3) -> list[SequenceRuns]:
    generator = np.random.default_rng(3)
    return [
        simulate(
            [[6 + 7 * k for k in range(generator.integers(0, 5))] for _ in range(repetitions)],
            generator.random(50),
            f"clip{index}",
            {"occlusion": generator.random(50) < 0.5},
        )
        for index in range(count)
    ]


def test_intervals_hold_the_measures() -> None:
    scores = summarize_runs(clips(), OFFICIAL, INTERVAL, 50)
    assert scores.intervals.keys() == {"accuracy", "robustness", "eao"}
    for measure, (low, high) in scores.intervals.items():
        assert low < scores.measures[measure] < high


def test_interval_is_as_wide_as_the_normal_one() -> None:
    """Poisson-distributed failures, for which the spread of R is known."""
    generator = np.random.default_rng(0)
    runs = [
        simulate([[7 + 6 * k for k in range(generator.poisson(3))]], np.ones(200), f"clip{i}")
        for i in range(400)
    ]
    low, high = summarize_runs(runs, OFFICIAL, INTERVAL, 200).intervals["robustness"]
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(3 / 400) / 2, rel=0.1)


def test_one_sequence_has_no_interval() -> None:
    intervals = summarize_runs(clips(1), OFFICIAL, INTERVAL, 50).intervals
    assert np.isnan([*intervals.values()]).all()


def test_same_runs_give_the_same_scores() -> None:
    first, second = (summarize_runs(clips(), OFFICIAL, INTERVAL, 50) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("convention", convention_names("vot2018"))
def test_spread_is_the_deviation_of_single_repetitions(convention: str) -> None:
    rule, runs = get_convention(convention), clips()
    scores = summarize_runs(runs, rule, INTERVAL, 50)
    if rule.repetitions != "all":  # with fewer than fifteen, only the first counts
        assert scores.spread == {}
        return
    alone = [summarize_runs([r.only(k) for r in runs], rule, INTERVAL, 50) for k in range(3)]
    assert scores.spread.keys() == scores.measures.keys()
    for measure, spread in scores.spread.items():
        values = [one.measures[measure] for one in alone]
        assert spread == pytest.approx(np.std(values, ddof=1), abs=1e-12)


def test_deterministic_tracker_has_no_spread() -> None:
    runs = [simulate([[20]] * 3, np.linspace(0, 1, 50))]
    assert summarize_runs(runs, OFFICIAL, INTERVAL, 50).spread == {}


def test_pysot_takes_fifteen_runs_or_the_first() -> None:
    rule = get_convention("pysot")
    runs = clips(4, 15)
    first = summarize_runs([one.only(0) for one in runs], rule, INTERVAL, 50)
    fewer = [
        SequenceRuns(o.name, o.codes[:14], o.accuracy_overlaps[:14], o.eao_overlaps[:14], o.tags)
        for o in runs
    ]
    assert summarize_runs(fewer, rule, INTERVAL, 50).measures == first.measures
    whole = summarize_runs(runs, rule, INTERVAL, 50).measures
    assert whole["accuracy"] == summarize_runs(runs, OFFICIAL, INTERVAL, 50).measures["accuracy"]


def test_each_sequence_has_its_own_scores() -> None:
    runs = clips()
    per_sequence = summarize_runs(runs, OFFICIAL, INTERVAL, 50).per_sequence
    alone = summarize_runs(runs[2:3], OFFICIAL, INTERVAL, 50).measures
    for measure, value in per_sequence["clip2"].items():
        assert value == pytest.approx(alone[measure], abs=1e-15)


def test_unsupervised_overlap_counts_every_frame() -> None:
    """The first frame and one without a region count as 0: (0 + 0 + 8 * 0.5 + 20 * 1) / 30."""
    short = simulate([[]], np.full(10, 0.5), "short")
    short.accuracy_overlaps[0, 4] = np.nan
    long = simulate([[]], np.ones(20), "long", {"occlusion": np.arange(20) < 5})
    scores = summarize_unsupervised([short, long])
    assert scores.measures["average_overlap"] == pytest.approx((8 * 0.5 + 19) / 30, abs=1e-15)
    assert scores.per_sequence["short"]["average_overlap"] == pytest.approx(0.4, abs=1e-15)
    assert scores.per_tag["occlusion"] == {"average_overlap": 4 / 5, "frames": 5}


@pytest.mark.parametrize("tracker", "ABC")
def test_unsupervised_overlap_of_vot_toolkit(shared: Path, tracker: str) -> None:
    """``average_accuracy`` uses the weights and burn-in of its supervised accuracy."""
    peers = json.loads((shared / "golden/vot/golden_vot_peers.json").read_text())
    runs = load(shared / "golden/vot/in", tracker, "vot-toolkit")
    scores = summarize_unsupervised(runs, by_sequence=True)
    expected = peers[f"vot0.9/{tracker}"]["A"]
    assert scores.measures["average_overlap"] == pytest.approx(expected, abs=1e-12)


def test_unknown_convention_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'pysot'\? Known: got10k, pysot, vot"):
        get_convention("pysott")


@pytest.mark.parametrize("name", convention_names("vot2018"))
def test_conventions_describe_their_differences(name: str) -> None:
    found = differences(get_convention(name), OFFICIAL)
    assert (found == []) == (name == "vot")
    if name == "vot-matlab-head":
        assert found[0] == "rectangles span x..x+w-1"
