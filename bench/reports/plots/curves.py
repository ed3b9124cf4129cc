"""A plot for each curve of the catalogue, and the ranking by the first measure."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bench.errors import ConfigError
from bench.measures import catalogue, onepass
from bench.measures.catalogue import Axis, Measure
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.plots.entries import (
    Entry,
    Looks,
    back_to_front,
    entries_of,
    first_measure,
    hollow_note,
    limit_note,
    notes_of,
    title_of,
)
from bench.reports.plots.style import Key, Plot, grid, in_style, new_sheet
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WORDS = {
    "mean": "area under the curve",
    "area": "area under the curve",
    "at 20 px": "value at 20 pixels",
    "at 0.2": "value at 0.2",
}


class PlotFunction(Protocol):
    """Draws scores into the given axes, or as a figure of its own."""

    def __call__(
        self,
        scores: BenchmarkScores,
        axes: Axes | None = None,
        looks: Looks | None = None,
        *,
        options: FigureOptions = DEFAULT,
    ) -> Plot: ...


def curve_plots() -> dict[str, PlotFunction]:
    """A plot for each curve measure, by name of the curve."""
    return {
        axis.curve: partial(_curve, measure, axis) for measure, axis in catalogue.curve_measures()
    }


@in_style
def _curve(
    measure: Measure,
    axis: Axis,
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """A curve per tracker; the legend ranks them by the measure.

    Raises:
        ConfigError: no tracker has such a curve.
    """
    ranked = entries_of(scores, measure, looks=looks, options=options)
    entries = [entry for entry in ranked if axis.curve in entry.scores.curves]
    if not entries:
        raise ConfigError(
            f"{scores.benchmark} ({scores.experiment}, convention {scores.convention}) has no "
            f"{axis.title.lower()} curve"
        )
    sheet = new_sheet(axes, options, options.high(2.3))
    (panel,) = sheet.panels
    grid(panel)
    for entry in back_to_front(entries):
        values = entry.scores.curves[axis.curve]
        dress = entry.line if entry.named else {"color": "0.82", "linewidth": 0.5}
        panel.plot(scores.thresholds[axis.curve][: len(values)], values, **dress)
    panel.set(xlabel=axis.x, ylabel=axis.y, ylim=(0, 1))
    note = _limit_and_mark(panel, scores, measure, axis)
    notes = notes_of(scores, entries, note, *limit_note(entries), measure=measure, options=options)
    return sheet.finish(title_of(axis.title, scores, entries), notes, _keys(entries))


def _limit_and_mark(panel: Axes, scores: BenchmarkScores, measure: Measure, axis: Axis) -> str:
    """Set the abscissa's limits, mark what the bracketed number is taken from, and name it."""
    thresholds = scores.thresholds[axis.curve]
    if measure.name == "eao" and scores.interval is not None:
        low, high = scores.interval
        panel.axvspan(low, high, color="0.9", linewidth=0, zorder=0)
        panel.set_xlim(1, min(thresholds[-1], 2 * high))
        return f"in brackets: {measure.short}, the mean over the shaded lengths"
    panel.set_xlim(thresholds[0], thresholds[-1])
    kind = _score_kind(scores, measure)
    if kind.startswith("at"):
        panel.axvline(float(kind.split()[1]), color="0.6", linewidth=0.6, zorder=0)
    return f"in brackets: {_WORDS.get(kind, measure.short)}"


def _score_kind(scores: BenchmarkScores, measure: Measure) -> str:
    """How the convention makes one number of the curve; empty for any other curve."""
    if measure.axis is None or measure.axis.curve not in onepass.CURVES:
        return ""
    rule = onepass.get_convention(scores.convention, scores.benchmark)
    return onepass.CURVES[measure.axis.curve].score(rule)


def _keys(entries: list[Entry]) -> list[Key]:
    from matplotlib.lines import Line2D

    return [e.legend_key(Line2D([], [], **_in_legend(e))) for e in entries if e.named]


def _in_legend(entry: Entry) -> dict[str, Any]:
    """Keywords of the legend's line, which has one marker at most."""
    return {key: value for key, value in entry.line.items() if key != "markevery"}


@in_style
def ranking(
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """The first measure of every tracker (the EAO on VOT) with its 95 % interval, best on top.

    Raises:
        ConfigError: no tracker has a value.
    """
    measure = first_measure(scores)
    entries = entries_of(scores, measure, looks=looks, options=options)
    shown = [entry for entry in entries if not math.isnan(entry.value)]
    if not shown:
        raise ConfigError(f"{scores.benchmark}: no tracker has a value of {measure.title}")
    row = min(0.145 * options.em, max(0.1, (options.sizes.tallest - 0.8) / len(shown)))
    sheet = new_sheet(axes, options, 0.7 * options.em + row * len(shown))
    (panel,) = sheet.panels
    grid(panel, "x")
    line = options.sizes.line
    for place, entry in enumerate(shown):
        interval = entry.scores.intervals.get(measure.name, (math.nan, math.nan))
        panel.plot(interval, [place, place], color=entry.look.hex, linewidth=line)
        panel.plot([entry.value], [place], markersize=4 * line, linestyle="none", **entry.point)
    panel.set_yticks(range(len(shown)), [f"{e.label}  {e.value:.3f}" for e in shown])
    for text, entry in zip(panel.get_yticklabels(), shown, strict=True):
        text.set_fontweight("bold" if entry.ours else "normal")
    panel.set(ylim=(len(shown) - 0.5, -0.5), xlabel=measure.short)
    missing = ", ".join(entry.label for entry in entries if entry not in shown)
    notes = notes_of(
        scores,
        shown,
        "bars: 95 % bootstrap interval over sequences",
        *hollow_note(shown),
        *([f"without a value: {missing}"] if missing else []),
        measure=measure,
        options=options,
    )
    return sheet.finish(title_of(f"{measure.short} ranking", scores, shown), notes)
