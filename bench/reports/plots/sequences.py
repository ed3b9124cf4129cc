"""The heat map: every tracker's score on every sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.arrays import FloatArray, IntArray
from bench.errors import ConfigError
from bench.measures.catalogue import Measure, layout_of
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.plots.entries import (
    Entry,
    Looks,
    entries_of,
    first_measure,
    notes_of,
    title_of,
)
from bench.reports.plots.style import Plot, in_style, new_sheet
from bench.reports.text_drawing import legible, width_in_points
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_ROW, _CELL = 0.105, 0.13  # inches: a row of 7 points; a column for a name turned upright
_BAR = 0.75  # inches: the colour bar with its label, and the gaps
_LEGIBLE = 0.097  # inches: the least distance of two names


@dataclass(frozen=True)
class _Plan:
    """How the map is laid out.

    Attributes:
        own: width, unless another is asked for.
        trackers: how many there is room for.
        parts: rows of each panel.
        height: of the panels with their headings, in inches.
        step: every step-th sequence is named.
    """

    own: Literal["column", "text"]
    trackers: int
    parts: list[IntArray]
    height: float
    step: int


@in_style
def heat_map(
    scores: BenchmarkScores,
    axes: Axes | None = None,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """Success (accuracy on VOT) by sequence and tracker, the hardest sequence on top.

    Long lists continue in panels side by side. If the page is still too short, rows are thinner
    and only every second, third ... sequence is named.

    Raises:
        ConfigError: no sequence has a value.
    """
    measure = layout_of(scores.experiment, scores.benchmark).breakdown[0]
    everyone = len(scores.trackers)
    ranked = entries_of(scores, first_measure(scores), everyone, looks, options)
    names, values = _table(ranked, measure)
    if not names:
        raise ConfigError(f"{scores.benchmark}: no sequence has a value of {measure.title}")
    plan = _plan(names, ranked, options, split=axes is None)
    entries, values = ranked[: plan.trackers], values[:, : plan.trackers]
    sheet = new_sheet(axes, options, plan.height, own=plan.own, panels=len(plan.parts))
    for panel, rows in zip(sheet.panels, plan.parts, strict=True):
        image = _draw(panel, values[rows], [names[at] for at in rows], entries, plan.step)
        panel.set_ylim(len(plan.parts[0]) - 0.5, -0.5)  # the last panel may have fewer rows
    place: dict[str, Any] = {
        "ax": sheet.panels, "shrink": 0.5, "aspect": 30, "pad": 0.08 / plan.height,
    }  # fmt: skip
    if not sheet.own:
        place = {"cax": sheet.panels[0].inset_axes((0.25, -0.08, 0.5, 0.025))}
    sheet.figure.colorbar(image, location="bottom", label=measure.title, **place)
    few = [f"the best {len(entries)} of {len(ranked)} trackers"] * (len(entries) < len(ranked))
    notes = notes_of(
        scores,
        entries,
        "sequences by mean over trackers, hardest first; trackers by rank; crossed: no value",
        *([f"only one sequence in {plan.step} is named"] if plan.step > 1 else []),
        *few,
        options=options,
    )
    return sheet.finish(title_of(f"{measure.title} by sequence", scores, entries), notes)


def _plan(names: list[str], ranked: list[Entry], options: FigureOptions, *, split: bool) -> _Plan:
    """One panel in a column if it stays low; else as many as keep it low, across the page."""
    em, tallest = options.em, options.sizes.tallest
    label = widest(names, options) + 0.15 * em
    head = widest([entry.label for entry in ranked], options) + 0.1 * em
    room = tallest - _BAR * em - head
    low = options.sizes.low - _BAR * em - head
    cell, row = _CELL * em, _ROW * em
    in_column = options.inches() >= label + cell * len(ranked) and row * len(names) <= low
    own: Literal["column", "text"] = "column" if in_column else "text"
    width = options.inches(own)
    trackers = max(1, min(len(ranked), int((width - label) / cell)))
    possible = max(1, int(width / (label + cell * trackers)))
    panels = min(possible, math.ceil(len(names) * row / low)) if split else 1
    parts = np.array_split(np.arange(len(names)), panels)
    row = min(row, room / len(parts[0]))
    height = _BAR * em + head + row * len(parts[0])
    return _Plan(own, trackers, parts, height, math.ceil(_LEGIBLE * em / row))


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


def widest(names: list[str], options: FigureOptions) -> float:
    """Inches of the widest name."""
    font = options.typeface
    return max(width_in_points(legible(n, font), options.sizes.small, font) for n in names) / 72


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
    for text, entry in zip(panel.get_xticklabels(), entries, strict=True):
        text.set_fontweight("bold" if entry.ours else "normal")
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    return image
