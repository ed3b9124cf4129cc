"""The catalogue describes every measure and curve that evaluation produces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from bench.benchmarks import experiments
from bench.errors import ConfigError
from bench.evaluation import evaluate
from bench.geometry import FAILED, INITIALISED, SKIPPED, Regions
from bench.measures import catalogue
from bench.measures.conventions import convention_names
from bench.measures.onepass.curves import CURVES, Curve
from bench.results.memory import MemoryStore, StoredRun
from bench.scores import BenchmarkScores
from bench.sequence import Dataset, Sequence
from bench.tracker import ABSENT

FRAMES = 30
TRUTH = np.tile([20.0, 30.0, 40.0, 10.0], (FRAMES, 1))
TIMES = np.full(FRAMES, 0.05)
SCORES = np.linspace(0, 1, FRAMES)
GONE = np.arange(FRAMES) < 8
COUNTS = {"sequences", "frames"}  # beside the measures of an attribute or tag


def dataset_of(benchmark: str) -> Dataset:
    tags = {"occlusion": np.arange(FRAMES) < 15}
    sequences = (
        Sequence(
            name, TRUTH, attributes=frozenset({"SV"}), tags=tags, size=(320, 240), absent=GONE
        )
        for name in ("a", "b")
    )
    return Dataset(benchmark, Path("data"), tuple(sequences), expected=2)


def regions_of(experiment: str) -> Regions:
    rows: list[list[float]] = TRUTH.tolist()
    rows[5] = list(ABSENT)
    if experiment != "onepass":
        rows[0] = [INITIALISED]
    if experiment in ("baseline", "realtime"):
        rows[10:16] = [[FAILED], *[[SKIPPED]] * 4, [INITIALISED]]
    return Regions.from_rows(rows)


def scores_of(benchmark: str, experiment: str, conventions: list[str]) -> list[BenchmarkScores]:
    dataset, store = dataset_of(benchmark), MemoryStore(benchmark, experiment)
    for sequence in dataset:
        store.add("T", sequence.name, StoredRun(regions_of(experiment), TIMES, SCORES))
    return evaluate(dataset, store, conventions=conventions)


def every_score() -> Iterator[BenchmarkScores]:
    yield from scores_of("otb2015", "onepass", list(convention_names("otb2015")))
    for experiment in ("baseline", "unsupervised", "realtime"):
        yield from scores_of("vot2018", experiment, list(convention_names("vot2018")))


def test_the_catalogue_has_exactly_the_measures_that_evaluation_produces() -> None:
    produced: set[str] = set()
    for scores in every_score():
        tracker = scores.trackers["T"]
        produced |= {*tracker.measures, *tracker.intervals, *tracker.spread}
        for table in (tracker.per_sequence, tracker.per_attribute, tracker.per_tag):
            produced |= {measure for row in table.values() for measure in row} - COUNTS
    assert produced == set(catalogue.measures())


def test_every_curve_has_an_axis_and_every_axis_a_curve() -> None:
    axes = [axis.curve for _, axis in catalogue.curve_measures()]
    assert sorted(axes) == sorted([*CURVES, "expected_overlap", "presence"])
    produced = {curve for scores in every_score() for curve in scores.trackers["T"].curves}
    assert produced == set(axes)


@pytest.mark.parametrize("experiment", experiments())
def test_layouts_show_known_measures(experiment: str) -> None:
    layout = catalogue.layout_of(experiment)
    shown = [measure for part in fields(layout) for measure in getattr(layout, part.name)]
    assert shown
    assert {measure.name for measure in shown} <= set(catalogue.measures())
    assert set(layout.meanings) <= {*(measure.name for measure in layout.columns), "fps"}


def test_unknown_measures_list_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'success'\?"):
        catalogue.get_measure("sucess")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("success", 0.12345, "0.123"),
        ("fps", 12.34, "12.3"),
        ("eao", np.nan, "-"),
        ("eao", None, "-"),
    ],
)
def test_values_print_with_the_decimals_of_their_measure(
    name: str, value: float | None, text: str
) -> None:
    assert catalogue.get_measure(name).text(value) == text


def test_lower_is_better_for_failures_only() -> None:
    lower = {name for name, each in catalogue.measures().items() if each.lower_is_better}
    assert lower == {"robustness", "failures"}


def test_a_new_curve_needs_one_entry_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = Curve(
        lambda measures, rule: (measures.overlap[..., None] > 0.9).sum(axis=-2) * np.ones(3),
        lambda rule: np.array([0.0, 0.5, 1.0]),
        lambda rule: "mean",
    )
    axis = {"curve": "strict", "title": "Strict success", "x": "Threshold", "y": "Rate"}
    rows = {**catalogue._table()["measures"], "strict": {"title": "S", "short": "S", "axis": axis}}
    table = {**catalogue._table(), "measures": rows}
    monkeypatch.setitem(CURVES, "strict", strict)
    monkeypatch.setattr(catalogue, "_table", lambda: table)
    catalogue.measures.cache_clear()
    try:
        (scores,) = scores_of("otb2015", "onepass", ["otb"])
        tracker = scores.trackers["T"]
        assert "strict" in [axis.curve for _, axis in catalogue.curve_measures()]
    finally:
        catalogue.measures.cache_clear()
    assert tracker.curves["strict"] == pytest.approx([29 / 30] * 3)  # one row says "absent"
    assert scores.thresholds["strict"] == (0.0, 0.5, 1.0)
    value = tracker.measures["strict"]
    assert value == tracker.per_attribute["SV"]["strict"] == pytest.approx(29 / 30)
    assert tracker.intervals["strict"] == pytest.approx((29 / 30, 29 / 30))
