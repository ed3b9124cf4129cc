"""One call of a run: results kept as they come, and the record of what made them."""

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
from bench.protocols.onepass import check_frames
from bench.results.record import (
    RunFailure,
    RunRecord,
    continue_record,
    require_same,
    write_record,
)
from bench.results.stores import Store
from bench.runner.lock import locked, sweep
from bench.runner.process import Beat, Finished, Outcome
from bench.runner.progress import Status, progress_display
from bench.runner.unit import Unit
from bench.sequence import Sequence

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


@contextmanager
def open_session(store: Store, name: str, current: RunRecord) -> Iterator[Session]:
    """A run that holds its folder alone and goes on with the record that is there.

    Raises:
        ResultError: results of that name were made by something else, or by a run going on.
    """
    with locked(store.folder(name)):
        sweep(store.folder(name))
        session = Session(store, name, continue_record(store, name, current))
        with session.recorded():
            yield session


@dataclass
class Session:
    """What became of a run so far, and the record that says so.

    Attributes:
        store: where results are kept as they come.
        name: of the result folder.
        record: of what made them; written whenever it changes.
        started: whether anything has run.
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
        """Whether more repetitions would tell nothing: the first are equal, or one has failed."""
        runs = self.store.read_runs(self.name, sequence.name)[:ENOUGH]
        return len(runs) < ENOUGH or are_equal(runs)

    def _is_finished(self, unit: Unit) -> bool:
        return self.store.finished(self.name, unit.sequence, unit.repetition)

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
