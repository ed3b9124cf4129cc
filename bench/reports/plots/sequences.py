"""The heat map: every tracker's score on every sequence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.measures.catalogue import Measure, layout_of
from bench.reports.plots.entries import (
    Entry,
    Looks,
    entries_of,
    first_measure,
    notes_of,
    title_of,
)
from bench.reports.plots.style import (
    COLUMN,
    PAGE,
    SMALL,
    TALLEST,
    Plot,
    in_style,
    new_sheet,
)
from bench.reports.text_drawing import legible, width_in_points
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_ROW, _CELL = 0.105, 0.13  # inches: a row of 7 points; a column for a name turned upright
_BAR = 0.75  # inches: the colour bar with its label, and the gaps
_LEGIBLE = 0.097  # inches: the least distance of two names


@in_style
def heat_map(
    scores: BenchmarkScores, axes: Axes | None = None, looks: Looks | None = None
) -> Plot:
    """Success (accuracy on VOT) by sequence and tracker, the hardest sequence on top.

    Long lists continue in panels side by side. If the page is still too short, rows are thinner
    and only every second, third ... sequence is named.

    Raises:
        ConfigError: no sequence has a value.
    """
    measure = layout_of(scores.experiment, scores.benchmark).breakdown[0]
    ranked = entries_of(scores, first_measure(scores), len(scores.trackers), looks)
    names, values = _table(ranked, measure)
    if not names:
        raise ConfigError(f"{scores.benchmark}: no sequence has a value of {measure.title}")
    label = _widest(names) + 0.15
    entries = ranked[: int((PAGE - label) / _CELL)]
    values = values[:, : len(entries)]
    head = _widest([entry.label for entry in entries]) + 0.1
    room, panel_width = TALLEST - _BAR - head, label + _CELL * len(entries)
    panels = min(max(1, int(PAGE / panel_width)), math.ceil(len(names) * _ROW / room))
    parts = np.array_split(np.arange(len(names)), panels if axes is None else 1)
    row = min(_ROW, room / len(parts[0]))
    step = math.ceil(_LEGIBLE / row)  # every step-th sequence is named
    width = PAGE if panels > 1 or panel_width > COLUMN else COLUMN
    height = _BAR + head + row * len(parts[0])
    sheet = new_sheet(axes, size=(width, height), panels=len(parts))
    for panel, rows in zip(sheet.panels, parts, strict=True):
        image = _draw(panel, values[rows], [names[at] for at in rows], entries, step)
        panel.set_ylim(len(parts[0]) - 0.5, -0.5)  # the last panel may have fewer rows
    place: dict[str, Any] = {"ax": sheet.panels, "shrink": 0.5, "aspect": 30, "pad": 0.08 / height}
    if not sheet.own:
        place = {"cax": sheet.panels[0].inset_axes((0.25, -0.08, 0.5, 0.025))}
    sheet.figure.colorbar(image, location="bottom", label=measure.title, **place)
    few = [f"the best {len(entries)} of {len(ranked)} trackers"] * (len(entries) < len(ranked))
    notes = notes_of(
        scores,
        entries,
        "sequences by mean over trackers, hardest first; trackers by rank; crossed: no value",
        *([f"only one sequence in {step} is named"] if step > 1 else []),
        *few,
    )
    return sheet.finish(title_of(f"{measure.title} by sequence", scores, entries), notes)


def _table(entries: list[Entry], measure: Measure) -> tuple[list[str], FloatArray]:
    """Names of the sequences, hardest first, and ``(S, T)`` values, NaN where there is none."""
    known = dict.fromkeys(name for entry in entries for name in entry.scores.per_sequence)
    rows = {
        name: [entry.scores.per_sequence.get(name, {}).get(measure.name, math.nan)
               for entry in entries]
        for name in known
    }  # fmt: skip
    rows = {name: row for name, row in rows.items() if not np.isnan(row).all()}
    names = sorted(rows, key=lambda name: float(np.nanmean(rows[name])))
    return names, np.array([rows[name] for name in names])


def _widest(names: list[str]) -> float:
    """Inches of the widest name."""
    return max(width_in_points(legible(name), SMALL) for name in names) / 72


def _draw(
    panel: Axes, values: FloatArray, names: list[str], entries: list[Entry], step: int
) -> AxesImage:
    """Draw a panel's rows, of which every ``step``-th is named."""
    image = panel.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(np.isnan(values)):
        panel.plot([column], [row], marker="x", color="0.5", markersize=3)
    panel.set_xticks(range(len(entries)), [entry.label for entry in entries], rotation=90)
    panel.set_yticks(range(0, len(names), step), [legible(name) for name in names[::step]])
    panel.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    return image
