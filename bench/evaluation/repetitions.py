"""Several one-pass runs of a stochastic tracker as one result: means and their spread."""

from __future__ import annotations

from collections.abc import Sequence as List
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import FloatArray
from bench.measures import onepass
from bench.measures.onepass import Convention, Curves


@dataclass(eq=False)
class SequenceResults:
    """All runs of one tracker on one sequence under one convention.

    Attributes:
        name: of the sequence.
        frames: number of annotated frames.
        curves: by run, counted from 1.
        fps: by run; NaN without times.
        covered: frames with a box, by run; empty where the convention does not report them.
    """

    name: str
    frames: int
    curves: dict[int, Curves] = field(default_factory=dict)
    fps: dict[int, float] = field(default_factory=dict)
    covered: dict[int, int] = field(default_factory=dict)

    def mean_curves(self) -> Curves:
        """The mean curves; those of a single run as they are."""
        curves = list(self.curves.values())
        if len(curves) == 1:
            return curves[0]
        return {name: np.mean([each[name] for each in curves], axis=0) for name in curves[0]}

    def mean_fps(self) -> float:
        """The mean speed of the runs with times; NaN without any."""
        known = [fps for fps in self.fps.values() if np.isfinite(fps)]
        return float(np.mean(known)) if known else float("nan")


@dataclass(frozen=True)
class Spread:
    """Sample standard deviations over the runs that every sequence has.

    Attributes:
        runs: how many these are.
        measures: of the mean over sequences, by measure.
        per_sequence: by sequence and measure.
        notes: what to say where sequences have different numbers of runs.
    """

    runs: int
    measures: dict[str, float] = field(default_factory=dict)
    per_sequence: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def spread_of(
    results: List[SequenceResults], rule: Convention, weights: FloatArray | None = None
) -> Spread:
    """The spread over runs of one tracker; empty if a sequence has a single run."""
    common = sorted(set.intersection(*(set(each.curves) for each in results)))
    most = max(len(each.curves) for each in results)
    fewer = [each.name for each in results if len(each.curves) < most]
    notes: tuple[str, ...] = ()
    if fewer:
        names = ", ".join(fewer[:5]) + (", ..." if len(fewer) > 5 else "")
        notes = (f"fewer than {most} runs of {len(fewer)} sequences ({names})",)
    if len(common) < 2:
        return Spread(max(1, len(common)), notes=notes)
    curves = [[each.curves[run] for each in results] for run in common]
    fps = np.array([[each.fps[run] for each in results] for run in common])
    values = onepass.run_measures(curves, fps, rule)
    counted = onepass.counted_in_means([each.mean_curves() for each in results], rule)
    whole = {
        name: onepass.weighted_mean(rows, counted[name], weights)
        if name in counted
        else rows.mean(axis=1)
        for name, rows in values.items()
    }
    if all(each.covered for each in results):
        frames = sum(each.frames for each in results)
        covered = [sum(each.covered[run] for each in results) / frames for run in common]
        whole["coverage"] = np.array(covered)
    spreads = {name: _deviation(rows) for name, rows in values.items()}
    return Spread(
        len(common),
        {name: float(_deviation(rows)) for name, rows in whole.items()},
        {
            each.name: {name: float(rows[index]) for name, rows in spreads.items()}
            for index, each in enumerate(results)
        },
        notes,
    )


def _deviation(rows: FloatArray) -> FloatArray:
    deviation: FloatArray = np.std(rows, axis=0, ddof=1)
    return deviation
