"""The failure map: where along every sequence trackers lose the target."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_experiment
from bench.errors import ConfigError
from bench.evaluation.along import Track, tracks_along
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.plots.entries import Entry, Looks, entries_of, first_measure, notes_of, title_of
from bench.reports.plots.style import Key, Plot, Sheet, in_style, new_sheet
from bench.reports.text_drawing import legible
from bench.results.stores import Store
from bench.scores import BenchmarkScores
from bench.sequence import Dataset, Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 60  # parts of a sequence
_ROW = 0.125  # inches at 7 points


@dataclass(frozen=True, eq=False)
class _Row:
    """One sequence: ``(T, BINS)`` whether each tracker is lost there, NaN without a result."""

    name: str
    lost: FloatArray


@in_style
def failure_map(
    scores: BenchmarkScores,
    dataset: Dataset,
    store: Store,
    looks: Looks | None = None,
    *,
    options: FigureOptions = DEFAULT,
) -> Plot:
    """Sequences by time: how many trackers have lost the target, and below whether ours has.

    A target is lost in a frame with overlap 0; in an experiment of VOT with resets, where the
    tracker failed. As many sequences as fit, those with most losses first.

    Args:
        scores: of one benchmark.
        dataset: with ground truth; frames are not needed.
        store: the results that were scored.
        looks: by tracker.
        options: how to draw.

    Raises:
        ConfigError: no tracker ever loses a target.
    """
    everyone = len(scores.trackers)
    entries = entries_of(scores, first_measure(scores), everyone, looks, options)
    names = [entry.name for entry in entries]
    rows = [_row(store, names, sequence) for sequence in dataset]
    known = [row for row in rows if np.nansum(row.lost) > 0]
    if not known:
        raise ConfigError(f"{scores.benchmark}: no tracker loses a target, so there is no map")
    known.sort(key=lambda row: -float(np.nanmean(row.lost)))
    head, row_height = 1.0 * options.em, _ROW * options.em
    shown = known[: max(1, int((options.sizes.low - head) / row_height))]
    sheet = new_sheet(None, options, head + row_height * len(shown))
    resets = _resets(store)
    keys = _draw(sheet, shown, entries, resets=resets)
    notes = notes_of(
        scores,
        entries,
        "grey: number of trackers that "
        + ("fail in this part of the sequence" if resets else "have no overlap with the target"),
        f"{len(shown)} of {len(rows)} sequences, those with most losses first",
        *([f"line below: {keys[0].label}"] if keys else []),
        *(["first repetition only"] if resets else []),
        options=options,
    )
    return sheet.finish(title_of("Losses over time", scores, entries), notes, keys)


def _draw(sheet: Sheet, rows: list[_Row], entries: list[Entry], *, resets: bool) -> list[Key]:
    """The map with its names and its bar; the key of our line."""
    (panel,) = sheet.panels
    image = panel.imshow(
        [np.nansum(row.lost, axis=0) for row in rows], cmap="Greys", vmin=0,
        vmax=len(entries), aspect="auto", extent=(0, 100, len(rows) - 0.5, -0.5),
    )  # fmt: skip
    panel.hlines(np.arange(1, len(rows)) - 0.5, 0, 100, "white", linewidth=0.6)
    keys = _ours(panel, rows, entries, "fails" if resets else "has lost the target")
    names = [legible(row.name, sheet.options.typeface) for row in rows]
    panel.set_yticks(range(len(rows)), names)
    panel.tick_params(axis="y", length=0)
    panel.set(xlabel="Time (% of the sequence)")
    what = f"Trackers that {'fail' if resets else 'lost the target'}"
    sheet.figure.colorbar(
        image, ax=panel, location="top", shrink=0.6, aspect=30, pad=0.02, label=what,
        ticks=range(0, len(entries) + 1, 1 + len(entries) // 9),
    )  # fmt: skip
    return keys


def _resets(store: Store) -> bool:
    """Whether trackers are restarted after failures."""
    return get_experiment(store.experiment).protocol in ("reset", "realtime")


def _row(store: Store, names: list[str], sequence: Sequence) -> _Row:
    tracks, resets = tracks_along(store, names, sequence), _resets(store)
    return _Row(
        sequence.name, np.array([_parts(track, len(sequence), resets=resets) for track in tracks])
    )


def _parts(track: Track, frames: int, *, resets: bool) -> FloatArray:
    """``(BINS,)`` 1 where the target is lost for most of a part, or a failure lies in it."""
    if track.problem is not None:
        return np.full(_BINS, np.nan)
    lost = np.zeros(frames)
    if resets:
        lost[list(track.failures)] = 1
    else:
        lost[track.overlap == 0] = 1
    edges = np.linspace(0, frames, _BINS + 1)
    parts = [lost[int(a) : max(int(a) + 1, int(b))] for a, b in pairwise(edges)]
    found = [part.max() if resets else part.mean() > 0.5 for part in parts]
    return np.array(found, dtype=float)


def _ours(panel: Axes, rows: list[_Row], entries: list[Entry], what: str) -> list[Key]:
    """Underline the parts in which ours is lost; its key for the legend, none without ours."""
    place = next((at for at, entry in enumerate(entries) if entry.ours), None)
    if place is None:
        return []
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    entry, width = entries[place], 100 / _BINS
    strokes = [
        [(width * part, at + 0.36), (width * (part + 1), at + 0.36)]
        for at, row in enumerate(rows)
        for part in np.flatnonzero(row.lost[place] == 1).tolist()
    ]
    dress: dict[str, Any] = {"color": entry.look.hex, "linewidth": 2.0 * entry.size}
    panel.add_collection(LineCollection(strokes, **dress))
    return [Key(Line2D([], [], **dress), f"{entry.label} {what}", True)]
