"""How plots look: sizes, fonts, lines and markers, title, legend and footnote."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec

import numpy as np

from bench.errors import ConfigError
from bench.files import write_atomically
from bench.reports.options import DEFAULT, FigureOptions
from bench.reports.palette import DASHES, Look
from bench.reports.text_drawing import drawable, width_in_points, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

FORMATS = ("pdf", "svg", "png")
_FOOTNOTES = 7  # lines; captions.md has the rest
_CORNERS = ("lower left", "lower right", "upper right", "upper left")
_RULE = 0.6
_NO_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
Parameters = ParamSpec("Parameters")


class Key(NamedTuple):
    """An artist and its label in the legend."""

    artist: Any
    label: str
    bold: bool = False


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure and the notes on it; notebooks display it.

    Attributes:
        figure: complete; the caller's own if the plot was drawn into given axes.
        notes: all of them, including those that the figure has no room for, or does not carry.
        title: what it shows, and of which benchmark.
        options: it was drawn with.
        keys: of its legend, also where the figure has none.
    """

    figure: Figure
    notes: tuple[str, ...]
    title: str = ""
    options: FigureOptions = DEFAULT
    keys: tuple[Key, ...] = ()

    @property
    def caption(self) -> str:
        """Title and notes as sentences."""
        title = self.title.replace(": ", " on ", 1)
        return " ".join(_sentence(part) for part in (title, *self.notes))

    def savefig(self, target: str | Path | IO[bytes], **options: Any) -> None:
        """Write the figure to a file or stream; options as in ``Figure.savefig``."""
        with styled(self.options):
            self.figure.savefig(target, **{"dpi": 300, **options})

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=150)
        return stream.getvalue()


def _sentence(text: str) -> str:
    """
    >>> _sentence("in brackets: EAO")
    'In brackets: EAO.'
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _settings(options: FigureOptions) -> dict[str, Any]:
    sizes = options.sizes
    return {
        "font.family": [options.typeface.family],
        "font.size": sizes.small,
        "axes.titlesize": sizes.title,
        "axes.labelsize": sizes.label,
        "xtick.labelsize": sizes.small,
        "ytick.labelsize": sizes.small,
        "legend.fontsize": sizes.small,
        "legend.frameon": False,
        "legend.handlelength": 2.6,
        "axes.linewidth": _RULE * sizes.line,
        "axes.edgecolor": "0.3",
        "lines.linewidth": 1.2 * sizes.line,
        "hatch.linewidth": 0.5,
        "text.usetex": False,
        "text.parse_math": False,  # names may contain dollar signs
        "pdf.fonttype": 42,
        "svg.fonttype": "none" if sizes.written else "path",
        "svg.hashsalt": "bench",  # the same picture gives the same file
    }


@contextmanager
def styled(options: FigureOptions = DEFAULT) -> Iterator[None]:
    """Use our style inside the block; matplotlib's settings are unchanged afterwards."""
    import matplotlib

    settings: Any = {**matplotlib.rcParamsDefault, **_settings(options)}
    settings.pop("backend")  # naming one would select it for the whole process
    with matplotlib.rc_context(settings):
        yield


def in_style(draw: Callable[Parameters, Plot]) -> Callable[Parameters, Plot]:
    """Decorator of a function that draws, which then draws in the style of its ``options``."""

    @wraps(draw)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Plot:
        options = kwargs.get("options", DEFAULT)
        with styled(options if isinstance(options, FigureOptions) else DEFAULT):
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
        options: to draw with.
    """

    panels: tuple[Axes, ...]
    own: bool
    options: FigureOptions = DEFAULT

    @property
    def figure(self) -> Figure:
        """The whole figure, even if the panels are in a part of it."""
        figure: Figure = self.panels[0].figure.figure
        return figure

    def finish(self, title: str, notes: Sequence[str], keys: Sequence[Key] = ()) -> Plot:
        """Add title and legend, and the footnote to a figure of ours."""
        for panel in self.panels:
            _dress(panel, self.options)
        if self.own:
            _fold_labels(self)
            return finish(self.figure, title, notes, keys, self.options)
        (panel,) = self.panels
        points = panel.get_window_extent().width / self.figure.dpi * 72
        if self.options.sizes.titled:
            lines = _heading(title, points, self.options)
            panel.set_title("\n".join(lines), loc="left", fontweight="bold")
        if keys and self.options.legend != "none":
            _legend(panel, keys, labelspacing=0.25, frameon=True, edgecolor="none")
        return Plot(self.figure, tuple(notes), title, self.options, tuple(keys))


def new_sheet(
    axes: Axes | None,
    options: FigureOptions,
    height: float,
    *,
    own: Literal["column", "text"] = "column",
    panels: int = 1,
    projection: str = "rectilinear",
) -> Sheet:
    """Panels to draw in: the given axes, or ``panels`` side by side in a new figure.

    Args:
        axes: the caller's, if any.
        options: which give the width of a new figure.
        height: of a new figure in inches, without title, legend and footnote.
        own: the plot's own width.
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
        return Sheet((axes,), False, options)
    figure = new_figure(options.inches(own), height)
    grid = figure.subplots(1, panels, squeeze=False, subplot_kw={"projection": projection})
    return Sheet(tuple(grid[0]), True, options)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, whose panels leave room for their labels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _dress(axes: Axes, options: FigureOptions) -> None:
    """Apply what axes made elsewhere, or ticks made later, would not take from the style."""
    from matplotlib.text import Text

    for side in {"top", "right"} & set(axes.spines):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=options.sizes.small, width=_RULE * options.sizes.line)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(options.sizes.label)
    axes.set_axisbelow(True)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.findobj(Text)):
        text.set(parse_math=False, fontfamily=options.typeface.family)


def _fold_labels(sheet: Sheet) -> None:
    """Continue labels of axes that would leave the figure in a second line."""
    figure, options = sheet.figure, sheet.options
    figure.draw_without_rendering()
    whole = figure.get_size_inches() * 72
    for panel in sheet.panels:
        box = panel.get_window_extent()
        middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        for label, at, room in zip(
            (panel.xaxis.label, panel.yaxis.label), middle, whole, strict=True
        ):
            points = at / figure.dpi * 72
            free = 2 * (min(points, room - points) - options.sizes.title)  # the title goes
            lines = wrapped(label.get_text(), options.sizes.label, free, options.typeface)
            label.set_text("\n".join(line.strip() for line in lines))


def grid(axes: Axes, which: str = "both") -> None:
    """Draw thin grid lines across one axis or both, ``"x"``, ``"y"`` or ``"both"``."""
    axes.grid(visible=False)
    axes.grid(visible=True, axis=which, color="0.9", linewidth=0.5)  # type: ignore[arg-type]


def finish(
    figure: Figure,
    title: str,
    notes: Sequence[str],
    keys: Sequence[Key],
    options: FigureOptions = DEFAULT,
) -> Plot:
    """Add title, legend and footnote, as the style has them, and height for those below.

    Args:
        figure: its height is that of the panels.
        title: of the whole figure.
        notes: of the footnote; its last line counts those that do not fit.
        keys: of the legend.
        options: to draw with.
    """
    width, height = figure.get_size_inches()
    sizes, room = options.sizes, (width - 0.1) * 72
    heading = _heading(title, room, options) if sizes.titled else []
    lines = _footnote(notes, room, options) if sizes.noted else []
    if heading:
        figure.suptitle("\n".join(heading), x=0.01, ha="left", fontsize=sizes.title, weight="bold")
    if keys and options.legend != "none" and not _placed_inside(figure, keys, options):
        below = _legend(
            figure, keys, loc="lower left", ncols=_columns(keys, room, options),
            columnspacing=1.2, borderaxespad=0.2, labelspacing=0.25,
        )  # fmt: skip
        legends = below.get_window_extent().height / figure.dpi + 0.05
    else:
        legends = 0.0
    foot = len(lines) * 1.3 * sizes.small / 72 + 0.06 * bool(lines)
    height += foot + legends + sizes.title / 72 * (1.1 * len(heading) - 1)
    figure.set_size_inches(width, height)
    if lines:
        figure.text(
            0.01, 0.02 / height, "\n".join(lines), va="bottom", color="0.35", linespacing=1.25
        )
    for each in figure.legends:
        each.set_bbox_to_anchor((0, foot / height, 1, 0.5), figure.transFigure)
    below_panels = (foot + legends) / height
    if engine := figure.get_layout_engine():
        engine.set(rect=(0, below_panels, 1, 1 - below_panels))  # type: ignore[call-arg]
    figure.draw_without_rendering()  # creates every tick while the style holds
    return Plot(figure, tuple(notes), title, options, tuple(keys))


def _heading(title: str, room: float, options: FigureOptions) -> list[str]:
    """The title in lines of at most ``room`` points."""
    font, size = options.typeface, options.sizes.title
    return [line.strip() for line in wrapped(drawable(title, font), size, room, font, bold=True)]


def _legend(parent: Axes | Figure, keys: Sequence[Key], **how: Any) -> Legend:
    handles, labels = [key.artist for key in keys], [key.label for key in keys]
    legend: Legend = parent.legend(handles, labels, **how)
    for text, key in zip(legend.get_texts(), keys, strict=True):
        text.set_fontweight("bold" if key.bold else "normal")
    return legend


def _placed_inside(figure: Figure, keys: Sequence[Key], options: FigureOptions) -> bool:
    """Put the legend into a free corner of the only panel, if that is wanted and there is one."""
    if options.legend != "inside" or len(figure.axes) != 1 or figure.axes[0].name == "polar":
        return False
    (panel,) = figure.axes
    for corner in _CORNERS:
        legend = _legend(
            panel, keys, loc=corner, labelspacing=0.2, handlelength=2.2, borderaxespad=0.4,
            frameon=True, framealpha=1, edgecolor="0.8", fancybox=False, borderpad=0.3,
        )  # fmt: skip
        legend.get_frame().set_linewidth(0.5)
        legend.set_in_layout(False)
        figure.draw_without_rendering()
        if not _hides(panel, legend):
            return True
        legend.remove()
    return False


def _hides(panel: Axes, legend: Legend) -> bool:
    """Whether a legend lies over a line or a marker, or beyond its panel."""
    box, inside = legend.get_window_extent(), panel.get_window_extent()
    if box.width > inside.width or box.height > inside.height:
        return True
    paths = (line.get_path().transformed(line.get_transform()) for line in panel.lines)
    return any(
        path.intersects_bbox(box, filled=False) or box.count_contains(path.vertices)
        for path in paths
    )


def _columns(keys: Sequence[Key], room: float, options: FigureOptions) -> int:
    """Number of legend columns that fit: a handle, its distance, the text, and a gap, each."""
    small, font = options.sizes.small, options.typeface
    texts = [width_in_points(key.label, small, font, bold=key.bold) for key in keys]

    def width(columns: int) -> float:
        whole = sum(float(max(part)) for part in np.array_split(texts, columns))
        return whole + columns * 3.6 * small + (columns - 1) * 1.2 * small

    return next((n for n in range(len(keys), 1, -1) if width(n) <= room), 1)


def _footnote(notes: Sequence[str], room: float, options: FigureOptions) -> list[str]:
    """The notes in lines of at most ``room`` points, and the number of notes left out."""
    lines: list[str] = []
    font = options.typeface
    for shown, note in enumerate(notes):
        more = wrapped(drawable(note, font), options.sizes.small, room, font)
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
