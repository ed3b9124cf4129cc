"""How plots look: sizes, fonts, lines and markers, title, legend and footnote."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ParamSpec

from bench.errors import ConfigError
from bench.files import write_atomically
from bench.reports.palette import DASHES, Look
from bench.reports.text_drawing import drawable, width_in_points, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN, PAGE = 3.3, 6.9
"""Widths in inches of one column and of both, in a paper with two columns."""
TALLEST = 8.2
"""Height in inches that panels may have, so that they fit a page with title and footnote."""
FORMATS = ("pdf", "svg", "png")
SMALL, _LABEL, _TITLE = 7.0, 7.5, 8.5  # points; nothing is smaller than 7
_LINE = 1.3 * SMALL / 72  # inches
_FOOTNOTES = 7  # lines; captions.md has the rest

_FONT, _RULE = "DejaVu Sans", 0.6
_STYLE: dict[str, Any] = {
    "font.family": [_FONT],
    "font.size": SMALL,
    "axes.titlesize": _TITLE,
    "axes.labelsize": _LABEL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.linewidth": _RULE,
    "axes.edgecolor": "0.3",
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "text.usetex": False,
    "text.parse_math": False,  # names may contain dollar signs
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "bench",  # the same picture gives the same file
}
_NO_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
Parameters = ParamSpec("Parameters")
Key = tuple[Any, str]
"""An artist and its label in the legend."""


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure and the notes on it; notebooks display it.

    Attributes:
        figure: complete; the caller's own if the plot was drawn into given axes.
        notes: all of them, including those that the footnote has no room for.
    """

    figure: Figure
    notes: tuple[str, ...]

    def savefig(self, target: str | Path | IO[bytes], **options: Any) -> None:
        """Write the figure to a file or stream; options as in ``Figure.savefig``."""
        with styled():
            self.figure.savefig(target, **{"dpi": 300, **options})

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=150)
        return stream.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """Use our style inside the block; matplotlib's settings are unchanged afterwards."""
    import matplotlib

    settings: Any = {**matplotlib.rcParamsDefault, **_STYLE}
    settings.pop("backend")  # naming one would select it for the whole process
    with matplotlib.rc_context(settings):
        yield


def in_style(draw: Callable[Parameters, Plot]) -> Callable[Parameters, Plot]:
    """Decorator of a function that draws, which then draws in our style."""

    @wraps(draw)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Plot:
        with styled():
            return draw(*args, **kwargs)

    return drawn


def line_of(look: Look, *, marked: bool = False) -> dict[str, Any]:
    """Colour and dashes as keywords of ``plot``; ``marked`` adds sparse markers."""
    dashes = DASHES[look.dash]
    line = {"color": look.hex, "linestyle": (0, dashes) if dashes else "-"}
    return {**line, "marker": look.marker, "markersize": 3, "markevery": 0.15} if marked else line


def marker_of(look: Look) -> dict[str, Any]:
    """Colour and marker as keywords of ``plot``."""
    return {"color": look.hex, "marker": look.marker}


@dataclass(frozen=True, eq=False)
class Sheet:
    """The panels of a plot: those of a new figure, or the axes that the caller gave.

    Attributes:
        panels: to draw in.
        own: whether the figure is ours, so that it gets title, legend and footnote.
    """

    panels: tuple[Axes, ...]
    own: bool

    @property
    def figure(self) -> Figure:
        """The whole figure, even if the panels are in a part of it."""
        figure: Figure = self.panels[0].figure.figure
        return figure

    def finish(self, title: str, notes: Sequence[str], keys: Sequence[Key] = ()) -> Plot:
        """Add title and legend, and the footnote to a figure of ours."""
        for panel in self.panels:
            _dress(panel)
        if self.own:
            return finish(self.figure, title, notes, keys)
        (panel,) = self.panels
        points = panel.get_window_extent().width / self.figure.dpi * 72
        lines = _heading(title, points)
        panel.set_title("\n".join(lines), loc="left", fontweight="bold", fontsize=_TITLE)
        if keys:
            handles, labels = _handles_and_labels(keys)
            panel.legend(handles, labels, labelspacing=0.25, frameon=True, edgecolor="none")
        return Plot(self.figure, tuple(notes))


def new_sheet(
    axes: Axes | None = None,
    *,
    size: tuple[float, float] = (COLUMN, 2.3),
    panels: int = 1,
    projection: str = "rectilinear",
) -> Sheet:
    """Panels to draw in: the given axes, or ``panels`` side by side in a new figure.

    Args:
        axes: the caller's, if any.
        size: width and height of a new figure in inches, without title, legend and footnote.
        panels: their number in a new figure.
        projection: of the panels.

    Raises:
        ConfigError: the given axes have another projection.
    """
    if axes is not None:
        if axes.name != projection:
            raise ConfigError(
                f"expected {projection} axes, found {axes.name} ones. Make them with "
                f"figure.add_subplot(projection={projection!r})."
            )
        return Sheet((axes,), own=False)
    figure = new_figure(*size)
    grid = figure.subplots(1, panels, squeeze=False, subplot_kw={"projection": projection})
    return Sheet(tuple(grid[0]), own=True)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, whose panels leave room for their labels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _dress(axes: Axes) -> None:
    """Apply what axes made elsewhere, or ticks made later, would not take from the style."""
    from matplotlib.text import Text

    for side in {"top", "right"} & set(axes.spines):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=SMALL, width=_RULE)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(_LABEL)
    axes.set_axisbelow(True)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.findobj(Text)):
        text.set(parse_math=False, fontfamily=_FONT)


def grid(axes: Axes, which: str = "both") -> None:
    """Draw thin grid lines across one axis or both, ``"x"``, ``"y"`` or ``"both"``."""
    axes.grid(visible=False)
    axes.grid(visible=True, axis=which, color="0.9", linewidth=0.5)  # type: ignore[arg-type]


def finish(figure: Figure, title: str, notes: Sequence[str], keys: Sequence[Key] = ()) -> Plot:
    """Add title, legend and footnote, and height for those below the panels.

    Args:
        figure: its height is that of the panels.
        title: of the whole figure.
        notes: of the footnote; its last line counts those that do not fit.
        keys: of the legend.
    """
    width, height = figure.get_size_inches()
    room = (width - 0.08) * 72
    heading = _heading(title, room)
    lines = _footnote(notes, room)
    figure.suptitle("\n".join(heading), x=0.01, ha="left", fontsize=_TITLE, fontweight="bold")
    if keys:
        figure.legend(
            *_handles_and_labels(keys), loc="lower left", ncols=_columns(keys, room),
            columnspacing=1.2, borderaxespad=0.2, labelspacing=0.25,
        )  # fmt: skip
    foot = len(lines) * _LINE + 0.06
    legends = sum(each.get_window_extent().height / figure.dpi + 0.05 for each in figure.legends)
    height += foot + legends + 0.13 * (len(heading) - 1)
    figure.set_size_inches(width, height)
    figure.text(0.01, 0.02 / height, "\n".join(lines), va="bottom", color="0.35", linespacing=1.25)
    for each in figure.legends:
        each.set_bbox_to_anchor((0, foot / height, 1, 0.5), figure.transFigure)
    below = (foot + legends) / height
    if engine := figure.get_layout_engine():
        engine.set(rect=(0, below, 1, 1 - below))  # type: ignore[call-arg]
    figure.draw_without_rendering()  # creates every tick while the style holds
    return Plot(figure, tuple(notes))


def _heading(title: str, room: float) -> list[str]:
    """The title in lines of at most ``room`` points."""
    return [line.strip() for line in wrapped(drawable(title), _TITLE, room, bold=True)]


def _handles_and_labels(keys: Sequence[Key]) -> tuple[list[Any], list[str]]:
    return [handle for handle, _ in keys], [label for _, label in keys]


def _columns(keys: Sequence[Key], room: float) -> int:
    """Number of legend columns that fit: a handle, its distance, the text, and a gap."""
    widest = max(width_in_points(label, SMALL) for _, label in keys)
    return max(1, min(len(keys), int((room + 1.2 * SMALL) / (widest + 4.8 * SMALL))))


def _footnote(notes: Sequence[str], room: float) -> list[str]:
    """The notes in lines of at most ``room`` points, and the number of notes left out."""
    lines: list[str] = []
    for shown, note in enumerate(notes):
        more = wrapped(drawable(note), SMALL, room)
        if len(lines) + len(more) > _FOOTNOTES:
            rest = len(notes) - shown
            return [*lines, f"{rest} more note{'s' * (rest > 1)}: see captions.md"]
        lines += more
    return lines


def save(plot: Plot, folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Write a plot as ``folder/name.<format>``, each file whole or not at all.

    Raises:
        ConfigError: a file cannot be written.
    """
    paths = []
    for ending in formats:
        path = folder / f"{name}.{ending}"
        stream = io.BytesIO()
        plot.savefig(stream, format=ending, metadata=_NO_DATE.get(ending, {}))
        try:
            write_atomically(path, stream.getvalue())
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
        paths.append(path)
    return paths
