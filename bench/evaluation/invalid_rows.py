"""Counts rows of results that are not regions, for a note beside the scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray


@dataclass(eq=False)
class InvalidRows:
    """How many rows of a tracker's results are not regions.

    Attributes:
        invalid: invalid rows of all sequences.
        rows: all rows but the first of each sequence, which is given.
        sequences: sequences with an invalid row.
    """

    invalid: int = 0
    rows: int = 0
    sequences: int = 0

    def add(self, invalid: int, rows: int) -> None:
        """Count one more sequence."""
        self.invalid += invalid
        self.rows += rows
        self.sequences += invalid > 0

    @property
    def all(self) -> bool:
        """Whether there is no usable row at all."""
        return 0 < self.rows <= self.invalid

    def note(self, kind: str, consequence: str) -> list[str]:
        """The remark to print beside a score; empty if every row is valid."""
        if not self.invalid:
            return []
        places = "1 sequence" if self.sequences == 1 else f"{self.sequences} sequences"
        return [f"{self.invalid} of {self.rows} rows {kind}, in {places}: {consequence}"]


def invalid_boxes(boxes: FloatArray) -> tuple[int, int]:
    """Of ``(M, 4)`` boxes after the first: how many hold a NaN or have no size, and how many."""
    answers = boxes[1:]
    sized = np.minimum(answers[:, 2], answers[:, 3]) > 0  # never with a NaN
    sound = np.count_nonzero(sized & ~np.isnan(answers[:, :2]).any(axis=1))
    return len(answers) - int(sound), len(answers)


def invalid_answers(codes: NDArray[np.int64]) -> tuple[int, int]:
    """How many frames have code 0 without a failure before them, and how many were answered.

    A region with NaN is read as code 0, which the protocol only writes after a failure. Such
    frames count as answered.

    Args:
        codes: ``(R, N)`` of the runs on a sequence, -1 where there is a region.
    """
    silent = codes == 0
    before = np.maximum.accumulate(np.where(silent, 0, np.arange(codes.shape[1])), axis=1)
    broken = int(np.count_nonzero(silent & (np.take_along_axis(codes, before, axis=1) != 2)))
    return broken, broken + int(np.count_nonzero(codes == -1))
