"""Whole runs of the experiments of VOT: repetitions, resume, lockstep, isolation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bench.errors import ConfigError
from bench.loading import ROOT
from bench.registry import TrackerSpec
from bench.results.vot.store import VotStore
from bench.runner import RunOptions, run_tracker
from bench.sequence import Dataset


def spec(tracker: str, name: str = "fake", **options: Any) -> TrackerSpec:
    return TrackerSpec(name, f"fake_trackers:{tracker}", options)


@pytest.fixture
def dataset(fakes: ModuleType) -> Dataset:
    sequences = tuple(fakes.make_sequence(n, c, index_base=0.0) for n, c in (("a", 8), ("b", 14)))
    return Dataset("vot2018", Path("/data/vot"), sequences, expected=60)


@pytest.fixture
def store(tmp_path: Path) -> VotStore:
    return VotStore(tmp_path / "results", "vot2018", "baseline")


def runs(store: VotStore, name: str = "fake") -> dict[str, bytes]:
    """Contents of trajectories and scores; times differ from run to run."""
    folder = store.folder(name)
    paths = [*folder.rglob("*_[0-9]*.txt"), *folder.rglob("*.value")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_three_equal_runs_are_enough(dataset: Dataset, store: VotStore) -> None:
    summary = run_tracker(dataset, spec("Still"), store)
    assert sorted(summary.finished) == [f"{n}_{r:03d}" for n in "ab" for r in (1, 2, 3)]
    assert store.repetitions("fake", "a") == (1, 2, 3)
    times = store.read_times("fake", "b")
    assert times is not None
    assert times.shape == (14, 3)
    again = run_tracker(dataset, spec("Still"), store)
    assert again.finished == ()
    assert len(again.skipped) == 6


def test_a_tracker_that_says_so_runs_once(dataset: Dataset, store: VotStore) -> None:
    run_tracker(dataset, spec("Sure"), store)
    assert store.repetitions("fake", "a") == (1,)


def test_runs_that_differ_go_on_to_fifteen_whatever_the_jobs(
    dataset: Dataset, store: VotStore
) -> None:
    run_tracker(dataset, spec("Jumper", "one"), store)
    assert store.repetitions("one", "a") == tuple(range(1, 16))
    assert len(set(runs(store, "one").values())) > 20
    run_tracker(dataset, spec("Jumper", "two"), store, RunOptions(jobs=2))
    assert runs(store, "one") == runs(store, "two")


def test_fewer_repetitions_on_request(dataset: Dataset, store: VotStore) -> None:
    run_tracker(dataset, spec("Jumper"), store, RunOptions(repetitions=2))
    assert store.repetitions("fake", "b") == (1, 2)
    run_tracker(dataset, spec("Jumper"), store, RunOptions(repetitions=5))
    assert store.repetitions("fake", "b") == (1, 2, 3, 4, 5)


def test_a_failure_costs_its_run_and_no_more_are_tried(
    fakes: ModuleType, dataset: Dataset, store: VotStore
) -> None:
    first = int(dataset["a"].frames[0].sum())  # type: ignore[index]
    summary = run_tracker(
        dataset, spec("Trouble", plan={first: "crash"}), store, RunOptions(jobs=2)
    )
    assert sorted(f.sequence for f in summary.failures) == ["a_001", "a_002", "a_003"]
    assert {f.frame for f in summary.failures} == {3}
    assert store.repetitions("fake", "a") == ()
    assert store.repetitions("fake", "b") == (1, 2, 3)
    written = json.loads(store.record_path("fake").read_text())
    assert len(written["failures"]) == 3
    assert written["provenance"]["protocol"] == "baseline"


@pytest.mark.parametrize("lanes", [2, 5])
def test_lockstep_gives_the_same_files(
    fakes: ModuleType, dataset: Dataset, store: VotStore, lanes: int
) -> None:
    run_tracker(dataset, spec("Together", "single"), store)
    run_tracker(dataset, spec("Together", "many"), store, RunOptions(lockstep=lanes))
    assert runs(store, "single") == runs(store, "many")
    written = json.loads(store.record_path("many").read_text())
    assert written["provenance"]["lockstep"] == lanes


@pytest.mark.parametrize("kind", ["raise", "exit", "nan"])
def test_a_fault_in_lockstep_costs_the_guilty_run_only(
    fakes: ModuleType, dataset: Dataset, store: VotStore, kind: str
) -> None:
    first = int(dataset["a"].frames[0].sum())  # type: ignore[index]
    tracker = spec("Together", guilty=first, kind=kind)
    summary = run_tracker(dataset, tracker, store, RunOptions(lockstep=4))
    assert sorted(f.sequence for f in summary.failures) == ["a_001", "a_002", "a_003"]
    assert store.repetitions("fake", "b") == (1, 2, 3)


def test_lockstep_needs_a_batch_form_and_no_clock(dataset: Dataset, store: VotStore) -> None:
    with pytest.raises(ConfigError, match="no batch form"):
        run_tracker(dataset, spec("Still"), store, RunOptions(lockstep=2))
    realtime = VotStore(store.root, "vot2018", "realtime")
    with pytest.raises(ConfigError, match="one target at a time"):
        run_tracker(dataset, spec("Together"), realtime, RunOptions(lockstep=2))


def test_other_experiments_lie_beside(dataset: Dataset, store: VotStore) -> None:
    for experiment in ("unsupervised", "realtime"):
        other = VotStore(store.root, "vot2018", experiment)
        run_tracker(dataset, spec("Still"), other)
        assert other.repetitions("fake", "a") == (1,)
        (run,) = other.read_runs("fake", "a")
        assert run.codes.tolist() == [1, *[-1] * 7]


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import fake_trackers
from bench.results.vot.store import VotStore
from bench.runner import RunOptions, run_tracker
from bench.sequence import Dataset
from bench.registry import TrackerSpec

if __name__ == "__main__":
    make = fake_trackers.make_sequence
    sequences = (make("a", 8, index_base=0.0), make("b", 14, index_base=0.0))
    dataset = Dataset("vot2018", Path("/data/vot"), sequences, expected=60)
    store = VotStore(Path({root!r}), "vot2018", "baseline")
    spec = TrackerSpec("fake", "fake_trackers:Jumper", {{"pause": 0.01}})
    run_tracker(dataset, spec, store, RunOptions(jobs=2))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_goes_on_at_the_repetition(
    fakes: ModuleType, dataset: Dataset, store: VotStore, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    here = str(Path(__file__).parent)
    script.write_text(SCRIPT.format(here=here, root=str(store.root)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, ROOT])}
    process = subprocess.Popen([sys.executable, str(script)], env=environment)
    deadline = time.monotonic() + 60
    while len(runs(store)) < 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = runs(store)
    assert 10 <= len(kept) < 60
    stamps = {path: path.stat().st_mtime_ns for path in store.folder("fake").rglob("*_0*.txt")}
    time.sleep(1)  # its workers notice that they are orphans
    run_tracker(dataset, spec("Jumper", pause=0.01), store, RunOptions(jobs=2))
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    whole = VotStore(tmp_path / "whole", "vot2018", "baseline")
    run_tracker(dataset, spec("Jumper", pause=0.01), whole)
    assert runs(store) == runs(whole)
    times = store.read_times("fake", "b")
    assert times is not None
    assert times.shape == (14, 15)
    assert np.isfinite(times).all()
