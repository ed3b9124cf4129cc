"""One table as a record. The terminal, the report page, papers and files are written from it.

``score_table``, ``eval_tables`` and ``paper`` build tables; ``terminal``, ``render`` and the
report page write them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

Kind = Literal["printed", "imported", "measured", ""]
"""Source of a row: a paper, imported raw results, a run of this toolkit, or unspecified."""

State = Literal["known", "unverified", "unreadable", "missing", "broken", "unscored"]
"""Whether a cell can be trusted.

``unverified`` cells may have a value, those after it have none. ``unreadable`` marks a printed
figure that is lost, which leaves the best of its column unknown.
"""

Mark = Literal["best", "second"]

_WORDS: Mapping[State, str] = {
    "broken": "broken",
    "unscored": "not scored",
    "unreadable": "unverified",
    "unverified": "unverified",
}
_KINDS: tuple[Kind, ...] = get_args(Kind)
_WHOLE = 1000  # values from here on are printed without decimals


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: name of the column in ``Row.cells``.
        heading: printed above it.
        group: heading above neighbouring columns, e.g. the benchmark.
        unit: printed after the heading in brackets, e.g. ``"%"``.
        better: the better end; None where a column has no best, e.g. differences.
        decimals: digits printed.
        signed: whether positive values get a plus, as for differences.
        text: whether it holds text instead of figures.
        interval: whether intervals are printed where space is scarce.
        arrow: whether the heading shows the better end.
    """

    key: str
    heading: str
    group: str = ""
    unit: str = ""
    better: Literal["higher", "lower"] | None = "higher"
    decimals: int = 3
    signed: bool = False
    text: bool = False
    interval: bool = True
    arrow: bool = True

    @property
    def title(self) -> str:
        """The heading with its unit and an arrow towards the better end."""
        arrow = {"higher": " ↑", "lower": " ↓", None: ""}[self.better if self.arrow else None]
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.heading}{unit}{arrow}"


@dataclass(frozen=True)
class Cell:
    """One figure, or a text.

    Attributes:
        value: in the unit of its column, also for sorting; None if there is none.
        interval: (low, high) in the same unit.
        state: whether it can be trusted.
        decimals: digits printed, if not the column's.
        note: printed as a footnote.
        spread: standard deviation over repetitions, in the same unit.
        text: printed instead of the value.
    """

    value: float | None = None
    interval: tuple[float, float] | None = None
    state: State = "known"
    decimals: int | None = None
    note: str = ""
    spread: float | None = None
    text: str = ""


MISSING = Cell(state="missing")


@dataclass(frozen=True)
class Row:
    """One row: a tracker, an attribute, a sequence or a measure.

    Attributes:
        label: printed in front.
        kind: source of its figures.
        cells: by key of their column; absent keys are missing cells.
        note: printed as a footnote.
        ranked: whether it competes for the best figure; False for partial results.
        rank: place in the ranking, from 1; None if unranked.
        share: scored sequences where some are missing, e.g. ``"5 of 6"``.
        problem: why it has no figures.
    """

    label: str
    kind: Kind
    cells: Mapping[str, Cell]
    note: str = ""
    ranked: bool = True
    rank: int | None = None
    share: str = ""
    problem: str = ""

    def cell(self, column: Column) -> Cell:
        """The figure in a column."""
        return self.cells.get(column.key, MISSING)

    @property
    def title(self) -> str:
        """The label, with the number of sequences if some are missing."""
        return f"{self.label} ({self.share})" if self.share else self.label

    @property
    def footnote(self) -> str:
        """The note and the problem."""
        return "; ".join(filter(None, (self.note, self.problem)))


@dataclass(frozen=True)
class Table:
    """Rows under columns, with the notes that belong to them.

    Attributes:
        name: identifier for files and labels: letters, digits and hyphens.
        title: printed above it.
        columns: in order, after the label and the kind of the row.
        rows: in order.
        notes: printed beneath: convention, completeness, stand-ins, date.
        first_heading: heading of the labels.
        stacked: whether the terminal prints the figures of a group one below the other.
        ours: label of the rows, or of the group of columns, to print in bold; empty for none.
        kinds: whether a column says where rows are from; without it, all compete for the best.
        across: whether the best is marked in each row, since its columns are what is compared.
        marks: by row and column; only given where they are those of a table that this is a part
            of, else found in this one.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    first_heading: str = "Tracker"
    stacked: bool = False
    ours: str = ""
    kinds: bool = True
    across: bool = False
    marks: Mapping[tuple[int, str], Mark] | None = None

    @cached_property
    def _marks(self) -> Mapping[tuple[int, str], Mark]:
        return dict(_marks(self)) if self.marks is None else self.marks

    def mark(self, row: int, column: Column) -> Mark | None:
        """Whether a figure is the best or second best of its column.

        Printed rows compete among themselves, as in the paper, and so do scored rows: the two
        may cover different sequences. Where no column tells them apart, all compete. Figures
        that print alike are marked alike.
        """
        return self._marks.get((row, column.key))

    def footnotes(self) -> tuple[str, ...]:
        """The distinct notes of rows and cells, in reading order."""
        notes: dict[str, None] = {}
        for row in self.rows:
            cells = (row.cell(column).note for column in self.columns)
            notes |= dict.fromkeys(filter(None, (row.footnote, *cells)))
        return tuple(notes)


def text_of(cell: Cell, column: Column, missing: str = "—") -> str:
    """A cell as printed, without marks: its figure, its text, a word for its state, or a dash."""
    if cell.text:
        return cell.text
    if cell.value is None:
        return _WORDS.get(cell.state, missing)
    text = _number(cell.value, cell, column)
    return f"{text}?" if cell.state == "unverified" else text


def bounds_of(cell: Cell, column: Column) -> tuple[str, str] | None:
    """Both ends of a figure's interval as printed."""
    if cell.value is None or cell.interval is None:
        return None
    low, high = cell.interval
    return _number(low, cell, column), _number(high, cell, column)


def spread_of(cell: Cell, column: Column) -> str:
    """The deviation of a figure as printed; empty if there is none."""
    return f"± {_number(cell.spread, cell, column)}" if cell.spread else ""


def _number(value: float, cell: Cell, column: Column) -> str:
    decimals = 0 if abs(value) >= _WHOLE else _decimals(cell, column)
    rounded = round(value, decimals) + 0.0  # no negative zero
    sign = "+" if column.signed else ""
    return f"{rounded:{sign},.{decimals}f}".replace("-", "−")


def _decimals(cell: Cell, column: Column) -> int:
    return column.decimals if cell.decimals is None else cell.decimals


def _marks(table: Table) -> Iterator[tuple[tuple[int, str], Mark]]:
    if table.across:
        for index, row in enumerate(table.rows):
            yield from _row_marks(table, index, row)
        return
    for column in table.columns:
        for kinds in (("printed",), ("imported", "measured", "")) if table.kinds else (_KINDS,):
            yield from _column_marks(table, column, kinds)


def _row_marks(table: Table, index: int, row: Row) -> Iterator[tuple[tuple[int, str], Mark]]:
    """Best and second best of a row, whose columns are all of one measure."""
    compared = [column for column in table.columns if column.better is not None]
    if compared:
        cells = {(index, column.key): (row.cell(column), column) for column in compared}
        yield from _best_two(cells, compared[0].better)


def _column_marks(
    table: Table, column: Column, kinds: tuple[Kind, ...]
) -> Iterator[tuple[tuple[int, str], Mark]]:
    """Best and second best of a column, unless a cell that might be either is unreadable."""
    rows = [
        (index, row.cell(column))
        for index, row in enumerate(table.rows)
        if row.ranked and row.kind in kinds
    ]
    if column.better is None or any(cell.state == "unreadable" for _, cell in rows):
        return
    cells = {(index, column.key): (cell, column) for index, cell in rows}
    yield from _best_two(cells, column.better)


def _best_two(
    cells: Mapping[tuple[int, str], tuple[Cell, Column]], better: str | None
) -> Iterator[tuple[tuple[int, str], Mark]]:
    """The marks of cells that compete, by their value as printed."""
    shown = {
        place: round(cell.value, _decimals(cell, column))
        for place, (cell, column) in cells.items()
        if cell.value is not None
    }
    order = sorted(set(shown.values()), reverse=better == "higher")
    marks: dict[float, Mark] = dict(zip(order, ("best", "second"), strict=False))
    if len(shown) > 1:
        yield from ((place, marks[value]) for place, value in shown.items() if value in marks)
