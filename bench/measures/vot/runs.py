"""What the measures of the VOT challenge are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SKIPPED, INITIALISED, FAILED, TRACKED = 0, 1, 2, -1
EMPTY = "empty"
"""The tag of frames without any tag."""


@dataclass(frozen=True, eq=False)
class SequenceRuns:
    """All repetitions of one tracker on one sequence of ``N`` frames.

    Attributes:
        name: of the sequence.
        codes: ``(R, N)`` code of each frame, -1 where there is a region.
        accuracy_overlaps: ``(R, N)`` overlap within the bounds of accuracy, NaN at codes.
        eao_overlaps: ``(R, N)`` overlap within the bounds of expected overlaps, NaN at codes.
        tags: ``(N,)`` flags by name of the tag.
        practical: ``(N,)`` practical difference, None where the annotation has none.
    """

    name: str
    codes: IntArray
    accuracy_overlaps: FloatArray
    eao_overlaps: FloatArray
    tags: Mapping[str, BoolArray]
    practical: FloatArray | None = None

    def __len__(self) -> int:
        return int(self.codes.shape[1])

    @property
    def repetitions(self) -> int:
        return len(self.codes)

    def only(self, repetition: int) -> SequenceRuns:
        """One repetition, counted from 0."""
        rows = slice(repetition, repetition + 1)
        return SequenceRuns(
            self.name,
            self.codes[rows],
            self.accuracy_overlaps[rows],
            self.eao_overlaps[rows],
            self.tags,
            self.practical,
        )

    def tagged(self, tag: str) -> BoolArray:
        """``(N,)`` frames that carry a tag; ``empty`` is those that carry none."""
        if tag == EMPTY:
            tagged = np.zeros(len(self), dtype=bool)
            for flags in self.tags.values():
                tagged |= flags
            return ~tagged
        return self.tags.get(tag, np.zeros(len(self), dtype=bool))
