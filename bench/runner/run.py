"""Run a tracker over a dataset: what still has to run, kept as it comes, resumable."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import ConfigError, DatasetError, ResultError
from bench.protocols.onepass import check_frames
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
from bench.runner.process import Beat, Failed, Finished, Limits, Outcome
from bench.runner.progress import Status, progress_display
from bench.runner.provenance import make_record
from bench.runner.unit import Unit
from bench.sequence import Dataset, Sequence
from bench.tracker import TrackerSpec


@dataclass(frozen=True)
class RunSummary:
    """What became of a run.

    Attributes:
        finished: names of the sequences finished now, in the order they ended.
        skipped: names of those that were finished before.
        failures: one for each that could not be finished.
    """

    finished: tuple[str, ...]
    skipped: tuple[str, ...]
    failures: tuple[RunFailure, ...]


def run_tracker(
    dataset: Dataset,
    spec: TrackerSpec,
    store: ResultStore,
    *,
    jobs: int = 1,
    seed: int = 0,
    frame_timeout: float = 120.0,
    start_timeout: float = 300.0,
    progress: bool | None = None,
    names: Collection[str] | None = None,
) -> RunSummary:
    """Run a tracker one-pass over every sequence that has no result yet, the longest first.

    Can be stopped at any moment and called again: what is finished is kept and never run twice.
    A failure costs its sequence only. Worker processes import the caller's main module, so a
    script calls this under ``if __name__ == "__main__":``.

    Args:
        dataset: with frames.
        spec: the tracker, its options and the name of its result folder.
        store: where results go; ``run.json`` beside them records what made them.
        jobs: number of worker processes. Results do not depend on it.
        seed: of every random generator, renewed for each sequence.
        frame_timeout: seconds of silence after which a tracker counts as hung.
        start_timeout: seconds that building the tracker may take.
        progress: show it; by default only on a terminal.
        names: run these sequences only.

    Raises:
        ConfigError: a sequence or tracker is not known, or a number or name makes no sense.
        DatasetError: no sequence has frames.
        TrackerError: the tracker could not be built.
        ResultError: results of that name were made by something else, or by a run going on.
        KeyboardInterrupt: after the workers were stopped and the record was closed.
    """
    _check_arguments(spec, jobs, frame_timeout, start_timeout)
    chosen = _choose(dataset, names)
    current = make_record(dataset, spec, seed=seed, jobs=jobs)
    limits = Limits(frame_timeout, start_timeout)
    with locked(store.folder(spec.name)):
        sweep(store.folder(spec.name))
        run = _Run(store, spec.name, continue_record(store, spec.name, current))
        units = run.plan(chosen, seed)
        if units or run.failures:
            with run.recorded(), closing(run_units(units, spec, jobs, seed, limits)) as outcomes:
                run.gather(outcomes, units, progress)
    return RunSummary(tuple(run.finished), tuple(run.skipped), tuple(run.failures))


@dataclass
class _Run:
    """What became of a run so far, and the record that says so."""

    store: ResultStore
    name: str
    record: RunRecord
    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: list[RunFailure] = field(default_factory=list)

    def plan(self, sequences: Iterable[Sequence], seed: int) -> list[Unit]:
        """What still has to run, the longest first; what cannot run is a failure."""
        units = []
        for sequence in sequences:
            try:
                if self.store.finished(self.name, sequence):
                    self.skipped.append(sequence.name)
                    continue
                check_frames(sequence)
            except (DatasetError, OSError) as error:
                self.failures.append(RunFailure(sequence.name, None, str(error)))
            else:
                units.append(Unit(sequence, seed))
        return sorted(units, key=lambda unit: -len(unit.sequence))

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """The record stands before the first result, and says when the session ended."""
        for failure in self.failures:
            self.record = self.record.failed(failure)
        write_record(self._path, self.record)
        try:
            yield
        finally:
            write_record(self._path, self.record.ended())

    def gather(
        self, outcomes: Iterable[Outcome], units: list[Unit], progress: bool | None
    ) -> None:
        """Keep every result and note every failure as it comes."""
        frames, total = 0, sum(len(unit.sequence) for unit in units)
        with progress_display(len(units) + len(self.failures), total, progress) as show:
            for outcome in outcomes:
                if isinstance(outcome, Beat):
                    show(self._status(frames, outcome))
                    continue
                frames += len(outcome.unit.sequence)
                if isinstance(outcome, Finished):
                    self._keep(outcome)
                else:
                    self._fail(outcome)

    def _keep(self, outcome: Finished) -> None:
        record = self.record.on_device(outcome.device)
        require_same(self._path, self.record, record)
        sequence = outcome.unit.sequence
        try:
            self.store.write(self.name, sequence, outcome.trajectory)
        except OSError as error:
            raise ResultError(f"{error.filename}: cannot be written ({error.strerror})") from error
        self.finished.append(sequence.name)
        self._note(record.finished(sequence.name))

    def _fail(self, outcome: Failed) -> None:
        failure = RunFailure(outcome.unit.sequence.name, outcome.frame, outcome.cause)
        self.failures.append(failure)
        self._note(self.record.failed(failure))

    def _note(self, record: RunRecord) -> None:
        if record != self.record:
            self.record = record
            write_record(self._path, record)

    def _status(self, frames: int, beat: Beat) -> Status:
        ended = len(self.finished) + len(self.failures)
        names = tuple(unit.sequence.name for unit, _ in beat.running)
        at_work = sum(frame for _, frame in beat.running)
        return Status(frames + at_work, ended, len(self.failures), names)

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
