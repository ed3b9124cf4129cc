"""Input of the VOT measures: codes and overlaps of a tracker's runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray

EMPTY = "empty"
"""Tag of untagged frames."""


@dataclass(frozen=True, eq=False)
class SequenceRuns:
    """All repetitions of one tracker on one sequence of ``N`` frames.

    Attributes:
        name: of the sequence.
        codes: ``(R, N)`` code of each frame, see ``bench.geometry``.
        accuracy_overlaps: ``(R, N)`` overlap within the bounds of accuracy; NaN without region.
        eao_overlaps: ``(R, N)`` overlap within the bounds of EAO; NaN without region.
        tags: flags ``(N,)`` by tag.
        practical: ``(N,)`` practical difference, or None if not annotated.
        lengths: ``(R,)`` frames that each run has; None where all have ``N``. The frames after
            them are ``SKIPPED``.
    """

    name: str
    codes: IntArray
    accuracy_overlaps: FloatArray
    eao_overlaps: FloatArray
    tags: Mapping[str, BoolArray]
    practical: FloatArray | None = None
    lengths: IntArray | None = None

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
            None if self.lengths is None else self.lengths[rows],
        )

    def tagged(self, tag: str) -> BoolArray:
        """``(N,)`` frames with a tag; ``EMPTY`` selects untagged frames."""
        if tag == EMPTY:
            tagged = np.zeros(len(self), dtype=bool)
            for flags in self.tags.values():
                tagged |= flags
            return ~tagged
        return self.tags.get(tag, np.zeros(len(self), dtype=bool))
