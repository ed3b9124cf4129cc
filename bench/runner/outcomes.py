"""What becomes of a unit, whichever engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from bench.registry import TrackerSpec
from bench.runner.unit import AnyTrajectory, Unit


@dataclass(frozen=True, eq=False)
class Finished:
    """A unit finished on the device of that name."""

    unit: Unit
    trajectory: AnyTrajectory
    device: str


@dataclass(frozen=True, eq=False)
class Failed:
    """A unit failed; ``frame`` counts from 1 and is None if it failed before the first."""

    unit: Unit
    frame: int | None
    cause: str


@dataclass(frozen=True, eq=False)
class Beat:
    """The units that are running, each with its current frame; sent while nothing ends."""

    running: tuple[tuple[Unit, int], ...]


Outcome: TypeAlias = Finished | Failed | Beat
Engine: TypeAlias = Callable[[list[Unit], TrackerSpec, int], Iterable[Outcome]]
"""Runs units of a tracker with a seed. It yields one ``Finished`` or ``Failed`` for each unit, and
any number of ``Beat``; if it is a generator, closing it stops the run."""
