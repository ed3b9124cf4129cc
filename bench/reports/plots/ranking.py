"""Which trackers a plot shows, in which order and dress; and the plot of the ranking itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError
from bench.measures.catalogue import layout_of
from bench.reports.plots.style import (
    COLUMN,
    NAMED,
    Plot,
    finish,
    heading_of,
    label_of,
    marker_of,
    new_figure,
    notes_of,
)
from bench.scores import BenchmarkScores, TrackerScores

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Entry:
    """One tracker in a plot.

    Attributes:
        name: as stored.
        scores: its scores.
        value: of the measure that the plot ranks by, NaN where there is none.
        style: its place by the benchmark's first measure: the same colour, dashes and marker in
            every plot.
        named: whether it has a line and a name of its own, or is background.
    """

    name: str
    scores: TrackerScores
    value: float
    style: int
    named: bool

    @property
    def bracketed(self) -> str:
        """What a legend prints before the name."""
        return "[  –  ]" if math.isnan(self.value) else f"[{self.value:.3f}]"


def first_measure(scores: BenchmarkScores) -> str:
    """The measure that a benchmark's trackers are ranked by: success, EAO or average overlap.

    Accuracy stands in under a convention that has no expected average overlap.
    """
    known = {measure for tracker in scores.trackers.values() for measure in tracker.measures}
    return next(m for m in layout_of(scores.experiment).columns if m in known)


def entries_of(scores: BenchmarkScores, measure: str, limit: int = NAMED) -> list[Entry]:
    """Trackers by a measure, the best first, those without a value last.

    Args:
        scores: of one benchmark.
        measure: higher is better.
        limit: how many are named.
    """
    dress = {name: place for place, name in enumerate(_order(scores, first_measure(scores)))}
    return [
        Entry(name, scores.trackers[name], _value(scores, name, measure), dress[name], at < limit)
        for at, name in enumerate(_order(scores, measure))
    ]


def _order(scores: BenchmarkScores, measure: str) -> list[str]:
    def key(name: str) -> tuple[bool, float]:
        value = _value(scores, name, measure)
        return math.isnan(value), -value

    return sorted(scores.trackers, key=key)


def _value(scores: BenchmarkScores, name: str, measure: str) -> float:
    return scores.trackers[name].measures.get(measure, math.nan)


def limit_note(entries: list[Entry]) -> list[str]:
    """What a plot says where it does not name every tracker."""
    named = sum(entry.named for entry in entries)
    if named == len(entries):
        return []
    return [f"the best {named} of {len(entries)} trackers are named, the others grey"]


def ranking(scores: BenchmarkScores) -> Plot:
    """Every tracker's first measure (the EAO of VOT) with its 95 % interval, the best on top.

    Raises:
        ConfigError: no tracker has a value.
    """
    measure = first_measure(scores)
    shown = [entry for entry in entries_of(scores, measure) if not math.isnan(entry.value)]
    if not shown:
        raise ConfigError(f"{scores.benchmark}: no tracker has a value of {measure}")
    figure = new_figure(COLUMN, 0.8 + 0.145 * len(shown))
    axes = figure.add_subplot()
    for place, entry in enumerate(shown):
        low, high = entry.scores.intervals.get(measure, (math.nan, math.nan))
        style = marker_of(entry.style)
        axes.plot([low, high], [place, place], color=style["color"], linewidth=1.0)
        axes.plot([entry.value], [place], markersize=4, linestyle="none", **style)
    axes.set_yticks(range(len(shown)), [f"{label_of(e.name)}  {e.value:.3f}" for e in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    heading = layout_of(scores.experiment).columns[measure]
    axes.set_xlabel(heading)
    axes.grid(visible=False, axis="y")
    missing = [label_of(e.name) for e in entries_of(scores, measure) if math.isnan(e.value)]
    notes = notes_of(
        scores,
        "bars: 95 % bootstrap interval over sequences",
        *eao_note(scores),
        *([f"without a value: {', '.join(missing)}"] if missing else []),
    )
    return finish(figure, f"{heading} ranking: {heading_of(scores)}", notes)


def eao_note(scores: BenchmarkScores) -> list[str]:
    """Which lengths the EAO is the mean over, and whether they are the benchmark's own."""
    if scores.interval is None:
        return []
    low, high = scores.interval
    note = f"EAO: mean over the lengths {low} to {high}"
    official = get_benchmark(scores.benchmark).interval
    if official in (None, scores.interval):
        return [note]
    return [f"{note}, estimated from these sequences, not {official[0]} to {official[1]}"]
