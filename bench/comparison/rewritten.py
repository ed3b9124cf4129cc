"""Patterns of rows that are the other run's rows, written or read in another way.

Such a pattern is exact: a row of the suspect equals a function of the reference's row, on almost
every frame, where the rows as they stand differ. Each detector takes all pairs, the suspect as
``a``, and gives a cause or None.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as List
from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray
from bench.comparison.causes import Cause
from bench.comparison.pairs import Pair, row_distance
from bench.geometry import TRACKED
from bench.results.readings import READINGS

_FITS = 0.95  # share of the frames that a pattern holds on
_NOT = 0.5  # share at most on which the rows are the same as they stand
_MOST = 0.8  # share of the differing sequences that show it
_FEWEST = 8  # frames of a sequence that can tell

Change = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Rewriting:
    """A way in which rows are written anew.

    Attributes:
        name, title, remedy: of the cause.
        forward: from the reference's rows to the suspect's, ``(N, 4) -> (N, 4)``.
        back: from the suspect's rows to the reference's, where that is known instead.
        whole: True where the suspect's numbers are whole.
    """

    name: str
    title: str
    remedy: str
    forward: Change | None = None
    back: Change | None = None
    whole: bool = False

    def distance(self, pair: Pair) -> FloatArray:
        """``(rows,)`` by how much the rows differ once this is undone."""
        a, b = pair.a.boxes[: pair.rows], pair.b.boxes[: pair.rows]
        if self.forward is not None:
            return row_distance(a, self.forward(b))
        return row_distance(self.back(a) if self.back else a, b)


def _shift(by: float) -> Change:
    return lambda rows: rows + np.array([by, by, 0.0, 0.0])


_BASE = "Import the files with --origin, as their first pixel is called."
REWRITINGS = (
    Rewriting("truncated", "boxes cut to whole pixels", "Write boxes with decimals.",
              np.floor, whole=True),
    Rewriting("truncated", "boxes rounded to whole pixels", "Write boxes with decimals.",
              np.rint, whole=True),
    Rewriting("one-based", "counted from 1 where the other counts from 0", _BASE, _shift(1.0)),
    Rewriting("one-based", "counted from 0 where the other counts from 1", _BASE, _shift(-1.0)),
    Rewriting("half-pixel", "boxes shifted by half a pixel",
              "Start the tracker on the box as it is annotated.", _shift(0.5)),
    Rewriting("half-pixel", "boxes shifted by minus half a pixel",
              "Start the tracker on the box as it is annotated.", _shift(-0.5)),
    *(Rewriting("corners", f"boxes written as {one.title}", one.remedy, back=one.read)
      for one in READINGS if one.read is not None),
)  # fmt: skip


def rewritten(pairs: List[Pair]) -> Cause | None:
    """The way of writing that turns the reference's rows into the suspect's, if there is one."""
    told = [pair for pair in pairs if _tells(pair)]
    best: tuple[float, Rewriting, list[str]] | None = None
    for one in REWRITINGS:
        shown = [pair.name for pair in told if _shows(one, pair)]
        if told and len(shown) >= _MOST * len(told) and (best is None or len(shown) > best[0]):
            best = (len(shown), one, shown)
    if best is None:
        return None
    _, one, shown = best
    evidence = f"on {len(shown)} of {len(told)} differing sequences, over 95 % of the rows"
    return Cause(
        one.name, one.title, f"{evidence} equal the other run's rows so rewritten", weight=0.97,
        sequences=tuple(shown), remedy=one.remedy,
        remade=None if one.forward is None else lambda pair: _forward(one, pair),
    )  # fmt: skip


def _forward(one: Rewriting, pair: Pair) -> FloatArray:
    return one.forward(pair.b.boxes) if one.forward else pair.b.boxes


def _tells(pair: Pair) -> bool:
    """True for a sequence long enough whose rows differ as they stand."""
    distance = pair.distance()[1:]
    known = np.isfinite(distance)
    return bool(known.sum() >= _FEWEST and (distance[known] <= _strict(pair)).mean() <= _NOT)


def _strict(pair: Pair) -> float:
    """The tolerance of rows that differ by their own rounding: that of the finer file."""
    return min(pair.a.unit, pair.b.unit) * 1.01 + 1e-6


def _shows(one: Rewriting, pair: Pair) -> bool:
    if one.whole and (pair.a.unit != 1.0 or pair.b.unit == 1.0):
        return False
    distance = one.distance(pair)[1:]
    known = np.isfinite(pair.distance()[1:])
    limit = _strict(pair) if one.whole else pair.tolerance
    return bool((distance[known] <= limit).mean() >= _FITS)


def rounded(pairs: List[Pair]) -> Cause | None:
    """Fewer decimals in the files, and nothing else."""
    told = [p for p in pairs if p.a.unit > p.b.unit and p.a.unit < 1 and p.rows >= _FEWEST]
    shown = [p.name for p in told if (p.distance()[1:] <= p.a.unit * 0.51).mean() >= _FITS]
    if not told or len(shown) < _MOST * len(pairs):
        return None
    unit = told[0].a.unit
    return Cause(
        "rounding", f"files rounded to {unit:g} pixel",
        f"on {len(shown)} of {len(pairs)} sequences the rows differ by less than half of that",
        weight=0.9, sequences=tuple(shown), remedy="Write boxes with more decimals.",
        remade=lambda pair: np.rint(pair.b.boxes / unit) * unit,
    )  # fmt: skip


def scaled(pairs: List[Pair]) -> Cause | None:
    """Boxes in pixels of resized images: all four numbers times one factor."""
    found: dict[str, float] = {}
    told = [pair for pair in pairs if _tells(pair)]
    for pair in told:
        a, b = pair.a.boxes[1 : pair.rows], pair.b.boxes[1 : pair.rows]
        with np.errstate(all="ignore"):
            factor = float(np.nanmedian(a[:, 2:] / b[:, 2:]))
        if not np.isfinite(factor) or abs(factor - 1) < 0.05:
            continue
        known = np.isfinite(pair.distance()[1:])
        off = row_distance(a, b * factor)[known]
        if (off <= 1 + factor + pair.tolerance).mean() >= _FITS:
            found[pair.name] = factor
    if not told or len(found) < _MOST * len(told):
        return None
    factor = float(np.median(list(found.values())))
    return Cause(
        "image-size", f"boxes of images resized by {factor:.3g}",
        f"on {len(found)} of {len(told)} differing sequences all four numbers are the other "
        f"run's times {factor:.3g}", weight=0.96, sequences=tuple(found),
        remedy="Scale the boxes back to the benchmark's own frames.",
        remade=lambda pair: pair.b.boxes * factor,
    )  # fmt: skip


def unanswered(pairs: List[Pair]) -> Cause | None:
    """Rows without a box where the other has one, and the same rows elsewhere."""
    shown, frames = [], 0
    for pair in pairs:
        told = slice(max(len(t) - t.given for t in (pair.a, pair.b)), pair.rows)
        a, b = pair.a.boxes[told], pair.b.boxes[told]
        empty_a, empty_b = (~(r[:, 2:] > 0).all(axis=1) for r in (a, b))
        extra = empty_a & ~empty_b & (pair.a.codes[told] == TRACKED)
        if extra.any() and (row_distance(a, b)[~extra] <= pair.tolerance).mean() >= _FITS:
            shown.append(pair.name)
            frames += int(extra.sum())
    if not shown:
        return None
    return Cause(
        "row-repair", "rows without a box",
        f"{frames} rows of {len(shown)} sequences have no box where the other run has one, and "
        "all others are the same", weight=0.95, sequences=tuple(shown),
        remedy="See which rows the convention repairs (docs/conventions.md).",
        remade=None,
    )  # fmt: skip


DETECTORS = (rewritten, rounded, scaled, unanswered)
