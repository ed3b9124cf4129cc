"""The worker process: builds the tracker once, then runs the units that it receives.

It answers through a channel, and writes its current frame to a shared integer, which the parent
can read even after a crash. It ends when its parent ends, even if that is killed.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeAlias, cast

from bench.errors import BenchError, TrackerError, describe, message_of, traceback_of
from bench.processes import end_with_parent, limit_threads
from bench.protocols.steps import FrameError
from bench.registry import TrackerSpec
from bench.runner.channel import Outbox, redirect_output
from bench.runner.own_files import files_of, hashes, own_paths
from bench.runner.provenance import worker_facts
from bench.runner.unit import (
    Answer,
    AnyTrajectory,
    Unit,
    answer_of,
    build_tracker,
    run_lockstep,
    run_unit,
)
from bench.tracker import BatchTracker, Tracker


class Counter(Protocol):
    """An integer in the memory that parent and worker share."""

    value: int


@dataclass(frozen=True)
class Ready:
    """The tracker is built, and the worker waits for units; ``facts`` says where and with what."""

    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unbuilt:
    """The tracker could not be built, for this cause; ``log`` is the traceback."""

    cause: str
    log: str = ""


@dataclass(frozen=True, eq=False)
class Done:
    """The unit of this ``index`` among those sent finished."""

    index: int
    answer: Answer


@dataclass(frozen=True)
class Stumbled:
    """A unit failed.

    Attributes:
        frame: number of the frame, from 1; None if it failed before the first.
        cause: what went wrong.
        log: the traceback.
    """

    frame: int | None
    cause: str
    log: str = ""


Message: TypeAlias = Ready | Unbuilt | Done | Stumbled


def work(
    connection: Connection,
    counter: Counter,
    pickled: bytes,
    seed: int,
    key: bytes,
    output: Connection | None = None,
) -> None:
    """Run units until one fails or the other end of ``connection`` closes.

    A failure ends the worker, because it may leave the tracker or the CUDA context of this
    process in any state.

    Args:
        connection: receives ``Work``, sends messages.
        counter: number of the current frame.
        pickled: the tracker's ``TrackerSpec``.
        seed: of every random generator while the tracker is built.
        key: that the messages begin with.
        output: takes what the tracker prints.
    """
    _live_alone()
    limit_threads()
    outbox = Outbox(connection, key)
    if output is not None:
        redirect_output(output)
    with contextlib.suppress(EOFError, OSError):  # the parent is done, or has ended
        try:
            spec = _load_spec(pickled)
            facts = worker_facts(spec)
            tracker = build_tracker(spec, seed)
            named = files_of(tracker)  # that one is missing is an error of the start
        except BaseException as error:
            said = isinstance(error, BenchError) and error.__cause__ is None  # meant for the user
            outbox.send(Unbuilt(_cause(error), "" if said else traceback_of(error)))
            return
        answer: Message = Ready({**facts, "tracker_files": named})
        outbox.send(answer)
        while not isinstance(answer, Stumbled):
            for answer in _attempt(connection.recv_bytes(), counter, tracker):
                outbox.send(answer)


def _cause(error: BaseException) -> str:
    return message_of(error) if isinstance(error, BenchError) else describe(error)


def _load_spec(pickled: bytes) -> TrackerSpec:
    try:
        spec: TrackerSpec = pickle.loads(pickled)
    except Exception as error:
        raise TrackerError(
            f"the tracker cannot be loaded in a worker process: {describe(error)}"
        ) from error
    return spec


@dataclass(frozen=True, eq=False)
class Work:
    """The units sent to a worker.

    Attributes:
        units: what to run.
        lanes: how many of them it follows in lockstep.
        ahead: frames that it decodes in advance.
    """

    units: tuple[Unit, ...]
    lanes: int = 1
    ahead: int = 0


def _attempt(pickled: bytes, counter: Counter, tracker: Tracker) -> Iterator[Done | Stumbled]:
    """Run the units received; an exception becomes an answer."""

    def note(frame: int) -> None:
        counter.value = frame if lanes == 1 else counter.value + 1

    def done(index: int, trajectory: AnyTrajectory) -> Done:
        paths = own_paths(tracker)
        return Done(index, answer_of(tracker, trajectory, hashes(paths), paths))

    lanes = 1
    try:
        work: Work = pickle.loads(pickled)
        lanes = work.lanes
        if lanes > 1:
            batch = cast(BatchTracker, tracker)
            for index, trajectory in run_lockstep(batch, work.units, lanes, note, work.ahead):
                yield done(index, trajectory)
        else:
            for index, unit in enumerate(work.units):
                yield done(index, run_unit(tracker, unit, note, work.ahead))
    except FrameError as error:
        yield Stumbled(error.frame, error.cause, traceback_of(error))
    except (SystemExit, GeneratorExit) as error:
        print(traceback_of(error), file=sys.stderr)  # for the log, then the process ends so
        raise
    except BaseException as error:
        yield Stumbled(counter.value or None, _cause(error), traceback_of(error))


def _live_alone() -> None:
    """Lead a session, so that Ctrl-C reaches only the parent, and end with the parent."""
    if sys.platform != "win32":
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    end_with_parent(and_group=True)
