"""One worker process seen from the parent: hand it a unit, watch for silence and death."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import TypeAlias

from bench.errors import TrackerError
from bench.registry import TrackerSpec
from bench.runner import worker
from bench.runner.unit import AnyTrajectory, Unit, thread_environment


@dataclass(frozen=True)
class Limits:
    """Seconds of silence after which a worker is given up: per frame, and to get started."""

    frame: float = 120.0
    start: float = 300.0


@dataclass(frozen=True, eq=False)
class Finished:
    """A unit ended well, on the device of that name."""

    unit: Unit
    trajectory: AnyTrajectory
    device: str


@dataclass(frozen=True, eq=False)
class Failed:
    """A unit failed; ``frame`` counts from 1 and is None where it failed before the first."""

    unit: Unit
    frame: int | None
    cause: str


@dataclass(frozen=True, eq=False)
class Shared:
    """Units in lockstep met with a fault that cannot be told to be of one: run each alone."""

    units: tuple[Unit, ...]
    cause: str


@dataclass(frozen=True, eq=False)
class Beat:
    """Nothing ended lately: the units that are running, each with the frame it is at."""

    running: tuple[tuple[Unit, int], ...]


Outcome: TypeAlias = Finished | Failed | Beat
Event: TypeAlias = Finished | Failed | Shared


class WorkerProcess:
    """One worker process.

    Attributes:
        units: what it is running, by index; none where it waits or is getting started.
        ready: its tracker is built.
        dead: it ended, failed or was given up; ``kill`` clears away what is left of it.
    """

    def __init__(self, spec: TrackerSpec, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._counter = context.RawValue("q", 0)
        self.process = context.Process(
            target=worker.work, args=(theirs, self._counter, spec, seed)
        )
        self.process.start()
        theirs.close()
        self.units: dict[int, Unit] = {}
        self.ready = self.dead = False
        self._target = spec.target
        self._look()

    @property
    def frame(self) -> int:
        """The frame it is at, from 1; 0 before the first."""
        return int(self._counter.value)

    def hand(self, units: tuple[Unit, ...], lanes: int) -> None:
        """Start it on units, ``lanes`` of them in lockstep.

        Raises:
            PicklingError, TypeError, AttributeError: a unit cannot be pickled.
        """
        pickled = pickle.dumps(worker.Work(units, lanes))
        self.units = dict(enumerate(units))
        self._counter.value = 0
        self._look()
        # If it died while idle, its next look tells, and the unit has failed with it.
        with contextlib.suppress(ConnectionError):
            self.connection.send_bytes(pickled)

    def events(self, limits: Limits) -> Iterator[Event]:
        """What happened since the last look.

        Raises:
            TrackerError: the tracker could not be built.
        """
        ended = not self.process.is_alive()  # asked first: what it said last is still in the pipe
        try:
            while self.connection.poll():
                yield from self._take(self.connection.recv())
        except (EOFError, OSError):
            self.process.join(timeout=1.0)
            ended = True
        if ended and not self.dead:
            yield from self._give_up(self._fate())
        elif self.frame != self._seen:
            self._look()
        elif (self.units or not self.ready) and not self.dead:
            limit = limits.frame if self.ready else limits.start
            if time.monotonic() - self._since > limit:
                yield from self._give_up(f"no answer within {limit:g} s, so it was stopped")

    def kill(self) -> None:
        """End the process and every process that its tracker started."""
        self.connection.close()
        if sys.platform != "win32" and self.process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()

    def _take(self, message: worker.Message) -> Iterator[Event]:
        if isinstance(message, worker.Unbuilt):
            raise TrackerError(message.cause)
        if isinstance(message, worker.Ready):
            self.ready = True
        elif not self.units:
            raise RuntimeError(f"a worker without a unit answered {message}")
        elif isinstance(message, worker.Done):
            yield Finished(self.units.pop(message.index), message.trajectory, message.device)
        else:
            self.dead = True
            yield from self._lose(message.frame, message.cause)

    def _give_up(self, cause: str) -> Iterator[Event]:
        self.dead = True
        if not self.ready:
            raise TrackerError(f"tracker {self._target!r} could not be built: {cause}")
        yield from self._lose(self.frame or None, cause)

    def _lose(self, frame: int | None, cause: str) -> Iterator[Event]:
        """What becomes of the units that were running: one alone has failed."""
        units, self.units = tuple(self.units.values()), {}
        if len(units) == 1:
            yield Failed(units[0], frame, cause)
        elif units:
            yield Shared(units, cause)

    def _fate(self) -> str:
        code = self.process.exitcode
        if code is None:
            return "its process closed the connection"
        if code >= 0:
            return f"its process ended with exit code {code}"
        hint = ", perhaps because memory ran out" if -code == signal.SIGKILL else ""
        return f"its process was killed by signal {-code} ({signal.strsignal(-code)}{hint})"

    def _look(self) -> None:
        self._seen, self._since = self.frame, time.monotonic()


@contextlib.contextmanager
def birth_conditions() -> Iterator[None]:
    """What a process inherits: the environment of workers, and deafness to Ctrl-C.

    A worker is deaf until it leads its own session. In the parent, Ctrl-C takes effect on leaving,
    when the worker is known to the one who has to end it.
    """
    wanted = thread_environment()
    kept = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # starting it would unblock the signal again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
