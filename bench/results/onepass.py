"""Where our own one-pass runs lie, and reading them back.

``<root>/<benchmark>/<tracker>/<sequence>.txt`` holds boxes (the PySOT/OTB text layout, in the
benchmark's own coordinates), ``times/<sequence>_time.txt`` beside it seconds per frame,
``scores/<sequence>_score.txt`` confidences if the tracker gives them, ``run.json`` the record
of what made them. The reset-based experiment of VOT has its own sub-folder beside these.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.files import format_rows, read_rows, write_atomically
from bench.geometry.regions import Regions
from bench.results.stores import check_rows, tracker_names
from bench.sequence import Sequence, Trajectory, to_file


@dataclass(frozen=True)
class OnePassStore:
    """The results of one benchmark under one folder.

    Attributes:
        root: the folder given as RESULTS.
        benchmark: identifier of the benchmark.
    """

    root: Path
    benchmark: str
    experiment: str = field(default="onepass", init=False)

    def folder(self, tracker: str) -> Path:
        """Where the results of ``tracker`` lie."""
        return Path(f"{self.root}/{self.benchmark}/{tracker}")

    def boxes_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}/{sequence}.txt")

    def times_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}/times/{sequence}_time.txt")

    def confidence_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}/scores/{sequence}_score.txt")

    def record_path(self, tracker: str) -> Path:
        return self.folder(tracker) / "run.json"

    def trackers(self) -> list[str]:
        """Names of the trackers that have results, sorted without regard to case.

        Raises:
            ResultError: a name is not text.
        """
        folder = self.root / self.benchmark
        if not folder.is_dir():
            return []
        found = (p for p in folder.iterdir() if p.is_dir() and any(p.glob("*.txt")))
        return tracker_names(folder, (p.name for p in found))

    def sequences(self, tracker: str) -> frozenset[str]:
        """Names of the sequences that ``tracker`` has a result of."""
        try:
            with os.scandir(self.folder(tracker)) as entries:
                names = [entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()
        return frozenset(n[:-4] for n in names if n.endswith(".txt") and not n.startswith("."))

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        """``(1,)`` if there is a result, else empty."""
        return (1,) if self.boxes_path(tracker, sequence).is_file() else ()

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if the result of ``sequence`` is there with a row for every frame.

        The boxes are written last, so where they are the other files are too.
        """
        path = self.boxes_path(tracker, sequence.name)
        return path.is_file() and path.read_bytes().count(b"\n") == len(sequence)

    def write(
        self, tracker: str, sequence: Sequence, trajectory: Trajectory, repetition: int = 1
    ) -> None:
        """Store one trajectory; each file appears whole or not at all."""
        times = format_rows(trajectory.times[:, None], decimals=6)
        write_atomically(self.times_path(tracker, sequence.name), times)
        if not np.isnan(trajectory.scores).all():
            scores = format_rows(trajectory.scores[:, None], decimals=6)
            write_atomically(self.confidence_path(tracker, sequence.name), scores)
        boxes = format_rows(to_file(trajectory.boxes, sequence.index_base))
        write_atomically(self.boxes_path(tracker, sequence.name), boxes)

    def read_boxes(self, tracker: str, sequence: str) -> FloatArray:
        """``(N, 4)`` x, y, w, h in the benchmark's file coordinates.

        Raises:
            ResultError: the file is missing or malformed.
        """
        return read_rows(self.boxes_path(tracker, sequence))

    def read_run(
        self,
        tracker: str,
        sequence: str,
        repetition: int | None = None,
        frames: int | None = None,
    ) -> Regions:
        """The boxes of ``read_boxes`` as regions.

        Raises:
            ResultError: as ``read_boxes``, or there are not ``frames`` rows.
        """
        boxes = self.read_boxes(tracker, sequence)
        if frames is not None:
            check_rows(self.boxes_path(tracker, sequence), len(boxes), frames)
        return Regions.from_boxes(boxes)

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        """The only run."""
        return [self.read_run(tracker, sequence, frames=frames)]

    def read_times(self, tracker: str, sequence: str) -> FloatArray | None:
        """``(N,)`` seconds per frame, or None where none were stored."""
        path = self.times_path(tracker, sequence)
        return read_rows(path, columns=1)[:, 0] if path.is_file() else None
