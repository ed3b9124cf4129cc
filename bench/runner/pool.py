"""The loop that hands units to the workers of an engine, whichever that is."""

from __future__ import annotations

import dataclasses
import pickle
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from bench.errors import TrackerError
from bench.runner.engine import Engine, Event, Limits, NodeLost, Shared, Worker
from bench.runner.provenance import differing_facts
from bench.runner.unit import Beat, Failed, Finished, Outcome, Remark, Unit

_TICK = 0.1  # seconds to wait for a message from a worker
_FAREWELL = 5.0  # seconds for idle workers to end by themselves
_RETURNS = 2  # times that a unit goes back because its node was lost
_EARLY_LOSSES = 10  # workers in a row that may be lost before they are ready


def run_units(
    units: Iterable[Unit],
    engine: Engine,
    *,
    limits: Limits,
    lanes: int = 1,
    expected: Mapping[str, Any] | None = None,
) -> Generator[Outcome, None, None]:
    """Run every unit on a worker of ``engine`` and yield each outcome as it comes.

    Workers get the units in the order given. With several ``lanes``, each worker gets an equal
    share to follow in lockstep; units that fail there run again, one at a time. A unit whose node
    is lost goes back, at most twice. A worker whose facts differ from what is ``expected`` is
    refused, and no other runs where it did. Closing the generator kills the workers.

    Raises:
        TrackerError: the tracker cannot be sent to a worker, or a worker could not build it; or
            every place was refused, or lost.
    """
    loop = _Loop(_shares(list(units), engine.seats, lanes), lanes, expected or {})
    workers: list[Worker] = []
    try:
        while loop.waiting or any(each.units for each in workers):
            busy = sum(bool(each.units) for each in workers)
            while len(workers) < min(engine.seats, len(loop.waiting) + busy):
                workers.append(engine.start(workers))
            yield from loop.hand_out(workers, engine)
            engine.wait(workers, _TICK)
            for each in workers:
                for event in each.events(limits):
                    yield from loop.take(event, each)
            yield _beat(workers)
            workers = _survivors(workers, needed=bool(loop.waiting))
        _dismiss(workers)
    finally:
        for each in workers:
            each.kill()
        engine.close()


@dataclass(eq=False)
class _Loop:
    """What still has to run, and what became of it so far."""

    waiting: deque[tuple[Unit, ...]]
    lanes: int
    expected: Mapping[str, Any]
    checked: WeakSet[Any] = field(default_factory=WeakSet)
    alone: set[str] = field(default_factory=set)
    returned: Counter[str] = field(default_factory=Counter)
    early: int = 0

    def hand_out(self, workers: list[Worker], engine: Engine) -> Iterator[Outcome]:
        """Send each idle worker its next units; units that cannot be pickled have failed."""
        for each in workers:
            if each.ready and not each.dead and each not in self.checked:
                self.checked.add(each)
                self.early = 0
                yield from self._check(each, engine)
            while self.waiting and each.ready and not each.units and not each.dead:
                units = self.waiting.popleft()
                try:
                    each.hand(units, min(self.lanes, len(units)))
                except (pickle.PicklingError, TypeError, AttributeError) as error:
                    for unit in units:
                        yield Failed(unit, None, f"it cannot be sent to a worker process: {error}")

    def _check(self, worker: Worker, engine: Engine) -> Iterator[Remark]:
        """Refuse a worker that would not give the results of the others."""
        differing = differing_facts(self.expected, worker.facts)
        if differing:
            worker.dead = True
            node = engine.refuse(worker, differing)
            yield Remark(f"{node} was refused: it differs in {differing}")

    def take(self, event: Event, worker: Worker) -> Iterator[Outcome]:
        """What an event of a worker means for the run."""
        if isinstance(event, NodeLost):
            yield from self._lost(event, worker)
        elif isinstance(event, Shared):
            if self.lanes > 1:
                self.alone.update(unit.name for unit in event.units)
            self.waiting.extend((unit,) for unit in event.units)
        elif isinstance(event, Finished) and event.unit.name in self.alone:
            yield dataclasses.replace(event, alone=True)
        else:
            yield event

    def _lost(self, event: NodeLost, worker: Worker) -> Iterator[Outcome]:
        yield Remark(event.cause)
        self.early += not worker.ready
        if self.early > _EARLY_LOSSES:
            raise TrackerError(f"{self.early} workers in a row were lost: {event.cause}")
        back = []
        for unit in event.units:
            self.returned[unit.name] += 1
            if self.returned[unit.name] > _RETURNS:
                times = self.returned[unit.name]
                yield Failed(unit, None, f"its node was lost {times} times: {event.cause}")
            else:
                back.append(unit)
        if back:
            self.waiting.appendleft(tuple(back))


def _shares(units: list[Unit], jobs: int, lanes: int) -> deque[tuple[Unit, ...]]:
    """The units that go to a worker together: one, or an equal share to follow in lockstep."""
    if lanes == 1:
        return deque((unit,) for unit in units)
    return deque(share for job in range(jobs) if (share := tuple(units[job::jobs])))


def _beat(workers: Iterable[Worker]) -> Beat:
    return Beat(tuple((next(iter(w.units.values())), w.frame) for w in workers if w.units))


def _survivors(workers: Iterable[Worker], needed: bool) -> list[Worker]:
    """The workers to keep; those that are still starting only if they are ``needed``."""
    kept = []
    for each in workers:
        if each.dead or not (each.ready or needed):
            each.kill()
        else:
            kept.append(each)
    return kept


def _dismiss(workers: Iterable[Worker]) -> None:
    """Let workers end by themselves, so that a tracker can release its resources."""
    deadline = time.monotonic() + _FAREWELL
    for each in workers:
        each.leave(deadline)
