"""The loop over an engine that loses nodes, and one whose nodes differ: no process is started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bench.errors import TrackerError
from bench.runner.engine import Event, Limits, NodeLost, emptiest
from bench.runner.pool import run_units
from bench.runner.unit import Answer, Beat, Failed, Finished, Outcome, Remark, Unit
from bench.sequence import Trajectory


class FakeWorker:
    """Finishes a unit at once, unless its node is to be lost; ``fate`` is by node and unit."""

    def __init__(self, place: str, engine: FakeEngine) -> None:
        self.place, self.engine = place, engine
        self.units: dict[int, Unit] = {}
        self.ready = self.dead = False
        self.frame = 0
        self.facts: dict[str, Any] = {"libraries": engine.libraries.get(place, {"numpy": "2.1"})}

    def hand(self, units: tuple[Unit, ...], lanes: int) -> None:
        self.units = dict(enumerate(units))

    def events(self, limits: Limits) -> Iterator[Event]:
        if not self.ready and self.place in self.engine.never:
            self.dead = True
            yield NodeLost((), f"{self.place} was lost")
            return
        self.ready = True
        for index, unit in list(self.units.items()):
            if self.engine.losses.get(unit.name, 0) > 0:
                self.engine.losses[unit.name] -= 1
                self.dead = True
                units, self.units = tuple(self.units.values()), {}
                yield NodeLost(units, f"{self.place} was lost")
                return
            del self.units[index]
            nothing = np.zeros((len(unit.sequence), 4))
            self.engine.ran.append((self.place, unit.name))
            there = Trajectory(nothing, nothing[:, 0], nothing[:, 0])
            yield Finished(unit, Answer(there, "cpu"))

    def leave(self, deadline: float) -> None:
        self.engine.left += 1

    def kill(self) -> None:
        self.dead = True


class FakeEngine:
    """Two nodes with a seat each."""

    def __init__(self, **settings: Any) -> None:
        self.seats = 2
        self.nodes = ["one", "two"]
        self.losses: dict[str, int] = settings.get("losses", {})
        self.libraries: dict[str, dict[str, str]] = settings.get("libraries", {})
        self.never: set[str] = settings.get("never", set())
        self.ran: list[tuple[str, str]] = []
        self.left = 0
        self.closed = False

    def start(self, living: Any) -> FakeWorker:
        return FakeWorker(emptiest(self.nodes, living), self)

    def wait(self, workers: Any, seconds: float) -> None:
        pass

    def refuse(self, worker: FakeWorker, why: str) -> str:
        self.nodes.remove(worker.place)
        if not self.nodes:
            raise TrackerError(f"every node was refused, the last for {why}")
        return worker.place

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def units(fakes: ModuleType) -> list[Unit]:
    return [Unit(fakes.make_sequence(name, 3)) for name in "abcd"]


def ends(outcomes: list[Outcome]) -> list[Outcome]:
    return [each for each in outcomes if not isinstance(each, Beat | Remark)]


def run(units: list[Unit], engine: FakeEngine, **more: Any) -> list[Outcome]:
    return list(run_units(units, engine, limits=Limits(), **more))


def test_a_unit_of_a_lost_node_runs_elsewhere(units: list[Unit]) -> None:
    engine = FakeEngine(losses={"a": 2, "c": 1})
    outcomes = run(units, engine)
    assert all(isinstance(each, Finished) for each in ends(outcomes))
    assert sorted(name for _, name in engine.ran) == ["a", "b", "c", "d"]  # none twice
    remarks = [each.text for each in outcomes if isinstance(each, Remark)]
    assert len(remarks) == 3
    assert engine.closed


def test_after_two_returns_the_unit_has_failed(units: list[Unit]) -> None:
    outcomes = run(units, FakeEngine(losses={"a": 3}))
    (failed,) = [each for each in outcomes if isinstance(each, Failed)]
    assert failed.unit.name == "a"
    assert failed.cause.startswith("its node was lost 3 times: ")
    assert len(ends(outcomes)) == 4


def test_nodes_that_are_lost_before_they_are_ready_end_the_run(units: list[Unit]) -> None:
    engine = FakeEngine(never={"one", "two"})
    with pytest.raises(TrackerError, match=r"workers in a row were lost: (one|two) was lost"):
        run(units, engine)
    assert engine.closed


def test_a_node_whose_facts_differ_is_refused_and_the_run_goes_on(units: list[Unit]) -> None:
    engine = FakeEngine(libraries={"one": {"numpy": "1.26"}})
    expected = {"libraries": {"numpy": "2.1"}, "seed": 0}
    outcomes = run(units, engine, expected=expected)
    assert {node for node, _ in engine.ran} == {"two"}
    assert len(ends(outcomes)) == 4
    (remark,) = [each for each in outcomes if isinstance(each, Remark)]
    assert remark.text == (
        "one was refused: it differs in libraries.numpy: expected '2.1', found '1.26'"
    )


def test_without_any_node_left_the_run_ends(units: list[Unit]) -> None:
    engine = FakeEngine(libraries={"one": {"numpy": "1"}, "two": {"numpy": "1"}})
    with pytest.raises(TrackerError, match="every node was refused"):
        run(units, engine, expected={"libraries": {"numpy": "2.1"}})
    assert engine.ran == []


def test_remarks_are_recorded(units: list[Unit], fakes: ModuleType, tmp_path: Path) -> None:
    from bench.registry import TrackerSpec
    from bench.results.onepass import OnePassStore
    from bench.results.record import read_record
    from bench.runner import run_tracker

    engine = FakeEngine(losses={"a": 1})
    store = OnePassStore(tmp_path, "otb2015")
    run_tracker(
        fakes.make_dataset(a=3, b=3), TrackerSpec("x", "static"), store,
        engine=lambda units, spec, seed: run_units(units, engine, limits=Limits()),
    )  # fmt: skip
    record = read_record(store.record_path("x"))
    assert record is not None
    assert len(record.sessions[0]["remarks"]) == 1
