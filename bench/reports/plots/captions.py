"""``captions.md``: what stands under each figure, to paste, and the LaTeX that includes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.errors import ConfigError
from bench.files import write_atomically
from bench.reports.escaping import escape_latex, without_folders
from bench.reports.notes import heading_of
from bench.reports.options import COLUMN
from bench.reports.plots.style import Plot
from bench.reports.text_drawing import drawable
from bench.scores import BenchmarkScores

_MARKUP = re.compile(r"[\\`*_<>\[\]|$&]")


def write_captions(scores: BenchmarkScores, folder: Path, plots: Mapping[str, Plot]) -> Path:
    """Write ``captions.md``: the caption of every plot, with all of its notes.

    Args:
        scores: that were drawn.
        folder: of the plots.
        plots: by name.

    Raises:
        ConfigError: the file cannot be written.
    """
    path = folder / "captions.md"
    lines = [f"# {heading_of(scores)}", ""]
    lines += [f"* not drawn: {_text(f'{name}: {why}')}" for name, why in scores.refused.items()]
    for name, plot in plots.items():
        lines += ["", f"## {name}", "", _text(plot.caption), "", *_latex(scores, name, plot)]
    try:
        write_atomically(path, "\n".join([*lines, ""]).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _latex(scores: BenchmarkScores, name: str, plot: Plot) -> Iterator[str]:
    """A figure that includes the plot; nothing without the library that escapes names."""
    try:
        caption = escape_latex(without_folders(plot.caption))
    except ConfigError as error:
        yield f"No LaTeX: {error}"
        return
    wide = plot.figure.get_size_inches()[0] > 1.1 * COLUMN
    figure = "figure*" if wide else "figure"
    yield from (
        "```latex",
        rf"\begin{{{figure}}}[t]",
        r"\centering",
        rf"\includegraphics{{{name}}}",
        rf"\caption{{{caption}}}",
        rf"\label{{fig:{scores.benchmark}-{name.replace('_', '-')}}}",
        rf"\end{{{figure}}}",
        "```",
    )


def _text(note: str) -> str:
    """A note with markup in names escaped and folders removed."""
    return _MARKUP.sub(lambda sign: f"\\{sign.group()}", drawable(without_folders(note)))
