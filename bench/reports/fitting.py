"""LaTeX tables that fit a column or a page: measured, and parted where they do not fit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bench.arrays import IntArray
from bench.reports.options import COLUMN, PAGE
from bench.reports.table import Column, Table, bounds_of, text_of
from bench.reports.text_drawing import drawable, serif, width_in_points

_POINTS = 72.27  # of TeX in an inch
_SIZE = 8.0  # points: \footnotesize in a document of 10 points
_COMPUTER_MODERN = 1.14  # its letters are wider than those of STIX
_GAP = 6.0  # points: \tabcolsep on both sides
_ROWS = 45  # that a page has room for, with caption and notes


@dataclass(frozen=True)
class Part:
    """A table, or a part of one, and the environment that it fits."""

    table: Table
    environment: str


def parts(table: Table, width: str = "", *, intervals: bool = False) -> list[Part]:
    """The table if it fits, else parts of it, of few columns or few rows.

    Args:
        table: to print.
        width: ``"column"``, ``"text"``, centimetres as text, or empty for the narrower of the
            first two that fits.
        intervals: whether figures stand above their intervals.
    """
    column, text = COLUMN * _POINTS, PAGE * _POINTS
    whole = natural_width(table, intervals=intervals)
    if not width:
        width = "column" if whole <= column else "text"
    known = {"column": column, "text": text}
    room = known[width] if width in known else float(width) / 2.54 * _POINTS
    environment = "table*" if width == "text" else "table"
    made = [
        _cut(table, columns, rows)
        for columns in _shares_of_columns(table, room, intervals)
        for rows in np.array_split(np.arange(len(table.rows)), -(-len(table.rows) // _ROWS) or 1)
    ]
    if len(made) == 1:
        return [Part(table, environment)]
    return [
        Part(
            replace(
                each,
                name=f"{table.name}-{number}",
                title=f"{table.title} (part {number} of {len(made)})",
                notes=table.notes if number == 1 else (),
            ),
            environment,
        )
        for number, each in enumerate(made, start=1)
    ]


def _cut(table: Table, columns: list[Column], rows: IntArray) -> Table:
    """Some rows and columns, with the marks that they have in the whole table."""
    marks = {
        (place, column.key): mark
        for place, index in enumerate(rows.tolist())
        for column in columns
        if (mark := table.mark(index, column))
    }
    kept = tuple(table.rows[index] for index in rows.tolist())
    return replace(table, columns=tuple(columns), rows=kept, marks=marks)


def natural_width(table: Table, *, intervals: bool = False) -> float:
    """Points that a table takes in Computer Modern, which is wider than Times."""
    units = [sum(_widths(table, u, intervals)) for u in _units(table)]
    return _labels_width(table) + sum(units)


def _shares_of_columns(table: Table, room: float, intervals: bool) -> list[list[Column]]:
    """The columns in as few shares as there is room for, each about as wide as the others."""
    free, units = room - _labels_width(table), _units(table)
    widths = [sum(_widths(table, unit, intervals)) for unit in units]
    for count in range(1, len(units)):
        shares = np.array_split(np.arange(len(units)), count)
        if all(sum(widths[at] for at in share) <= free for share in shares):
            return [[c for at in share for c in units[at]] for share in shares]
    return units or [[]]


def _units(table: Table) -> list[list[Column]]:
    """Columns that stay together: those of a group, or single ones."""
    grouped = itertools.groupby(table.columns, key=lambda column: column.group or column.key)
    return [list(group) for _, group in grouped]


def _widths(table: Table, unit: list[Column], intervals: bool) -> list[float]:
    """The widths of a group's columns; its heading may need more than they do."""
    widths = [_GAP + max(map(_measure, _texts(table, column, intervals))) for column in unit]
    lacking = _GAP + _measure(unit[0].group) - sum(widths)
    return [*widths[:-1], widths[-1] + max(0.0, lacking)]


def _texts(table: Table, column: Column, intervals: bool) -> Iterator[str]:
    yield column.title
    for row in table.rows:
        cell = row.cell(column)
        yield text_of(cell, column) + "a" * bool(cell.note)
        bounds = bounds_of(cell, column) if intervals else None
        if bounds:
            yield f"[{bounds[0]}, {bounds[1]}]"


def _labels_width(table: Table) -> float:
    """Points of the first column, and of that of the kinds."""
    labels = [
        table.first_heading,
        *(f"{row.title}{'ab' * bool(row.footnote)}" for row in table.rows),
    ]
    kinds = _GAP + max((_measure(row.kind) for row in table.rows), default=0.0)
    has_kinds = table.kinds and any(row.kind for row in table.rows)
    return _GAP + max(map(_measure, labels)) + has_kinds * max(kinds, _GAP + _measure("Kind"))


def _measure(text: str) -> float:
    return width_in_points(drawable(text, serif()), _SIZE, serif(), bold=True) * _COMPUTER_MODERN
