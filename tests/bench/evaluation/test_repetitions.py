"""Several one-pass runs of a stochastic tracker are one result with a spread."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results.exporting import export_results
from bench.results.formats import FORMATS
from bench.results.importing import import_results
from bench.results.memory import MemoryStore
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset, Sequence, Trajectory

RUNS = 3


def truth_of(seed: int, frames: int = 12) -> FloatArray:
    rng = np.random.default_rng(seed)
    start = rng.uniform([40, 200, 20, 60], [160, 400, 50, 120])
    return np.round(start + np.cumsum(rng.uniform(-3, 3, (frames, 4)) * [1, 1, 0, 0], axis=0))


@pytest.fixture
def dataset() -> Dataset:
    names = ("Bolt", "Car1", "Jogging-1")
    sequences = tuple(Sequence(n, truth_of(i), index_base=1.0) for i, n in enumerate(names))
    return Dataset("otb2015", Path("data"), sequences)


def answers(sequence: Sequence, run: int) -> Trajectory:
    """Boxes that drift away, each run at another speed."""
    drift = np.arange(len(sequence))[:, None] * [run, run / 2, 0, 0]
    boxes = sequence.ground_truth - [1, 1, 0, 0] + drift
    times = np.full(len(sequence), 0.01 * run)
    return Trajectory(boxes, times, np.full(len(sequence), np.nan))


@pytest.fixture
def store(tmp_path: Path, dataset: Dataset) -> OnePassStore:
    store = OnePassStore(tmp_path / "results", "otb2015")
    for sequence in dataset:
        for run in range(1, RUNS + 1):
            store.write("T", sequence, answers(sequence, run), run)
    return store


def alone(dataset: Dataset, run: int) -> MemoryStore:
    store = MemoryStore("otb2015")
    for sequence in dataset:
        store.write("T", sequence, answers(sequence, run))
    return store


def test_every_measure_is_the_mean_over_runs_with_its_sample_deviation(
    dataset: Dataset, store: OnePassStore
) -> None:
    singles = [evaluate(dataset, alone(dataset, run))[0].trackers["T"] for run in (1, 2, 3)]
    (scores,) = evaluate(dataset, store)
    found = scores.trackers["T"]
    assert found.repetitions == RUNS
    for name in ("success", "precision", "normalized_precision", "success_rate_50"):
        values = [one.measures[name] for one in singles]
        assert found.measures[name] == pytest.approx(np.mean(values), abs=1e-4)
        assert found.spread[name] == pytest.approx(np.std(values, ddof=1), abs=1e-4)
        rows = [one.per_sequence["Car1"][name] for one in singles]
        assert found.per_sequence["Car1"][name] == pytest.approx(np.mean(rows), abs=1e-4)
        spread = found.spread_per_sequence["Car1"][name]
        assert spread == pytest.approx(np.std(rows, ddof=1), abs=1e-4)
    assert found.spread["success"] > 0
    fps = [one.measures["fps"] for one in singles]
    assert found.measures["fps"] == pytest.approx(np.mean(fps))
    assert found.spread["fps"] == pytest.approx(np.std(fps, ddof=1))
    plain = json.loads(json.dumps(scores.to_json()))["trackers"]["T"]
    assert plain["spread"]["success"] == found.spread["success"]
    assert plain["repetitions"] == RUNS


def test_one_run_has_no_spread(dataset: Dataset) -> None:
    found = evaluate(dataset, alone(dataset, 1))[0].trackers["T"]
    assert (found.spread, found.spread_per_sequence, found.repetitions) == ({}, {}, 1)


def test_a_sequence_with_fewer_runs_is_said(dataset: Dataset, store: OnePassStore) -> None:
    store.boxes_path("T", "Car1", 3).unlink()
    found = evaluate(dataset, store)[0].trackers["T"]
    assert "fewer than 3 runs of 1 sequences (Car1)" in found.notes
    assert found.repetitions == 2
    assert found.spread["success"] > 0


def test_the_layout_and_what_a_store_tells(dataset: Dataset, store: OnePassStore) -> None:
    folder = store.folder("T")
    assert (folder / "Bolt.txt").is_file()
    assert (folder / "repetitions/002/Bolt.txt").is_file()
    assert (folder / "repetitions/003/times/Bolt_time.txt").is_file()
    assert store.trackers() == ["T"]
    assert store.sequences("T") == {"Bolt", "Car1", "Jogging-1"}
    assert store.repetitions("T", "Bolt") == (1, 2, 3)
    sequence = dataset["Bolt"]
    assert all(store.finished("T", sequence, run) for run in (1, 2, 3))
    assert not store.finished("T", sequence, 4)
    assert store.read_times("T", "Bolt", 2)[0] == pytest.approx(0.02)  # type: ignore[index]
    runs = store.read_runs("T", "Bolt", len(sequence))
    assert len(runs) == 3
    assert not np.array_equal(runs[0].values, runs[1].values)
    copy = MemoryStore("otb2015")
    copy.copy_from(store, "T")
    assert copy.repetitions("T", "Bolt") == (1, 2, 3)
    assert evaluate(dataset, copy)[0].trackers["T"].spread


def test_folders_of_runs_are_imported_as_one_result(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    source = tmp_path / "tracking_results" / "dimp"
    for run in range(RUNS):
        folder = source / f"dimp50_{run:03d}"
        folder.mkdir(parents=True)
        for sequence in dataset:
            boxes = store.read_boxes("T", sequence.name, run + 1)
            (folder / f"{sequence.name}.txt").write_bytes(format_exact(boxes, "\t"))
    report = import_results(source, store, "DiMP50", dataset)
    assert report.repetitions == RUNS
    assert "3 runs: dimp50_000 to dimp50_002" in report.notes
    (scores,) = evaluate(dataset, store, ["T", "DiMP50"])
    ours, theirs = scores.trackers["T"], scores.trackers["DiMP50"]
    assert theirs.measures["success"] == ours.measures["success"]
    assert theirs.spread["success"] == ours.spread["success"]
    single = import_results(source / "dimp50_001", store, "one", dataset)
    assert single.repetitions == 1
    (source / "prdimp50_000").mkdir()
    (source / "prdimp50_000" / "Bolt.txt").write_text("1,2,3,4\n")
    assert import_results(source, store, "dimp50", dataset).repetitions == RUNS


@pytest.mark.parametrize("format_", FORMATS)
def test_runs_go_out_and_come_back(
    tmp_path: Path, dataset: Dataset, store: OnePassStore, format_: str
) -> None:
    out = tmp_path / "out"
    assert export_results(store, "T", dataset, format_, out) == 3
    import_results(out, store, "again", dataset, format=format_)
    assert store.repetitions("again", "Bolt") == (1, 2, 3)
    for run in (1, 2, 3):
        np.testing.assert_array_equal(
            store.read_boxes("again", "Jogging-1", run), store.read_boxes("T", "Jogging-1", run)
        )


def test_our_own_folder_is_imported_with_all_its_runs(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    other = OnePassStore(tmp_path / "other", "otb2015")
    assert import_results(store.folder("T"), other, "T", dataset).repetitions == RUNS


def test_a_changed_file_is_named(dataset: Dataset, store: OnePassStore) -> None:
    assert store.changed_files("T") == []
    path = store.boxes_path("T", "Car1", 2)
    path.write_text(path.read_text().replace("1", "2"))
    assert store.changed_files("T") == ["repetitions/002/Car1.txt"]
    notes = evaluate(dataset, store)[0].trackers["T"].notes
    assert "changed since they were written: 1 files (repetitions/002/Car1.txt)" in notes
    store.write("T", dataset["Car1"], answers(dataset["Car1"], 2), 2)
    assert store.changed_files("T") == []
