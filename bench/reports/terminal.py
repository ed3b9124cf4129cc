"""Tables on the terminal."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable

from rich import markup
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid

from bench.reports.escaping import plain
from bench.reports.table import Cell, Column, Row, Table, bounds_of, spread_of, text_of

_PIPE_WIDTH = 10_000


def escape(text: str) -> str:
    """Text for the terminal; neither markup nor control characters take effect."""
    return markup.escape(plain(text))


def report_console() -> Console:
    """Standard output; wide enough for any table if it is not a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def as_text(table: Table) -> str:
    """A table as plain text of any width, without its notes."""
    console = Console(file=io.StringIO(), width=_PIPE_WIDTH)
    with console.capture() as captured:
        console.print(_grid(table))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def print_tables(console: Console, tables: Iterable[Table]) -> None:
    """Print tables, then their notes, each note once; of an empty table its notes only."""
    notes: dict[str, None] = {}
    for table in tables:
        if table.rows and table.columns:
            console.print(_grid(table))
        notes |= dict.fromkeys(table.notes)
    for note in notes:
        console.print(f"* {escape(note)}", style="dim", highlight=False)


def _grid(table: Table) -> Grid:
    """The figures of a group share one column, since headings have one line."""
    grid = Grid(title=escape(table.title), title_justify="left", box=SIMPLE_HEAD)
    grid.add_column(escape(table.first_heading), overflow="fold")
    groups = [list(g) for _, g in itertools.groupby(table.columns, lambda c: c.group or c.key)]
    for group in groups:
        heading = escape(group[0].group or group[0].heading)
        if group[0].text:
            grid.add_column(heading, overflow="fold")
        else:
            grid.add_column(heading, justify="right")
    between = "\n" if table.stacked else " / "
    for row in table.rows:
        grid.add_row(escape(row.title), *_texts(row, groups, between))
    return grid


def _texts(row: Row, groups: list[list[Column]], between: str) -> list[str]:
    if row.problem:
        return ["not scored"][: len(groups)]
    return [_joined([(row.cell(column), column) for column in group], between) for group in groups]


def _joined(cells: list[tuple[Cell, Column]], between: str) -> str:
    """The figures of a group; a single dash or word if it has none."""
    texts = [_text(cell, column) for cell, column in cells]
    return texts[0] if all(cell.value is None for cell, _ in cells) else between.join(texts)


def _text(cell: Cell, column: Column) -> str:
    text = escape(text_of(cell, column, "-"))
    if spread := spread_of(cell, column).replace(" ", ""):
        text += f" {spread}"
    bounds = bounds_of(cell, column) if column.interval else None
    if bounds is None:
        return text
    low, high = (bound.removeprefix("0") for bound in bounds)
    return f"{text}\n[dim]{low}–{high}[/]"
