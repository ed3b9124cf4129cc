"""Where the runs of one experiment of the VOT challenge lie, and reading them back.

``<root>/<benchmark>/<tracker>/<experiment>/<sequence>/`` holds the official files:
``<sequence>_001.txt`` for the first repetition and so on, ``<sequence>_time.txt`` with seconds, a
row for every frame and a column for every repetition. ``<sequence>_001_confidence.value`` beside
them has the tracker's confidence as vot-toolkit writes it, ``run.json`` in the experiment's folder
the record of what made them all.

What vot-toolkit writes by default, ``<sequence>_001.bin`` and ``<sequence>_001_time.value``, is
read as well. Where a run is there as text and as binary the text counts, as it does there.
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
from bench.files import write_atomically
from bench.geometry import Regions
from bench.results.stores import check_rows, tracker_names
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

_RUN = re.compile(r"(\d{3,})\.(txt|bin)")


@dataclass(frozen=True)
class VotStore:
    """The results of one experiment of a benchmark under one folder.

    Attributes:
        root: the folder given as RESULTS.
        benchmark: identifier of the benchmark.
        experiment: name of the experiment, e.g. ``"baseline"``.
    """

    root: Path
    benchmark: str
    experiment: str

    def folder(self, tracker: str) -> Path:
        """Where the results of ``tracker`` lie."""
        return Path(f"{self.root}/{self.benchmark}/{tracker}/{self.experiment}")

    def run_path(self, tracker: str, sequence: str, repetition: int) -> Path:
        """The text file of one run; repetitions count from 1."""
        return Path(f"{self.folder(tracker)}/{sequence}/{sequence}_{repetition:03d}.txt")

    def times_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.folder(tracker)}/{sequence}/{sequence}_time.txt")

    def confidence_path(self, tracker: str, sequence: str, repetition: int) -> Path:
        run = self.run_path(tracker, sequence, repetition)
        return run.with_name(f"{run.stem}_confidence.value")

    def record_path(self, tracker: str) -> Path:
        return self.folder(tracker) / "run.json"

    def trackers(self) -> list[str]:
        """Names of the trackers that have a run, sorted without regard to case.

        Raises:
            ResultError: a name is not text.
        """
        folder = self.root / self.benchmark
        return tracker_names(folder, (n for n in _folders(folder) if any(self._with_runs(n))))

    def sequences(self, tracker: str) -> frozenset[str]:
        """Names of the sequences that ``tracker`` has a run of."""
        return frozenset(self._with_runs(tracker))

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        """The repetitions that are there, in order, as text or as binary."""
        return tuple(sorted(self._files(tracker, sequence)))

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if a run is there with a row for every frame.

        The trajectory is written last, so where it is the other files are too.
        """
        path = self._files(tracker, sequence.name).get(repetition)
        if path is None:
            return False
        data = path.read_bytes()
        binary = path.suffix == ".bin"
        return (count_records(data, path) if binary else count_rows(data)) == len(sequence)

    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        """The regions and codes of one run, in the benchmark's file coordinates.

        Args:
            tracker: name of the results.
            sequence: name of the sequence.
            repetition: which run, from 1; by default the first that is stored.
            frames: number of rows to expect; not checked by default.

        Raises:
            ResultError: the file is missing or malformed, holds masks, or has another number of
                rows.
        """
        files = self._files(tracker, sequence)
        wanted = repetition or min(files, default=1)
        if wanted not in files:
            path = self.run_path(tracker, sequence, wanted)
            raise ResultError(f"{path}: there is no such run, neither .txt nor .bin")
        return _read(files[wanted], frames)

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        """``read_run`` for all repetitions that are there, in order."""
        files = self._files(tracker, sequence)
        return [_read(files[repetition], frames) for repetition in sorted(files)]

    def read_times(self, tracker: str, sequence: str) -> FloatArray | None:
        """``(N, R)`` seconds, column k of repetition k + 1; None where no times are stored.

        R is the number of the last repetition; the official files have columns beyond it, or too
        few. A repetition without a run or without times is NaN.

        Raises:
            ResultError: a file of times is malformed.
        """
        present = self.repetitions(tracker, sequence)
        path = self.times_path(tracker, sequence)
        if not present:
            return None
        if not path.is_file():
            return self._read_time_values(tracker, sequence, present)
        stored = parse_times(path.read_bytes(), path)
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
        """Store one run; each file appears whole or not at all, the trajectory last.

        Raises:
            ResultError: the times of other repetitions are malformed or of another number of
                frames.
        """
        times = self._times_with(tracker, sequence, repetition, trajectory.times)
        write_atomically(self.times_path(tracker, sequence.name), times)
        if not np.isnan(trajectory.scores).all():
            path = self.confidence_path(tracker, sequence.name, repetition)
            write_atomically(path, format_values(trajectory.scores))
        path = self.run_path(tracker, sequence.name, repetition)
        write_atomically(path, format_text(trajectory.regions))

    def _times_with(
        self, tracker: str, sequence: Sequence, repetition: int, seconds: FloatArray
    ) -> bytes:
        """The file of times, with one more column or another one in its place."""
        path = self.times_path(tracker, sequence.name)
        table = np.empty((len(seconds), 0))
        if path.is_file():
            table = parse_times(path.read_bytes(), path)
        if len(table) != len(seconds):
            raise ResultError(
                f"{path}: expected {len(seconds)} rows as the sequence has frames, found "
                f"{len(table)}. Delete {path.parent} to run it anew."
            )
        missing = max(0, repetition - table.shape[1])
        table = np.pad(table, ((0, 0), (0, missing)), constant_values=np.nan)
        table[:, repetition - 1] = seconds
        return format_times(table)

    def _read_time_values(
        self, tracker: str, sequence: str, present: tuple[int, ...]
    ) -> FloatArray | None:
        """Times from vot-toolkit's file for each repetition."""
        columns: dict[int, FloatArray] = {}
        for repetition in present:
            run = self.run_path(tracker, sequence, repetition)
            path = run.with_name(f"{run.stem}_time.value")
            if path.is_file():
                columns[repetition] = parse_values(path.read_bytes(), path)
        if not columns:
            return None
        times = np.full((max(map(len, columns.values())), present[-1]), np.nan)
        for repetition, seconds in columns.items():
            times[: len(seconds), repetition - 1] = seconds
        return times

    def _with_runs(self, tracker: str) -> Iterator[str]:
        """Names of the sequences that have a run."""
        return (n for n in _folders(self.folder(tracker)) if self._files(tracker, n))

    def _files(self, tracker: str, sequence: str) -> dict[int, Path]:
        """The file of each repetition that is there; text before binary."""
        folder = f"{self.folder(tracker)}/{sequence}"
        found: dict[int, Path] = {}
        # The name may itself end in digits, so it is taken off before they are looked at.
        prefix = f"{sequence}_"
        for name in sorted(_names(folder)):
            match = _RUN.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
            if match:
                found[int(match[1])] = Path(f"{folder}/{name}")
        return found


def _read(path: Path, frames: int | None) -> Regions:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror})") from error
    raw = (parse_binary if path.suffix == ".bin" else parse_text)(data, path)
    if raw.masks:
        raise ResultError(
            f"{path}: expected boxes and polygons, found {raw.masks} masks. `bench import` turns "
            "them into rotated rectangles, and notes that it did."
        )
    if frames is not None:
        check_rows(path, len(raw.regions), frames)
    return raw.regions


def _names(folder: Path | str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
