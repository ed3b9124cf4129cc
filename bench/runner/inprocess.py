"""An engine without worker processes, for notebooks and debuggers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.errors import BenchError, describe, message_of, traceback_of
from bench.protocols.steps import FrameError
from bench.registry import TrackerSpec
from bench.runner.own_files import files_of
from bench.runner.provenance import machine
from bench.runner.unit import (
    Beat,
    Failed,
    Finished,
    Outcome,
    Unit,
    answer_of,
    build_tracker,
    run_unit,
)
from bench.tracker import Tracker


def run_here(
    units: Iterable[Unit],
    tracker: Tracker | TrackerSpec,
    seed: int,
    *,
    raise_errors: bool = False,
) -> Iterator[Outcome]:
    """Run units one after the other in this process.

    Unlike a worker process, it cannot stop a tracker that hangs, and a crash ends this process.
    It leaves the number of threads as it is, so results may differ from those of a worker in
    their last digits.

    Args:
        units: what to run, in this order.
        tracker: a specification, from which the tracker is built again after a failure; or the
            tracker itself.
        seed: of every random generator while the tracker is built.
        raise_errors: raise what goes wrong with a unit instead of yielding ``Failed``.

    Raises:
        ConfigError: the tracker is unknown.
        TrackerError: it could not be built; with ``raise_errors``, it failed on a frame, and the
            exception of the tracker is the cause.
        DatasetError: with ``raise_errors``, frames are missing or cannot be decoded.
    """
    built: Tracker | None = None
    for unit in units:
        if built is None:
            built = build_tracker(tracker, seed) if isinstance(tracker, TrackerSpec) else tracker
        yield Beat(((unit, 0),))
        outcome = _attempt(built, unit, raise_errors)
        if isinstance(outcome, Failed):
            built = None
        yield outcome


def _attempt(tracker: Tracker, unit: Unit, raise_errors: bool) -> Finished | Failed:
    frames = [0]
    try:
        trajectory = run_unit(tracker, unit, frames.append)
        return Finished(unit, answer_of(tracker, trajectory, files_of(tracker)), machine())
    except (Exception, SystemExit) as error:
        if raise_errors:
            raise
        return _failure(unit, frames[-1], error)


def _failure(unit: Unit, frame: int, error: BaseException) -> Failed:
    log = traceback_of(error)
    if isinstance(error, FrameError):
        return Failed(unit, error.frame, error.cause, log)
    cause = message_of(error) if isinstance(error, BenchError) else describe(error)
    return Failed(unit, frame or None, cause, log)
