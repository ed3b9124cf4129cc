"""Counts regions of VOT runs that no tracker answers, or that the protocol would not have kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bench.arrays import BoolArray, FloatArray, IntArray
from bench.evaluation.selection import first_few
from bench.geometry import FAILED, INITIALISED, SKIPPED, Regions, off_scale
from bench.measures.vot import SequenceRuns

_KINDS = {
    "scale": "regions with numbers that are no pixels of an image",
    "size": "regions without width or height",
    "start": "starts without a failure before them",
    "leap": "single regions off the target, where the protocol counts a failure",
}
_THIN = 1e-3  # pixels


class OddRegions:
    """Odd rows of one tracker, by kind."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._sequences: dict[str, list[str]] = {kind: [] for kind in _KINDS}

    def add(self, runs: list[Regions], scored: SequenceRuns, *, supervised: bool) -> None:
        """Add the runs of one sequence.

        Args:
            runs: ``R`` runs of up to ``N`` rows.
            scored: their codes and overlaps, ``(R, N)``.
            supervised: whether a frame without overlap ends a stretch of tracking.
        """
        counts = Counter(
            scale=sum(int(off_scale(run.values).sum()) for run in runs),
            size=sum(int(_flat(run).sum()) for run in runs),
            leap=_leaps(runs, scored.eao_overlaps) if supervised else 0,
            start=_starts(scored.codes) if supervised else 0,
        )
        self._rows += counts
        for kind in +counts:
            self._sequences[kind].append(scored.name)

    def notes(self) -> Iterator[str]:
        """One remark per kind, to print beside the scores."""
        for kind, text in _KINDS.items():
            if number := self._rows[kind]:
                yield f"{text}: {number}, in {first_few(self._sequences[kind])}"


def _flat(run: Regions) -> BoolArray:
    """Rectangles without a width or height; 0, 0, 0, 0 says that the target is absent."""
    least = np.minimum(run.values[:, 2], run.values[:, 3])
    flat: BoolArray = (run.counts == 4) & ~(least > _THIN)
    if flat.any():
        flat &= run.values[:, :4].any(axis=1)
    return flat


def _starts(codes: IntArray) -> int:
    """Count starts after the first that no failure and no skipped frame precedes."""
    again = (codes[:, 1:] == INITIALISED) & (codes[:, :-1] != SKIPPED) & (codes[:, :-1] != FAILED)
    return int(np.count_nonzero(again))


def _leaps(runs: list[Regions], overlaps: FloatArray) -> int:
    """Count regions beside the target, and beside both the one before and after, which are on it.

    Overlaps are NaN where there is no region.
    """
    on = overlaps > 0
    lost = (overlaps[:, 1:-1] <= 0) & on[:, :-2] & on[:, 2:]
    leaps = 0
    for run, row in np.argwhere(lost).tolist():
        low, high = _extents(runs[run][row : row + 3])
        apart = (low[1] > high[[0, 2]]) | (high[1] < low[[0, 2]])
        leaps += bool(apart.any(axis=1).all())
    return leaps


def _extents(rows: Regions) -> tuple[FloatArray, FloatArray]:
    """Least and greatest x and y of regions, ``(N, 2)`` each."""
    corners = rows.values.reshape(len(rows), -1, 2)
    low, high = np.nanmin(corners, axis=1), np.nanmax(corners, axis=1)
    boxes = rows.counts == 4
    starts, ends = corners[boxes, 0], corners[boxes, 0] + corners[boxes, 1]
    low[boxes], high[boxes] = np.minimum(starts, ends), np.maximum(starts, ends)
    return low, high
