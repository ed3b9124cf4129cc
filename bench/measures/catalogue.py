"""Catalogue of measures: title, unit, direction, decimals, meaning and axis.

Types for ``tables/measures.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from bench.benchmarks import TABLES, get_benchmark, get_experiment
from bench.errors import unknown_name


@dataclass(frozen=True)
class Axis:
    """Labels of the curve that a measure summarises.

    Attributes:
        curve: name of the curve in ``TrackerScores.curves``.
        title: title of the plot.
        x: label of the thresholds, with their unit.
        y: label of the values.
    """

    curve: str
    title: str
    x: str
    y: str


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        name: identifier in scores, JSON and CSV, e.g. ``"success"``.
        title: full name, e.g. ``"Expected average overlap"``.
        short: column heading, e.g. ``"EAO"``.
        unit: ``""`` for a fraction of 1.
        better: which direction is better; None if neither is.
        decimals: digits printed in tables.
        meaning: footnote for tables; may be empty.
        axis: labels of its curve; None for a measure without a curve.
    """

    name: str
    title: str
    short: str
    unit: str = ""
    better: Literal["higher", "lower"] | None = "higher"
    decimals: int = 3
    meaning: str = ""
    axis: Axis | None = None

    @property
    def lower_is_better(self) -> bool:
        return self.better == "lower"

    def text(self, value: float | None) -> str:
        """Format a value for tables; NaN and None give a dash."""
        return "-" if value is None or math.isnan(value) else f"{value:.{self.decimals}f}"


@dataclass(frozen=True)
class Layout:
    """Measures shown in the tables of an experiment.

    Attributes:
        columns: columns of the main table; trackers are ranked by the first.
        with_interval: shown with an interval or deviation, and when comparing conventions.
        breakdown: shown per sequence.
        by_group: shown per attribute or tag.
        compared: tested sequence by sequence when comparing two trackers.
        presence: columns of the table on whether trackers know when the target is there.
    """

    columns: tuple[Measure, ...]
    with_interval: tuple[Measure, ...]
    breakdown: tuple[Measure, ...]
    by_group: tuple[Measure, ...]
    compared: tuple[Measure, ...]
    presence: tuple[Measure, ...] = ()

    @property
    def meanings(self) -> dict[str, str]:
        """Footnotes by measure, for the columns and speed."""
        shown = (*self.columns, get_measure("fps"))
        return {measure.name: measure.meaning for measure in shown if measure.meaning}


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((TABLES / "measures.json").read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=1)
def measures() -> dict[str, Measure]:
    """All measures by name."""
    return {name: _measure(name, **row) for name, row in _table()["measures"].items()}


def _measure(name: str, axis: dict[str, str] | None = None, **row: Any) -> Measure:
    return Measure(name, axis=Axis(**axis) if axis else None, **row)


def get_measure(name: str) -> Measure:
    """The measure called ``name``.

    Raises:
        ConfigError: unknown measure.
    """
    try:
        return measures()[name]
    except KeyError:
        raise unknown_name("measure", name, measures()) from None


def curve_measures() -> Iterable[tuple[Measure, Axis]]:
    """Measures that summarise a curve, with the axis of the curve."""
    return [(measure, measure.axis) for measure in measures().values() if measure.axis]


@lru_cache(maxsize=32)
def layout_of(experiment: str, benchmark: str = "") -> Layout:
    """The layout of the tables of an experiment, or of a benchmark with measures of its own.

    Raises:
        ConfigError: unknown experiment or benchmark.
    """
    protocol = get_experiment(experiment).protocol
    own = get_benchmark(benchmark).measures if benchmark else ""
    row = _table()["layouts"][own or ("reset" if protocol == "realtime" else protocol)]
    return Layout(**{part: tuple(map(get_measure, names)) for part, names in row.items()})
