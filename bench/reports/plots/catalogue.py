"""Every plot of scores by name; drawing several into a folder, with their captions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError, unknown_name
from bench.measures.catalogue import curve_measures, layout_of
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.plots import attributes, sequences, vot
from bench.reports.plots.curves import PlotFunction, curve_plots, ranking
from bench.reports.plots.entries import Looks
from bench.reports.plots.style import FORMATS, Plot, save
from bench.scores import BenchmarkScores

PLOTS: dict[str, PlotFunction] = {
    **curve_plots(),
    "ar": vot.accuracy_robustness,
    "ranking": ranking,
    "speed": vot.speed,
    "radar": attributes.radar,
    "attributes": attributes.differences,
    "sequences": sequences.heat_map,
}


FROM_RESULTS = ("failures", "strip")
"""Plots of raw results, which scores alone do not allow."""


@dataclass(frozen=True)
class Drawn:
    """The outcome of drawing plots.

    Attributes:
        paths: the files written, by plot.
        plots: what was drawn, by plot.
        skipped: the reason, by plot, why these scores do not allow it.
    """

    paths: dict[str, list[Path]]
    plots: dict[str, Plot]
    skipped: dict[str, str]


def plots_of(experiment: str) -> tuple[str, ...]:
    """Names of the plots that an experiment has."""
    layout = layout_of(experiment)
    shown = {measure.name for measure in (*layout.columns, *layout.presence)}
    needs = {axis.curve: measure.name for measure, axis in curve_measures()}
    needs["ar"] = "reliability"
    return tuple(name for name in PLOTS if name not in needs or needs[name] in shown)


def check_names(wanted: Iterable[str], known: Iterable[str]) -> None:
    """Check that plots, or formats, exist.

    Raises:
        ConfigError: one does not; the message lists those that do.
    """
    names = list(known)
    for name in wanted:
        if name not in names:
            raise unknown_name("plot" if "success" in names else "format", name, names)


def draw_plots(
    scores: BenchmarkScores,
    folder: Path,
    names: Iterable[str] | None = None,
    formats: Iterable[str] = FORMATS,
    looks: Looks | None = None,
    options: FigureOptions = DEFAULT,
) -> Drawn:
    """Draw plots of one benchmark as ``folder/<plot>.<format>``.

    Args:
        scores: of one benchmark.
        folder: created if it does not exist.
        names: plots to draw; by default every plot of the experiment that the scores allow.
        formats: any of pdf, svg and png.
        looks: by tracker; by default, those of all scored and refused trackers.
        options: how to draw.

    Raises:
        ConfigError: a name or format is unknown, a requested plot cannot be drawn, or a file
            cannot be written.
    """
    endings = tuple(formats)
    chosen = tuple(plots_of(scores.experiment) if names is None else names)
    check_names(chosen, PLOTS)
    check_names(endings, FORMATS)
    drawn = Drawn({}, {}, {})
    for name in chosen:
        try:
            plot = PLOTS[name](scores, looks=looks, options=options)
        except ConfigError as error:
            if names is not None:
                raise
            drawn.skipped[name] = str(error)
        else:
            drawn.paths[name] = save(plot, folder, name, endings)
            drawn.plots[name] = plot
    return drawn
