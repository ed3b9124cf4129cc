"""Whoever was tuned, or made on several devices, says so under every table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.evaluation.selection import record_notes
from bench.results.onepass import OnePassStore
from bench.results.record import RunRecord, continue_record, read_record, write_record
from bench.sequence import Dataset, Sequence

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
    assert record_notes(DATA, store, "x") == notes


@pytest.mark.parametrize(
    ("devices", "notes"),
    [
        (["NVIDIA A100"], []),
        (["NVIDIA A100", "NVIDIA H200"], ["made on 2 GPU models: NVIDIA A100, NVIDIA H200"]),
        (["cpu", "NVIDIA H200"], ["made on 2 kinds of device: cpu, NVIDIA H200"]),
    ],
)
def test_the_note_names_several_devices(
    store: OnePassStore, devices: list[str], notes: list[str]
) -> None:
    record = RunRecord({}, ({},))
    for number, device in enumerate(devices):
        record = record.made(f"sequence-{number}", {"device": device})
    write_record(store.record_path("x"), record)
    assert record_notes(DATA, store, "x") == notes


def test_no_record_and_a_broken_one(store: OnePassStore) -> None:
    assert record_notes(DATA, store, "x") == []
    store.folder("x").mkdir(parents=True)
    store.record_path("x").write_text("{")
    (note,) = record_notes(DATA, store, "x")
    assert "run.json cannot be read" in note
