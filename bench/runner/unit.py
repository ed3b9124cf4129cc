"""The unit of work, one pass along one sequence, as functions that any engine can call, and what
comes of it.

A unit depends on its arguments only: they seed every random generator, so the result does not
depend on the process, or on what ran before.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np

from bench.benchmarks import Experiment, get_experiment
from bench.protocols.onepass import one_pass_steps
from bench.protocols.steps import OnFrame, Steps, drive, drive_lockstep
from bench.protocols.vot import vot_steps
from bench.registry import TrackerSpec
from bench.sequence import RegionTrajectory, Sequence, Trajectory
from bench.tracker import BatchTracker, Tracker, starts_on

AnyTrajectory: TypeAlias = Trajectory | RegionTrajectory


@dataclass(frozen=True, eq=False)
class Unit:
    """One pass of a tracker along one sequence.

    Attributes:
        sequence: with frames that can be pickled.
        seed: of the whole run.
        repetition: counts from 1.
        experiment: decides the protocol; one-pass by default.
        masks: whether to keep the masks that the tracker answers.
    """

    sequence: Sequence
    seed: int = 0
    repetition: int = 1
    experiment: Experiment = field(default_factory=lambda: get_experiment("onepass"))
    masks: bool = False

    @property
    def name(self) -> str:
        """Its name in messages: the stem of its result file."""
        if self.experiment.protocol == "onepass" and self.repetition == 1:
            return self.sequence.name
        return f"{self.sequence.name}_{self.repetition:03d}"

    def steps(
        self, tracker: object, on_frame: OnFrame | None = None, ahead: int = 0
    ) -> Steps[AnyTrajectory]:
        """Its protocol as a coroutine; up to ``ahead`` frames are decoded in advance."""
        if self.experiment.protocol == "onepass":
            return cast(
                Steps[AnyTrajectory],
                one_pass_steps(self.sequence, on_frame, ahead, keep_masks=self.masks),
            )
        steps = vot_steps(
            self.sequence, self.experiment, starts_on(tracker), on_frame, ahead,
            keep_masks=self.masks,
        )  # fmt: skip
        return cast(Steps[AnyTrajectory], steps)


def run_unit(
    tracker: Tracker, unit: Unit, on_frame: OnFrame | None = None, ahead: int = 0
) -> AnyTrajectory:
    """Seed every random generator for ``unit``, then run ``tracker`` along its sequence.

    Args:
        tracker: new, or after another unit that finished.
        unit: what to run.
        on_frame: called with the number of each frame, from 1, before the tracker gets it.
        ahead: frames to decode while the tracker computes.

    Raises:
        FrameError: the tracker raised, or returned no finite region.
        DatasetError: frames are missing or cannot be decoded.
    """
    seed_everything(unit.seed, unit.sequence.name, unit.repetition)
    return drive(tracker, unit.steps(tracker, on_frame, ahead))


def run_lockstep(
    tracker: BatchTracker,
    units: List[Unit],
    lanes: int,
    on_frame: OnFrame | None = None,
    ahead: int = 0,
) -> Iterator[tuple[int, AnyTrajectory]]:
    """Run units through a tracker's batch form, ``lanes`` at once; yield (index, trajectory).

    Random generators are seeded once, because the lanes share them, and the lanes share the
    ``ahead`` frames that are decoded in advance.

    Raises:
        FrameError: the tracker raised, or returned no finite region in one of the lanes.
        DatasetError: frames are missing or cannot be decoded.
    """
    seed_everything(units[0].seed)
    each = -(-ahead // lanes)
    runs = ((index, unit.steps(tracker, on_frame, each)) for index, unit in enumerate(units))
    return drive_lockstep(tracker, runs, lanes)


def build_tracker(spec: TrackerSpec, seed: int) -> Tracker:
    """Build a tracker with seeded random generators.

    Raises:
        ConfigError: the tracker is unknown.
        TrackerError: its module or its constructor raised.
    """
    seed_everything(seed)
    return spec.build()


def seed_everything(seed: int, sequence: str = "", repetition: int = 0) -> None:
    """Seed Python, NumPy, OpenCV and, if it is loaded, PyTorch from the three arguments."""
    import cv2

    digest = hashlib.sha256(f"{seed}/{sequence}/{repetition}".encode()).digest()
    value = int.from_bytes(digest[:4], "big")
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002  trackers draw from the global generator too
    cv2.setRNGSeed(value >> 1)  # takes a signed integer
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(value)


def tuned_per_benchmark(tracker: object) -> str:
    """How a tracker's settings depend on the benchmark it was told, in words; else empty."""
    said = getattr(tracker, "tuned_per_benchmark", "")
    return said if isinstance(said, str) else ""


def device_name() -> str:
    """The device that units of this process ran on: that of CUDA by name, else ``"cpu"``."""
    cuda = sys.modules.get("torch.cuda")
    if cuda is None or not cuda.is_initialized():
        return "cpu"
    return str(cuda.get_device_name())


@dataclass(frozen=True, eq=False)
class Answer:
    """What a tracker answered along a unit, and what is known of it afterwards.

    Attributes:
        trajectory: the tracker's results.
        device: where it ran.
        files: hashes of the tracker's own files that were loaded, by name.
        notes: what the tracker's adapter chose, in words; empty for our own trackers.
        tuned: how the tracker's settings depend on the benchmark, in words; else empty.
        paths: where ``files`` are, by name.
    """

    trajectory: AnyTrajectory
    device: str
    files: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    tuned: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)


def answer_of(
    tracker: object,
    trajectory: AnyTrajectory,
    files: Mapping[str, str],
    paths: Mapping[str, Path] | None = None,
) -> Answer:
    """What a tracker of this process answered."""
    notes, where = str(getattr(tracker, "adapter_choice", "")), (paths or {}).items()
    named = {name: str(path) for name, path in where}
    return Answer(trajectory, device_name(), files, notes, tuned_per_benchmark(tracker), named)


@dataclass(frozen=True, eq=False)
class Finished:
    """A unit finished.

    Attributes:
        unit: what was run.
        answer: what came of it.
        facts: what its worker told of itself: host, processor, driver.
        alone: True if it ran alone although lockstep was asked for, after a failure there.
    """

    unit: Unit
    answer: Answer
    facts: Mapping[str, Any] = field(default_factory=dict)
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


@dataclass(frozen=True)
class Remark:
    """Something about the run other than a unit's end: a node was lost, or refused."""

    text: str


Outcome: TypeAlias = Finished | Failed | Beat | Remark
Engine: TypeAlias = Callable[[list[Unit], TrackerSpec, int], Iterable[Outcome]]
"""Runs units of a tracker with a seed. It yields one ``Finished`` or ``Failed`` for each unit, and
any number of ``Beat`` and ``Remark``; if it is a generator, closing it stops the run."""
