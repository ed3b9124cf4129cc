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

from bench.runner.process import (
    Beat,
    Failed,
    Limits,
    Outcome,
    WorkerProcess,
    birth_conditions,
)
from bench.runner.unit import Unit
from bench.tracker import TrackerSpec

_TICK = 0.1  # seconds between two looks at the workers
_FAREWELL = 5.0  # seconds for workers to end by themselves when the work is done


def run_units(
    units: Iterable[Unit], spec: TrackerSpec, jobs: int, seed: int, limits: Limits
) -> Generator[Outcome, None, None]:
    """Run every unit on one of ``jobs`` worker processes and yield each outcome as it comes.

    Units are handed out in the order given. Closing the iterator kills the workers.

    Raises:
        TrackerError: a worker could not build the tracker.
    """
    waiting = deque(units)
    workers: list[WorkerProcess] = []
    try:
        while waiting or any(each.unit for each in workers):
            busy = sum(each.unit is not None for each in workers)
            while len(workers) < min(jobs, len(waiting) + busy):
                with birth_conditions():
                    workers.append(WorkerProcess(spec, seed))
            yield from _hand_out(workers, waiting)
            wait([each.connection for each in workers], timeout=_TICK)
            for each in workers:
                yield from each.outcomes(limits)
            yield Beat(tuple((each.unit, each.frame) for each in workers if each.unit))
            workers = _survivors(workers, needed=bool(waiting))
        _dismiss(workers)
    finally:
        for each in workers:
            each.kill()


def _hand_out(workers: Iterable[WorkerProcess], waiting: deque[Unit]) -> Iterator[Failed]:
    """Give each idle worker the next unit; one that cannot be sent has failed."""
    for each in workers:
        while waiting and each.ready and each.unit is None:
            unit = waiting.popleft()
            try:
                each.hand(unit)
            except (pickle.PicklingError, TypeError, AttributeError) as error:
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
