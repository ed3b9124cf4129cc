"""The qualitative figure: frames of a few sequences with several trackers' regions."""

from __future__ import annotations

import math
from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import Image
from bench.errors import ConfigError
from bench.measures.catalogue import layout_of
from bench.reports.overlay import Layer, draw_regions
from bench.reports.palette import hex_of
from bench.reports.plots.style import (
    PAGE,
    Plot,
    finish,
    label_of,
    legend_below,
    new_figure,
)
from bench.scores import BenchmarkScores
from bench.sequence import Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4
_SHARP = 480  # pixels: a frame is drawn at least this wide


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence of the figure.

    Attributes:
        sequence: with frames.
        layers: what is drawn on them.
        frames: which, counted from 0.
    """

    sequence: Sequence
    layers: list[Layer]
    frames: tuple[int, ...]


def even_frames(sequence: Sequence, count: int = _COLUMNS) -> tuple[int, ...]:
    """Frames spread evenly over a sequence, counted from 0; neither the first nor the last."""
    places = np.linspace(0, len(sequence) - 1, count + 2)[1:-1]
    return tuple(sorted({round(place) for place in places}))


def telling_sequences(scores: BenchmarkScores, names: List[str], count: int = 3) -> list[str]:
    """Sequences on which trackers differ most: the largest spread of the main measure."""
    measure = layout_of(scores.experiment).breakdown[0]

    def spread(name: str) -> float:
        rows = (tracker.per_sequence.get(name, {}) for tracker in scores.trackers.values())
        values = np.array([row.get(measure, math.nan) for row in rows])
        known = values[~np.isnan(values)]
        return float(known.std()) if len(known) else -1.0

    return sorted(names, key=spread, reverse=True)[:count]


def strip(rows: list[Row], title: str, notes: list[str]) -> Plot:
    """A row of frames for each sequence, regions drawn, frame numbers in the corner.

    Args:
        rows: sequences with the same layers in the same order.
        title, notes: of the figure.

    Raises:
        ConfigError: a frame is not one of its sequence's.
        DatasetError: a frame cannot be read.
    """
    columns = max(len(row.frames) for row in rows)
    pictures = [[_picture(row, index) for index in row.frames] for row in rows]
    width = PAGE / columns
    heights = [width * line[0].shape[0] / line[0].shape[1] for line in pictures]
    figure = new_figure(PAGE, sum(heights) + 0.16 * len(rows) + 0.2)
    panels = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for row, line, axes in zip(rows, pictures, panels, strict=True):
        for panel in axes:
            panel.set_axis_off()
        axes[0].set_title(label_of(row.sequence.name), loc="left", fontsize=7.5, pad=2)
        for panel, picture, index in zip(axes, line, row.frames, strict=False):
            _show(panel, picture, row.sequence.first_frame + index)
    _legend(figure, rows[0].layers)
    return finish(figure, title, notes)


def _picture(row: Row, index: int) -> Image:
    frames = row.sequence.frames
    if frames is None or not 0 <= index < len(row.sequence):
        first = row.sequence.first_frame
        raise ConfigError(
            f"{row.sequence.name}: expected frames {first} to {first + len(row.sequence) - 1}, "
            f"found {first + index}"
        )
    image = frames[index]
    return draw_regions(image, row.layers, index, zoom=-(-_SHARP // image.shape[1]))


def _show(panel: Axes, picture: Image, number: int) -> None:
    panel.imshow(picture)
    panel.text(
        0.02, 0.96, f"#{number}", transform=panel.transAxes, va="top", color="white",
        fontweight="bold", bbox={"facecolor": "black", "alpha": 0.6, "pad": 1.2, "linewidth": 0},
    )  # fmt: skip


def _legend(figure: Figure, layers: list[Layer]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    handles = [
        Line2D(
            [], [], color=hex_of(layer.colour), linewidth=2,
            linestyle=(0, (1.5, 1)) if layer.dashed else "-",
            path_effects=[Stroke(linewidth=3, foreground="black"), Normal()],
        )
        for layer in layers
    ]  # fmt: skip
    legend_below(figure, handles, [label_of(layer.name) for layer in layers])
