"""Run units on worker processes: hand them out, gather what becomes of them.

One process a worker, even for one job, so that a tracker that hangs or takes its process down
costs one unit. Another engine (a cluster) only has to yield the same outcomes.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from multiprocessing.connection import wait

from bench.registry import TrackerSpec
from bench.runner.process import (
    Beat,
    Failed,
    Limits,
    Outcome,
    Shared,
    WorkerProcess,
    birth_conditions,
)
from bench.runner.unit import Unit

_TICK = 0.1  # seconds between two looks at the workers
_FAREWELL = 5.0  # seconds for workers to end by themselves when the work is done


def run_units(
    units: Iterable[Unit],
    spec: TrackerSpec,
    jobs: int,
    seed: int,
    limits: Limits,
    lanes: int = 1,
) -> Generator[Outcome, None, None]:
    """Run every unit on one of ``jobs`` worker processes and yield each outcome as it comes.

    Units are handed out in the order given; with several ``lanes``, each worker gets a share of
    them to follow in lockstep, and what meets with a fault there is run once more, one at a time.
    Closing the iterator kills the workers.

    Raises:
        TrackerError: a worker could not build the tracker.
    """
    waiting = _shares(list(units), jobs, lanes)
    workers: list[WorkerProcess] = []
    try:
        while waiting or any(each.units for each in workers):
            busy = sum(bool(each.units) for each in workers)
            while len(workers) < min(jobs, len(waiting) + busy):
                with birth_conditions():
                    workers.append(WorkerProcess(spec, seed))
            yield from _hand_out(workers, waiting, lanes)
            wait([each.connection for each in workers], timeout=_TICK)
            for each in workers:
                for event in each.events(limits):
                    if isinstance(event, Shared):
                        waiting.extend((unit,) for unit in event.units)
                    else:
                        yield event
            yield Beat(
                tuple(
                    (next(iter(each.units.values())), each.frame) for each in workers if each.units
                )
            )
            workers = _survivors(workers, needed=bool(waiting))
        _dismiss(workers)
    finally:
        for each in workers:
            each.kill()


def _shares(units: list[Unit], jobs: int, lanes: int) -> deque[tuple[Unit, ...]]:
    """What is handed to a worker at a time: one unit, or an equal share to follow in lockstep."""
    if lanes == 1:
        return deque((unit,) for unit in units)
    return deque(share for job in range(jobs) if (share := tuple(units[job::jobs])))


def _hand_out(
    workers: Iterable[WorkerProcess], waiting: deque[tuple[Unit, ...]], lanes: int
) -> Iterator[Failed]:
    """Give each idle worker the next units; those that cannot be sent have failed."""
    for each in workers:
        while waiting and each.ready and not each.units:
            units = waiting.popleft()
            try:
                each.hand(units, min(lanes, len(units)))
            except (pickle.PicklingError, TypeError, AttributeError) as error:
                for unit in units:
                    yield Failed(unit, None, f"it cannot be sent to a worker process: {error}")


def _survivors(workers: Iterable[WorkerProcess], needed: bool) -> list[WorkerProcess]:
    """The workers that live on; those still getting started only if they are ``needed``."""
    kept = []
    for each in workers:
        if each.dead or not (each.ready or needed):
            each.kill()
        else:
            kept.append(each)
    return kept


def _dismiss(workers: Iterable[WorkerProcess]) -> None:
    """Let workers end by themselves, so that a tracker can close what it has opened."""
    deadline = time.monotonic() + _FAREWELL
    for each in workers:
        each.connection.close()
    for each in workers:
        each.process.join(max(0.0, deadline - time.monotonic()))
