"""The engine that runs units in this process, and other engines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.protocols.steps import FrameError
from bench.registry import TrackerSpec, make_spec
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, run_here, run_tracker
from bench.runner.unit import Beat, Failed, Finished, Outcome, Unit
from bench.sequence import Dataset


@pytest.fixture
def dataset(fakes: ModuleType) -> Dataset:
    made: Dataset = fakes.make_dataset(a=6, b=12)
    return made


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    return OnePassStore(tmp_path, "otb2015")


def test_the_results_are_those_of_worker_processes(dataset: Dataset, store: OnePassStore) -> None:
    for name, engine in (("workers", None), ("here", run_here)):
        spec = TrackerSpec(name, "fake_trackers:Wanderer")
        summary = run_tracker(dataset, spec, store, engine=engine)
        assert summary.finished == ("b", "a")
    for sequence in ("a", "b"):
        boxes = [store.read_boxes(name, sequence) for name in ("workers", "here")]
        assert np.array_equal(*boxes)
    sessions = [
        json.loads(store.record_path(n).read_text())["sessions"] for n in ("workers", "here")
    ]
    assert [session["engine"] for (session,) in sessions] == ["workers", "run_here"]


def test_a_failure_costs_its_sequence_only(
    fakes: ModuleType, dataset: Dataset, store: OnePassStore
) -> None:
    guilty = int(dataset["b"].frames[0].sum())  # type: ignore[index]
    spec = TrackerSpec("t", "fake_trackers:Trouble", {"plan": {guilty: "raise"}})
    summary = run_tracker(dataset, spec, store, engine=run_here)
    assert summary.finished == ("a",)
    ((name, frame, cause),) = [(f.sequence, f.frame, f.cause) for f in summary.failures]
    assert (name, frame) == ("b", 3)
    assert "ValueError: lost my mind" in cause
    with pytest.raises(FrameError) as caught:
        run_tracker(dataset, spec, store, engine=partial(run_here, raise_errors=True))
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_missing_frame_is_named(fakes: ModuleType) -> None:
    sequence = fakes.make_sequence("a", 6, frames=fakes.Noise(1, 6, missing=3))
    outcomes = list(run_here([Unit(sequence)], TrackerSpec("s", "fake_trackers:Still"), 0))
    ((frame, cause),) = [(o.frame, o.cause) for o in outcomes if isinstance(o, Failed)]
    assert frame == 4
    assert "does not exist" in cause


def test_an_object_runs_as_it_is(fakes: ModuleType, dataset: Dataset, store: OnePassStore) -> None:
    tracker = fakes.Still()
    units = [Unit(sequence) for sequence in dataset]
    ended = [o for o in run_here(units, tracker, 0) if not isinstance(o, Beat)]
    assert [type(outcome) for outcome in ended] == [Finished, Finished]
    assert run_tracker(dataset, make_spec(tracker), store, engine=run_here).finished == ("b", "a")
    facts = json.loads(store.record_path("Still").read_text())["provenance"]
    assert facts["target"] == "fake_trackers:Still (object)"


def test_a_class_defined_in_a_function_reaches_the_workers(
    fakes: ModuleType, dataset: Dataset, store: OnePassStore
) -> None:
    caller = os.getpid()

    class Local(fakes.Still):  # type: ignore[misc, name-defined]
        def init(self, image: np.ndarray, region: np.ndarray) -> None:
            super().init(image, region)
            self.region = region + (os.getpid() != caller)

    for tracker, name in ((Local, "class"), (Local(), "object")):
        run_tracker(dataset, make_spec(tracker, name=name), store)
        boxes = store.read_boxes(name, "a")
        assert boxes[1].tolist() == (boxes[0] + 1).tolist()


class _Unpicklable:
    def __init__(self, how: str) -> None:
        self.how = how

    def __reduce__(self) -> Any:
        if self.how == "send":
            raise TypeError("cannot pickle a camera")
        return int, ("not a number",)


@pytest.mark.parametrize("how", ["send", "load"])
def test_a_tracker_that_workers_cannot_get_is_one_error(
    fakes: ModuleType, dataset: Dataset, store: OnePassStore, how: str
) -> None:
    tracker = fakes.Still()
    tracker.camera = _Unpicklable(how)
    with pytest.raises(TrackerError, match=r"worker process.*(camera|not a number)"):
        run_tracker(dataset, make_spec(tracker), store)


def test_any_engine_will_do(dataset: Dataset, store: OnePassStore) -> None:
    closed = []

    def backwards(units: list[Unit], spec: TrackerSpec, seed: int) -> Iterator[Outcome]:
        try:
            yield from run_here(reversed(units), spec, seed)
        finally:
            closed.append(seed)

    spec = TrackerSpec("s", "fake_trackers:Together")
    summary = run_tracker(dataset, spec, store, RunOptions(seed=5), engine=backwards)
    assert summary.finished == ("a", "b")
    assert closed == [5]
    listed = TrackerSpec("listed", "fake_trackers:Still")
    summary = run_tracker(dataset, listed, store, engine=lambda *given: list(run_here(*given)))
    assert summary.finished == ("b", "a")
    with pytest.raises(ConfigError, match="lockstep"):
        run_tracker(dataset, spec, store, RunOptions(lockstep=2), engine=backwards)
