"""Store of one-pass results on disk.

``<root>/<benchmark>/<tracker>/`` contains ``<sequence>.txt`` with boxes (the PySOT/OTB text
layout, in the benchmark's own coordinates), ``times/<sequence>_time.txt`` with seconds per
frame, ``scores/<sequence>_score.txt`` with optional confidences, and ``run.json``, the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.files import format_rows, read_rows, write_atomically
from bench.geometry.regions import Regions
from bench.results.stores import check_rows, names_in, tracker_names
from bench.sequence import Sequence, Trajectory, to_file


@dataclass(frozen=True)
class OnePassStore:
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

    def boxes_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}/{sequence}.txt")

    def times_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}/times/{sequence}_time.txt")

    def confidence_path(self, tracker: str, sequence: str) -> Path:
        return Path(f"{self.root}/{self.benchmark}/{tracker}/scores/{sequence}_score.txt")

    def record_path(self, tracker: str) -> Path:
        return self.folder(tracker) / "run.json"

    def trackers(self) -> list[str]:
        folder = self.root / self.benchmark
        if not folder.is_dir():
            return []
        found = (p for p in folder.iterdir() if p.is_dir() and any(p.glob("*.txt")))
        return tracker_names(folder, (p.name for p in found))

    def sequences(self, tracker: str) -> frozenset[str]:
        names = names_in(self.folder(tracker))
        return frozenset(n[:-4] for n in names if n.endswith(".txt") and not n.startswith("."))

    def repetitions(self, tracker: str, sequence: str) -> tuple[int, ...]:
        return (1,) if self.boxes_path(tracker, sequence).is_file() else ()

    def finished(self, tracker: str, sequence: Sequence, repetition: int = 1) -> bool:
        """True if the boxes, which are written last, have one row per frame."""
        path = self.boxes_path(tracker, sequence.name)
        return path.is_file() and path.read_bytes().count(b"\n") == len(sequence)

    def write(
        self, tracker: str, sequence: Sequence, trajectory: Trajectory, repetition: int = 1
    ) -> None:
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
        boxes = self.read_boxes(tracker, sequence)
        if frames is not None:
            check_rows(self.boxes_path(tracker, sequence), len(boxes), frames)
        return Regions.from_boxes(boxes)

    def read_runs(self, tracker: str, sequence: str, frames: int | None = None) -> list[Regions]:
        return [self.read_run(tracker, sequence, frames=frames)]

    def read_times(self, tracker: str, sequence: str) -> FloatArray | None:
        path = self.times_path(tracker, sequence)
        return read_rows(path, columns=1)[:, 0] if path.is_file() else None
