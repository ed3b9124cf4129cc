"""Accuracy against robustness, and the first measure against speed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.benchmarks import get_benchmark, get_experiment
from bench.errors import ConfigError
from bench.measures.catalogue import get_measure
from bench.measures.vot.accuracy import SENSITIVITY
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
from bench.scores import BenchmarkScores, TrackerScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_style
def accuracy_robustness(
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """The AR plot of raw values with 95 % bootstrap intervals; the upper right is best.

    The abscissa is exp(-S F / M), the probability of no failure within S frames
    (toolkit-legacy ``report_ranking.m``).

    Raises:
        ConfigError: the experiment has no resets.
    """
    ranked = entries_of(scores, first_measure(scores), looks=looks, options=options)
    entries = [entry for entry in ranked if "reliability" in entry.scores.measures]
    if not entries:
        raise ConfigError(f"{scores.benchmark} ({scores.experiment}) has no robustness to plot")
    sheet = new_sheet(axes, options, options.high(2.5))
    (panel,) = sheet.panels
    grid(panel)
    for entry in back_to_front(entries):
        x, y = (entry.scores.measures[name] for name in ("reliability", "accuracy"))
        _cross(panel, entry, x, y)
        _point(panel, entry, x, y)
    panel.set(
        xlabel=f"{get_measure('robustness').title} exp(−S F / M), S = {SENSITIVITY:g}",
        ylabel=get_measure("accuracy").title,
    )
    panel.margins(0.08)
    panel.locator_params(nbins=6)
    measure = first_measure(scores)
    notes = notes_of(
        scores,
        entries,
        "F failures in M frames; crosses: 95 % bootstrap intervals over sequences",
        f"in brackets: {measure.short}",
        *hollow_note(entries),
        *limit_note(entries),
        measure=measure,
        options=options,
    )
    return sheet.finish(title_of("AR", scores, entries), notes, _keys(entries))


def _cross(panel: Axes, entry: Entry, x: float, y: float) -> None:
    """The intervals of both measures, through the point."""
    low, high = _reliability_interval(entry.scores)
    bottom, top = entry.scores.intervals.get("accuracy", (math.nan, math.nan))
    colour = entry.look.hex if entry.named else "0.85"
    panel.plot([low, high], [y, y], color=colour, linewidth=0.7, alpha=0.7, zorder=2)
    panel.plot([x, x], [bottom, top], color=colour, linewidth=0.7, alpha=0.7, zorder=2)


def _reliability_interval(scores: TrackerScores) -> tuple[float, float]:
    """The interval of failures per 100 frames, converted to the abscissa."""
    few, many = scores.intervals.get("robustness", (math.nan, math.nan))
    return math.exp(-SENSITIVITY * many / 100), math.exp(-SENSITIVITY * few / 100)


@in_style
def speed(
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """The first measure against frames per second on a logarithmic scale.

    Raises:
        ConfigError: no tracker has stored times.
    """
    measure, rate = first_measure(scores), get_measure("fps")
    entries = entries_of(scores, measure, looks=looks, options=options)
    timed = [entry for entry in entries if entry.scores.measures.get(rate.name, 0) > 0]
    if not timed:
        raise ConfigError(f"{scores.benchmark}: no tracker has stored times")
    sheet = new_sheet(axes, options, options.high(2.3))
    (panel,) = sheet.panels
    grid(panel)
    speeds = [entry.scores.measures[rate.name] for entry in timed]
    for entry in back_to_front(timed):
        _point(panel, entry, entry.scores.measures[rate.name], entry.value)
    panel.margins(0.1)
    bound = _real_time(scores.benchmark)
    _logarithmic(panel, [*speeds, bound] if bound else speeds)
    if bound:
        panel.axvline(bound, color="0.5", linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    panel.set(xlabel=f"{rate.title} ({rate.unit})", ylabel=measure.title)
    untimed = ", ".join(entry.label for entry in entries if entry not in timed)
    notes = notes_of(
        scores,
        timed,
        "times as stored with the results: machines may differ",
        *([f"dashed: VOT's real-time bound, {bound:g} frames per second"] if bound else []),
        *([f"without times: {untimed}"] if untimed else []),
        *hollow_note(timed),
        *limit_note(timed),
        options=options,
    )
    return sheet.finish(title_of(rate.title, scores, timed), notes, _keys(timed))


def _real_time(benchmark: str) -> float | None:
    """Frames per second of VOT's real-time experiment; VOT2016 used the same bound."""
    return get_experiment("realtime").fps if get_benchmark(benchmark).kind == "vot" else None


def _logarithmic(panel: Axes, speeds: Sequence[float]) -> None:
    """A logarithmic abscissa that starts and ends at labelled ticks, at least a decade apart."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    panel.set_xscale("log")
    low, high = _round_number(min(speeds) / 1.1, up=False), _round_number(max(speeds) * 1.1)
    low = min(low, high / 10)
    between: tuple[int, ...] = (1, 2, 5)
    if high > 500 * low:  # whole decades only
        low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
        between = (1,)
    panel.set_xlim(low, high)
    panel.xaxis.set_major_locator(LogLocator(subs=between, numticks=99))  # 99: never thinned
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    panel.xaxis.set_minor_formatter(NullFormatter())


def _round_number(value: float, *, up: bool = True) -> float:
    """The nearest 1, 2 or 5 times a power of ten that is not below, or not above, a value.

    >>> _round_number(37), _round_number(37, up=False), _round_number(0.7)
    (50.0, 20.0, 1.0)
    """
    decade: float = 10.0 ** math.floor(math.log10(value))
    steps = [decade * step for step in (1, 2, 5, 10)]
    if up:
        return next(step for step in steps if step >= value)
    return next(step for step in reversed(steps) if step <= value)


def _plain(fps: float) -> str:
    """
    >>> _plain(0.5), _plain(1000), _plain(1_000_000)
    ('0.5', '1k', '1M')
    """
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if fps >= size:
            return f"{fps / size:g}{unit}"
    return f"{fps:g}"


def _point(panel: Axes, entry: Entry, x: float, y: float) -> None:
    grey = {"marker": "o", "markersize": 3 * entry.size, "color": "0.8"}
    dress = _dress(entry) if entry.named else grey
    panel.plot([x], [y], linestyle="none", zorder=3 if entry.named else 1, **dress)


def _dress(entry: Entry) -> dict[str, Any]:
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.5}
    return {"markersize": (7 if entry.ours else 5.5) * entry.size, **edge, **entry.point}


def _keys(entries: Sequence[Entry]) -> list[Key]:
    from matplotlib.lines import Line2D

    return [
        e.legend_key(Line2D([], [], linestyle="none", **_dress(e))) for e in entries if e.named
    ]
