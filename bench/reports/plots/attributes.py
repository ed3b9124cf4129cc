"""Scores by attribute of sequences, or by frame tag on VOT: radar and bars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.measures.catalogue import Measure
from bench.reports.plots.entries import (
    Entry,
    Looks,
    entries_of,
    first_measure,
    groups_of,
    notes_of,
    title_of,
)
from bench.reports.plots.style import COLUMN, SMALL, Key, Plot, grid, in_style, new_sheet
from bench.reports.text_drawing import legible, width_in_points
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ON_RADAR, _AS_BARS = 7, 5  # more trackers cannot be told apart
_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx")


@in_style
def radar(scores: BenchmarkScores, axes: Axes | None = None, looks: Looks | None = None) -> Plot:
    """The best trackers' scores by attribute on spokes, each from 0 to its best value.

    Raises:
        ConfigError: there are fewer than three attributes, or the axes are not polar.
    """
    measure = first_measure(scores)
    entries = _best_entries(scores, measure, _ON_RADAR, looks)
    keys = _groups(scores, entries, measure, 3)
    angles = np.linspace(0, 2 * np.pi, len(keys), endpoint=False)
    whole = [entry for entry in entries if not entry.scores.partial] or entries
    best = {key: _best(whole, entries, key, measure) for key in keys}
    labels = [f"{_words(key)}\n{best[key]:.3f}" for key in keys]
    sheet = new_sheet(axes, size=(COLUMN, _height(labels, angles)), projection="polar")
    panel: Any = sheet.panels[0]
    grid(panel)
    for entry in reversed(entries):
        shares = np.array([entry.group_value(key, measure) / best[key] for key in keys])
        panel.plot(np.append(angles, angles[0]), np.append(shares, shares[0]), **entry.line)
    panel.set_theta_zero_location("N")
    panel.set_theta_direction(-1)
    panel.set(ylim=(0, 1), yticks=(0.25, 0.5, 0.75, 1), yticklabels=())
    panel.set_xticks(angles, labels)
    panel.tick_params(axis="x", pad=1)
    for label, angle in zip(panel.get_xticklabels(), angles, strict=True):
        label.set_horizontalalignment(_side(float(np.sin(angle))))
    note = "spokes run from 0 to the best value, printed at their ends"
    notes = notes_of(scores, entries, note, *_limit(scores, entries, measure))
    return sheet.finish(_title(scores, entries, measure), notes, _line_keys(entries))


@in_style
def bars(scores: BenchmarkScores, axes: Axes | None = None, looks: Looks | None = None) -> Plot:
    """The best trackers' scores by attribute as bars, the hardest attribute on top.

    Raises:
        ConfigError: there is no attribute.
    """
    measure = first_measure(scores)
    entries = _best_entries(scores, measure, _AS_BARS, looks)
    keys = _groups(scores, entries, measure, 1)
    keys.sort(key=lambda key: float(np.nanmean(_values(entries, key, measure))))
    thick = 0.8 / len(entries)
    height = 0.8 + len(keys) * (0.075 * len(entries) + 0.06)
    sheet = new_sheet(axes, size=(COLUMN, height))
    (panel,) = sheet.panels
    grid(panel, "x")
    table: FloatArray = np.array([_values(entries, key, measure) for key in keys])
    start = _start(table)
    for place, entry in enumerate(entries):
        rows = np.arange(len(keys)) - 0.4 + thick * (place + 0.5)
        panel.barh(rows, table[:, place] - start, 0.9 * thick, start, **_bar(place, entry))
        _mark_missing(panel, rows, table[:, place])
    panel.set_yticks(range(len(keys)), [_counted(entries, key) for key in keys])
    panel.set(ylim=(len(keys) - 0.5, -0.5), xlabel=measure.short)
    panel.set_xlim(left=start)
    unit = "frames" if scores.experiment != "onepass" else "sequences"
    notes = notes_of(
        scores,
        entries,
        *([f"the axis starts at {start:g}, not at 0"] if start else []),
        f"beside each name: its number of {unit}",
        *_limit(scores, entries, measure),
    )
    return sheet.finish(_title(scores, entries, measure), notes, _bar_keys(entries))


def _best_entries(
    scores: BenchmarkScores, measure: Measure, most: int, looks: Looks | None
) -> list[Entry]:
    return [entry for entry in entries_of(scores, measure, most, looks) if entry.named]


def _groups(
    scores: BenchmarkScores, entries: list[Entry], measure: Measure, least: int
) -> list[str]:
    """The attributes, or tags, on which a tracker has a value."""
    known = dict.fromkeys(key for entry in entries for key in groups_of(entry.scores))
    groups = [key for key in known if np.nansum(_values(entries, key, measure)) > 0]
    if len(groups) < least:
        raise ConfigError(
            f"{scores.benchmark}: expected {least} or more attributes with a value of "
            f"{measure.title}, found {len(groups)}"
        )
    return groups


def _values(entries: list[Entry], key: str, measure: Measure) -> FloatArray:
    return np.array([entry.group_value(key, measure) for entry in entries])


def _best(whole: list[Entry], entries: list[Entry], key: str, measure: Measure) -> float:
    """The best value of complete results; of all where no complete one has a value."""
    values = _values(whole, key, measure)
    return float(np.nanmax(values if np.nansum(values) > 0 else _values(entries, key, measure)))


def _words(key: str) -> str:
    """
    >>> _words("camera_motion"), _words("OCC")
    ('camera motion', 'OCC')
    """
    return legible(key.replace("_", " "))


def _counted(entries: list[Entry], key: str) -> str:
    """An attribute and the number of sequences or frames with it."""
    row = next(groups[key] for e in entries if key in (groups := groups_of(e.scores)))
    return f"{_words(key)} ({row.get('sequences', row.get('frames', 0)):.0f})"


def _start(values: FloatArray) -> float:
    """Where bars start: at 0, or a round number nearer to values that differ little.

    >>> _start(np.array([0.62, 0.71])), _start(np.array([0.1, 0.7]))
    (0.6, 0.0)
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low < 0.6 * high:
        return 0.0
    return round(0.05 * math.floor((low - 0.15 * (high - low)) / 0.05), 2)


def _height(labels: list[str], angles: FloatArray) -> float:
    """Inches of a radar whose labels beside the circle just fit into a column."""
    sides = np.abs(np.sin(angles))
    widths = np.array([max(map(_inches, label.split("\n"))) for label in labels])
    beside = sides > 0.1
    radius = np.min((COLUMN / 2 - 0.1 - widths[beside]) / sides[beside])
    return float(2 * min(max(radius, 0.5), 1.15) + 0.75)  # lines of labels, and the title


def _inches(text: str) -> float:
    return width_in_points(text, SMALL) / 72


def _bar(place: int, entry: Entry) -> dict[str, Any]:
    return {
        "facecolor": entry.look.hex,
        "hatch": _HATCHES[place % len(_HATCHES)],
        "edgecolor": "white",
        "linewidth": 0,
    }


def _side(rightwards: float) -> str:
    """The alignment of a label at a spoke's end, away from the circle."""
    if abs(rightwards) < 0.1:
        return "center"
    return "left" if rightwards > 0 else "right"


def _mark_missing(panel: Axes, rows: Any, values: Any) -> None:
    """Draw a dash where a tracker has no value, since no value is not zero."""
    for row in rows[np.isnan(values)]:
        panel.text(0.01, row, "–", va="center", transform=panel.get_yaxis_transform())


def _line_keys(entries: list[Entry]) -> list[Key]:
    from matplotlib.lines import Line2D

    return [(Line2D([], [], **entry.line), entry.key) for entry in entries]


def _bar_keys(entries: list[Entry]) -> list[Key]:
    from matplotlib.patches import Patch

    return [(Patch(**_bar(place, entry)), entry.key) for place, entry in enumerate(entries)]


def _title(scores: BenchmarkScores, entries: list[Entry], measure: Measure) -> str:
    groups = "attribute" if scores.experiment == "onepass" else "tag"
    return title_of(f"{measure.short} by {groups}", scores, entries)


def _limit(scores: BenchmarkScores, entries: list[Entry], measure: Measure) -> list[str]:
    """What the legend's numbers are, and the number of trackers left out."""
    total = len(scores.trackers)
    few = [f"the best {len(entries)} of {total} trackers"] if len(entries) < total else []
    return [f"in brackets: {measure.short}", *few]
