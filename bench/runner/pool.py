"""The default engine: runs units on worker processes.

Even a single job gets a process of its own, so that a tracker that hangs or crashes costs one
unit only.
"""

from __future__ import annotations

import dataclasses
import pickle
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from multiprocessing.connection import wait

from bench.registry import TrackerSpec
from bench.runner.process import Limits, Shared, WorkerProcess, start_conditions
from bench.runner.unit import Beat, Failed, Finished, Outcome, Unit

_TICK = 0.1  # seconds to wait for a message from a worker
_FAREWELL = 5.0  # seconds for idle workers to end by themselves


def run_units(
    units: Iterable[Unit],
    spec: TrackerSpec,
    seed: int,
    *,
    jobs: int,
    limits: Limits,
    lanes: int = 1,
    echo: bool = False,
) -> Generator[Outcome, None, None]:
    """Run every unit on one of ``jobs`` worker processes and yield each outcome as it comes.

    Workers get the units in the order given. With several ``lanes``, each worker gets an equal
    share to follow in lockstep; units that fail there run again, one at a time. What trackers
    print goes into the log of a failure, and with ``echo`` to standard error as well. Closing the
    generator kills the workers.

    Raises:
        TrackerError: the tracker cannot be sent to a worker, or a worker could not build it.
    """
    waiting = _shares(list(units), jobs, lanes)
    again: set[str] = set()
    workers: list[WorkerProcess] = []
    try:
        while waiting or any(each.units for each in workers):
            busy = sum(bool(each.units) for each in workers)
            while len(workers) < min(jobs, len(waiting) + busy):
                with start_conditions():
                    workers.append(WorkerProcess(spec, seed, echo))
            yield from _hand_out(workers, waiting, lanes)
            wait([channel for each in workers for channel in each.channels()], timeout=_TICK)
            for each in workers:
                for event in each.events(limits):
                    if isinstance(event, Shared):
                        if lanes > 1:
                            again.update(unit.name for unit in event.units)
                        waiting.extend((unit,) for unit in event.units)
                    elif isinstance(event, Finished) and event.unit.name in again:
                        yield dataclasses.replace(event, alone=True)
                    else:
                        yield event
            yield _beat(workers)
            workers = _survivors(workers, needed=bool(waiting))
        _dismiss(workers)
    finally:
        for each in workers:
            each.kill()


def _shares(units: list[Unit], jobs: int, lanes: int) -> deque[tuple[Unit, ...]]:
    """The units that go to a worker together: one, or an equal share to follow in lockstep."""
    if lanes == 1:
        return deque((unit,) for unit in units)
    return deque(share for job in range(jobs) if (share := tuple(units[job::jobs])))


def _hand_out(
    workers: Iterable[WorkerProcess], waiting: deque[tuple[Unit, ...]], lanes: int
) -> Iterator[Failed]:
    """Send each idle worker its next units; units that cannot be pickled have failed."""
    for each in workers:
        while waiting and each.ready and not each.units:
            units = waiting.popleft()
            try:
                each.hand(units, min(lanes, len(units)))
            except (pickle.PicklingError, TypeError, AttributeError) as error:
                for unit in units:
                    yield Failed(unit, None, f"it cannot be sent to a worker process: {error}")


def _beat(workers: Iterable[WorkerProcess]) -> Beat:
    return Beat(tuple((next(iter(w.units.values())), w.frame) for w in workers if w.units))


def _survivors(workers: Iterable[WorkerProcess], needed: bool) -> list[WorkerProcess]:
    """The workers to keep; those that are still starting only if they are ``needed``."""
    kept = []
    for each in workers:
        if each.dead or not (each.ready or needed):
            each.kill()
        else:
            kept.append(each)
    return kept


def _dismiss(workers: Iterable[WorkerProcess]) -> None:
    """Let workers end by themselves, so that a tracker can release its resources."""
    deadline = time.monotonic() + _FAREWELL
    for each in workers:
        each.connection.close()
    for each in workers:
        each.process.join(max(0.0, deadline - time.monotonic()))
