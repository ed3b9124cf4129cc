"""Rows of results that are no region: scored by the rules, and never without a word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray


@dataclass(eq=False)
class InvalidRows:
    """How many rows of a tracker's results are no region.

    Attributes:
        broken: of all its sequences.
        rows: that could have been one, the first of a sequence not counted: it is given.
        sequences: that have a broken row.
    """

    broken: int = 0
    rows: int = 0
    sequences: int = 0

    def add(self, broken: int, rows: int) -> None:
        """Count one more sequence."""
        self.broken += broken
        self.rows += rows
        self.sequences += broken > 0

    @property
    def all(self) -> bool:
        """Whether there is no usable row at all."""
        return 0 < self.rows <= self.broken

    def note(self, kind: str, consequence: str) -> list[str]:
        """What must be said beside a score, nothing where no row is broken."""
        if not self.broken:
            return []
        places = "1 sequence" if self.sequences == 1 else f"{self.sequences} sequences"
        return [f"{self.broken} of {self.rows} rows {kind}, in {places}: {consequence}"]


def invalid_boxes(boxes: FloatArray) -> tuple[int, int]:
    """How many of ``(M, 4)`` boxes after the first hold a NaN or have no size, and of how many."""
    answers = boxes[1:]
    sized = np.minimum(answers[:, 2], answers[:, 3]) > 0  # never with a NaN
    sound = np.count_nonzero(sized & ~np.isnan(answers[:, :2]).any(axis=1))
    return len(answers) - int(sound), len(answers)


def invalid_answers(codes: NDArray[np.int64]) -> tuple[int, int]:
    """How many frames have code 0 without a failure before, and how many an answer or that.

    A region with NaN is read as code 0, which the protocol writes after a failure only.

    Args:
        codes: ``(R, N)`` of the runs on a sequence, -1 where there is a region.
    """
    silent = codes == 0
    before = np.maximum.accumulate(np.where(silent, 0, np.arange(codes.shape[1])), axis=1)
    broken = int(np.count_nonzero(silent & (np.take_along_axis(codes, before, axis=1) != 2)))
    return broken, broken + int(np.count_nonzero(codes == -1))
