"""Store of the runs of one VOT experiment on disk.

``<root>/<benchmark>/<tracker>/<experiment>/`` contains ``run.json``, the record, and a folder of
official files per sequence: trajectories ``<sequence>_001.txt`` etc., one per repetition,
``<sequence>_time.txt`` with seconds, one row per frame and one column per repetition, and
``<sequence>_001_confidence.value`` with confidences as written by vot-toolkit. Masks are in
``<sequence>_001_mask.txt``, if they are kept (``bench.results.masks``).

The default files of vot-toolkit, ``<sequence>_001.bin`` and ``<sequence>_001_time.value``, are
read too. As in vot-toolkit, text takes precedence over binary.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.files import read_whole, write_atomically
from bench.geometry import Regions
from bench.results.checksums import record_hashes
from bench.results.masks import format_masks
from bench.results.stores import Store, check_rows, names_in, times_table
from bench.results.vot.binary import count_records, parse_binary
from bench.results.vot.text import (
    count_rows,
    format_text,
    format_times,
    format_values,
    parse_text,
    parse_times,
    parse_values,
)
from bench.sequence import RegionTrajectory, Sequence

_RUN = re.compile(r"(?!0+\.)(\d{3,})\.(txt|bin)")


@dataclass(frozen=True)
class VotStore(Store):
    """Results of one VOT experiment of a benchmark on disk; see ``Store``.

    Attributes:
        root: the results folder.
        benchmark: identifier of the benchmark.
        experiment: name of the experiment, e.g. ``"baseline"``.
    """

    root: Path
    benchmark: str
    experiment: str

    def folder(self, tracker: str) -> Path:
        return Path(self._folder(tracker))

    def _folder(self, tracker: str) -> str:
        """``folder`` as text: scoring names thousands of files below it."""
        return f"{self.root}/{self.benchmark}/{tracker}/{self.experiment}"

    def run_path(self, tracker: str, sequence: str, repetition: int) -> Path:
        """The text file of one run; repetitions count from 1."""
        return Path(f"{self._folder(tracker)}/{sequence}/{sequence}_{repetition:03d}.txt")

    def times_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self._folder(tracker)}/{sequence}/{sequence}_time.txt")

    def confidence_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path:
        run = self.run_path(tracker, sequence, repetition)
        return run.with_name(f"{run.stem}_confidence.value")

    def masks_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path:
        run = self.run_path(tracker, sequence, repetition)
        return run.with_name(f"{run.stem}_mask.txt")

    def _stored(self, tracker: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name in names_in(self._folder(tracker), folders=True):
            if repetitions := self.repetitions(tracker, name):
                yield name, repetitions

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        return tuple(sorted(self._files(tracker, sequence)))

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if the trajectory, which is written last, has one row per frame."""
        path = self._files(tracker, sequence.name).get(repetition)
        if path is None:
            return False
        data = read_whole(path)
        binary = path.endswith(".bin")
        return (count_records(data, path) if binary else count_rows(data)) == len(sequence)

    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        files = self._files(tracker, sequence)
        wanted = repetition or min(files, default=1)
        if wanted not in files:
            path = self.run_path(tracker, sequence, wanted)
            raise ResultError(f"{path}: no such run, neither .txt nor .bin")
        return _read(files[wanted], frames)

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        files = self._files(tracker, sequence)
        return [_read(files[repetition], frames) for repetition in sorted(files)]

    def read_times(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> FloatArray | None:
        present = self.repetitions(tracker, sequence)
        path = f"{self._folder(tracker)}/{sequence}/{sequence}_time.txt"
        if not present:
            return None
        if not os.path.isfile(path):  # noqa: PTH113, called for every sequence of every tracker
            return self._read_time_values(tracker, sequence, present)
        stored = parse_times(read_whole(path), path)  # may have more or fewer columns than runs
        times = np.full((len(stored), present[-1]), np.nan)
        columns = [r - 1 for r in present if r <= stored.shape[1]]
        times[:, columns] = stored[:, columns]
        return times

    def write(
        self,
        tracker: str,
        sequence: Sequence,
        trajectory: RegionTrajectory,
        repetition: int = 1,
    ) -> None:
        times = self._times_with(tracker, sequence, repetition, trajectory.times)
        files = {self.times_path(tracker, sequence.name): times}
        if not np.isnan(trajectory.scores).all():
            files[self.confidence_path(tracker, sequence.name, repetition)] = format_values(
                trajectory.scores
            )
        if trajectory.masks:
            masks = self.masks_path(tracker, sequence.name, repetition)
            files[masks] = format_masks(trajectory.masks)
        files[self.run_path(tracker, sequence.name, repetition)] = format_text(trajectory.regions)
        record_hashes(self.folder(tracker), files)
        for path, content in files.items():
            write_atomically(path, content)

    def _times_with(
        self, tracker: str, sequence: Sequence, repetition: int, seconds: FloatArray
    ) -> bytes:
        """Content of the file of times with one column added or replaced."""
        path = self.times_path(tracker, sequence.name)
        table = np.empty((len(seconds), 0))
        if path.is_file():
            table = parse_times(read_whole(path), path)
        if len(table) != len(seconds):
            raise ResultError(
                f"{path}: expected {len(seconds)} rows, one per frame, found {len(table)}. "
                f"Delete {path.parent} and run the sequence again."
            )
        missing = max(0, repetition - table.shape[1])
        table = np.pad(table, ((0, 0), (0, missing)), constant_values=np.nan)
        table[:, repetition - 1] = seconds
        return format_times(table)

    def _read_time_values(
        self, tracker: str, sequence: str, present: tuple[int, ...]
    ) -> FloatArray | None:
        """Times from the files of vot-toolkit, one per repetition."""
        columns: dict[int, FloatArray] = {}
        for repetition in present:
            run = self.run_path(tracker, sequence, repetition)
            path = run.with_name(f"{run.stem}_time.value")
            if path.is_file():
                columns[repetition] = parse_values(read_whole(path), path)
        return times_table(columns, present[-1])

    def _files(self, tracker: str, sequence: str) -> dict[int, str]:
        """The file of each stored repetition; text takes precedence over binary."""
        folder = f"{self._folder(tracker)}/{sequence}"
        found: dict[int, str] = {}
        prefix = f"{sequence}_"  # removed before matching: a name may itself end in digits
        for name in names_in(folder):
            match = _RUN.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
            if match:
                found[int(match[1])] = f"{folder}/{name}"
        return found


def _read(path: str, frames: int | None) -> Regions:
    data = read_whole(path)
    raw = (parse_binary if path.endswith(".bin") else parse_text)(data, path)
    if raw.masks:
        raise ResultError(
            f"{path}: expected boxes and polygons, found {raw.converted} masks. Convert them to "
            "rotated rectangles with `bench import`."
        )
    if frames is not None:
        check_rows(path, len(raw.regions), frames)
    return raw.regions
