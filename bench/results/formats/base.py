"""Types and checks shared by all formats of raw results."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.results.formats.source import Source, SourceFile
from bench.results.masks import parse_masks
from bench.results.stores import check_boxes as check_boxes
from bench.results.vot.text import parse_values
from bench.sequence import Masks, Sequence

Rows = TypeVar("Rows", bound=Sized)
Resolve = Callable[[str], str | None]
"""Maps a toolkit's spelling to the dataset's name of a sequence, or None."""


@dataclass(frozen=True)
class Found:
    """Files of one sequence in a source.

    Attributes:
        spelling: the sequence name in the toolkit's spelling.
        boxes: the file with the boxes.
        times: the file with seconds per frame, or None.
        tracker: the tracker that the file name states, or empty.
        scores: the file with confidences, or None.
        masks: the file with masks, or None.
    """

    spelling: str
    boxes: SourceFile
    times: SourceFile | None = None
    tracker: str = ""
    scores: SourceFile | None = None
    masks: SourceFile | None = None

    @property
    def files(self) -> tuple[SourceFile | None, ...]:
        """All that there may be, in a fixed order."""
        return self.boxes, self.times, self.scores, self.masks


@dataclass(frozen=True, eq=False)
class RawResult:
    """Content of the files of one sequence.

    Attributes:
        boxes: ``(N, 4)`` x, y, w, h in the numbers of the file.
        times: ``(N,)`` seconds per frame, or None.
        spelling: the sequence name stated in the content, or None.
        notes: remarks for the user.
        scores: ``(N,)`` confidence, or None.
        masks: of each frame, or None.
    """

    boxes: FloatArray
    times: FloatArray | None = None
    spelling: str | None = None
    notes: tuple[str, ...] = ()
    scores: FloatArray | None = None
    masks: Masks | None = None


@dataclass(frozen=True, eq=False)
class Exported:
    """One stored result to export.

    Attributes:
        tracker: name of the tracker.
        sequence: the sequence of the result.
        spelling: the sequence name in the toolkit's spelling.
        benchmark: the benchmark name in the toolkit's spelling.
        boxes: ``(N, 4)`` x, y, w, h in the coordinates to write.
        times: ``(N,)`` seconds per frame, or None.
        scores: ``(N,)`` confidence, or None.
    """

    tracker: str
    sequence: Sequence
    spelling: str
    benchmark: str
    boxes: FloatArray
    times: FloatArray | None
    scores: FloatArray | None = None

    @property
    def fps(self) -> float:
        """Frames per second over the sequence, NaN without times."""
        total = 0.0 if self.times is None else float(self.times.sum())
        return len(self.boxes) / total if total > 0 else float("nan")

    @property
    def start_frame(self) -> int:
        """Official number of the first frame that the result covers."""
        return self.sequence.first_frame + self.sequence.leading(len(self.boxes))


class Format(Protocol):
    """One format of raw results."""

    @property
    def name(self) -> str:
        """Name on the command line."""

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """All result files of a source, including those of unknown sequences."""

    def read(self, found: Found) -> RawResult:
        """Read the results of one sequence.

        Raises:
            ResultError: a file is malformed.
        """

    def render(self, result: Exported) -> dict[str, bytes]:
        """The files of one sequence: content by path below the toolkit's results folder."""


def fitting_times(load: Callable[[], FloatArray], frames: int) -> tuple[FloatArray | None, str]:
    """Seconds per frame, or None and why they are left out: scoring does not need them.

    Args:
        load: reads them.
        frames: number of rows of the boxes.
    """
    try:
        times = load()
    except ResultError as error:
        return None, f"times left out: {error}"
    if len(times) != frames:
        return None, f"times left out: {len(times)} rows for {frames} frames"
    if not ((times >= 0) & np.isfinite(times)).all():
        return None, "times left out: not all are finite seconds"
    return times, ""


def fitting_scores(file: SourceFile | None, frames: int) -> tuple[FloatArray | None, str]:
    """Confidences ``(N,)``, NaN where unknown, or None and why they are left out."""
    return _fitting("scores", parse_values, file, frames)


def fitting_masks(file: SourceFile | None, frames: int) -> tuple[Masks | None, str]:
    """Masks, or None and why they are left out."""
    return _fitting("masks", parse_masks, file, frames)


def _fitting(
    what: str, parse: Callable[[bytes, str], Rows], file: SourceFile | None, frames: int
) -> tuple[Rows | None, str]:
    if file is None:
        return None, ""
    try:
        rows = parse(file.load(), file.where)
    except ResultError as error:
        return None, f"{what} left out: {error}"
    if len(rows) != frames:
        return None, f"{what} left out: {len(rows)} rows for {frames} frames"
    return rows, ""


def times_from_fps(fps: float, frames: int) -> FloatArray | None:
    """Equal times from a mean frame rate; None if it is not positive."""
    if not (np.isfinite(fps) and fps > 0):
        return None
    return np.full(frames, 1.0 / fps)
