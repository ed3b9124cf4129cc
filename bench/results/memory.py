"""Store of results in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.geometry import Regions
from bench.results.checksums import Contents
from bench.results.stores import Store, check_rows, times_table, tracker_names
from bench.sequence import Masks, RegionTrajectory, Sequence, Trajectory, to_file


@dataclass(frozen=True, eq=False)
class StoredRun:
    """One run of a sequence.

    Attributes:
        regions: ``N`` rows in file coordinates.
        times: ``(N,)`` seconds per frame, None if unknown.
        scores: ``(N,)`` confidence, None if there is none.
        masks: of each frame, None if not kept.
    """

    regions: Regions
    times: FloatArray | None = None
    scores: FloatArray | None = None
    masks: Masks | None = None


@dataclass(frozen=True, eq=False)
class MemoryStore(Store):
    """Results of one experiment of a benchmark in memory; see ``Store``.

    Attributes:
        benchmark: identifier of the benchmark.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
        stored: runs by tracker, sequence and repetition.
        root: placeholder for messages; nothing is written there.
    """

    benchmark: str
    experiment: str = "onepass"
    stored: dict[str, dict[str, dict[int, StoredRun]]] = field(default_factory=dict)
    root: Path = Path("(memory)")

    def folder(self, tracker: str) -> Path:
        return self.root / self.benchmark / tracker

    def trackers(self) -> list[str]:
        return tracker_names(self.root, self.stored)

    def confidence_path(self, tracker: str, sequence: str, repetition: int = 1) -> None:
        return None

    def masks_path(self, tracker: str, sequence: str, repetition: int = 1) -> None:
        return None

    def _stored(self, tracker: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name, runs in self.stored.get(tracker, {}).items():
            yield name, tuple(sorted(runs))

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        return tuple(sorted(self._of(tracker, sequence)))

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        run = self._of(tracker, sequence.name).get(repetition)
        return run is not None and len(run.regions) == len(sequence)

    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        runs = self._of(tracker, sequence)
        wanted = repetition or min(runs, default=1)
        if wanted not in runs:
            known = ", ".join(map(str, sorted(runs))) or "none"
            raise ResultError(
                f"{self.folder(tracker)}: expected run {wanted} of {sequence}, found {known}"
            )
        regions = runs[wanted].regions
        if frames is not None:
            check_rows(self.folder(tracker) / sequence, len(regions), frames)
        return regions

    def read_times(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> FloatArray | None:
        columns = {number: run.times for number, run in self._of(tracker, sequence).items()}
        known = {number: times for number, times in columns.items() if times is not None}
        if self.experiment == "onepass":
            return known.get(repetition or min(columns, default=1))
        return times_table(known, max(columns, default=0))

    def read_scores(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> FloatArray | None:
        run = self._of(tracker, sequence).get(self._number(tracker, sequence, repetition))
        return None if run is None else run.scores

    def read_masks(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> Masks | None:
        run = self._of(tracker, sequence).get(self._number(tracker, sequence, repetition))
        return None if run is None else run.masks

    def write(
        self,
        tracker: str,
        sequence: Sequence,
        trajectory: Trajectory | RegionTrajectory,
        repetition: int = 1,
    ) -> None:
        if isinstance(trajectory, Trajectory):
            regions = Regions.from_boxes(to_file(trajectory.boxes, sequence.index_base))
        else:
            regions = trajectory.regions
        scores = None if np.isnan(trajectory.scores).all() else trajectory.scores
        run = StoredRun(regions, trajectory.times, scores, trajectory.masks or None)
        self.add(tracker, sequence.name, run, repetition)

    def add(self, tracker: str, sequence: str, run: StoredRun, repetition: int = 1) -> None:
        """Add one run in file coordinates."""
        self.stored.setdefault(tracker, {}).setdefault(sequence, {})[repetition] = run

    def copy_from(
        self,
        store: Store,
        tracker: str,
        name: str | None = None,
        sequences: Iterable[str] | None = None,
    ) -> None:
        """Copy the results of a tracker from another store.

        Args:
            store: the other store.
            tracker: name of the results there.
            name: name of the copy; the same by default.
            sequences: names of the sequences to copy; all by default.

        Raises:
            ResultError: a result is malformed.
        """
        for sequence in store.sequences(tracker) if sequences is None else sequences:
            for number in store.repetitions(tracker, sequence):
                times = store.read_times(tracker, sequence, number)
                seconds = times if times is None or times.ndim == 1 else times[:, number - 1]
                where = (tracker, sequence, number)
                scores, masks = store.read_scores(*where), store.read_masks(*where)
                run = StoredRun(store.read_run(*where), seconds, scores, masks)
                self.add(name or tracker, sequence, run, number)

    def contents(self, tracker: str) -> None:
        return None

    def changed_files(self, tracker: str, contents: Contents | None = None) -> list[str]:
        return []

    def _of(self, tracker: str, sequence: str) -> Mapping[int, StoredRun]:
        return self.stored.get(tracker, {}).get(sequence, {})
