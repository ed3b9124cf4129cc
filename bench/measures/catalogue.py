"""Every measure once: its title, unit, better end, decimals, meaning and axis.

The rows stand in ``tables/measures.json``. Tables, plots, the report page, tuning and the
documentation read them here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from bench.benchmarks import TABLES, get_experiment
from bench.errors import unknown_name


@dataclass(frozen=True)
class Axis:
    """How the curve behind a measure is drawn.

    Attributes:
        curve: name of the curve in ``TrackerScores.curves``.
        title: of the plot.
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
        title: the full name, e.g. ``"Expected average overlap"``.
        short: heading of a table's column, e.g. ``"EAO"``.
        unit: ``""`` for a fraction of 1.
        better: the better end.
        decimals: digits that tables print.
        meaning: a note that tables print beneath it; may be empty.
        axis: how its curve is drawn; None for a measure without a curve.
    """

    name: str
    title: str
    short: str
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    decimals: int = 3
    meaning: str = ""
    axis: Axis | None = None

    @property
    def lower_is_better(self) -> bool:
        return self.better == "lower"

    def text(self, value: float | None) -> str:
        """A value as tables print it; a dash for NaN and None."""
        return "-" if value is None or math.isnan(value) else f"{value:.{self.decimals}f}"


@dataclass(frozen=True)
class Layout:
    """Which measures the tables of an experiment show.

    Attributes:
        columns: of the main table, in order; trackers are ranked by the first.
        with_interval: shown with an interval or deviation, and side by side where conventions
            are compared.
        breakdown: shown by sequence.
        by_group: shown by attribute or tag.
        compared: sequence by sequence, where two trackers are compared.
    """

    columns: tuple[Measure, ...]
    with_interval: tuple[Measure, ...]
    breakdown: tuple[Measure, ...]
    by_group: tuple[Measure, ...]
    compared: tuple[Measure, ...]

    @property
    def meanings(self) -> dict[str, str]:
        """The note on each measure shown that has one, and on speed."""
        shown = (*self.columns, get_measure("fps"))
        return {measure.name: measure.meaning for measure in shown if measure.meaning}


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((TABLES / "measures.json").read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=1)
def measures() -> dict[str, Measure]:
    """Every measure by name."""
    return {name: _measure(name, **row) for name, row in _table()["measures"].items()}


def _measure(name: str, axis: dict[str, str] | None = None, **row: Any) -> Measure:
    return Measure(name, axis=Axis(**axis) if axis else None, **row)


def get_measure(name: str) -> Measure:
    """The measure called ``name``.

    Raises:
        ConfigError: no measure has that name.
    """
    try:
        return measures()[name]
    except KeyError:
        raise unknown_name("measure", name, measures()) from None


def curve_measures() -> Iterable[tuple[Measure, Axis]]:
    """The measures that summarise a curve, each with its axis."""
    return [(measure, measure.axis) for measure in measures().values() if measure.axis]


@lru_cache(maxsize=8)
def layout_of(experiment: str) -> Layout:
    """The layout of an experiment's tables.

    Raises:
        ConfigError: no experiment has that name.
    """
    protocol = get_experiment(experiment).protocol
    row = _table()["layouts"]["reset" if protocol == "realtime" else protocol]
    return Layout(**{part: tuple(map(get_measure, names)) for part, names in row.items()})
