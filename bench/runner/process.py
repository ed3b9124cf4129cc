"""One worker process as its parent sees it: sends units, and notices silence and death."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import secrets
import signal
import socket
import struct
import sys
import time
import types
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

import cloudpickle

from bench.errors import TrackerError
from bench.loading import path_of_workers
from bench.processes import thread_count, thread_environment
from bench.protocols.reading import AHEAD
from bench.registry import TrackerSpec
from bench.runner import worker
from bench.runner.channel import KEY_BYTES, GarbledError, Inbox, Output
from bench.runner.devices import VISIBLE
from bench.runner.engine import BuildError, Event, Limits, Shared, Worker, emptiest
from bench.runner.unit import Failed, Finished, Unit

_LONGEST_STEP = 1.0  # seconds between two looks at a worker that count at most
_SENDING = 20  # seconds that a worker may take to receive units


class WorkerProcess:
    """One worker process.

    Attributes:
        units: the units that it is running, by index; empty while it waits or starts.
        ready: True once its tracker is built.
        dead: True once it has ended, failed or been given up; ``kill`` then removes the rest.
        facts: what it tells of itself once it is ready.
        place: the GPU that it sees; empty for whatever its parent sees.
        output: what it prints; None on Windows, where that goes to the terminal.

    Raises:
        TrackerError: the tracker cannot be sent to another process.
    """

    def __init__(
        self, spec: TrackerSpec, seed: int, echo: bool = False, ahead: int = 0, place: str = ""
    ) -> None:
        context = multiprocessing.get_context("spawn")
        arguments = _pickle_spec(spec), seed
        self.connection, theirs = context.Pipe()
        self._counter = context.RawValue("q", 0)
        key = secrets.token_bytes(KEY_BYTES)
        self._inbox = Inbox(self.connection, key)
        self.output: Output | None = None
        printed = None
        if sys.platform != "win32":
            _limit_sending(self.connection)
            ours, printed = context.Pipe(duplex=False)
            self.output = Output(ours, echo)
        self.process = context.Process(
            target=worker.work, args=(theirs, self._counter, *arguments, key, printed)
        )
        with path_of_workers(spec.is_registered()), _without_main_module():
            self.process.start()
        theirs.close()
        if printed is not None:
            printed.close()
        self.units: dict[int, Unit] = {}
        self.facts: Mapping[str, Any] = {}
        self.place, self._ahead = place, ahead
        self.ready = self.dead = self._worked = self._killed = False
        self._target = spec.target
        self._look()

    @property
    def frame(self) -> int:
        """The number of its current frame, from 1; 0 before the first."""
        frames = sum(len(unit.sequence) for unit in self.units.values())
        found = int(self._counter.value)
        return found if 0 <= found <= frames else 0  # a tracker may have written there

    def hand(self, units: tuple[Unit, ...], lanes: int) -> None:
        """Send it units to run, ``lanes`` of them in lockstep.

        Raises:
            PicklingError, TypeError, AttributeError: a unit cannot be pickled.
        """
        pickled = cloudpickle.dumps(worker.Work(units, lanes, self._ahead))
        self.units = dict(enumerate(units))
        self._counter.value = 0
        if self.output is not None:
            self.output.text()
            self.output.clear()
        self._look()
        # If it died while idle, or takes nothing, ``events`` notices, and the unit has failed.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickled)

    def channels(self) -> list[Connection]:
        """What to wait for."""
        printed = [self.output.connection] if self.output is not None and self.output.open else []
        return [self.connection, *printed]

    def events(self, limits: Limits) -> Iterator[Event]:
        """What happened since the last call.

        Raises:
            TrackerError: the tracker could not be built.
        """
        ended = not self.process.is_alive()  # first: its last message is still in the pipe
        if self.output is not None:
            self.output.read()
        try:
            for message in self._inbox.messages():
                yield from self._take(message)
        except GarbledError:
            yield from self._give_up("something wrote into the channel between its worker and us")
            return
        except (EOFError, OSError):
            self.process.join(timeout=1.0)
            ended = True
        if ended and not self.dead:
            yield from self._give_up(self._cause_of_death())
        elif self.frame != self._seen:
            self._look()
        elif (self.units or not self.ready) and not self.dead:
            limit = limits.frame if self.ready else limits.start
            if self._silence() > limit:
                yield from self._give_up(f"no answer within {limit:g} s, so it was stopped")

    def leave(self, deadline: float) -> None:
        """Let it end by itself, waiting until ``deadline`` of the monotonic clock at most."""
        self.connection.close()
        self.process.join(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """Kill the process and every process that its tracker started."""
        if self._killed:
            return
        self._killed = self.dead = True
        self.connection.close()
        if self.output is not None:
            self.output.connection.close()
        if sys.platform != "win32" and self.process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()

    def _take(self, message: worker.Message) -> Iterator[Event]:
        if self.dead:
            return
        if isinstance(message, worker.Unbuilt):
            raise BuildError(message.cause, self._log(message.log))
        if isinstance(message, worker.Ready):
            self.ready, self.facts = True, message.facts
            self._look()
        elif isinstance(message, worker.Done) and message.index in self.units:
            self._worked = True
            yield Finished(self.units.pop(message.index), message.answer, self.facts)
        elif isinstance(message, worker.Stumbled) and self.units:
            self.dead = True
            yield from self._lose(message.frame, message.cause, message.log)

    def _give_up(self, cause: str) -> Iterator[Event]:
        if self.dead:
            return
        self.dead = True
        if not self.ready:
            raise BuildError(f"tracker {self._target!r} could not be built: {cause}", self._log())
        yield from self._lose(self.frame or None, cause)

    def _lose(self, frame: int | None, cause: str, log: str = "") -> Iterator[Event]:
        """End the units that were running; a single one has failed.

        At its first frame, what ran before in this process may be the cause: once more, anew.
        """
        units, self.units = tuple(self.units.values()), {}
        spoilt = self._worked and (frame or 0) <= 1
        if len(units) == 1 and not spoilt:
            yield Failed(units[0], frame, cause, self._log(log))
        elif units:
            yield Shared(units, cause)

    def _log(self, log: str = "") -> str:
        """A traceback, and what the tracker printed."""
        printed = "" if self.output is None else self.output.text()
        return f"{log}\nWhat it printed:\n{printed}" if printed else log

    def _cause_of_death(self) -> str:
        code = self.process.exitcode
        if code is None:
            return "its process closed the connection"
        if code >= 0:
            return f"its process ended with exit code {code}"
        killed = -code == getattr(signal, "SIGKILL", None)
        hint = ", perhaps because memory ran out" if killed else ""
        return f"its process was killed by signal {-code} ({signal.strsignal(-code)}{hint})"

    def _look(self) -> None:
        self._seen, self._silent, self._asked = self.frame, 0.0, time.monotonic()

    def _silence(self) -> float:
        """Seconds without an answer in which this process ran too.

        While it is stopped (SIGSTOP, a suspended job), its workers may be as well.
        """
        now = time.monotonic()
        self._silent += min(now - self._asked, _LONGEST_STEP)
        self._asked = now
        return self._silent


def _limit_sending(connection: Connection) -> None:
    """Let a send fail, rather than wait for ever, where the other end takes nothing."""
    with contextlib.suppress(OSError, AttributeError):
        end = socket.socket(fileno=os.dup(connection.fileno()))
        with end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SENDING, 0))


@contextlib.contextmanager
def _without_main_module() -> Iterator[None]:
    """Processes started in here do not import the caller's main module.

    They would otherwise run a script again that has no ``if __name__ == "__main__":``. What its
    classes define reaches them by value (cloudpickle).
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _pickle_spec(spec: TrackerSpec) -> bytes:
    try:
        return pickle.dumps(spec)
    except Exception as error:
        raise TrackerError(
            f"tracker {spec.target!r} cannot be sent to a worker process: {error}. Run it in "
            "this process (engine=bench.runner.run_here)."
        ) from error


@dataclass(eq=False)
class Processes:
    """The engine of this machine: ``jobs`` worker processes, or some for each GPU.

    Even a single job gets a process of its own, so that a tracker that hangs or crashes costs one
    unit only. Frames are read ahead where cores are left for it; elsewhere the thread would
    lengthen the time that the tracker needs.

    Attributes:
        spec: the tracker.
        seed: of every random generator while it is built.
        jobs: number of workers.
        gpus: those that workers see one of; empty to leave them what this process sees.
        echo: what trackers print goes to standard error as well as into the log of a failure.
    """

    spec: TrackerSpec
    seed: int
    jobs: int = 1
    gpus: tuple[str, ...] = ()
    echo: bool = False
    _newest: WorkerProcess | None = None

    @property
    def seats(self) -> int:
        """Most workers at once."""
        return self.jobs

    def start(self, living: List[Worker]) -> WorkerProcess:
        """A new worker, on the GPU with the fewest."""
        gpu = emptiest(self.gpus, living) if self.gpus else ""
        ahead = AHEAD if free_cores(self.jobs) >= self.jobs else 0
        with start_conditions({VISIBLE: gpu} if gpu else {}):
            self._newest = WorkerProcess(self.spec, self.seed, self.echo, ahead, gpu)
        return self._newest

    def wait(self, workers: List[WorkerProcess], seconds: float) -> None:
        """Wait for a message."""
        wait([channel for each in workers for channel in each.channels()], timeout=seconds)

    def refuse(self, worker: WorkerProcess, why: str) -> str:
        """There is no other machine.

        Raises:
            TrackerError: always.
        """
        raise TrackerError(
            f"a worker on this machine differs from the run that started it in {why}. Did files "
            "change meanwhile? Start the run again."
        )

    def close(self) -> None:
        """Kill the newest worker, which Ctrl-C may have kept from whoever asked for it."""
        if self._newest is not None:
            self._newest.kill()


def free_cores(jobs: int) -> int:
    """Cores that this process may use beyond those that its workers compute on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) - jobs * (thread_count() or 1)


@contextlib.contextmanager
def start_conditions(more: Mapping[str, str]) -> Iterator[None]:
    """Start processes in here: they inherit the environment of workers and a blocked SIGINT.

    ``more`` variables are theirs alone.

    A worker unblocks SIGINT once it leads its own session. The parent handles Ctrl-C when the
    block ends: by then it knows the new worker, and can stop it.
    """
    wanted = {**thread_environment(), **more}
    kept = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # its own start would unblock the signal again
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
