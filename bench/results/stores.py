"""What every store of results offers, and helpers shared by the stores."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bench.arrays import FloatArray, IntArray
from bench.errors import ResultError, unknown_name
from bench.files import MAX_MASK_BYTES, MAX_PIXEL, read_whole
from bench.geometry import Regions
from bench.results.checksums import Contents, changed_files, contents_of
from bench.results.masks import parse_masks
from bench.results.vot.text import parse_values
from bench.sequence import Masks, Sequence

Content = TypeVar("Content")


class Store(ABC):
    """Results of one experiment of a benchmark, by tracker, sequence and repetition.

    Attributes:
        root: the results folder.
        benchmark: identifier of the benchmark.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
    """

    root: Path
    benchmark: str
    experiment: str

    @abstractmethod
    def folder(self, tracker: str) -> Path:
        """The folder of a tracker's results."""

    def record_path(self, tracker: str) -> Path:
        """The tracker's run record, ``run.json``."""
        return self.folder(tracker) / "run.json"

    @abstractmethod
    def confidence_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path | None:
        """The file of a run's confidences, stored or not; None for a store without files."""

    @abstractmethod
    def masks_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path | None:
        """The file of a run's masks, likewise."""

    def trackers(self) -> list[str]:
        """Names of the trackers with results, sorted case-insensitively.

        Raises:
            ResultError: a name is not UTF-8.
        """
        folder = self.root / self.benchmark
        names = names_in(folder, folders=True)
        return tracker_names(folder, (name for name in names if self._has_results(name)))

    def _has_results(self, tracker: str) -> bool:
        """True if a folder has results, or cannot be read: then it is refused by name."""
        try:
            return any(True for _ in self._stored(tracker))
        except ResultError:
            return True

    @abstractmethod
    def _stored(self, tracker: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Each sequence with a result, and its repetitions; found as they are asked for."""

    def runs(self, tracker: str) -> Mapping[str, tuple[int, ...]]:
        """The stored repetitions of each sequence with a result, counted from 1, in order."""
        return dict(self._stored(tracker))

    def sequences(self, tracker: str) -> frozenset[str]:
        """Names of the sequences with a result of ``tracker``."""
        return frozenset(self.runs(tracker))

    @abstractmethod
    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        """The stored repetitions of one sequence; ``runs`` answers for all at once."""

    @abstractmethod
    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if a run with one row per frame is stored."""

    @abstractmethod
    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        """The regions of one run in file coordinates; by default of the first stored run.

        Args:
            tracker: name of the results.
            sequence: name of the sequence.
            repetition: number of the run, from 1.
            frames: expected number of rows; not checked by default.

        Raises:
            ResultError: the run is missing, malformed, or of another length than ``frames``.
        """

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        """``read_run`` of every stored repetition, in order."""
        repetitions = self.repetitions(tracker, sequence)
        return [self.read_run(tracker, sequence, each, frames) for each in repetitions]

    @abstractmethod
    def read_times(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> FloatArray | None:
        """Seconds per frame, ``(N,)`` in one-pass evaluation, else ``(N, R)``; None if unknown.

        In one-pass evaluation they are of the given run, by default the first that is stored.
        In a VOT experiment, R is the last stored repetition, and missing times are NaN.

        Raises:
            ResultError: the times are malformed.
        """

    def read_scores(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> FloatArray | None:
        """Confidences ``(N,)`` of one run, by default the first, NaN where unknown; or None.

        Raises:
            ResultError: the scores are malformed.
        """
        path = self.confidence_path(tracker, sequence, self._number(tracker, sequence, repetition))
        return _read(path, parse_values)

    def read_masks(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> Masks | None:
        """Masks of one run, by default the first, None where there is none; None if not kept.

        Raises:
            ResultError: the masks are malformed.
        """
        path = self.masks_path(tracker, sequence, self._number(tracker, sequence, repetition))
        return _read(path, parse_masks)

    def _number(self, tracker: str, sequence: str, repetition: int | None) -> int:
        """The run that is meant: by default the first that is stored."""
        return repetition or min(self.repetitions(tracker, sequence), default=1)

    @abstractmethod
    def write(
        self, tracker: str, sequence: Sequence, trajectory: Any, repetition: int = 1
    ) -> None:
        """Store one run; files are written atomically, the regions last.

        Args:
            tracker: name of the results.
            sequence: the sequence of the run.
            trajectory: a ``Trajectory`` in one-pass evaluation, else a ``RegionTrajectory``.
            repetition: number of the run, from 1.

        Raises:
            ResultError: the stored times of other repetitions are malformed.
        """

    def contents(self, tracker: str) -> Contents | None:
        """What a tracker's files hold; None if not all can be read, or there are none."""
        return contents_of(self.folder(tracker))

    def changed_files(self, tracker: str, contents: Contents | None = None) -> list[str]:
        """Files that hold something else than what was written, where that is known.

        Args:
            tracker: name of the results.
            contents: of its files, if they are known.

        Raises:
            ResultError: the record of what was written cannot be read.
        """
        return changed_files(self.folder(tracker), contents)


def _read(path: Path | None, parse: Callable[[bytes, Path], Content]) -> Content | None:
    """The content of a file that need not be there."""
    if path is None or not os.path.lexists(path):
        return None
    return parse(read_whole(path, limit=MAX_MASK_BYTES), path)


def require_results(store: Store, tracker: str) -> frozenset[str]:
    """Names of the sequences with a result of ``tracker``.

    Raises:
        ConfigError: it has no results; the message lists the trackers that do.
    """
    available = store.sequences(tracker)
    if not available:
        folder = store.root / store.benchmark
        raise unknown_name(f"tracker with results in {folder}", tracker, store.trackers())
    return available


def check_rows(where: Path | str, found: int, *accepted: int) -> None:
    """Check the number of rows of a result.

    Raises:
        ResultError: it is not one of the accepted numbers.
    """
    if found not in accepted:
        expected = " or ".join(map(str, dict.fromkeys(accepted)))
        raise ResultError(
            f"{where}: expected {expected} rows, one per frame, found {found}. Run this "
            "sequence again, or check that the result belongs to this benchmark."
        )


def rows_beyond(boxes: FloatArray, limit: float) -> IntArray:
    """Indices of the rows of ``(N, 4)`` boxes with a number beyond ``limit``; NaN is not."""
    beyond = np.abs(boxes) > limit
    # Almost no result has one, and asking row by row costs ten times as much.
    return np.flatnonzero(beyond.any(axis=1)) if beyond.any() else np.empty(0, dtype=np.int64)


def check_boxes(boxes: FloatArray, where: str) -> FloatArray:
    """Return ``boxes`` if every number is NaN or in the accepted range.

    Raises:
        ResultError: a number is infinite or absurdly large.
    """
    bad = rows_beyond(boxes, MAX_PIXEL)
    if len(bad):
        raise ResultError(
            f"{where}: row {bad[0] + 1}: expected x, y, w, h in pixels, found "
            f"{boxes[bad[0]].tolist()}. Write NaN for frames without a prediction."
        )
    return boxes


def times_table(columns: Mapping[int, FloatArray], repetitions: int) -> FloatArray | None:
    """Seconds ``(N, R)``, NaN where unknown, from the times of each repetition; None for none."""
    if not columns:
        return None
    times = np.full((max(map(len, columns.values())), repetitions), np.nan)
    for repetition, seconds in columns.items():
        times[: len(seconds), repetition - 1] = seconds
    return times


def names_in(folder: Path | str, *, folders: bool = False) -> list[str]:
    """Sorted names of all entries of a folder, or only of its folders; none if it is missing."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not folders or entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ResultError(f"{folder}: cannot be read ({reason})") from error


def tracker_names(folder: Path, names: Iterable[str]) -> list[str]:
    """Sort names of trackers case-insensitively; hidden folders are unfinished imports.

    Args:
        folder: their folder, for messages.
        names: names to sort.

    Raises:
        ResultError: a name is not UTF-8 and cannot be shown in a table, page or file.
    """
    found = sorted((name for name in names if not name.startswith(".")), key=str.lower)
    for name in found:
        if not _is_text(name):
            raise ResultError(
                f"{folder}: expected folder names in UTF-8, found {name!a}. Rename it, or move "
                "it elsewhere."
            )
    return found


def _is_text(name: str) -> bool:
    """True if a name from the file system is valid text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
