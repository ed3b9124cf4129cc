"""Workers on the nodes of a Ray cluster.

An actor on a node holds a worker process, the same as on one machine: time-outs, isolation and
frame counts are the same code. Results come back through Ray, and only the process that runs
``bench`` writes, so nodes need no folder of results. They need this package, the tracker and the
data: under the same paths, or under others that ``data_map`` names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from bench.errors import ConfigError, TrackerError, install_extra
from bench.protocols.reading import AHEAD
from bench.registry import TrackerSpec
from bench.runner.engine import BuildError, Event, Limits, NodeLost, Shared, Worker
from bench.runner.process import WorkerProcess, start_conditions
from bench.runner.session import with_paths
from bench.runner.unit import Unit

_LOOPBACK = "127.0.0.1"
_LOOK = 1.0  # seconds that a node may keep a question open
_TICK = 0.1
_COUNTED = 5.0  # seconds that the number of seats is believed
_FAREWELL = 5.0  # seconds for a worker process to end by itself


@dataclass(frozen=True)
class RayCluster:
    """Which Ray cluster to run on, and how.

    Attributes:
        address: of a running one, or ``"auto"``; None starts one on this machine, which binds to
            the loopback address only.
        workers: at most so many; None for as many as there is room for.
        per_gpu: workers that share a GPU; None to take a core each, and no GPU.
        data_map: (here, there) for folders of data and weights that nodes have elsewhere.
    """

    address: str | None = None
    workers: int | None = None
    per_gpu: int | None = None
    data_map: tuple[tuple[Path, Path], ...] = ()

    def engine(self, spec: TrackerSpec, seed: int, limits: Limits, echo: bool) -> RayNodes:
        """Connect.

        Raises:
            ConfigError: Ray is not installed, the cluster does not answer, or has no room.
        """
        return RayNodes(self, self._moved(spec), seed, limits, echo)

    def elsewhere(self, path: Path) -> Path:
        """Where nodes have a file."""
        for here, there in self.data_map:
            if path.is_relative_to(here):
                return there / path.relative_to(here)
        return path

    def _moved(self, spec: TrackerSpec) -> TrackerSpec:
        options = {
            name: self.elsewhere(value.absolute()) if isinstance(value, Path) else value
            for name, value in spec.options.items()
        }
        return dataclasses.replace(spec, options=options)


def parse_data_map(texts: List[str]) -> tuple[tuple[Path, Path], ...]:
    """Pairs of folders from ``HERE=THERE``.

    Raises:
        ConfigError: a text is of another form.
    """
    pairs = []
    for text in texts:
        here, equals, there = text.partition("=")
        if not (equals and here and there):
            raise ConfigError(f"--data-map expects HERE=THERE, two folders, found {text!r}")
        pairs.append((Path(here).absolute(), Path(there)))
    return tuple(pairs)


@dataclass(frozen=True, eq=False)
class Look:
    """What a worker on a node is like, and what happened there since the last look."""

    events: tuple[Event, ...]
    ready: bool
    dead: bool
    frame: int
    facts: Mapping[str, Any]
    node: str
    unbuilt: BuildError | None = None


class Holder:
    """The actor: holds a worker process on its node.

    It works in ``folder`` if the node has it, and finds modules where ``path`` says.
    """

    def __init__(self, arguments: tuple[Any, ...], folder: Path, path: List[str]) -> None:
        self._arguments = arguments
        if folder.is_dir():
            os.chdir(folder)
        sys.path += [each for each in path if each not in sys.path]
        self._worker: WorkerProcess | None = None

    def hand(self, units: tuple[Unit, ...], lanes: int) -> None:
        """Give the worker units."""
        self._held().hand(units, lanes)

    def look(self, limits: Limits, seconds: float) -> Look:
        """Wait for an event, some seconds at most, and tell what there is."""
        import ray

        events: tuple[Event, ...] = ()
        unbuilt = None
        deadline = time.monotonic() + seconds
        try:
            worker = self._held()
            before = worker.ready
            while not (events or worker.dead or worker.ready > before):
                if time.monotonic() > deadline:
                    break
                wait(worker.channels(), timeout=_TICK)
                events = tuple(worker.events(limits))
        except BuildError as error:
            unbuilt, worker = error, self._held()
        node = ray.get_runtime_context().get_node_id()
        return Look(events, worker.ready, worker.dead, worker.frame, worker.facts, node, unbuilt)

    def leave(self) -> None:
        """Let the worker process end by itself."""
        if self._worker is not None:
            self._worker.leave(time.monotonic() + _FAREWELL)
            self._worker.kill()

    def _held(self) -> WorkerProcess:
        if self._worker is None:
            with start_conditions({}):
                self._worker = WorkerProcess(*self._arguments)
        return self._worker


@dataclass(eq=False)
class RayWorker:
    """A worker on some node, as the loop sees it; see ``Worker``."""

    actor: Any
    cluster: RayCluster
    units: dict[int, Unit] = field(default_factory=dict)
    ready: bool = False
    dead: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    frame: int = 0
    question: Any = None

    def hand(self, units: tuple[Unit, ...], lanes: int) -> None:
        """Send it units, with the paths that its node has."""
        moved = tuple(
            dataclasses.replace(each, sequence=with_paths(each.sequence, self.cluster.elsewhere))
            for each in units
        )
        self.actor.hand.remote(moved, lanes)
        self.units = dict(enumerate(units))

    def ask(self, limits: Limits) -> Any:
        """The open question how it is; asked now if there is none."""
        if self.question is None:
            self.question = self.actor.look.remote(limits, _LOOK)
        return self.question

    def events(self, limits: Limits) -> Iterator[Event]:
        """What happened since the last call; a node that is gone is an event."""
        import ray

        if self.dead or not ray.wait([self.ask(limits)], timeout=0)[0]:
            return
        question, self.question = self.question, None
        try:
            look: Look = ray.get(question)
        except ray.exceptions.RayTaskError as error:
            raise TrackerError(f"a node of the Ray cluster failed: {error}") from error
        except ray.exceptions.RayError as error:
            yield self._lost(error)
            return
        if look.unbuilt is not None:
            raise look.unbuilt
        self.ready, self.dead, self.facts = look.ready, look.dead, look.facts
        self.place, self.frame = look.node, look.frame
        for event in look.events:
            yield self._own(event)

    def _lost(self, error: Exception) -> NodeLost:
        units, self.units, self.dead = tuple(self.units.values()), {}, True
        reason = " ".join(str(error).split())[:300]
        host = f"on {self.facts['host']} " if "host" in self.facts else ""
        where = f"node {self.place[:8]} {host}" if self.place else "a worker that was starting "
        return NodeLost(units, f"{where}was lost: {reason}")

    def _own(self, event: Event) -> Event:
        """An event about our units in place of the copies that went to the node."""
        if isinstance(event, NodeLost | Shared):
            names = {unit.name for unit in event.units}
            return dataclasses.replace(event, units=tuple(map(self._take, sorted(names))))
        return dataclasses.replace(event, unit=self._take(event.unit.name))

    def _take(self, name: str) -> Unit:
        index = next(index for index, unit in self.units.items() if unit.name == name)
        return self.units.pop(index)

    def leave(self, deadline: float) -> None:
        """Let it end by itself."""
        import ray

        with contextlib.suppress(ray.exceptions.RayError):
            farewell = self.actor.leave.remote()
            ray.wait([farewell], timeout=max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """End the actor, and with it the process that it holds."""
        import ray

        self.dead = True
        with contextlib.suppress(ray.exceptions.RayError, ValueError):
            ray.kill(self.actor)


class RayNodes:
    """The engine of a Ray cluster; Ray chooses the node of each worker."""

    def __init__(
        self, cluster: RayCluster, spec: TrackerSpec, seed: int, limits: Limits, echo: bool
    ) -> None:
        self._cluster, self._limits = cluster, limits
        self._arguments = spec, seed, echo, AHEAD if cluster.per_gpu else 0
        self._refused: dict[str, str] = {}
        self._ours = _connect(cluster.address, echo)
        self._home = _home()
        self._room, self._counted = self._count(), time.monotonic()
        self._since = time.monotonic()
        if not self._room:
            self.close()
            wanted = "a GPU" if cluster.per_gpu else "a core"
            raise ConfigError(f"--engine ray: no node of the cluster offers {wanted}")

    @property
    def seats(self) -> int:
        """Most workers at once; one that finds no room waits for it."""
        if time.monotonic() - self._counted > _COUNTED:
            self._room, self._counted = self._count(), time.monotonic()
            if self._room:
                self._since = time.monotonic()
            elif time.monotonic() - self._since > self._limits.start:
                raise TrackerError(
                    f"the Ray cluster has had no node for {self._limits.start:g} s; finished "
                    "sequences are kept, and the same command goes on"
                )
        return min(self._cluster.workers or self._room, max(self._room, 1))

    def _count(self) -> int:
        import ray

        alive = [node for node in ray.nodes() if node["Alive"]]
        if self._home not in [node["NodeID"] for node in alive]:
            raise TrackerError(
                "the Ray node that this process is connected to is gone; finished sequences are "
                "kept, and the same command goes on"
            )
        room = 0
        for node in alive:
            if node["NodeID"] not in self._refused:
                offered = node["Resources"]
                gpus = offered.get("GPU", 0) * (self._cluster.per_gpu or 0)
                room += int(gpus if self._cluster.per_gpu else offered.get("CPU", 0))
        return room

    def start(self, living: List[Worker]) -> RayWorker:
        """A new worker on any node that was not refused."""
        import ray

        gpus = 1 / self._cluster.per_gpu if self._cluster.per_gpu else 0
        wanted: dict[str, Any] = {"num_cpus": 0 if gpus else 1, "num_gpus": gpus}
        if self._refused:
            wanted["label_selector"] = {"ray.io/node-id": f"!in({','.join(self._refused)})"}
        actor = (
            ray.remote(Holder)
            .options(**wanted)
            .remote(
                self._arguments,
                self._cluster.elsewhere(Path.cwd()),
                list(map(os.path.abspath, sys.path)),
            )
        )
        return RayWorker(actor, self._cluster)

    def wait(self, workers: List[RayWorker], seconds: float) -> None:
        """Ask all workers, and wait for the first answer."""
        import ray

        questions = [each.ask(self._limits) for each in workers if not each.dead]
        if questions:
            ray.wait(questions, timeout=seconds)
        else:
            time.sleep(seconds)

    def refuse(self, worker: RayWorker, why: str) -> str:
        """Use the node of a worker no more.

        Raises:
            TrackerError: there is no other.
        """
        self._refused[worker.place] = why
        self._room = self._count()
        name = f"node {worker.place[:8]} on {worker.facts.get('host')}"
        if not self._room:
            raise TrackerError(
                f"every node of the Ray cluster was refused, the last, {name}: {why}"
            )
        return name

    def close(self) -> None:
        """Leave the cluster, and end it if it was ours."""
        import ray

        if self._ours:
            ray.shutdown()


def _home() -> str:
    """The node that this process is connected to; Ray takes the process for dead with it."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def _connect(address: str | None, echo: bool) -> bool:
    """Connect to a cluster; False if this process had done so before."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if (address or _LOOPBACK).partition(":")[0].lower() in (_LOOPBACK, "localhost"):
        # Else Ray takes the loopback address for the outer one, and listens there.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            f"--engine ray needs Ray ({error}): {install_extra('cluster')}"
        ) from error
    if ray.is_initialized():
        return False
    own: dict[str, Any] = {"include_dashboard": False} if address is None else {}
    ours = signal.getsignal(signal.SIGTERM)  # Ray's own would end this process at once
    try:
        ray.init(address or "local", log_to_driver=echo, logging_level="ERROR", **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"--engine ray: no cluster at {address or 'this machine'}: {error}. Start one with "
            "`ray start --head`, or leave --ray-address out to run on this machine."
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ours)
    return True
