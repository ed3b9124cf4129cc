"""What a person may choose about figures and tables: records for command line, file, Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from bench.errors import ConfigError, unknown_name
from bench.reports.text_drawing import Font, font_of_file, sans, serif
from bench.signatures import separated

COLUMN, PAGE = 3.25, 6.85
"""Widths in inches of one column and of both, in a paper with two columns (CVPR)."""
_CM = 2.54
_NARROWEST, _WIDEST = 4.0, 60.0  # cm


@dataclass(frozen=True)
class Style:
    """Sizes of a style where it is printed or shown.

    Attributes:
        small, label, title: font sizes in points; nothing is smaller than the first.
        line: factor of line widths and markers.
        column, text: widths of a figure in inches.
        tallest: height in inches that panels may have, so that title and notes fit beside them.
        low: height that they have without need, since a page has text, too.
        titled, noted: whether title and notes are part of the figure.
        written: whether the text of an SVG stays text.
    """

    small: float
    label: float
    title: float
    line: float = 1.0
    column: float = COLUMN
    text: float = PAGE
    tallest: float = 8.2
    low: float = 4.5
    titled: bool = True
    noted: bool = True
    written: bool = False


STYLES: Mapping[str, Style] = {
    "page": Style(7, 7.5, 8.5),
    "paper": Style(8, 8, 9, titled=False, noted=False, written=True),
    "slide": Style(14, 15, 18, 1.9, 6.2, 12.4, 6.0, 6.0, noted=False, written=True),
}


def option(default: Any, says: str, **more: str) -> Any:
    """A field that is an option; ``more`` may have ``metavar`` and ``flags``."""
    return field(default=default, metadata={"help": says, **more})


def labels_option() -> Any:
    """The field for trackers' names as printed."""
    says = {"help": "A tracker's name as printed; repeatable.", "metavar": "NAME=LABEL"}
    return field(default_factory=dict, metadata={**says, "flags": "--label --labels"})


@dataclass(frozen=True)
class FigureOptions:
    """How figures look, and which trackers they show.

    Attributes:
        style: ``"page"`` carries title and notes; ``"paper"`` neither, with 8 points or more in
            print; ``"slide"`` a title, and type for a screen.
        width: ``"column"``, ``"text"`` or centimetres; empty for the plot's own.
        font: ``"sans"``, ``"serif"`` or a file.
        legend: its place; inside only where no curve is in its way.
        ours: the tracker in bold, in the first colour, drawn last.
        labels: names as printed, by tracker.
        trackers: the only ones to show; all if empty.
    """

    style: Literal["page", "paper", "slide"] = option(
        "page", "page: with title and notes; paper: without, 8 pt or more; slide: large type."
    )
    width: str = option("", "column (3.25 in), text (6.85 in) or centimetres.", metavar="WIDTH")
    font: str = option("sans", "sans, serif or a file (.ttf, .otf).", metavar="FONT")
    legend: Literal["below", "inside", "none"] = option(
        "below", "Place of the legend; inside only where no curve is in its way."
    )
    ours: str = option("", "This tracker: bold, first colour, drawn last.", metavar="NAME")
    labels: Mapping[str, str] = labels_option()
    trackers: tuple[str, ...] = option(
        (), "Only these; repeatable or with commas.", flags="--tracker --trackers -t"
    )

    @cached_property
    def sizes(self) -> Style:
        """The sizes of the style."""
        return STYLES[self.style]

    @cached_property
    def typeface(self) -> Font:
        """The font to draw with.

        Raises:
            ConfigError: there is no such file, or it is not a font.
        """
        known = {"sans": sans, "serif": serif}
        return known[self.font]() if self.font in known else font_of_file(Path(self.font))

    def inches(self, own: Literal["column", "text"] = "column") -> float:
        """Width of a figure; ``own`` is that of the plot."""
        wanted = self.width or own
        if wanted in ("column", "text"):
            return self.sizes.column if wanted == "column" else self.sizes.text
        return float(wanted) / _CM

    @property
    def em(self) -> float:
        """Factor of distances that depend on the size of the type."""
        return self.sizes.small / STYLES["page"].small

    def high(self, inches: float) -> float:
        """The height of a panel that is so many inches high at the width of a column."""
        column = self.sizes.column
        return inches * column / COLUMN * min(max(self.inches() / column, 0.7), 1.25)

    def label(self, name: str) -> str:
        """A tracker's name as printed."""
        return self.labels.get(name, name)

    def check_names(self, present: Iterable[str], elsewhere: Iterable[str] = ()) -> None:
        """Check that the trackers named are there.

        Args:
            present: trackers that can be shown.
            elsewhere: trackers of other benchmarks, which may have a label all the same.

        Raises:
            ConfigError: one is not, or two trackers have the same label.
        """
        names = list(present)
        for name in (*filter(None, [self.ours]), *self.trackers):
            if name not in names:
                raise unknown_name("tracker with results", name, names)
        known = {*names, *elsewhere}
        for name in self.labels:
            if name not in known:
                raise unknown_name("tracker with results", name, known)
        shown = [name for name in names if not self.trackers or name in self.trackers]
        printed: dict[str, str] = {}
        for name in shown:
            other = printed.setdefault(self.label(name), name)
            if other != name:
                raise ConfigError(f"labels: {other} and {name} are both {self.label(name)!r}")


@dataclass(frozen=True)
class TableOptions:
    """Which rows and columns a table has, and how they are named and sorted.

    Attributes:
        ours: the row, or group of columns, in bold and last.
        labels: names as printed, by tracker.
        sort: the column to sort rows by, by heading or key; as they are if empty.
        notes: whether notes are printed beneath.
        width: of LaTeX, ``"column"``, ``"text"`` or centimetres; the narrowest that fits if empty.
        trackers: the only rows to show; all if empty.
        kind: whether a column says where a row is from; without it, all rows compete for the best.
        differences: whether scored minus printed has columns.
    """

    ours: str = option("", "This tracker: in bold, and last.", metavar="NAME")
    labels: Mapping[str, str] = labels_option()
    sort: str = option("", "Sort rows by this measure, the best first.", metavar="MEASURE")
    notes: bool = option(True, "Print notes under the tables.")
    width: str = option(
        "", "Of LaTeX: column (3.25 in), text (6.85 in) or centimetres.", metavar="WIDTH"
    )
    trackers: tuple[str, ...] = option(
        (), "Rows to show; repeatable or with commas.", flags="--tracker --trackers -t"
    )
    kind: bool = option(True, "Say in a column where each row is from.")
    differences: bool = option(True, "Show scored minus printed.")

    @property
    def label_of_ours(self) -> str:
        """Our tracker's name as printed."""
        return self.labels.get(self.ours, self.ours)


DEFAULT = FigureOptions()


def read_options(values: Mapping[str, Any], where: str = "") -> FigureOptions:
    """Options of figures from the words of a command line, a file or a call.

    Args:
        values: by name of the option.
        where: put before the option's name in errors, e.g. ``"--"`` or the name of a file.

    Raises:
        ConfigError: an option or a value is not known.
    """
    return FigureOptions(
        **_read(FigureOptions, f"figures{where and f' ({where})'}", values, where)
    )


def read_table_options(values: Mapping[str, Any], where: str = "") -> TableOptions:
    """The same for tables."""
    return TableOptions(**_read(TableOptions, "tables", values, where))


def _read(record: type, kind: str, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = [each.name for each in fields(record)]
    for name in values:
        if name not in names:
            raise unknown_name(f"option of {kind}", name, names)
    return {name: _READERS[name](f"{where}{name}", value) for name, value in values.items()}


def _choice(name: str, value: object) -> str:
    field_name = name.split()[-1].lstrip("-")
    choices = get_args(get_type_hints(FigureOptions)[field_name])
    if value not in choices:
        raise ConfigError(f"{name}: expected {', '.join(choices)}, found {value!r}")
    return str(value)


def read_width(name: str, value: object) -> str:
    """A width in words, or centimetres as text.

    Raises:
        ConfigError: it is neither.
    """
    text = str(value).strip().removesuffix("cm").strip()
    if text in ("column", "text"):
        return text
    try:
        fits = _NARROWEST <= float(text) <= _WIDEST
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError(
            f"{name}: expected column, text or {_NARROWEST:g} to {_WIDEST:g} centimetres, "
            f"found {value!r}"
        )
    return text


def _font(name: str, value: object) -> str:
    if value in ("sans", "serif"):
        return str(value)
    if not isinstance(value, str | Path) or not Path(value).expanduser().is_file():
        raise ConfigError(f"{name}: expected sans, serif or a file that exists, found {value!r}")
    path = Path(value).expanduser()
    font_of_file(path)
    return str(path)


def read_name(name: str, value: object) -> str:
    """A name.

    Raises:
        ConfigError: it is not text.
    """
    if not isinstance(value, str):
        raise ConfigError(f"{name}: expected a name, found {value!r}")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name}: expected True or False, found {value!r}")
    return value


def read_names(name: str, value: object) -> tuple[str, ...]:
    """Names in a list, each of which may hold several with commas.

    Raises:
        ConfigError: they are not names.
    """
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, Iterable) or not all(isinstance(each, str) for each in listed):
        raise ConfigError(f"{name}: expected names, found {value!r}")
    return tuple(separated(listed))


def read_labels(name: str, value: object) -> dict[str, str]:
    """Labels by name, from a mapping or from ``NAME=LABEL``.

    Raises:
        ConfigError: a label is empty, a name has two, or there is no ``=``.
    """
    pairs: Any = value
    if not isinstance(value, Mapping):
        pairs = {}
        for item in value if isinstance(value, list | tuple) else [value]:
            tracker, _, label = str(item).partition("=")
            if pairs.setdefault(tracker, label) != label:
                found = f"{pairs[tracker]!r} and {label!r}"
                raise ConfigError(f"{name}: expected one label of {tracker!r}, found {found}")
    for tracker, label in pairs.items():
        if not tracker or not isinstance(label, str) or not label:
            raise ConfigError(f"{name}: expected NAME=LABEL, found {tracker!r} as {label!r}")
    return dict(pairs)


_READERS: Mapping[str, Any] = {
    "style": _choice,
    "width": read_width,
    "font": _font,
    "legend": _choice,
    "ours": read_name,
    "labels": read_labels,
    "trackers": read_names,
    "sort": read_name,
    "notes": _flag,
    "kind": _flag,
    "differences": _flag,
}
