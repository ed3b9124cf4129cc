"""The ranking: every tracker's first measure with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.errors import ConfigError
from bench.reports.plots.entries import (
    Looks,
    entries_of,
    first_measure,
    hollow_note,
    notes_of,
    title_of,
)
from bench.reports.plots.style import COLUMN, TALLEST, Plot, grid, in_style, new_sheet
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_style
def ranking(scores: BenchmarkScores, axes: Axes | None = None, looks: Looks | None = None) -> Plot:
    """The first measure of every tracker (the EAO on VOT) with its 95 % interval, best on top.

    Raises:
        ConfigError: no tracker has a value.
    """
    measure = first_measure(scores)
    entries = entries_of(scores, measure, looks=looks)
    shown = [entry for entry in entries if not math.isnan(entry.value)]
    if not shown:
        raise ConfigError(f"{scores.benchmark}: no tracker has a value of {measure.title}")
    row = min(0.145, max(0.1, (TALLEST - 0.8) / len(shown)))
    sheet = new_sheet(axes, size=(COLUMN, 0.8 + row * len(shown)))
    (panel,) = sheet.panels
    grid(panel, "x")
    for place, entry in enumerate(shown):
        interval = entry.scores.intervals.get(measure.name, (math.nan, math.nan))
        panel.plot(interval, [place, place], color=entry.look.hex, linewidth=1.0)
        panel.plot([entry.value], [place], markersize=4, linestyle="none", **entry.point)
    panel.set_yticks(range(len(shown)), [f"{e.label}  {e.value:.3f}" for e in shown])
    panel.set(ylim=(len(shown) - 0.5, -0.5), xlabel=measure.short)
    missing = ", ".join(entry.label for entry in entries if entry not in shown)
    notes = notes_of(
        scores,
        shown,
        "bars: 95 % bootstrap interval over sequences",
        *hollow_note(shown),
        *([f"without a value: {missing}"] if missing else []),
        measure=measure,
    )
    return sheet.finish(title_of(f"{measure.short} ranking", scores, shown), notes)
