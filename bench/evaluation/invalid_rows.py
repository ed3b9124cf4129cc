"""Counts rows of results without a valid region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray, IntArray
from bench.geometry import FAILED, SKIPPED, TRACKED
from bench.results.stores import rows_beyond

_FARTHEST = 1e6  # pixels


@dataclass(eq=False)
class InvalidRows:
    """Invalid rows of one tracker.

    Attributes:
        invalid: number of invalid rows.
        rows: number of rows, without the given first row of each sequence.
        sequences: number of sequences with an invalid row.
        far: number of rows beyond any image.
    """

    invalid: int = 0
    rows: int = 0
    sequences: int = 0
    far: int = 0

    def add(self, invalid: int, rows: int) -> None:
        """Add one sequence."""
        self.invalid += invalid
        self.rows += rows
        self.sequences += invalid > 0

    @property
    def all(self) -> bool:
        """True if every row is invalid."""
        return 0 < self.rows <= self.invalid

    def note(self, kind: str, consequence: str) -> list[str]:
        """The remark to print beside the scores; empty if every row is valid."""
        if not self.invalid:
            return []
        places = "1 sequence" if self.sequences == 1 else f"{self.sequences} sequences"
        return [f"{self.invalid} of {self.rows} rows {kind}, in {places}: {consequence}"]


def invalid_boxes(boxes: FloatArray) -> tuple[int, int]:
    """Count ``(M, 4)`` boxes after the first: those with NaN or without area, and all."""
    answers = boxes[1:]
    sized = np.minimum(answers[:, 2], answers[:, 3]) > 0  # False for NaN
    sound = np.count_nonzero(sized & ~np.isnan(answers[:, :2]).any(axis=1))
    return len(answers) - int(sound), len(answers)


def far_boxes(boxes: FloatArray) -> int:
    """Count boxes with a number that no image has room for, such as 1e300."""
    return len(rows_beyond(boxes, _FARTHEST))


def invalid_answers(codes: IntArray, lengths: IntArray | None = None) -> tuple[int, int]:
    """Count frames that were skipped without a failure before, and all answered frames.

    A region with NaN is read as ``SKIPPED``, which the protocol writes only after a failure.
    Such frames count as answered.

    Args:
        codes: ``(R, N)`` codes of the runs on a sequence.
        lengths: ``(R,)`` frames that each run has; None if all have ``N``.
    """
    skipped = codes == SKIPPED
    if lengths is not None:
        skipped &= np.arange(codes.shape[1]) < lengths[:, None]
    before = np.maximum.accumulate(np.where(skipped, 0, np.arange(codes.shape[1])), axis=1)
    failed = np.take_along_axis(codes, before, axis=1) == FAILED
    broken = int(np.count_nonzero(skipped & ~failed))
    return broken, broken + int(np.count_nonzero(codes == TRACKED))
