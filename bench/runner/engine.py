"""Where workers come from: the seam between the loop that hands out units and what runs them.

The loop in ``pool.py`` asks an engine for workers and for nothing else. ``Processes`` starts them
on this machine, ``ray_engine.RayNodes`` on the nodes of a Ray cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from bench.errors import TrackerError
from bench.runner.unit import Failed, Finished, Unit


class BuildError(TrackerError):
    """A worker could not build the tracker.

    Attributes:
        log: the traceback, and what was printed.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log

    def __reduce__(self) -> tuple[type[BuildError], tuple[str, str]]:
        return BuildError, (str(self), self.log)


@dataclass(frozen=True)
class Limits:
    """Seconds without an answer after which a worker is stopped: per frame, and at the start."""

    frame: float = 120.0
    start: float = 300.0


@dataclass(frozen=True, eq=False)
class Shared:
    """Units that failed for a cause that may lie in another one: run each alone, anew."""

    units: tuple[Unit, ...]
    cause: str


@dataclass(frozen=True, eq=False)
class NodeLost:
    """The machine under a worker is gone, so its units go back."""

    units: tuple[Unit, ...]
    cause: str


Event: TypeAlias = Finished | Failed | Shared | NodeLost


class Worker(Protocol):
    """One worker.

    Attributes:
        units: the units that it is running, by index; empty while it waits or starts.
        ready: True once its tracker is built.
        dead: True once it has ended, failed or been given up; ``kill`` then removes the rest.
        facts: what it tells of itself once it is ready: host, libraries, hashes.
        place: what it occupies of its engine: a GPU, or nothing.
        frame: the number of its current frame, from 1; 0 before the first.
    """

    units: dict[int, Unit]
    ready: bool
    dead: bool
    facts: Mapping[str, Any]
    place: str

    @property
    def frame(self) -> int: ...

    def hand(self, units: tuple[Unit, ...], lanes: int) -> None:
        """Send it units to run, ``lanes`` of them in lockstep; errors as of ``pickle``."""

    def events(self, limits: Limits) -> Iterator[Event]:
        """What happened since the last call.

        Raises:
            TrackerError: the tracker could not be built.
        """

    def leave(self, deadline: float) -> None:
        """Let it end by itself, waiting until ``deadline`` of the monotonic clock at most."""

    def kill(self) -> None:
        """End it and everything that its tracker started."""


class Engine(Protocol):
    """Where workers run.

    Attributes:
        seats: most workers at once.
    """

    @property
    def seats(self) -> int: ...

    def start(self, living: List[Worker]) -> Worker:
        """A new worker beside those that live."""

    def wait(self, workers: List[Any], seconds: float) -> None:
        """Return once a worker has something to tell, or after some seconds."""

    def refuse(self, worker: Any, why: str) -> str:
        """Start no more workers where this one runs; returns what to call that place.

        Raises:
            TrackerError: there is no other place.
        """

    def close(self) -> None:
        """Give back what the engine holds."""


def emptiest(places: List[str], living: List[Worker]) -> str:
    """The first of the places with the fewest workers."""
    return min(dict.fromkeys(places), key=[each.place for each in living].count)
