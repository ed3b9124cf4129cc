"""Scores by attribute of sequences, or by tag of frames on VOT: radar and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ConfigError
from bench.measures.catalogue import layout_of
from bench.reports.palette import colour_of, hex_of
from bench.reports.plots.ranking import Entry, entries_of, first_measure
from bench.reports.plots.style import (
    Plot,
    finish,
    heading_of,
    label_of,
    legend_below,
    line_of,
    new_figure,
    notes_of,
)
from bench.scores import BenchmarkScores, TrackerScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ON_RADAR, _AS_BARS = 7, 5  # trackers; more cannot be told apart
_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx")

Groups = Mapping[str, Mapping[str, float]]


def radar(scores: BenchmarkScores) -> Plot:
    """The best trackers' scores by attribute on spokes, every spoke from 0 to its best.

    Raises:
        ConfigError: there are fewer than three attributes.
    """
    keys, measure, entries = _parts(scores, 3, _ON_RADAR)
    figure = new_figure(height=3.0)
    # The layout takes the labels of spokes for smaller than they are: more room about the panel.
    figure.get_layout_engine().set(h_pad=0.14)  # type: ignore[union-attr, call-arg]
    axes: Any = figure.add_subplot(projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(keys), endpoint=False)
    best = {key: _best(entries, key, measure) for key in keys}
    for entry in reversed(entries):
        shares = np.array([_value(entry.scores, key, measure) / best[key] for key in keys])
        dress = line_of(entry.style)
        axes.plot(np.append(angles, angles[0]), np.append(shares, shares[0]), **dress)
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set(ylim=(0, 1), yticks=(0.25, 0.5, 0.75, 1), yticklabels=())
    axes.set_xticks(angles, [f"{label_of(key)}\n{best[key]:.3f}" for key in keys])
    axes.tick_params(axis="x", pad=1)
    for label, angle in zip(axes.get_xticklabels(), angles, strict=True):
        label.set_horizontalalignment(_side(float(np.sin(angle))))
    note = "each spoke from 0 at the centre to its best, printed at its end"
    return _finished(figure, scores, entries, note)


def bars(scores: BenchmarkScores) -> Plot:
    """The best trackers' scores by attribute as bars, the hardest attribute on top.

    Raises:
        ConfigError: there is no attribute.
    """
    keys, measure, entries = _parts(scores, 1, _AS_BARS)
    keys.sort(key=lambda key: _mean(entries, key, measure))
    thick = 0.8 / len(entries)
    figure = new_figure(height=0.8 + len(keys) * (0.075 * len(entries) + 0.06))
    axes = figure.add_subplot()
    for place, entry in enumerate(entries):
        rows = np.arange(len(keys)) - 0.4 + thick * (place + 0.5)
        values = [_value(entry.scores, key, measure) for key in keys]
        axes.barh(rows, values, 0.9 * thick, **_bar(place, entry))
        _mark_missing(axes, rows, values)
    axes.set_yticks(range(len(keys)), [_counted(entries, key) for key in keys])
    axes.set_ylim(len(keys) - 0.5, -0.5)
    axes.set_xlabel(layout_of(scores.experiment).columns[measure])
    axes.grid(visible=False, axis="y")
    unit = "frames" if scores.experiment != "onepass" else "sequences"
    return _finished(figure, scores, entries, f"beside each name: its number of {unit}", bar=True)


def _parts(scores: BenchmarkScores, least: int, most: int) -> tuple[list[str], str, list[Entry]]:
    """Attributes that any tracker has a value of, the measure, and the trackers to draw."""
    measure = first_measure(scores)
    entries = entries_of(scores, measure, most)
    shown = [entry for entry in entries if entry.named]
    known = dict.fromkeys(key for entry in shown for key in _groups(entry.scores))
    keys = [key for key in known if _best(shown, key, measure) > 0]
    if len(keys) < least:
        raise ConfigError(
            f"{scores.benchmark}: expected {least} attributes or more with a value of {measure}, "
            f"found {len(keys)}"
        )
    return keys, measure, shown


def _groups(scores: TrackerScores) -> Groups:
    return scores.per_tag or scores.per_attribute


def _value(scores: TrackerScores, key: str, measure: str) -> float:
    return _groups(scores).get(key, {}).get(measure, math.nan)


def _best(entries: list[Entry], key: str, measure: str) -> float:
    values = [_value(entry.scores, key, measure) for entry in entries]
    return max((value for value in values if not math.isnan(value)), default=0.0)


def _mean(entries: list[Entry], key: str, measure: str) -> float:
    values = np.array([_value(entry.scores, key, measure) for entry in entries])
    return float(np.nanmean(values))


def _counted(entries: list[Entry], key: str) -> str:
    """An attribute with how many sequences or frames carry it."""
    row = next(groups[key] for e in entries if key in (groups := _groups(e.scores)))
    return f"{label_of(key)} ({row.get('sequences', row.get('frames', 0)):.0f})"


def _bar(place: int, entry: Entry) -> dict[str, Any]:
    return {
        "facecolor": hex_of(colour_of(entry.style)),
        "hatch": _HATCHES[place % len(_HATCHES)],
        "edgecolor": "white",
        "linewidth": 0,
    }


def _side(rightwards: float) -> str:
    """Where a label at a spoke's end is held, so that it grows away from the circle."""
    if abs(rightwards) < 0.1:
        return "center"
    return "left" if rightwards > 0 else "right"


def _mark_missing(axes: Axes, rows: Any, values: list[float]) -> None:
    """A dash where a tracker has no value: nothing is not zero."""
    for row, value in zip(rows, values, strict=True):
        if math.isnan(value):
            axes.text(0.01, row, "–", va="center", transform=axes.get_yaxis_transform())


def _finished(
    figure: Figure, scores: BenchmarkScores, entries: list[Entry], note: str, *, bar: bool = False
) -> Plot:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(**_bar(place, entry)) if bar else Line2D([], [], **line_of(entry.style))
        for place, entry in enumerate(entries)
    ]
    legend_below(figure, handles, [f"{e.bracketed} {label_of(e.name)}" for e in entries])
    measure = first_measure(scores)
    heading = layout_of(scores.experiment).columns[measure]
    total = len(scores.trackers)
    limit = [f"the best {len(entries)} of {total} trackers"] if len(entries) < total else []
    notes = notes_of(scores, note, *limit)
    groups = "attribute" if scores.experiment == "onepass" else "tag"
    return finish(figure, f"{heading} by {groups}: {heading_of(scores)}", notes)
