"""One table as a record: what papers, the report page and files are made from.

``bench.reports.render`` turns it into Markdown, LaTeX, CSV and HTML; ``bench.reports.paper``
fills it with the printed figures of a paper and the scores of stored results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["printed", "imported", "measured"]
"""Where a row comes from: a paper; somebody's raw results scored here; a run of this toolkit."""

State = Literal["known", "unverified", "unreadable", "missing", "broken", "unscored"]
"""How far a cell can be trusted.

``unverified`` may have a value, those after it have none. ``unreadable`` is a figure that is
printed but lost: what is best in its column cannot be told.
"""

Mark = Literal["best", "second"]

_WORDS: Mapping[State, str] = {
    "broken": "broken",
    "unscored": "not scored",
    "unreadable": "unverified",
    "unverified": "unverified",
}


@dataclass(frozen=True)
class Column:
    """What stands in one column.

    Attributes:
        key: name of the column in ``Row.cells``.
        heading: what is printed above it.
        group: heading above those of neighbouring columns, e.g. the benchmark.
        unit: printed after the heading in brackets, e.g. ``"%"``.
        better: which end wins; None where a column has no best, e.g. of differences.
        decimals: as printed.
        signed: whether a plus is printed, as for differences.
    """

    key: str
    heading: str
    group: str = ""
    unit: str = ""
    better: Literal["higher", "lower"] | None = "higher"
    decimals: int = 3
    signed: bool = False

    @property
    def title(self) -> str:
        """The heading with its unit and an arrow towards the better end."""
        arrow = {"higher": " ↑", "lower": " ↓", None: ""}[self.better]
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.heading}{unit}{arrow}"


@dataclass(frozen=True)
class Cell:
    """One figure.

    Attributes:
        value: in the unit of its column; None where there is none.
        interval: (low, high) in the same unit.
        state: how far it can be trusted.
        decimals: as printed, where that is not the column's.
        note: what must be said of it, printed beneath the table.
    """

    value: float | None = None
    interval: tuple[float, float] | None = None
    state: State = "known"
    decimals: int | None = None
    note: str = ""


MISSING = Cell(state="missing")


@dataclass(frozen=True)
class Row:
    """One tracker, or one variant of it.

    Attributes:
        label: as printed.
        kind: where its figures come from.
        cells: by key of their column; columns left out are missing.
        note: what must be said of the row, e.g. that its results are partial or broken.
        ranked: whether it may be best; not so where its results are partial.
    """

    label: str
    kind: Kind
    cells: Mapping[str, Cell]
    note: str = ""
    ranked: bool = True

    def cell(self, column: Column) -> Cell:
        """The figure of a column."""
        return self.cells.get(column.key, MISSING)


@dataclass(frozen=True)
class Table:
    """Rows of figures with everything that must be said beside them.

    Attributes:
        name: identifier, for files and labels: letters, digits and hyphens.
        title: printed above it.
        columns: in order, after the tracker's name and the kind of the row.
        rows: in order.
        notes: printed beneath it: convention, completeness, stand-ins, date.
        first_heading: what stands above the labels of the rows.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    first_heading: str = "Tracker"

    @cached_property
    def _marks(self) -> dict[tuple[int, str], Mark]:
        return dict(_marks(self))

    def mark(self, row: int, column: Column) -> Mark | None:
        """Whether a figure is the best or second best of its column, as rows of its kind go.

        Printed rows are ranked among themselves, as in the paper, and scored rows likewise:
        they need not stand on the same sequences. Figures that print alike are marked alike.
        """
        return self._marks.get((row, column.key))

    def footnotes(self) -> tuple[str, ...]:
        """The distinct notes of rows and cells, in the order in which a reader meets them."""
        notes: dict[str, None] = {}
        for row in self.rows:
            cells = (row.cell(column).note for column in self.columns)
            notes |= dict.fromkeys(note for note in (row.note, *cells) if note)
        return tuple(notes)


def text_of(cell: Cell, column: Column) -> str:
    """A figure as it is printed, without its marks.

    A dash stands for a missing one, a word for one that is broken, not scored or not verified.
    """
    if cell.value is None:
        return _WORDS.get(cell.state, "—")
    text = _number(cell.value, cell, column)
    return f"{text}?" if cell.state == "unverified" else text


def interval_of(cell: Cell, column: Column) -> str:
    """The interval of a figure as it is printed; empty where there is none."""
    if cell.value is None or cell.interval is None:
        return ""
    low, high = (_number(value, cell, column) for value in cell.interval)
    return f"[{low}, {high}]"


def _number(value: float, cell: Cell, column: Column) -> str:
    decimals = column.decimals if cell.decimals is None else cell.decimals
    whole = round(value, decimals) + 0.0  # a zero that prints without a minus
    text = f"{whole:+.{decimals}f}" if column.signed else f"{whole:.{decimals}f}"
    return text.replace("-", "−")


def _marks(table: Table) -> Iterator[tuple[tuple[int, str], Mark]]:
    for column in table.columns:
        for printed in (True, False):
            yield from _column_marks(table, column, printed)


def _column_marks(
    table: Table, column: Column, printed: bool
) -> Iterator[tuple[tuple[int, str], Mark]]:
    """Best and second best of one column; none where a cell that may be it cannot be read."""
    rows = [
        (index, row.cell(column))
        for index, row in enumerate(table.rows)
        if row.ranked and (row.kind == "printed") == printed
    ]
    if column.better is None or any(cell.state == "unreadable" for _, cell in rows):
        return
    shown = {i: _shown(cell, column) for i, cell in rows if cell.value is not None}
    order = sorted(set(shown.values()), reverse=column.better == "higher")
    marks: dict[float, Mark] = dict(zip(order, ("best", "second"), strict=False))
    for index, value in shown.items():
        if value in marks:
            yield (index, column.key), marks[value]


def _shown(cell: Cell, column: Column) -> float:
    decimals = column.decimals if cell.decimals is None else cell.decimals
    return round(cell.value or 0.0, decimals)
