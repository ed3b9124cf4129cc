"""The heat map: every tracker's score on every sequence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.measures.catalogue import layout_of
from bench.reports.plots.ranking import Entry, entries_of, first_measure
from bench.reports.plots.style import (
    COLUMN,
    PAGE,
    Plot,
    finish,
    heading_of,
    label_of,
    new_figure,
    notes_of,
)
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_ROW, _CELL = 0.105, 0.13  # inches: a line of 7 points, and a name of them turned upright
_TALL = 70  # rows of a panel, where several fit beside each other


def heat_map(scores: BenchmarkScores) -> Plot:
    """Success (on VOT: accuracy) by sequence and tracker, the hardest sequence on top.

    Sequences run on in panels beside each other where the page is wide enough for it.

    Raises:
        ConfigError: no sequence has a value.
    """
    measure = layout_of(scores.experiment).breakdown[0]
    entries = entries_of(scores, first_measure(scores), len(scores.trackers))
    names, values = _table(entries, measure)
    if not names:
        raise ConfigError(f"{scores.benchmark}: no sequence has a value of {measure}")
    panels = _panels(names, len(entries))
    parts = np.array_split(np.arange(len(names)), panels)
    width = PAGE if panels > 1 else COLUMN
    figure = new_figure(width, 1.2 + _ROW * len(parts[0]) + 0.055 * _longest(entries))
    for axes, rows in zip(figure.subplots(1, panels, squeeze=False)[0], parts, strict=True):
        image = _draw(axes, values[rows], [names[row] for row in rows], entries)
        axes.set_ylim(len(parts[0]) - 0.5, -0.5)  # the last panel may have a row less
    heading = layout_of(scores.experiment).columns[measure]
    heading = "Accuracy" if heading == "A" else heading
    figure.colorbar(
        image, ax=figure.axes, location="bottom", shrink=0.5, aspect=30, pad=0.01, label=heading
    )
    note = "sequences by mean over trackers, hardest first; trackers by rank; crossed: no value"
    return finish(figure, f"{heading} by sequence: {heading_of(scores)}", notes_of(scores, note))


def _table(entries: list[Entry], measure: str) -> tuple[list[str], FloatArray]:
    """Names of the sequences from the hardest on, and ``(S, T)`` values, NaN where none is."""
    known = dict.fromkeys(name for entry in entries for name in entry.scores.per_sequence)
    rows = {
        name: [entry.scores.per_sequence.get(name, {}).get(measure, math.nan) for entry in entries]
        for name in known
    }
    rows = {name: row for name, row in rows.items() if not np.isnan(row).all()}
    names = sorted(rows, key=lambda name: float(np.nanmean(rows[name])))
    return names, np.array([rows[name] for name in names])


def _panels(names: list[str], trackers: int) -> int:
    """How many panels stand beside each other: as few as are not too tall, if they fit."""
    label = 0.06 * min(24, max(map(len, names))) + 0.15
    fitting = max(1, int(PAGE / (label + _CELL * trackers)))
    return min(fitting, math.ceil(len(names) / _TALL))


def _longest(entries: list[Entry]) -> int:
    return max(len(label_of(entry.name)) for entry in entries)


def _draw(axes: Axes, values: FloatArray, names: list[str], entries: list[Entry]) -> AxesImage:
    image = axes.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(np.isnan(values)):
        axes.plot([column], [row], marker="x", color="0.5", markersize=3)
    axes.set_xticks(range(len(entries)), [label_of(e.name) for e in entries], rotation=90)
    axes.set_yticks(range(len(names)), [label_of(name) for name in names])
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image
