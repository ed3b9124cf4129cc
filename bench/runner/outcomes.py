"""What becomes of a unit, whichever engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.registry import TrackerSpec
from bench.runner.unit import AnyTrajectory, Unit


@dataclass(frozen=True, eq=False)
class Finished:
    """A unit finished on the device of that name.

    Attributes:
        unit: what was run.
        trajectory: the tracker's results.
        device: where it ran.
        files: hashes of the tracker's own files that were loaded, by name.
        notes: what the tracker's adapter chose, in words; empty for our own trackers.
        tuned: how the tracker's settings depend on the benchmark, in words; else empty.
        paths: where ``files`` are, by name.
        alone: True if it ran alone although lockstep was asked for, after a failure there.
    """

    unit: Unit
    trajectory: AnyTrajectory
    device: str
    files: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    tuned: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False


@dataclass(frozen=True, eq=False)
class Failed:
    """A unit failed.

    Attributes:
        unit: what was run.
        frame: where it failed, from 1; None if before the first frame.
        cause: what went wrong, in one line.
        log: the traceback, and what the tracker printed; empty if there is neither.
    """

    unit: Unit
    frame: int | None
    cause: str
    log: str = ""


@dataclass(frozen=True, eq=False)
class Beat:
    """The units that are running, each with its current frame; sent while nothing ends."""

    running: tuple[tuple[Unit, int], ...]


Outcome: TypeAlias = Finished | Failed | Beat
Engine: TypeAlias = Callable[[list[Unit], TrackerSpec, int], Iterable[Outcome]]
"""Runs units of a tracker with a seed. It yields one ``Finished`` or ``Failed`` for each unit, and
any number of ``Beat``; if it is a generator, closing it stops the run."""
