"""Whoever was tuned says so: in the record, and under every table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, ResultError
from bench.evaluation.selection import tuning_note
from bench.results.onepass import OnePassStore
from bench.results.record import RunRecord, continue_record, read_record, write_record
from bench.locks import locked
from bench.sequence import Dataset, Sequence
from bench.tuning.plan import Plan, choose_measure
from bench.tuning.space import parse_space
from bench.tuning.study import open_study

DATA = Dataset("otb2015", Path("/data"), (Sequence("Car4", np.ones((2, 4))),))


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    return OnePassStore(tmp_path, "otb2015")


def test_a_mark_is_read_back_and_outlives_a_run_without_it(store: OnePassStore) -> None:
    record = RunRecord({"seed": 0}, tuned_on="otb2015")
    write_record(store.record_path("x"), record)
    assert read_record(store.record_path("x")) == record
    assert continue_record(store, "x", RunRecord({"seed": 0})).tuned_on == "otb2015"
    later = continue_record(store, "x", RunRecord({"seed": 0}, tuned_on="lasot"))
    assert later.tuned_on == "lasot"


@pytest.mark.parametrize(
    ("tuned_on", "notes"),
    [
        (None, []),
        ("otb2015", ["hyper-parameters tuned on this benchmark"]),
        ("otb2015 (miniature)", ["hyper-parameters tuned on otb2015 (miniature)"]),
        ("folder", ["hyper-parameters tuned on folder"]),
    ],
)
def test_the_note_names_the_data(
    store: OnePassStore, tuned_on: str | None, notes: list[str]
) -> None:
    write_record(store.record_path("x"), RunRecord({}, tuned_on=tuned_on))
    assert tuning_note(DATA, store, "x") == notes


def test_no_record_and_a_broken_one(store: OnePassStore) -> None:
    assert tuning_note(DATA, store, "x") == []
    store.folder("x").mkdir(parents=True)
    store.record_path("x").write_text("{")
    (note,) = tuning_note(DATA, store, "x")
    assert "run.json cannot be read" in note


def test_the_measure_is_the_one_that_tables_rank_by() -> None:
    assert choose_measure(None, None) == "success"
    assert choose_measure("baseline", None) == "eao"
    assert choose_measure("unsupervised", None) == "average_overlap"
    with pytest.raises(ConfigError, match=r"unknown measure of baseline 'succes'.*eao"):
        choose_measure("baseline", "succes")


def test_robustness_is_minimised(tmp_path: Path) -> None:
    space = parse_space(["shift=0:1"], "toys:Shifted", {})
    study = tmp_path / "s.journal"
    assert Plan(DATA, "toys:Shifted", space, "robustness", study).direction == "minimize"
    assert Plan(DATA, "toys:Shifted", space, "eao", study).direction == "maximize"


def test_two_searches_of_one_study_do_not_mix(tmp_path: Path) -> None:
    space = parse_space(["shift=0:1"], "toys:Shifted", {})
    plan = Plan(DATA, "toys:Shifted", space, "success", tmp_path / "s.journal")
    with (
        locked(plan.folder),
        pytest.raises(ResultError, match="another search holds this study"),
        open_study(plan),
    ):
        pytest.fail("the study was opened twice")
    with open_study(plan) as study:
        assert study.trials() == []
