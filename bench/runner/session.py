"""One session of a run: keeps each result at once, and records how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as List
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.benchmarks import Experiment
from bench.errors import BenchError, ResultError
from bench.geometry import Regions, region_overlaps
from bench.locks import locked, sweep
from bench.protocols.onepass import check_frames
from bench.results.record import (
    RunFailure,
    RunRecord,
    continue_record,
    require_same,
    write_record,
)
from bench.results.stores import Store
from bench.runner.outcomes import Beat, Finished, Outcome
from bench.runner.progress import Status, progress_display
from bench.runner.unit import Unit
from bench.sequence import Sequence

ENOUGH = 3
"""Number of repetitions that, if equal, end the experiment on a sequence."""
_EQUAL = 0.999


@dataclass(frozen=True)
class RunSummary:
    """The outcome of a run.

    Attributes:
        finished: sequences finished now, in the order they ended; in an experiment of the VOT
            challenge with the number of the repetition (``bag_001``).
        skipped: sequences finished before.
        failures: one for each sequence that could not be finished.
    """

    finished: tuple[str, ...]
    skipped: tuple[str, ...]
    failures: tuple[RunFailure, ...]


@contextmanager
def open_session(store: Store, name: str, current: RunRecord) -> Iterator[Session]:
    """Lock the folder of the results, and continue the record in it.

    Raises:
        ResultError: the results of that name have another origin, or another run holds them.
    """
    with locked(store.folder(name)):
        sweep(store.folder(name))
        session = Session(store, name, continue_record(store, name, current))
        with session.recorded():
            yield session


@dataclass
class Session:
    """The outcome of a run so far, and its record.

    Attributes:
        store: keeps the results.
        name: of the result folder.
        record: how the results are made; written at every change.
        started: True once anything has run.
        finished, skipped, failures: see ``RunSummary``.
    """

    store: Store
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
        experiment: Experiment,
        repetitions: Iterable[int],
    ) -> list[Unit]:
        """The units that still have to run, the longest first; notes those that cannot run."""
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
        experiment: Experiment,
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
        """Whether more repetitions are pointless: the first are equal, or one has failed."""
        runs = self.store.read_runs(self.name, sequence.name)[:ENOUGH]
        return len(runs) < ENOUGH or are_equal(runs)

    def _is_finished(self, unit: Unit) -> bool:
        return self.store.finished(self.name, unit.sequence, unit.repetition)

    def summary(self) -> RunSummary:
        """The outcome so far."""
        return RunSummary(tuple(self.finished), tuple(self.skipped), tuple(self.failures))

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Note the end of the session in the record, if anything was done in it."""
        before = self.record
        try:
            yield
        finally:
            if self.started or self.record is not before:
                write_record(self._path, self.record.ended())

    def gather(
        self, outcomes: Iterable[Outcome], units: list[Unit], progress: bool | None
    ) -> None:
        """Keep every result and note every failure at once; the record is written first."""
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
            unit = outcome.unit
            self.store.write(self.name, unit.sequence, outcome.trajectory, unit.repetition)
        except OSError as error:
            raise ResultError(f"{error.filename}: cannot be written ({error.strerror})") from error
        self.finished.append(outcome.unit.name)
        self._note(record.finished(outcome.unit.name))

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


def are_equal(runs: List[Regions]) -> bool:
    """Whether runs of a sequence have the same codes, and regions that overlap by over 0.999.

    Source: toolkit-legacy ``is_deterministic.m``.
    """
    first, *others = runs
    for other in others:
        overlaps = region_overlaps(first, other)
        same = np.isnan(overlaps) | (overlaps > _EQUAL)
        if not (np.array_equal(first.codes, other.codes) and same.all()):
            return False
    return True
