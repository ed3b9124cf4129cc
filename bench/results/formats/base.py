"""What every format of raw results has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.results.formats.source import Source, SourceFile
from bench.sequence import Sequence

MAX_PIXEL = 1e100
"""Beyond this, the area of a box and its square are no numbers any more."""

Resolve = Callable[[str], str | None]
"""From a toolkit's spelling to the dataset's name of a sequence, None for no sequence."""


@dataclass(frozen=True)
class Found:
    """Files of one sequence in somebody's results.

    Attributes:
        spelling: how the files spell the name of the sequence.
        boxes: the file with the boxes.
        times: the file with seconds per frame, if there is one.
    """

    spelling: str
    boxes: SourceFile
    times: SourceFile | None = None


@dataclass(frozen=True, eq=False)
class RawResult:
    """What such files say.

    Attributes:
        boxes: ``(N, 4)`` x, y, w, h as they stand in the file.
        times: ``(N,)`` seconds per frame, or None where the source has none.
        spelling: the name of the sequence that the content gives, if it gives one.
        notes: what was done or seen on reading that a user should know.
    """

    boxes: FloatArray
    times: FloatArray | None = None
    spelling: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Exported:
    """One stored result on its way into a toolkit's format.

    Attributes:
        tracker: name of the tracker.
        sequence: what it was run on.
        spelling: how the toolkit spells the name of the sequence.
        benchmark: how the toolkit spells the name of the benchmark, for formats that have it.
        boxes: ``(N, 4)`` x, y, w, h in the coordinates to be written.
        times: ``(N,)`` seconds per frame, or None.
    """

    tracker: str
    sequence: Sequence
    spelling: str
    benchmark: str
    boxes: FloatArray
    times: FloatArray | None

    @property
    def fps(self) -> float:
        """Frames per second over the sequence, NaN without times."""
        total = 0.0 if self.times is None else float(self.times.sum())
        return len(self.boxes) / total if total > 0 else float("nan")


class Format(Protocol):
    """One format of raw results."""

    @property
    def name(self) -> str:
        """How the format is called on the command line."""

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """The sequences that a source has results of, whether the dataset knows them or not."""

    def read(self, found: Found) -> RawResult:
        """The numbers of one sequence.

        Raises:
            ResultError: a file is malformed.
        """

    def render(self, result: Exported) -> dict[str, bytes]:
        """The files of one sequence: path below the toolkit's results folder -> content."""


def check_boxes(boxes: FloatArray, where: str) -> FloatArray:
    """``boxes`` itself, if every number is NaN or one that can be scored.

    Raises:
        ResultError: a row has an infinite or absurdly large number.
    """
    bad = np.flatnonzero((np.abs(boxes) > MAX_PIXEL).any(axis=1))
    if len(bad):
        raise ResultError(
            f"{where}: row {bad[0] + 1}: expected x, y, w, h in pixels, found "
            f"{boxes[bad[0]].tolist()}. Write NaN where the tracker has no answer."
        )
    return boxes


def check_times(times: FloatArray, frames: int, where: str) -> FloatArray:
    """``times`` itself, if there is one plausible number for every frame.

    Raises:
        ResultError: another number of rows, or a negative or infinite time.
    """
    if len(times) != frames:
        raise ResultError(
            f"{where}: expected a time for each of {frames} frames, found {len(times)} rows. "
            "Take the file away to import without times."
        )
    bad = np.flatnonzero(~((times >= 0) & np.isfinite(times)))
    if len(bad):
        raise ResultError(
            f"{where}:{bad[0] + 1}: expected seconds, found {times[bad[0]]}. "
            "Take the file away to import without times."
        )
    return times


def times_from_fps(fps: float, frames: int) -> FloatArray | None:
    """A mean frame rate spread evenly over the frames, None where it is not positive."""
    if not (np.isfinite(fps) and fps > 0):
        return None
    return np.full(frames, 1.0 / fps)
