"""How every plot looks: sizes, fonts, lines that differ in grey too, title and footnote."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError
from bench.files import write_atomically
from bench.reports.palette import colour_of, hex_of
from bench.reports.text_drawing import drawable, legible
from bench.scores import BenchmarkScores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN, PAGE = 3.3, 6.9
"""Widths in inches of one column and of two, of a paper set in two columns."""
NAMED = 20
"""So many trackers have a line and a name of their own; the others are a grey background."""
FORMATS = ("pdf", "svg", "png")
_SMALL, _TITLE = 7.0, 8.5  # points; nothing is smaller than 7
_LINE = 1.3 * _SMALL / 72  # inches
_FOOTNOTES = 7  # lines; what is left over stands in captions.md only

# Five dash patterns and twelve markers beside seven colours: the pairs repeat after 35 and 84.
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.4)),
    (0, (1.2, 1.2)),
    (0, (6, 1.4, 1.2, 1.4)),
    (0, (2.6, 1)),
)
MARKERS = "oDs^v<>PXhpd"
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": _SMALL,
    "axes.titlesize": _TITLE,
    "axes.labelsize": 7.5,
    "xtick.labelsize": _SMALL,
    "ytick.labelsize": _SMALL,
    "legend.fontsize": _SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "0.3",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "text.usetex": False,
    "text.parse_math": False,  # a name may hold dollar signs
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "bench",  # the same picture is the same file
}
_NO_DATE: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure with what is said of it.

    Attributes:
        figure: complete.
        notes: all of them; the figure's footnote has those there is room for.
    """

    figure: Figure
    notes: tuple[str, ...]


@contextmanager
def styled() -> Iterator[None]:
    """Within, matplotlib draws as ours; outside, its settings are as they were."""
    import matplotlib

    settings: Any = {**matplotlib.rcParamsDefault, **_STYLE}
    settings.pop("backend")  # naming one would choose it for the whole process
    with matplotlib.rc_context(settings):
        yield


def new_figure(width: float = COLUMN, height: float = 2.3) -> Figure:
    """An empty figure whose panels leave room for what is written around them; inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def line_of(index: int) -> dict[str, Any]:
    """Colour and dashes of the tracker at a place of the ranking, as keywords of ``plot``."""
    return {"color": hex_of(colour_of(index)), "linestyle": DASHES[index % len(DASHES)]}


def marker_of(index: int) -> dict[str, Any]:
    """Colour and marker of the tracker at a place of the ranking, as keywords of ``plot``."""
    return {"color": hex_of(colour_of(index)), "marker": MARKERS[index % len(MARKERS)]}


def label_of(name: str) -> str:
    """A name as it stands in a plot."""
    return legible(name)


def heading_of(scores: BenchmarkScores) -> str:
    """Benchmark and experiment, in capitals what they are not.

    A stand-in must not be taken for the benchmark by somebody who sees the plot alone.
    """
    marks = [caveat.partition(":")[0].upper() for caveat in scores.caveats]
    if scores.partial and not marks:
        marks = ["PARTIAL RESULTS"]
    experiment = () if scores.experiment == "onepass" else (scores.experiment,)
    return ", ".join((get_benchmark(scores.benchmark).title, *experiment, *marks))


def notes_of(scores: BenchmarkScores, *own: str) -> list[str]:
    """What must be said beside a plot: its own remarks first, then the scores'."""
    refused = ", ".join(map(label_of, scores.refused))
    broken = [f"not drawn, results broken or missing: {refused}"] if refused else []
    plural = "s" * (scores.sequences != 1)
    conventions = [f"convention {scores.convention}, {scores.sequences} sequence{plural}"]
    conventions += [f"not the official definition: {each}" for each in scores.differences]
    official = get_benchmark(scores.benchmark).notes
    return [*own, *scores.caveats, *conventions, *broken, *_tracker_notes(scores), *official]


def _tracker_notes(scores: BenchmarkScores) -> list[str]:
    """Each note of a tracker once, with the names of those it is of."""
    about: dict[str, list[str]] = {}
    for name, tracker in scores.trackers.items():
        for note in tracker.notes:
            about.setdefault(note, []).append(label_of(name))
    return [f"{note} ({', '.join(names)})" for note, names in about.items()]


def legend_below(figure: Figure, handles: list[Any], labels: list[str]) -> None:
    """A legend for ``finish`` to place beneath the panels, in as many columns as fit."""
    longest = max(map(len, labels), default=0)
    room = figure.get_size_inches()[0] * 72 / (0.58 * _SMALL)
    columns = max(1, min(len(labels), int(room / (longest + 7))))
    figure.legend(
        handles, labels, loc="lower left", ncols=columns, columnspacing=1.2,
        borderaxespad=0.2, labelspacing=0.25,
    )  # fmt: skip


def finish(figure: Figure, title: str, notes: list[str]) -> Plot:
    """Add title and footnote and make room for them, and for legends, beneath the panels.

    Args:
        figure: with its panels drawn, whose height is meant for these alone.
        title: of the whole figure.
        notes: of the footnote; those that do not fit are counted in its last line.
    """
    width, height = figure.get_size_inches()
    lines = _footnote(notes, width)
    heading = textwrap.wrap(drawable(title), round(width * 72 / (0.66 * _TITLE)))
    figure.suptitle("\n".join(heading), x=0.01, ha="left", fontsize=_TITLE, fontweight="bold")
    foot = len(lines) * _LINE + 0.06
    legends = sum(each.get_window_extent().height / figure.dpi + 0.05 for each in figure.legends)
    height += foot + legends + 0.13 * (len(heading) - 1)
    figure.set_size_inches(width, height)
    figure.text(0.01, 0.02 / height, "\n".join(lines), va="bottom", color="0.35", linespacing=1.25)
    for each in figure.legends:
        each.set_bbox_to_anchor((0, foot / height, 1, 0.5), figure.transFigure)
    beneath = (foot + legends) / height
    if engine := figure.get_layout_engine():
        engine.set(rect=(0, beneath, 1, 1 - beneath))  # type: ignore[call-arg]
    return Plot(figure, tuple(notes))


def _footnote(notes: list[str], width: float) -> list[str]:
    """The notes in lines of the figure's width, and how many there was no room for."""
    room = round((width - 0.1) * 72 / (0.53 * _SMALL))
    lines: list[str] = []
    for shown, note in enumerate(notes):
        more = textwrap.wrap(drawable(sentence(note)), room)
        if len(lines) + len(more) > _FOOTNOTES:
            rest = len(notes) - shown
            return [*lines, f"{rest} more note{'s' * (rest > 1)}: see captions.md."]
        lines += more
    return lines


def sentence(note: str) -> str:
    """
    >>> sentence("in brackets: EAO")
    'In brackets: EAO.'
    """
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."


def save(figure: Figure, folder: Path, name: str, formats: tuple[str, ...]) -> list[Path]:
    """Write a figure as ``folder/name.<format>``, each file whole or not at all.

    Raises:
        ConfigError: a file cannot be written.
    """
    paths = []
    for ending in formats:
        path = folder / f"{name}.{ending}"
        stream = io.BytesIO()
        figure.savefig(stream, format=ending, dpi=300, metadata=_NO_DATE[ending])
        try:
            write_atomically(path, stream.getvalue())
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
        paths.append(path)
    return paths
