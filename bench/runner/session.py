"""One session of a run: keeps each result at once, and records how it was made."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Sequence as List
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from bench.benchmarks import Experiment
from bench.errors import BenchError, ResultError, printable
from bench.files import write_atomically
from bench.geometry import Regions, region_overlaps
from bench.images import ImageFiles
from bench.protocols.onepass import check_frames
from bench.results.declared import keep_declaration
from bench.results.record import RunFailure, RunRecord, require_same
from bench.results.stores import Store
from bench.runner.engine import BuildError
from bench.runner.progress import Status, Wanted, progress_display
from bench.runner.provenance import with_later_files
from bench.runner.shards import Book, Shard, opened
from bench.runner.unit import Beat, Finished, Outcome, Remark, Unit
from bench.sequence import Frames, Sequence

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
        logs: the file with the traceback of a failure, by sequence.
        adapter: how a tracker of another toolkit was run, and tuned per benchmark, in words.
    """

    finished: tuple[str, ...]
    skipped: tuple[str, ...]
    failures: tuple[RunFailure, ...]
    logs: Mapping[str, Path] = field(default_factory=dict, compare=False)
    adapter: str = field(default="", compare=False)


@contextmanager
def open_session(
    store: Store,
    name: str,
    current: RunRecord,
    sequences: Iterable[Sequence],
    *,
    shard: Shard | None = None,
    same_device: bool = False,
) -> Iterator[Session]:
    """Lock the results, or the part of a shard, and continue the record.

    Raises:
        ResultError: the results of that name have another origin, or another run holds them.
    """
    names = [sequence.name for sequence in sequences]
    files = frozenset(current.provenance.get("tracker_files", {}))
    current = with_later_files(store, name, current)
    with opened(store, name, current, shard, names) as (book, record):
        keep_declaration(store)
        session = Session(store, name, record, book, files, same_device=same_device)
        with session.recorded():
            yield session


@dataclass
class Session:
    """The outcome of a run so far, and its record.

    Attributes:
        store: keeps the results.
        name: of the result folder.
        record: how the results are made; written at every change.
        book: where it is written.
        known: names of the tracker's files that are known before it is built.
        started: True once anything has run.
        finished, skipped, failures: see ``RunSummary``.
        notes: what the tracker's adapter chose, in words; empty for our own trackers.
        logs: the file with the traceback of each failure, by sequence.
        same_device: refuse results of another device than the first.
    """

    store: Store
    name: str
    record: RunRecord
    book: Book
    known: Collection[str] = ()
    started: bool = False
    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: list[RunFailure] = field(default_factory=list)
    notes: str = ""
    logs: dict[str, Path] = field(default_factory=dict)
    same_device: bool = False

    def plan(
        self,
        sequences: Iterable[Sequence],
        seed: int,
        experiment: Experiment,
        repetitions: Iterable[int],
        *,
        masks: bool = False,
    ) -> list[Unit]:
        """The units that still have to run, the longest first; notes those that cannot run."""
        units: list[Unit] = []
        for sequence in sequences:
            try:
                for unit in self._missing(sequence, seed, experiment, repetitions):
                    units.append(dataclasses.replace(unit, masks=masks))
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
                    self._clear(unit)  # a killed run may have left its failure
            else:
                check_frames(sequence)
                yield dataclasses.replace(unit, sequence=with_paths(sequence))

    def _settled(self, sequence: Sequence) -> bool:
        """Whether more repetitions are pointless: the first are equal, or one has failed."""
        runs = self.store.read_runs(self.name, sequence.name)[:ENOUGH]
        return len(runs) < ENOUGH or are_equal(runs)

    def _is_finished(self, unit: Unit) -> bool:
        return self.store.finished(self.name, unit.sequence, unit.repetition)

    def summary(self) -> RunSummary:
        """The outcome so far."""
        return RunSummary(
            tuple(self.finished), tuple(self.skipped), tuple(self.failures), self.logs, self.notes
        )

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Note the end of the session in the record, if anything was done in it."""
        before = self.record
        try:
            yield
        finally:
            if self.started or self.record is not before:
                self.book.write(self.record.ended())

    def gather(self, outcomes: Iterable[Outcome], units: list[Unit], progress: Wanted) -> None:
        """Keep every result and note every failure at once; the record is written first."""
        if not units:
            return
        self.started = True
        self.book.write(self.record)
        frames, total = 0, sum(len(unit.sequence) for unit in units)
        with self._said(), progress_display(self._ended + len(units), total, progress) as show:
            for outcome in outcomes:
                if isinstance(outcome, Beat):
                    show(self._status(frames, outcome))
                    continue
                if isinstance(outcome, Remark):
                    self._remark(outcome.text)
                    continue
                frames += len(outcome.unit.sequence)
                if isinstance(outcome, Finished):
                    self._keep(outcome)
                else:
                    log = self._write_log(outcome.unit.name, outcome.cause, outcome.log)
                    self._fail(outcome.unit.name, outcome.frame, outcome.cause, log)
                show(self._status(frames, Beat(())))

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Keep the traceback of a tracker that cannot be built, and name its file."""
        try:
            yield
        except BuildError as error:
            log = self._write_log("build", str(error), error.log)
            if log is None:
                raise
            raise BuildError(f"{error} (traceback in {log})", error.log) from None

    def _remark(self, text: str) -> None:
        """Say and record what happened to the run itself."""
        logging.getLogger("bench").warning("%s", printable(text))
        *earlier, latest = self.record.sessions
        latest = {**latest, "remarks": [*latest.get("remarks", []), printable(text)]}
        self._note(dataclasses.replace(self.record, sessions=(*earlier, latest)))

    def _keep(self, outcome: Finished) -> None:
        record = self._with_facts(outcome)
        require_same(self.book.path, self.record, record)
        self._check_device(outcome.answer.device)
        self._note(record)  # first, so that every result that is there says where it was made
        try:
            unit, trajectory = outcome.unit, outcome.answer.trajectory
            self.store.write(self.name, unit.sequence, trajectory, unit.repetition)
        except OSError as error:
            raise ResultError(f"{error.filename}: cannot be written ({error.strerror})") from error
        self.finished.append(outcome.unit.name)
        self._clear(outcome.unit)

    def _check_device(self, device: str) -> None:
        known = self.record.devices()
        if self.same_device and known and device not in known:
            raise ResultError(
                f"{self.book.path}: --same-device: the results beside it were made on "
                f"{' and '.join(known)}, this one on {device}. Leave the option out to mix "
                "devices, which tables then say, or choose another --name."
            )

    def _with_facts(self, outcome: Finished) -> RunRecord:
        """The record with what is known once a unit has run: place, files, adapter, lockstep."""
        answer = outcome.answer
        told = ("host", "cpu") if answer.device == "cpu" else ("host", "cpu", "driver")
        place = {name: outcome.facts[name] for name in told if name in outcome.facts}
        record = self.record.made(outcome.unit.name, {"device": answer.device, **place})
        facts: dict[str, Any] = dict(record.provenance)
        if answer.files:
            facts["tracker_files"] = {**facts.get("tracker_files", {}), **answer.files}
        *earlier, latest = record.sessions
        if answer.notes:
            latest = {**latest, "adapter": answer.notes}
            self.notes = answer.notes
        if news := {n: p for n, p in answer.paths.items() if n not in self.known}:
            latest = {**latest, "paths": {**latest.get("paths", {}), **news}}
        if answer.tuned:
            latest = {**latest, "tuned": answer.tuned}
            self.notes = f"{answer.notes}; {answer.tuned}".lstrip("; ")
        if outcome.alone:
            latest = {**latest, "alone": [*latest.get("alone", []), outcome.unit.name]}
        return dataclasses.replace(record, provenance=facts, sessions=(*earlier, latest))

    def _clear(self, unit: Unit) -> None:
        """Forget the failures of a unit that is finished, and their logs."""
        record = self.record.finished(unit.name).finished(unit.sequence.name)
        with contextlib.suppress(OSError):
            self._log_path(unit.name).unlink(missing_ok=True)
        self._note(record)

    def _fail(self, name: str, frame: int | None, cause: str, log: Path | None = None) -> None:
        failure = RunFailure(printable(name), frame, printable(_cut(cause)))
        self.failures.append(failure)
        if log is not None:
            self.logs[name] = log
        self._note(self.record.failed(failure))

    def _write_log(self, name: str, cause: str, log: str) -> Path | None:
        """Keep the traceback of a failure, and what the tracker printed; best effort."""
        if not log:
            return None
        path = self._log_path(name)
        try:
            write_atomically(path, printable(f"{cause}\n\n{log}", lines=True).encode())
        except OSError:
            return None
        return path

    def _log_path(self, name: str) -> Path:
        return self.store.folder(self.name) / "logs" / f"{name}.log"

    def _note(self, record: RunRecord) -> None:
        if record != self.record:
            self.record = record
            self.book.write(record)

    def _status(self, frames: int, beat: Beat) -> Status:
        names = tuple(unit.name for unit, _ in beat.running)
        at_work = sum(frame for _, frame in beat.running)
        return Status(frames + at_work, self._ended, len(self.failures), names)

    @property
    def _ended(self) -> int:
        return len(self.finished) + len(self.failures)


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


def with_paths(sequence: Sequence, change: Callable[[Path], Path] = Path.absolute) -> Sequence:
    """A sequence whose frames lie elsewhere; by default, at their full paths.

    So they are found wherever a tracker changes the working folder to.
    """
    frames: Any = sequence.frames
    if isinstance(frames, ImageFiles):
        paths = tuple(map(change, frames.paths))
        same = paths == frames.paths
        return sequence if same else dataclasses.replace(sequence, frames=ImageFiles(paths))
    if not dataclasses.is_dataclass(frames) or isinstance(frames, type):
        return sequence
    changed = {
        each.name: change(value)
        for each in dataclasses.fields(frames)
        if isinstance(value := getattr(frames, each.name), Path) and change(value) != value
    }
    if not changed:
        return sequence
    replaced = dataclasses.replace(frames, **changed)
    return dataclasses.replace(sequence, frames=cast(Frames, replaced))


def _cut(text: str, limit: int = 1000) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
