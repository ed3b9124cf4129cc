"""Every plot of scores by name, and drawing several of them into a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError, unknown_name
from bench.files import write_atomically
from bench.reports.plots import attributes, curves, ranking, sequences, vot
from bench.reports.plots.style import FORMATS, Plot, heading_of, notes_of, save, sentence, styled
from bench.reports.text_drawing import drawable
from bench.scores import BenchmarkScores

_MARKUP = re.compile(r"[\\`*_<>\[\]|$&]")
_ONE_PASS = ("success", "precision", "normalized_precision")
_RESETS = ("expected_overlap", "ar")
PLOTS: dict[str, Callable[[BenchmarkScores], Plot]] = {
    "success": curves.success,
    "precision": curves.precision,
    "normalized_precision": curves.normalized_precision,
    "expected_overlap": curves.expected_overlap,
    "ar": vot.accuracy_robustness,
    "ranking": ranking.ranking,
    "speed": vot.speed,
    "radar": attributes.radar,
    "attributes": attributes.bars,
    "sequences": sequences.heat_map,
}


@dataclass(frozen=True)
class Drawn:
    """What became of the plots asked for.

    Attributes:
        paths: the files written, by plot.
        notes: what is said of each plot.
        skipped: why a plot cannot be drawn of these scores, by plot.
    """

    paths: dict[str, list[Path]]
    notes: dict[str, tuple[str, ...]]
    skipped: dict[str, str]


def plots_of(experiment: str) -> tuple[str, ...]:
    """Names of the plots that an experiment has."""
    others = {"onepass": _RESETS, "unsupervised": _ONE_PASS + _RESETS}.get(experiment, _ONE_PASS)
    return tuple(name for name in PLOTS if name not in others)


def check_names(wanted: Iterable[str], known: Iterable[str]) -> None:
    """Check that plots, or formats, exist.

    Raises:
        ConfigError: one does not; the message lists those there are.
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
) -> Drawn:
    """Draw plots of one benchmark as ``folder/<plot>.<format>``.

    Args:
        scores: of one benchmark.
        folder: made if it is not there.
        names: those to draw; by default every one of the experiment that its scores allow.
        formats: of pdf, svg and png.

    Raises:
        ConfigError: a name or format is not known, a plot that was asked for cannot be drawn,
            or a file cannot be written.
    """
    endings = tuple(formats)
    chosen = tuple(plots_of(scores.experiment) if names is None else names)
    check_names(chosen, PLOTS)
    check_names(endings, FORMATS)
    drawn = Drawn({}, {}, {})
    for name in chosen:
        with styled():
            try:
                plot = PLOTS[name](scores)
            except ConfigError as error:
                if names is not None:
                    raise
                drawn.skipped[name] = str(error)
            else:
                drawn.paths[name] = save(plot.figure, folder, name, endings)
                drawn.notes[name] = plot.notes
    return drawn


def write_captions(
    scores: BenchmarkScores, folder: Path, notes: Mapping[str, tuple[str, ...]]
) -> Path:
    """Write ``captions.md``: everything that must be said beside these plots, nothing cut.

    Args:
        scores: what was drawn.
        folder: where the plots lie.
        notes: what is said of each plot.

    Raises:
        ConfigError: it cannot be written.
    """
    path = folder / "captions.md"
    common = notes_of(scores)
    refused = [f"not drawn: {name}: {reason}" for name, reason in scores.refused.items()]
    lines = [f"# {heading_of(scores)}", "", *_listed([*common, *refused])]
    for name, said in notes.items():
        lines += ["", f"## {name}", "", *_listed([note for note in said if note not in common])]
    try:
        write_atomically(path, "\n".join([*lines, ""]).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _listed(notes: list[str]) -> list[str]:
    """Notes as a Markdown list in which no name is markup."""
    return [f"* {_MARKUP.sub(_escaped, drawable(sentence(note)))}" for note in notes]


def _escaped(sign: re.Match[str]) -> str:
    return f"\\{sign.group()}"
