"""Accuracy against robustness, and speed against the first measure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError
from bench.measures.catalogue import layout_of
from bench.measures.vot.accuracy import SENSITIVITY
from bench.reports.plots.ranking import Entry, eao_note, entries_of, first_measure, limit_note
from bench.reports.plots.style import (
    Plot,
    finish,
    heading_of,
    label_of,
    legend_below,
    marker_of,
    new_figure,
    notes_of,
)
from bench.scores import BenchmarkScores, TrackerScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_REAL_TIME = {"vot2016": 20, "vot2018": 20}  # frames per second, the challenge's own bound


def accuracy_robustness(scores: BenchmarkScores) -> Plot:
    """The AR plot of raw values with 95 % bootstrap intervals, better to the upper right.

    The abscissa is exp(-S F / frames), the chance not to fail within S frames
    (toolkit-legacy ``report_ranking.m``).

    Raises:
        ConfigError: the experiment has no resets.
    """
    if not all("reliability" in tracker.measures for tracker in scores.trackers.values()):
        raise ConfigError(f"{scores.benchmark} ({scores.experiment}) has no robustness to plot")
    figure = new_figure(height=2.5)
    axes = figure.add_subplot()
    entries = entries_of(scores, first_measure(scores))
    for entry in reversed(entries):
        measures = entry.scores.measures
        _cross(axes, entry, measures["reliability"], measures["accuracy"])
        _point(axes, entry, measures["reliability"], measures["accuracy"])
    axes.set(xlabel=f"Robustness exp(-S F / M), S = {SENSITIVITY:g}", ylabel="Accuracy")
    axes.margins(0.08)
    axes.locator_params(nbins=6)
    notes = notes_of(
        scores,
        "F failures in M frames; crosses: 95 % bootstrap intervals over sequences",
        f"in brackets: {layout_of(scores.experiment).columns[first_measure(scores)]}",
        *eao_note(scores),
        *limit_note(entries),
    )
    return _finished(figure, entries, f"AR: {heading_of(scores)}", notes)


def _cross(axes: Axes, entry: Entry, x: float, y: float) -> None:
    """The interval of each of the two measures, through the point."""
    low, high = _reliability_interval(entry.scores)
    bottom, top = entry.scores.intervals.get("accuracy", (math.nan, math.nan))
    colour = marker_of(entry.style)["color"] if entry.named else "0.85"
    axes.plot([low, high], [y, y], color=colour, linewidth=0.7, alpha=0.7, zorder=2)
    axes.plot([x, x], [bottom, top], color=colour, linewidth=0.7, alpha=0.7, zorder=2)


def _reliability_interval(scores: TrackerScores) -> tuple[float, float]:
    """The interval of failures per 100 frames, carried over to the abscissa."""
    few, many = scores.intervals.get("robustness", (math.nan, math.nan))
    return math.exp(-SENSITIVITY * many / 100), math.exp(-SENSITIVITY * few / 100)


def speed(scores: BenchmarkScores) -> Plot:
    """Frames per second, on a logarithmic scale, against the first measure.

    Raises:
        ConfigError: no tracker has stored times.
    """
    measure = first_measure(scores)
    entries = entries_of(scores, measure)
    timed = [entry for entry in entries if entry.scores.measures.get("fps", 0) > 0]
    if not timed:
        raise ConfigError(f"{scores.benchmark}: no tracker has times of its frames stored")
    figure = new_figure()
    axes = figure.add_subplot()
    for entry in reversed(timed):
        _point(axes, entry, entry.scores.measures["fps"], entry.value)
    _logarithmic(axes)
    if bound := _REAL_TIME.get(scores.benchmark):
        axes.axvline(bound, color="0.5", linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    heading = layout_of(scores.experiment).columns[measure]
    axes.set(xlabel="Speed (frames per second)", ylabel=heading)
    axes.margins(0.1)
    untimed = [label_of(entry.name) for entry in entries if entry not in timed]
    notes = notes_of(
        scores,
        "times as stored with the results: machines may differ",
        *([f"dashed: {bound} frames per second, VOT's real time"] if bound else []),
        *([f"without times: {', '.join(untimed)}"] if untimed else []),
        *limit_note(entries),
    )
    return _finished(figure, timed, f"Speed: {heading_of(scores)}", notes)


def _logarithmic(axes: Axes) -> None:
    """A scale of powers of ten with plain numbers, at least one decade wide."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, high / 10), high)
    between = (1, 2, 5) if high < 500 * low else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=between))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _plain(fps: float) -> str:
    """
    >>> _plain(0.5), _plain(1000), _plain(1_000_000)
    ('0.5', '1k', '1M')
    """
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if fps >= size:
            return f"{fps / size:g}{unit}"
    return f"{fps:g}"


def _point(axes: Axes, entry: Entry, x: float, y: float) -> None:
    dress = _dress(entry) if entry.named else {"marker": "o", "markersize": 3, "color": "0.8"}
    axes.plot([x], [y], linestyle="none", zorder=3 if entry.named else 1, **dress)


def _dress(entry: Entry) -> dict[str, Any]:
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.5}
    return {"markersize": 5, **edge, **marker_of(entry.style)}


def _finished(figure: Figure, entries: list[Entry], title: str, notes: list[str]) -> Plot:
    from matplotlib.lines import Line2D

    named = [entry for entry in entries if entry.named]
    handles = [Line2D([], [], linestyle="none", **_dress(entry)) for entry in named]
    labels = [f"{entry.bracketed} {label_of(entry.name)}" for entry in named]
    legend_below(figure, handles, labels)
    return finish(figure, title, notes)
