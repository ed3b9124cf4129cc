"""Store of one-pass results on disk.

``<root>/<benchmark>/<tracker>/`` contains ``<sequence>.txt`` with boxes (the PySOT/OTB text
layout, in the benchmark's own coordinates), ``times/<sequence>_time.txt`` with seconds per
frame, ``scores/<sequence>_score.txt`` with optional confidences, ``masks/<sequence>_mask.txt``
with masks, if they are kept (``bench.results.masks``), ``run.json``, the record, and
``SHA256SUMS``, what the files held when they were written. Further runs of a stochastic tracker
have the same files in ``repetitions/002/``, ``repetitions/003/`` and so on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.files import format_rows, read_rows, read_whole, write_atomically
from bench.geometry.regions import Regions
from bench.results.checksums import record_hashes
from bench.results.masks import format_masks
from bench.results.stores import Store, check_rows, names_in
from bench.sequence import Sequence, Trajectory, to_file

_REPETITIONS = "repetitions"
_REPETITION = re.compile(r"(?!00[01])\d{3,}")


@dataclass(frozen=True)
class OnePassStore(Store):
    """One-pass results of a benchmark on disk; see ``Store``.

    Attributes:
        root: the results folder.
        benchmark: identifier of the benchmark.
    """

    root: Path
    benchmark: str
    experiment: str = field(default="onepass", init=False)

    def folder(self, tracker: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}")

    def run_folder(self, tracker: str, repetition: int = 1) -> Path:
        """The folder of one run of all sequences; the first is the tracker's own."""
        return Path(self._run(tracker, repetition))

    def _run(self, tracker: str, repetition: int) -> str:
        """``run_folder`` as text: scoring names thousands of files below it."""
        inner = f"/{_REPETITIONS}/{repetition:03d}" if repetition > 1 else ""
        return f"{self.root}/{self.benchmark}/{tracker}{inner}"

    def boxes_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path:
        return Path(f"{self._run(tracker, repetition)}/{sequence}.txt")

    def times_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path:
        return Path(f"{self._run(tracker, repetition)}/times/{sequence}_time.txt")

    def confidence_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path:
        return Path(f"{self._run(tracker, repetition)}/scores/{sequence}_score.txt")

    def masks_path(self, tracker: str, sequence: str, repetition: int = 1) -> Path:
        return Path(f"{self._run(tracker, repetition)}/masks/{sequence}_mask.txt")

    def _stored(self, tracker: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        found: dict[str, tuple[int, ...]] = {}
        for run in self._runs(tracker):
            for name in self._sequences(tracker, run):
                found[name] = (*found.get(name, ()), run)
        yield from found.items()

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        return tuple(
            run
            for run in self._runs(tracker)
            if os.path.lexists(f"{self._run(tracker, run)}/{sequence}.txt")
        )

    def _runs(self, tracker: str) -> list[int]:
        """Numbers of the runs that have a folder, in order."""
        further = names_in(f"{self._run(tracker, 1)}/{_REPETITIONS}", folders=True)
        return [1, *sorted(int(name) for name in further if _REPETITION.fullmatch(name))]

    def _sequences(self, tracker: str, repetition: int) -> Iterator[str]:
        names = names_in(self.run_folder(tracker, repetition))
        return (n[:-4] for n in names if n.endswith(".txt") and not n.startswith("."))

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if the boxes, which are written last, have one row per frame."""
        path = self.boxes_path(tracker, sequence.name, repetition)
        return path.is_file() and read_whole(path).count(b"\n") == len(sequence)

    def write(
        self, tracker: str, sequence: Sequence, trajectory: Trajectory, repetition: int = 1
    ) -> None:
        where = (tracker, sequence.name, repetition)
        files = {self.times_path(*where): format_rows(trajectory.times[:, None], decimals=6)}
        if not np.isnan(trajectory.scores).all():
            scores = format_rows(trajectory.scores[:, None], decimals=6)
            files[self.confidence_path(*where)] = scores
        if trajectory.masks:
            files[self.masks_path(*where)] = format_masks(trajectory.masks)
        boxes = format_rows(to_file(trajectory.boxes, sequence.index_base))
        files[self.boxes_path(*where)] = boxes
        record_hashes(self.folder(tracker), files)
        for path, content in files.items():
            write_atomically(path, content)

    def read_boxes(self, tracker: str, sequence: str, repetition: int = 1) -> FloatArray:
        """``(N, 4)`` x, y, w, h in the benchmark's file coordinates.

        Raises:
            ResultError: the file is missing, or malformed.
        """
        return read_rows(f"{self._run(tracker, repetition)}/{sequence}.txt")

    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        number = self._number(tracker, sequence, repetition)
        boxes = self.read_boxes(tracker, sequence, number)
        if frames is not None:
            check_rows(self.boxes_path(tracker, sequence, number), len(boxes), frames)
        return Regions.from_boxes(boxes)

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        numbers = self.repetitions(tracker, sequence) or (1,)
        return [self.read_run(tracker, sequence, number, frames) for number in numbers]

    def read_times(
        self, tracker: str, sequence: str, repetition: int | None = None
    ) -> FloatArray | None:
        number = self._number(tracker, sequence, repetition)
        path = f"{self._run(tracker, number)}/times/{sequence}_time.txt"
        return read_rows(path, columns=1)[:, 0] if os.path.lexists(path) else None
