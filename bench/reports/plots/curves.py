"""Success, precision and normalised precision plots, and the expected overlap curves of VOT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError
from bench.measures.onepass.conventions import get_convention
from bench.reports.plots.ranking import Entry, eao_note, entries_of, limit_note
from bench.reports.plots.style import (
    Plot,
    finish,
    heading_of,
    label_of,
    legend_below,
    line_of,
    new_figure,
    notes_of,
)
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WORDS = {
    "mean": "area under the curve",
    "area": "area under the curve",
    "at 20 px": "value at 20 pixels",
    "at 0.2": "value at 0.2",
}


def success(scores: BenchmarkScores) -> Plot:
    """Share of frames whose overlap is above each threshold (OTB, figure of ``perfPlot.m``).

    Raises:
        ConfigError: the experiment has no such curve.
    """
    return _one_pass(scores, "success", "Success", "Overlap threshold", "Success rate")


def precision(scores: BenchmarkScores) -> Plot:
    """Share of frames whose centre is within each distance; raises as ``success``."""
    return _one_pass(
        scores, "precision", "Precision", "Location error threshold (pixels)", "Precision"
    )


def normalized_precision(scores: BenchmarkScores) -> Plot:
    """The same with distances in sizes of the target; raises as ``success``."""
    return _one_pass(
        scores, "normalized_precision", "Normalised precision",
        "Normalised location error threshold", "Precision",
    )  # fmt: skip


def _one_pass(scores: BenchmarkScores, measure: str, title: str, x: str, y: str) -> Plot:
    _require(scores, measure)
    rule = get_convention(scores.convention, scores.benchmark)
    kind = {
        "success": rule.success_score,
        "precision": rule.precision_score,
        "normalized_precision": rule.normalized_score,
    }[measure]
    figure = new_figure()
    axes = figure.add_subplot()
    entries = entries_of(scores, measure)
    _draw(axes, scores, measure, entries)
    thresholds = scores.thresholds[measure]
    axes.set(xlabel=x, ylabel=y, xlim=(thresholds[0], thresholds[-1]), ylim=(0, 1))
    if kind.startswith("at"):
        at = float(kind.split()[1])
        axes.axvline(at, color="0.6", linewidth=0.6, zorder=0)
    notes = [f"in brackets: {_WORDS[kind]}"]
    notes += filter(None, [get_benchmark(scores.benchmark).measure_notes.get(measure)])
    return _finished(figure, scores, title, entries, *notes)


def expected_overlap(scores: BenchmarkScores) -> Plot:
    """Expected overlap by length of sequence; its mean over the shaded lengths is the EAO.

    Raises:
        ConfigError: the experiment has no such curve.
    """
    _require(scores, "expected_overlap")
    figure = new_figure()
    axes = figure.add_subplot()
    entries = entries_of(scores, "eao")
    _draw(axes, scores, "expected_overlap", entries)
    low, high = scores.interval or (1, 1)
    axes.axvspan(low, high, color="0.9", linewidth=0, zorder=0)
    lengths = scores.thresholds["expected_overlap"]
    end = min(lengths[-1], 2 * high)
    axes.set(
        xlabel="Sequence length (frames)", ylabel="Expected overlap", xlim=(1, end), ylim=(0, 1)
    )
    notes = ("in brackets: EAO, the mean over the shaded lengths", *eao_note(scores))
    return _finished(figure, scores, "Expected overlap", entries, *notes)


def _require(scores: BenchmarkScores, curve: str) -> None:
    if not any(curve in tracker.curves for tracker in scores.trackers.values()):
        raise ConfigError(
            f"{scores.benchmark} ({scores.experiment}, convention {scores.convention}) has no "
            f"{curve.replace('_', ' ')} curve"
        )


def _draw(axes: Axes, scores: BenchmarkScores, curve: str, entries: list[Entry]) -> None:
    for entry in reversed(entries):  # the best on top
        values = entry.scores.curves[curve]
        thresholds = scores.thresholds[curve][: len(values)]
        dress = line_of(entry.style) if entry.named else {"color": "0.82", "linewidth": 0.5}
        axes.plot(thresholds, values, **dress)


def _finished(
    figure: Figure, scores: BenchmarkScores, title: str, entries: list[Entry], *notes: str
) -> Plot:
    from matplotlib.lines import Line2D

    named = [entry for entry in entries if entry.named]
    handles = [Line2D([], [], **line_of(entry.style)) for entry in named]
    labels = [f"{entry.bracketed} {label_of(entry.name)}" for entry in named]
    legend_below(figure, handles, labels)
    said = notes_of(scores, *notes, *limit_note(entries))
    return finish(figure, f"{title}: {heading_of(scores)}", said)
