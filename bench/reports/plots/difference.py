"""The picture of a comparison: overlap over time, and frames around the parting, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import Image
from bench.comparison import Difference, Opened
from bench.comparison.difference import SequenceDifference
from bench.errors import ConfigError, DatasetError
from bench.evaluation.along import Track, tracks_along
from bench.reports import palette
from bench.reports.options import PAGE
from bench.reports.overlay import Layer, draw_regions, layers
from bench.reports.plots.style import Key, Plot, finish, grid, in_style, line_of, new_figure
from bench.reports.text_drawing import legible
from bench.sequence import Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT = 1.15  # inches of a panel
_AROUND = (-1, 0, 5)  # frames beside the parting
WORST = 3


@dataclass(frozen=True, eq=False)
class _Part:
    """One sequence of the picture."""

    row: SequenceDifference
    sequence: Sequence
    tracks: tuple[Track, ...]
    layers: list[Layer]
    frames: tuple[int, ...]


@in_style
def difference_plot(found: Difference, opened: Opened, worst: int = WORST) -> Plot:
    """The overlap of both runs over time on the sequences with the greatest shares.

    Frames before, at and after the parting stand beside the curves where there are images.

    Raises:
        ConfigError: no sequence parts.
    """
    parts = [_part(found, opened, row) for row in found.sequences if row.parting.any is not None][
        :worst
    ]
    if not parts:
        raise ConfigError("both runs have the same boxes, or one has none: there is no picture")
    figure = new_figure(PAGE, _HEIGHT * len(parts))
    pictured = any(part.sequence.frames is not None for part in parts)
    widths = [2.0, *[1.0] * (len(_AROUND) * pictured)]
    panels = figure.subplots(len(parts), len(widths), squeeze=False, width_ratios=widths)
    looks = palette.looks([found.a, found.b])
    for part, axes in zip(parts, panels, strict=True):
        for track in part.tracks:
            axes[0].plot(
                np.arange(len(track.overlap)) + part.sequence.first_frame, track.overlap,
                linewidth=0.8, **line_of(looks[track.tracker]),
            )  # fmt: skip
        at = (part.row.parting.any or 0) + part.sequence.first_frame
        axes[0].axvline(at, color="0.4", linewidth=0.6, linestyle=":")
        axes[0].set_ylim(0, 1.02)
        axes[0].set_title(legible(part.row.name), loc="left", fontsize=7.5, pad=2)
        grid(axes[0])
        for panel, index in zip(axes[1:], part.frames, strict=False):
            _show(panel, part, index)
        for panel in axes[1:]:
            panel.set_axis_off()
    lines = zip(panels[0][0].lines, (found.a, found.b), strict=False)
    keys = [Key(line, legible(name)) for line, name in lines]
    notes = [
        "dotted: the first frame at which boxes differ by more than the rounding of the files",
        *found.notes[:3],
    ]  # fmt: skip
    return finish(
        figure,
        f"Overlap with the ground truth{', and frames around the parting' * pictured}",
        notes,
        keys,
    )


def _part(found: Difference, opened: Opened, row: SequenceDifference) -> _Part:
    sequence = opened.dataset[row.name]
    names = (found.a, found.b)
    regions = {name: opened.store.read_run(name, row.name) for name in names}
    at, last = row.parting.any or 0, len(sequence) - 1
    frames = tuple(min(max(at + step, 0), last) for step in _AROUND)
    return _Part(
        row, sequence, tuple(tracks_along(opened.store, names, sequence)),
        layers(sequence, regions), frames,
    )  # fmt: skip


def _show(panel: Axes, part: _Part, index: int) -> None:
    """A frame with both boxes, cut to the target's surroundings; nothing without images."""
    image = _frame(part.sequence, index)
    if image is None:
        return
    picture = draw_regions(image, part.layers, index, zoom=2)
    x, y, w, h = (2 * v for v in part.sequence.ground_truth[index].tolist())
    if np.isfinite([x, y, w, h]).all():
        side = 1.6 * max(w, h, 40)
        left, top = max(0, int(x + w / 2 - side)), max(0, int(y + h / 2 - side))
        cut = picture[top : top + int(2 * side), left : left + int(2 * side)]
        picture = cut if cut.size else picture
    panel.imshow(picture)
    panel.set_title(f"#{index + part.sequence.first_frame}", fontsize=6.5, pad=1)


def _frame(sequence: Sequence, index: int) -> Image | None:
    try:
        if sequence.frames is None or index >= len(sequence.frames):
            return None
        return sequence.frames[index]
    except DatasetError:
        return None
