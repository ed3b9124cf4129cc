"""Every plot of scores by name; drawing several into a folder, with their captions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError, unknown_name
from bench.files import write_atomically
from bench.measures.catalogue import curve_measures, layout_of
from bench.reports.escaping import without_folders
from bench.reports.notes import heading_of
from bench.reports.plots import attributes, sequences, vot
from bench.reports.plots.curves import PlotFunction, curve_plots, ranking
from bench.reports.plots.entries import Looks
from bench.reports.plots.style import FORMATS, save
from bench.reports.text_drawing import drawable
from bench.scores import BenchmarkScores

_MARKUP = re.compile(r"[\\`*_<>\[\]|$&]")
PLOTS: dict[str, PlotFunction] = {
    **curve_plots(),
    "ar": vot.accuracy_robustness,
    "ranking": ranking,
    "speed": vot.speed,
    "radar": attributes.radar,
    "attributes": attributes.bars,
    "sequences": sequences.heat_map,
}


@dataclass(frozen=True)
class Drawn:
    """The outcome of drawing plots.

    Attributes:
        paths: the files written, by plot.
        notes: the notes on each plot.
        skipped: the reason, by plot, why these scores do not allow it.
    """

    paths: dict[str, list[Path]]
    notes: dict[str, tuple[str, ...]]
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
) -> Drawn:
    """Draw plots of one benchmark as ``folder/<plot>.<format>``.

    Args:
        scores: of one benchmark.
        folder: created if it does not exist.
        names: plots to draw; by default every plot of the experiment that the scores allow.
        formats: any of pdf, svg and png.
        looks: by tracker; by default, those of all scored and refused trackers.

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
            plot = PLOTS[name](scores, looks=looks)
        except ConfigError as error:
            if names is not None:
                raise
            drawn.skipped[name] = str(error)
        else:
            drawn.paths[name] = save(plot, folder, name, endings)
            drawn.notes[name] = plot.notes
    return drawn


def write_captions(
    scores: BenchmarkScores, folder: Path, notes: Mapping[str, tuple[str, ...]]
) -> Path:
    """Write ``captions.md``: all notes on these plots, in full.

    Args:
        scores: that were drawn.
        folder: of the plots.
        notes: on each plot.

    Raises:
        ConfigError: the file cannot be written.
    """
    path = folder / "captions.md"
    first, *others = notes.values() or [()]
    common = [note for note in first if others and all(note in each for each in others)]
    refused = [f"not drawn: {name}: {why}" for name, why in scores.refused.items()]
    lines = [f"# {heading_of(scores)}", "", *_bullets([*common, *refused])]
    for name, each in notes.items():
        own = [note for note in each if note not in common]
        lines += ["", f"## {name}", "", *_bullets(own)] if own else []
    try:
        write_atomically(path, "\n".join([*lines, ""]).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _bullets(notes: list[str]) -> list[str]:
    """Notes as a Markdown list, with markup in names escaped and folders removed."""
    return [f"* {_MARKUP.sub(_escaped, drawable(without_folders(note)))}" for note in notes]


def _escaped(sign: re.Match[str]) -> str:
    return f"\\{sign.group()}"
