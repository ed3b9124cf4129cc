"""Scores by attribute of sequences, or by frame tag on VOT: radar and differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.measures.catalogue import Measure
from bench.reports.options import COLUMN, DEFAULT, FigureOptions
from bench.reports.plots.entries import (
    Entry,
    Looks,
    back_to_front,
    entries_of,
    first_measure,
    groups_of,
    notes_of,
    title_of,
)
from bench.reports.plots.style import Plot, grid, in_style, new_sheet
from bench.reports.text_drawing import legible, width_in_points
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = 7  # more trackers cannot be told apart
_LONG = 9  # characters of an attribute beside a radar
_ROW = 0.2  # inches: an attribute and its points
_TAGS = {"empty": "no tag", "illum_change": "illumination change"}


@in_style
def radar(
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """The best trackers' scores by attribute on spokes, each from 0 to its best value.

    Raises:
        ConfigError: there are fewer than three attributes, or the axes are not polar.
    """
    measure = first_measure(scores)
    entries = _best_entries(scores, measure, looks, options)
    keys = _groups(scores, entries, measure, 3)
    angles = np.linspace(0, 2 * np.pi, len(keys), endpoint=False)
    whole = [entry for entry in entries if not entry.scores.partial] or entries
    best = {key: _best(whole, entries, key, measure) for key in keys}
    words = [
        _folded(_words(k)) if _side(a) != "center" else _words(k)
        for k, a in zip(keys, angles, strict=True)
    ]
    labels = [f"{word}\n{best[key]:.3f}" for word, key in zip(words, keys, strict=True)]
    sheet = new_sheet(axes, options, _height(labels, angles, options), projection="polar")
    panel: Any = sheet.panels[0]
    grid(panel)
    for entry in back_to_front(entries):
        shares = np.array([entry.group_value(key, measure) / best[key] for key in keys])
        panel.plot(np.append(angles, angles[0]), np.append(shares, shares[0]), **_spokes(entry))
    panel.set_theta_zero_location("N")
    panel.set_theta_direction(-1)
    panel.set(ylim=(0, 1), yticks=(0.25, 0.5, 0.75, 1), yticklabels=())
    panel.set_xticks(angles, labels)
    panel.tick_params(axis="x", pad=max(1, options.sizes.small - 7))
    for label, angle in zip(panel.get_xticklabels(), angles, strict=True):
        label.set(horizontalalignment=_side(angle), linespacing=1.0)
    note = "spokes run from 0 to the best value, printed at their ends"
    limit = _limit(scores, entries, measure)
    notes = notes_of(scores, entries, note, *limit, options=options)
    keys_of_legend = [e.legend_key(_line(**_spokes(e))) for e in entries]
    return sheet.finish(_title(scores, entries, measure), notes, keys_of_legend)


@in_style
def differences(
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """By how much the best trackers differ from ours, or else from the best, by attribute.

    The hardest attribute is on top; the value that the others are held against is at the right.

    Raises:
        ConfigError: there is no attribute, or only one tracker.
    """
    measure = first_measure(scores)
    entries = _best_entries(scores, measure, looks, options)
    keys = _groups(scores, entries, measure, 1)
    keys.sort(key=lambda key: float(np.nanmean(_values(entries, [key], measure))))
    against = next((entry for entry in entries if entry.ours), entries[0])
    others = [entry for entry in entries if entry is not against]
    if not others:
        raise ConfigError(
            f"{scores.benchmark}: differences by attribute need two trackers, found "
            f"{against.name} alone"
        )
    sheet = new_sheet(axes, options, (0.75 + _ROW * len(keys)) * options.em)
    (panel,) = sheet.panels
    _draw_differences(panel, against, others, _Asked(keys, measure, options))
    panel.set_yticks(range(len(keys)), [_counted(entries, key) for key in keys])
    unit = "frames" if scores.experiment != "onepass" else "sequences"
    notes = notes_of(
        scores,
        entries,
        f"at the right: {measure.short} of {against.label}, from which the others differ",
        f"beside each name: its number of {unit}",
        *_limit(scores, entries, measure),
        *_gaps(entries, keys, measure),
        options=options,
    )
    upright = _line(color=against.look.hex, linewidth=1.4 * options.sizes.line)
    points = [e.legend_key(_line(linestyle="none", **_point(e, options))) for e in others]
    return sheet.finish(
        _title(scores, entries, measure), notes, [against.legend_key(upright), *points]
    )


@dataclass(frozen=True)
class _Asked:
    """The attributes and the measure that are drawn, and how."""

    keys: list[str]
    measure: Measure
    options: FigureOptions


def _draw_differences(panel: Axes, against: Entry, others: list[Entry], asked: _Asked) -> None:
    """A row for each attribute: points beside the line that stands for ``against``."""
    keys, options = asked.keys, asked.options
    grid(panel, "x")
    panel.axvline(0, color=against.look.hex, linewidth=1.4 * options.sizes.line, zorder=1)
    base = _values([against], keys, asked.measure)[0]
    for place, entry in enumerate(others):
        heights = np.arange(len(keys)) + _spread(place, len(others))
        away = _values([entry], keys, asked.measure)[0] - base
        panel.plot(away, heights, linestyle="none", **_point(entry, options))
    for at, value in enumerate(base):
        text = "–" if np.isnan(value) else f"{value:.3f}"
        panel.text(1.02, at, text, va="center", transform=panel.get_yaxis_transform())
        if at % 2:
            panel.axhspan(at - 0.5, at + 0.5, color="0.96", zorder=0, linewidth=0)
    panel.tick_params(axis="y", length=0)
    panel.locator_params(axis="x", nbins=min(6, int(2 * options.inches() / options.em)))
    panel.margins(x=0.06)
    label = f"{asked.measure.short} minus that of {against.label}"
    panel.set(ylim=(len(keys) - 0.5, -0.5), xlabel=label)


def _best_entries(
    scores: BenchmarkScores, measure: Measure, looks: Looks | None, options: FigureOptions
) -> list[Entry]:
    ranked = entries_of(scores, measure, _SHOWN, looks, options)
    return [entry for entry in ranked if entry.named]


def _groups(
    scores: BenchmarkScores, entries: list[Entry], measure: Measure, least: int
) -> list[str]:
    """The attributes, or tags, on which a tracker has a value."""
    known = dict.fromkeys(key for entry in entries for key in groups_of(entry.scores))
    groups = [key for key in known if np.nansum(_values(entries, [key], measure)) > 0]
    if len(groups) < least:
        raise ConfigError(
            f"{scores.benchmark}: expected {least} or more attributes with a value of "
            f"{measure.title}, found {len(groups)}"
        )
    return groups


def _values(entries: list[Entry], keys: list[str], measure: Measure) -> FloatArray:
    """``(T, K)`` values by tracker and attribute, NaN where there is none."""
    return np.array([[entry.group_value(key, measure) for key in keys] for entry in entries])


def _best(whole: list[Entry], entries: list[Entry], key: str, measure: Measure) -> float:
    """The best value of complete results; of all where no complete one has a value."""
    values = _values(whole, [key], measure)
    return float(np.nanmax(values if np.nansum(values) > 0 else _values(entries, [key], measure)))


def _words(key: str) -> str:
    """
    >>> _words("camera_motion"), _words("OCC")
    ('camera motion', 'OCC')
    """
    return legible(_TAGS.get(key, key.replace("_", " ")))


def _folded(words: str) -> str:
    """Long words one below the other, so that a radar has room.

    >>> _folded("illumination change"), _folded("no tag")
    ('illumination\\nchange', 'no tag')
    """
    return words.replace(" ", "\n") if len(words) > _LONG else words


def _counted(entries: list[Entry], key: str) -> str:
    """An attribute and the number of sequences or frames with it."""
    row = next(groups[key] for e in entries if key in (groups := groups_of(e.scores)))
    return f"{_words(key)} ({row.get('sequences', row.get('frames', 0)):.0f})"


def _height(labels: list[str], angles: FloatArray, options: FigureOptions) -> float:
    """Inches of a radar whose labels beside the circle just fit."""
    small, font, width = options.sizes.small, options.typeface, options.inches()
    sides = np.abs(np.sin(angles))
    lines = [label.split("\n") for label in labels]
    widths = np.array([max(width_in_points(t, small, font) for t in each) / 72 for each in lines])
    beside = sides > 0.1
    radius = np.min((width / 2 - 0.1 - widths[beside]) / sides[beside])
    most = 1.15 * options.sizes.column / COLUMN
    return float(2 * min(max(radius, 0.5), most) + 5 * small / 72 + 0.15)


def _spokes(entry: Entry) -> dict[str, Any]:
    """Its line on a radar, with a marker on every spoke where it needs markers."""
    return {key: value for key, value in entry.line.items() if key != "markevery"}


def _line(**dress: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], **dress)


def _point(entry: Entry, options: FigureOptions) -> dict[str, Any]:
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.4}
    return {"markersize": 5 * options.sizes.line, **edge, **entry.point}


def _spread(place: int, count: int) -> float:
    """Where in its row a tracker's point is, so that equal values do not hide each other.

    >>> [_spread(place, 3) for place in range(3)]
    [-0.25, 0.0, 0.25]
    """
    return 0.5 * (place / max(1, count - 1) - 0.5) if count > 1 else 0.0


def _gaps(entries: list[Entry], keys: list[str], measure: Measure) -> list[str]:
    """Where a tracker has no value, since no value is not zero."""
    lacking = {
        entry.label: [_words(key) for key in keys if math.isnan(entry.group_value(key, measure))]
        for entry in entries
    }
    return [f"without a value: {name} on {', '.join(on)}" for name, on in lacking.items() if on]


def _side(angle: float) -> str:
    """The alignment of a label at a spoke's end, away from the circle."""
    rightwards = math.sin(angle)
    if abs(rightwards) < 0.1:
        return "center"
    return "left" if rightwards > 0 else "right"


def _title(scores: BenchmarkScores, entries: list[Entry], measure: Measure) -> str:
    groups = "attribute" if scores.experiment == "onepass" else "tag"
    return title_of(f"{measure.short} by {groups}", scores, entries)


def _limit(scores: BenchmarkScores, entries: list[Entry], measure: Measure) -> list[str]:
    """What the legend's numbers are, and the number of trackers left out."""
    total = len(scores.trackers)
    few = [f"the best {len(entries)} of {total} trackers"] if len(entries) < total else []
    return [f"in brackets: {measure.short}", *few]
