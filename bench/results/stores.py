"""What every store of results offers, and which trackers have results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.geometry import Regions
from bench.sequence import Sequence


class Store(Protocol):
    """The results of one experiment of a benchmark, by tracker, sequence and repetition.

    Attributes:
        root: the folder given as RESULTS.
        benchmark: identifier of the benchmark.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
    """

    @property
    def root(self) -> Path: ...

    @property
    def benchmark(self) -> str: ...

    @property
    def experiment(self) -> str: ...

    def folder(self, tracker: str) -> Path:
        """Where the results of ``tracker`` lie."""

    def record_path(self, tracker: str) -> Path:
        """The record of what made them, ``run.json``."""

    def trackers(self) -> list[str]:
        """Names of the trackers that have results, sorted without regard to case."""

    def sequences(self, tracker: str) -> frozenset[str]:
        """Names of the sequences that ``tracker`` has a result of."""

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        """The repetitions that are stored, counted from 1, in order."""

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if a run is stored with a row for every frame."""

    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        """The regions of one run in file coordinates, by default of the first that is stored.

        Raises:
            ResultError: the run is missing or malformed, or does not have ``frames`` rows.
        """

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        """``read_run`` of every repetition, in order."""

    def read_times(self, tracker: str, sequence: str) -> FloatArray | None:
        """Seconds, ``(N,)`` in one-pass evaluation, else ``(N, R)``; None if none are stored.

        Raises:
            ResultError: the times are malformed.
        """

    def write(
        self, tracker: str, sequence: Sequence, trajectory: Any, repetition: int = 1
    ) -> None:
        """Store one run; each file appears whole or not at all, the regions last.

        Args:
            tracker: name of the results.
            sequence: that was run.
            trajectory: a ``Trajectory`` in one-pass evaluation, else a ``RegionTrajectory``.
            repetition: which run, from 1.
        """


def check_rows(path: Path, found: int, frames: int) -> None:
    """Check that a result has a row for every frame.

    Raises:
        ResultError: it has another number of rows.
    """
    if found != frames:
        raise ResultError(
            f"{path}: expected {frames} rows, one for every frame, found {found}. Run this "
            "sequence again, or check that the result is of this benchmark."
        )


def tracker_names(folder: Path, names: Iterable[str]) -> list[str]:
    """Names of trackers, sorted without regard to case.

    Args:
        folder: holds the folders; for messages.
        names: of folders with results.

    Raises:
        ResultError: a name is not UTF-8, so no table, page or file could hold it.
    """
    found = sorted(names, key=str.lower)
    for name in found:
        if not _is_text(name):
            raise ResultError(
                f"{folder}: expected folders named after trackers, in UTF-8, found {name!a}. "
                "Rename it, or move it elsewhere."
            )
    return found


def _is_text(name: str) -> bool:
    """Whether a name from the file system decodes as text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
