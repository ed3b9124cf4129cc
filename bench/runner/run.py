"""Run a tracker over a dataset: what still has to run, kept as it comes, resumable."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Sequence as List
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from bench.errors import BenchError, ConfigError, DatasetError, ResultError
from bench.geometry import Regions, region_overlaps
from bench.protocols.experiments import Experiment, get_experiment
from bench.protocols.onepass import check_frames
from bench.results.experiments import ExperimentStore
from bench.results.record import (
    RunFailure,
    RunRecord,
    continue_record,
    require_same,
    write_record,
)
from bench.results.store import ResultStore
from bench.runner.lock import locked, sweep
from bench.runner.pool import run_units
from bench.runner.process import Beat, Finished, Limits, Outcome
from bench.runner.progress import Status, progress_display
from bench.runner.provenance import make_record
from bench.runner.unit import AnyTrajectory, Unit
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory
from bench.tracker import TrackerSpec

ENOUGH = 3
"""Repetitions after which equal ones end the experiment on a sequence."""
_EQUAL = 0.999


@dataclass(frozen=True)
class RunSummary:
    """What became of a run.

    Attributes:
        finished: names of what was finished now, in the order it ended: sequences, in an
            experiment with the number of the repetition (``bag_001``).
        skipped: names of what was finished before.
        failures: one for each that could not be finished.
    """

    finished: tuple[str, ...]
    skipped: tuple[str, ...]
    failures: tuple[RunFailure, ...]


def run_tracker(
    dataset: Dataset,
    spec: TrackerSpec,
    store: ResultStore | ExperimentStore,
    *,
    jobs: int = 1,
    seed: int = 0,
    frame_timeout: float = 120.0,
    start_timeout: float = 300.0,
    progress: bool | None = None,
    names: Collection[str] | None = None,
    repetitions: int | None = None,
    lockstep: int = 1,
    tuned_on: str | None = None,
) -> RunSummary:
    """Run a tracker over every sequence that has no result yet, the longest first.

    One pass, or the experiment of the VOT challenge that ``store`` is of. Can be stopped at any
    moment and called again: what is finished is kept and never run twice. A failure costs its
    sequence only. Worker processes import the caller's main module, so a script calls this under
    ``if __name__ == "__main__":``.

    Args:
        dataset: with frames.
        spec: the tracker, its options and the name of its result folder.
        store: where results go; ``run.json`` beside them records what made them.
        jobs: number of worker processes. Results do not depend on it.
        seed: of every random generator, renewed for each sequence and repetition.
        frame_timeout: seconds of silence after which a tracker counts as hung.
        start_timeout: seconds that building the tracker may take.
        progress: show it; by default only on a terminal.
        names: run these sequences only.
        repetitions: at most so many runs of a sequence in an experiment; by default as the
            challenge has it, and one for a tracker that says it is deterministic.
        lockstep: sequences that a worker follows at once, through the tracker's batch form.
        tuned_on: label of the dataset whose scores chose the options; every score says so.

    Raises:
        ConfigError: a sequence or tracker is not known, or a number or name makes no sense.
        DatasetError: no sequence has frames.
        TrackerError: the tracker could not be built.
        ResultError: results of that name were made by something else, or by a run going on.
        KeyboardInterrupt: after the workers were stopped and the record was closed.
    """
    _check_arguments(spec, jobs, frame_timeout, start_timeout)
    experiment = get_experiment(store.experiment) if isinstance(store, ExperimentStore) else None
    _check_lockstep(spec, experiment, lockstep)
    chosen = _choose(dataset, names)
    protocol = experiment.name if experiment else "one-pass"
    current = make_record(
        dataset, spec, protocol=protocol, seed=seed, jobs=jobs, lockstep=lockstep,
        tuned_on=tuned_on,
    )  # fmt: skip
    limits = Limits(frame_timeout, start_timeout)
    with _session(store, spec.name, current) as run:
        for wave in _waves(experiment, spec, repetitions):
            units = run.plan(chosen, seed, experiment, wave)
            with closing(run_units(units, spec, jobs, seed, limits, lockstep)) as outcomes:
                run.gather(outcomes, units, progress)
    return run.summary()


@contextmanager
def _session(
    store: ResultStore | ExperimentStore, name: str, current: RunRecord
) -> Iterator[_Run]:
    """A run that holds its folder alone and goes on with the record that is there."""
    with locked(store.folder(name)):
        sweep(store.folder(name))
        run = _Run(store, name, continue_record(store, name, current))
        with run.recorded():
            yield run


def _waves(experiment: Experiment | None, spec: TrackerSpec, limit: int | None) -> list[range]:
    """Repetitions to run: first so many that equal ones can be told, then the rest."""
    if experiment is None:
        return [range(1, 2)]
    wanted = 1 if spec.is_deterministic() else experiment.repetitions
    if limit is not None:
        wanted = min(limit, experiment.repetitions)
    waves = range(1, min(ENOUGH, wanted) + 1), range(ENOUGH + 1, wanted + 1)
    return [wave for wave in waves if wave]


@dataclass
class _Run:
    """What became of a run so far, and the record that says so."""

    store: ResultStore | ExperimentStore
    name: str
    record: RunRecord
    started: bool = False
    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: list[RunFailure] = field(default_factory=list)

    def plan(
        self,
        sequences: Iterable[Sequence],
        seed: int,
        experiment: Experiment | None,
        repetitions: Iterable[int],
    ) -> list[Unit]:
        """What still has to run, the longest first; what cannot run is a failure."""
        units: list[Unit] = []
        for sequence in sequences:
            try:
                units += self._missing(sequence, seed, experiment, repetitions)
            except (BenchError, OSError) as error:
                self._fail(sequence.name, None, str(error))
        return sorted(units, key=lambda unit: -len(unit.sequence))

    def _missing(
        self,
        sequence: Sequence,
        seed: int,
        experiment: Experiment | None,
        repetitions: Iterable[int],
    ) -> Iterator[Unit]:
        for repetition in repetitions:
            if repetition == ENOUGH + 1 and self._settled(sequence):
                return
            unit = Unit(sequence, seed, repetition, experiment)
            if self._is_finished(unit):
                if unit.name not in self.finished:
                    self.skipped.append(unit.name)
            else:
                check_frames(sequence)
                yield unit

    def _settled(self, sequence: Sequence) -> bool:
        """Whether more repetitions would tell nothing: the first are equal, or one has failed."""
        if not isinstance(self.store, ExperimentStore):
            return True
        runs = self.store.read_runs(self.name, sequence.name)[:ENOUGH]
        return len(runs) < ENOUGH or are_equal(runs)

    def _is_finished(self, unit: Unit) -> bool:
        if isinstance(self.store, ExperimentStore):
            return self.store.finished(self.name, unit.sequence, unit.repetition)
        return self.store.finished(self.name, unit.sequence)

    def summary(self) -> RunSummary:
        """What became of it."""
        return RunSummary(tuple(self.finished), tuple(self.skipped), tuple(self.failures))

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """The record says when a session ended in which anything was done."""
        before = self.record
        try:
            yield
        finally:
            if self.started or self.record is not before:
                write_record(self._path, self.record.ended())

    def gather(
        self, outcomes: Iterable[Outcome], units: list[Unit], progress: bool | None
    ) -> None:
        """Keep every result and note every failure as it comes; the record stands before."""
        if not units:
            return
        self.started = True
        write_record(self._path, self.record)
        frames, total = 0, sum(len(unit.sequence) for unit in units)
        with progress_display(self._ended + len(units), total, progress) as show:
            for outcome in outcomes:
                if isinstance(outcome, Beat):
                    show(self._status(frames, outcome))
                    continue
                frames += len(outcome.unit.sequence)
                if isinstance(outcome, Finished):
                    self._keep(outcome)
                else:
                    self._fail(outcome.unit.name, outcome.frame, outcome.cause)

    def _keep(self, outcome: Finished) -> None:
        record = self.record.on_device(outcome.device)
        require_same(self._path, self.record, record)
        try:
            self._write(outcome.unit, outcome.trajectory)
        except OSError as error:
            raise ResultError(f"{error.filename}: cannot be written ({error.strerror})") from error
        self.finished.append(outcome.unit.name)
        self._note(record.finished(outcome.unit.name))

    def _write(self, unit: Unit, trajectory: AnyTrajectory) -> None:
        if isinstance(self.store, ExperimentStore):
            regions = cast(RegionTrajectory, trajectory)
            self.store.write(self.name, unit.sequence, unit.repetition, regions)
        else:
            self.store.write(self.name, unit.sequence, cast(Trajectory, trajectory))

    def _fail(self, name: str, frame: int | None, cause: str) -> None:
        failure = RunFailure(name, frame, cause)
        self.failures.append(failure)
        self._note(self.record.failed(failure))

    def _note(self, record: RunRecord) -> None:
        if record != self.record:
            self.record = record
            write_record(self._path, record)

    def _status(self, frames: int, beat: Beat) -> Status:
        names = tuple(unit.name for unit, _ in beat.running)
        at_work = sum(frame for _, frame in beat.running)
        return Status(frames + at_work, self._ended, len(self.failures), names)

    @property
    def _ended(self) -> int:
        return len(self.finished) + len(self.failures)

    @property
    def _path(self) -> Path:
        return self.store.record_path(self.name)


def _choose(dataset: Dataset, names: Collection[str] | None) -> list[Sequence]:
    chosen = list(dataset) if names is None else [dataset[name] for name in dict.fromkeys(names)]
    if chosen and all(sequence.frames is None for sequence in chosen):
        raise DatasetError(
            f"{dataset.root}: annotation only; running a tracker needs the images too. "
            "Give the folder of the official download with --data."
        )
    return chosen


def are_equal(runs: List[Regions]) -> bool:
    """Whether runs of one sequence have the same codes, and regions that overlap by over 0.999.

    Source: toolkit-legacy ``is_deterministic.m``.
    """
    first, *others = runs
    for other in others:
        overlaps = region_overlaps(first, other)
        same = np.isnan(overlaps) | (overlaps > _EQUAL)
        if not (np.array_equal(first.codes, other.codes) and same.all()):
            return False
    return True


def _check_lockstep(spec: TrackerSpec, experiment: Experiment | None, lanes: int) -> None:
    if lanes < 1:
        raise ConfigError(f"expected at least one sequence in lockstep, found {lanes}")
    if lanes > 1 and experiment is not None and experiment.fps is not None:
        raise ConfigError(
            f"--lockstep {lanes}: the {experiment.name} experiment times one target at a time. "
            "Leave the option out."
        )
    if lanes > 1 and not spec.is_batch():
        raise ConfigError(
            f"--lockstep {lanes}: tracker {spec.target!r} has no batch form (start and advance, "
            "see docs/plugins.md). Leave the option out, or use more --jobs."
        )


def _check_arguments(spec: TrackerSpec, jobs: int, *timeouts: float) -> None:
    if jobs < 1:
        raise ConfigError(f"expected at least one job, found {jobs}")
    if min(timeouts) <= 0:
        raise ConfigError(f"expected time-outs above 0 s, found {min(timeouts)}")
    if Path(spec.name).name != spec.name or spec.name.startswith("."):
        raise ConfigError(
            f"expected a plain folder name for the results, found {spec.name!r}. Choose a --name "
            "without a path separator or a leading dot."
        )
