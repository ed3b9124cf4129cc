"""Counts rows of results without a valid region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray, IntArray
from bench.geometry import FAILED, SKIPPED, TRACKED
from bench.results.stores import rows_beyond

_FARTHEST = 1e6  # pixels


@dataclass(frozen=True)
class RowCounts:
    """Rows of one result.

    Attributes:
        rows: all that are counted; the given first row of a sequence is not.
        invalid: those without a valid region.
        far: those with a number that no image has room for, the first row included.
    """

    rows: int = 0
    invalid: int = 0
    far: int = 0


@dataclass(eq=False)
class InvalidRows:
    """Rows of one tracker.

    Attributes:
        rows: number of counted rows.
        invalid: number of invalid rows.
        far: number of rows beyond any image.
        sequences: number of sequences with an invalid row.
    """

    rows: int = 0
    invalid: int = 0
    far: int = 0
    sequences: int = 0

    def add(self, counts: RowCounts) -> None:
        """Add one sequence."""
        self.rows += counts.rows
        self.invalid += counts.invalid
        self.far += counts.far
        self.sequences += counts.invalid > 0

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


def count_rows(boxes: FloatArray) -> RowCounts:
    """Count boxes ``(M, 4)`` with NaN or without area after the first, and far ones, as 1e300."""
    answers = boxes[1:]
    if _all_sound(boxes):
        return RowCounts(len(answers))
    sized = np.minimum(answers[:, 2], answers[:, 3]) > 0  # False for NaN
    sound = np.count_nonzero(sized & ~np.isnan(answers[:, :2]).any(axis=1))
    return RowCounts(len(answers), len(answers) - int(sound), len(rows_beyond(boxes, _FARTHEST)))


def _all_sound(boxes: FloatArray) -> bool:
    """True if every box has a size and lies in an image; asking all at once is fast."""
    if not boxes.size:
        return True
    within = boxes.min() >= -_FARTHEST and boxes.max() <= _FARTHEST  # False for NaN
    return bool(within and boxes[:, 2].min() > 0 and boxes[:, 3].min() > 0)


def invalid_answers(codes: IntArray, lengths: IntArray | None = None) -> RowCounts:
    """Count answered frames, and those that were skipped without a failure before.

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
    return RowCounts(broken + int(np.count_nonzero(codes == TRACKED)), broken)
