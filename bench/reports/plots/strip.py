"""The qualitative figure: frames of a few sequences with several trackers' regions."""

from __future__ import annotations

import math
from collections.abc import Sequence as List
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import Image
from bench.errors import ConfigError
from bench.geometry import Regions
from bench.measures.catalogue import layout_of
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.overlay import Layer, draw_regions, layers
from bench.reports.palette import DASHES
from bench.reports.plots.entries import (
    Looks,
    entries_of,
    first_measure,
    looks_of,
    notes_of,
    title_of,
)
from bench.reports.plots.style import Key, Plot, finish, in_style, new_figure
from bench.reports.plots.zoom import with_inset
from bench.reports.text_drawing import legible
from bench.results.stores import Store
from bench.scores import BenchmarkScores
from bench.sequence import Dataset, Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
TRACKERS = 5  # by default; more hide each other
_PAD, _PAD_ABOVE = 0.02, 0.05  # inches beside a frame, and above and below a row
_SHARP = 480  # pixels: the least width of a frame


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence of the figure.

    Attributes:
        sequence: with frames.
        layers: to draw on them.
        frames: their indices, from 0.
    """

    sequence: Sequence
    layers: list[Layer]
    frames: tuple[int, ...]


def qualitative(
    scores: BenchmarkScores,
    dataset: Dataset,
    store: Store,
    *,
    sequences: List[str] | None = None,
    numbers: List[int] = (),
    trackers: int = TRACKERS,
    looks: Looks | None = None,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """The strip of a benchmark's best trackers.

    Args:
        scores: of one benchmark.
        dataset: with images.
        store: the results that were scored.
        sequences: names; by default, the three on which the trackers differ most.
        numbers: of the frames in the benchmark's numbering; by default, four spread evenly.
        trackers: number of trackers to draw, best first.
        looks: by tracker; by default, those of all scored and refused trackers.
        options: how to draw.

    Raises:
        ConfigError: there are no images, or a sequence or frame does not exist.
        DatasetError: a frame cannot be read.
    """
    known = [sequence.name for sequence in dataset if sequence.frames is not None]
    if not known:
        raise ConfigError(f"{dataset.root} has annotation only: the strip needs images")
    ranked = entries_of(scores, first_measure(scores), trackers, looks, options)
    entries = sorted((each for each in ranked if each.named), key=lambda each: not each.ours)
    chosen = {**looks_of(scores, options), **(looks or {})}
    rows = []
    for name in sequences or telling_sequences(scores, known):
        clip = dataset[name]
        regions = {entry.name: _regions(store, entry.name, name) for entry in entries}
        masks = {entry.name: store.read_masks(entry.name, name) for entry in entries}
        frames = tuple(number - clip.first_frame for number in numbers)
        drawn = layers(clip, regions, chosen, masks)
        if options.style == "paper":  # a print may be grey, and dashes stay
            drawn = [replace(each, look=chosen.get(each.name, each.look)) for each in drawn]
        rows.append(Row(clip, drawn, frames or even_frames(clip)))
    limit = [f"the best {len(entries)} of {len(ranked)} trackers"]
    notes = notes_of(scores, entries, *limit * (len(entries) < len(ranked)), options=options)
    return strip(rows, title_of("Qualitative", scores, entries), notes, options=options)


def _regions(store: Store, tracker: str, sequence: str) -> Regions:
    """A tracker's regions on a sequence; none if it has no result."""
    if sequence in store.sequences(tracker):
        return store.read_run(tracker, sequence)
    return Regions.from_rows([])


def even_frames(sequence: Sequence, count: int = _COLUMNS) -> tuple[int, ...]:
    """Indices of frames spread evenly over a sequence, without the first and the last."""
    places = np.linspace(0, len(sequence) - 1, count + 2)[1:-1]
    return tuple(sorted({round(place) for place in places}))


def telling_sequences(scores: BenchmarkScores, names: List[str], count: int = 3) -> list[str]:
    """Sequences on which trackers differ most, by standard deviation of the first measure."""
    measure = layout_of(scores.experiment, scores.benchmark).breakdown[0]

    def spread(name: str) -> float:
        rows = (tracker.per_sequence.get(name, {}) for tracker in scores.trackers.values())
        values = np.array([row.get(measure.name, math.nan) for row in rows])
        known = values[~np.isnan(values)]
        return float(known.std()) if len(known) else -1.0

    return sorted(names, key=spread, reverse=True)[:count]


@in_style
def strip(
    rows: List[Row], title: str, notes: List[str], *, options: FigureOptions = DEFAULT
) -> Plot:
    """A row of frames for each sequence, with regions and frame numbers; small targets enlarged.

    Args:
        rows: sequences with the same layers in the same order.
        title, notes: of the figure.
        options: how to draw.

    Raises:
        ConfigError: a sequence has no frame of that number.
        DatasetError: a frame cannot be read.
    """
    columns, whole = max(len(row.frames) for row in rows), options.inches("text")
    shown = [[_picture(row, index) for index in row.frames] for row in rows]
    pictures = [[picture for picture, _ in line] for line in shown]
    width = whole / columns - 2 * _PAD
    heights = [width * line[0].shape[0] / line[0].shape[1] for line in pictures]
    between, above = 0.15 * options.em + 2 * _PAD_ABOVE, 0.13 * options.em
    figure = new_figure(whole, sum(heights) + between * len(rows) + above)
    if engine := figure.get_layout_engine():
        engine.set(w_pad=_PAD, h_pad=_PAD_ABOVE, wspace=0, hspace=0)  # type: ignore[call-arg]
    panels = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for row, line, axes in zip(rows, pictures, panels, strict=True):
        for panel in axes:
            panel.set_axis_off()
        name = legible(row.sequence.name, options.typeface)
        axes[0].set_title(name, loc="left", fontsize=options.sizes.label, pad=2)
        for panel, picture, index in zip(axes, line, row.frames, strict=False):
            _show(panel, picture, row.sequence.first_frame + index)
    enlarged = any(inset for line in shown for _, inset in line)
    own = ["in the corner: the framed part around the target, enlarged"] * enlarged
    return finish(figure, title, [*own, *notes], _keys(rows[0].layers, options), options)


def _picture(row: Row, index: int) -> tuple[Image, bool]:
    """A frame with its regions, and whether a part is enlarged."""
    frames = row.sequence.frames
    if frames is None or not 0 <= index < len(row.sequence):
        first = row.sequence.first_frame
        raise ConfigError(
            f"{row.sequence.name}: expected frames {first} to {first + len(row.sequence) - 1}, "
            f"found {first + index}"
        )
    image = frames[index]
    zoom = -(-_SHARP // image.shape[1])
    picture = draw_regions(image, row.layers, index, zoom=zoom)
    return with_inset(picture, image, row.layers, index, zoom)


def _show(panel: Axes, picture: Image, number: int) -> None:
    panel.imshow(picture)
    panel.text(
        0.02, 0.96, f"#{number}", transform=panel.transAxes, va="top", color="white",
        fontweight="bold", bbox={"facecolor": "black", "alpha": 0.6, "pad": 1.2, "linewidth": 0},
    )  # fmt: skip


def _keys(drawn: List[Layer], options: FigureOptions) -> list[Key]:
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    line = options.sizes.line
    edge = [Stroke(linewidth=3 * line, foreground="black"), Normal()]
    return [
        Key(
            Line2D(
                [], [], color=layer.look.hex, linewidth=2 * line, path_effects=edge,
                linestyle=(0, DASHES[layer.look.dash]) if DASHES[layer.look.dash] else "-",
            ),
            legible(options.label(layer.name), options.typeface),
            layer.name == options.ours,
        )
        for layer in drawn
    ]  # fmt: skip
