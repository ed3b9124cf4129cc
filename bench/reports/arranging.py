"""Tables as a person wants them: which rows and columns, in which order, under which names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bench.errors import ConfigError, unknown_name
from bench.reports.options import TableOptions
from bench.reports.paper import DIFFERENCE, RANKED_APART, RANKED_TOGETHER
from bench.reports.table import Column, Row, Table
from bench.scores import BenchmarkScores

_BREAKDOWNS = ("attribute", "tag", "sequence")  # headings of tables whose columns are trackers
_SHARE = re.compile(r"(.*) (\(\d+ of \d+\))")


def renamed(scores: BenchmarkScores, labels: Mapping[str, str]) -> BenchmarkScores:
    """The same scores with trackers called by their labels, also in notes.

    Raises:
        ConfigError: two trackers would have the same name, or one is not there.
    """
    known = [*scores.trackers, *scores.refused]
    for name in labels:
        if name not in known:
            raise unknown_name("tracker with results", name, known)
    names = [labels.get(name, name) for name in known]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"labels: two trackers would both be {name!r}")

    def called(by_name: Mapping[str, Any]) -> dict[str, Any]:
        return {labels.get(name, name): value for name, value in by_name.items()}

    ranks = {measure: called(by_name) for measure, by_name in scores.ranks.items()}
    return replace(
        scores, trackers=called(scores.trackers), refused=called(scores.refused), ranks=ranks
    )


def arranged(tables: Iterable[Table], options: TableOptions) -> list[Table]:
    """Tables as a person wants them.

    Raises:
        ConfigError: no table has a row or column that an option names.
    """
    made = list(tables)
    labels = dict.fromkeys(_name(text) for table in made for text in _names_in(table))
    for name in (*options.trackers, *options.labels, *filter(None, [options.ours])):
        if name not in labels and options.labels.get(name) not in labels:
            raise unknown_name("row of these tables", name, labels)
    found = [_sort_column(table, options.sort) for table in made]
    if options.sort and not any(found):
        keys = dict.fromkeys(key for table in made for c in table.columns for key in _words(c))
        raise unknown_name("measure to sort by", options.sort, keys)
    return [_arranged(table, by, options) for table, by in zip(made, found, strict=True)]


def _names_in(table: Table) -> Iterator[str]:
    yield from (row.label for row in table.rows)
    yield from (column.group for column in table.columns if column.group)


def _name(text: str) -> str:
    """A tracker's name without the number of its sequences."""
    found = _SHARE.fullmatch(text)
    return found.group(1) if found else text


def _words(column: Column) -> list[str]:
    """What a person may call a column."""
    return [column.key, column.heading, column.key.rpartition("-")[2]]


def _sort_column(table: Table, wanted: str) -> Column | None:
    """The column to sort by, if this table has it.

    Raises:
        ConfigError: several columns are called so.
    """
    if not wanted or table.first_heading.lower() in _BREAKDOWNS:
        return None
    found = [c for c in table.columns if c.key == wanted] or [
        c for c in table.columns if wanted.lower() in map(str.lower, _words(c))
    ]
    if len(found) > 1 and len({c.group for c in found}) > 1:
        keys = ", ".join(column.key for column in found)
        raise ConfigError(f"{table.title}: --sort {wanted} may be any of {keys}: name one of them")
    return found[0] if found else None


def _arranged(table: Table, by: Column | None, options: TableOptions) -> Table:
    of_trackers = any(_name(row.label) in options.trackers for row in table.rows)
    rows = [r for r in table.rows if not of_trackers or r.label in options.trackers]
    if by is not None:
        rows.sort(key=lambda row: _place(row, by))
    rows.sort(key=lambda row: row.label == options.ours or row.label == options.label_of_ours)
    if not options.notes:
        rows = [_without_notes(row) for row in rows]
    columns = [c for c in table.columns if options.differences or not c.key.endswith(DIFFERENCE)]
    columns.sort(key=lambda c: _name(c.group) == options.label_of_ours != "")
    swap = {RANKED_APART: RANKED_TOGETHER} if not options.kind else {}
    return replace(
        table,
        columns=tuple(replace(c, group=_labelled(c.group, options)) for c in columns),
        rows=tuple(replace(row, label=_labelled(row.label, options)) for row in rows),
        notes=tuple(swap.get(note, note) for note in table.notes) if options.notes else (),
        ours=options.label_of_ours,
        kinds=options.kind,
    )


def by_measure(table: Table) -> list[Table]:
    """A breakdown as one table for each measure, with trackers as columns, best in every row."""
    if table.first_heading.lower() not in _BREAKDOWNS:
        return [table]
    counts = [column for column in table.columns if not column.group]
    headings = dict.fromkeys(column.heading for column in table.columns if column.group)
    stem = table.title.rpartition(": ")[0]
    return [
        replace(
            table,
            name=f"{table.name}-{re.sub('[^a-z0-9]+', '-', heading.lower()).strip('-')}",
            title=f"{stem}: {heading} by {table.first_heading.lower()}",
            columns=(*counts, *(
                replace(column, heading=column.group, group="", arrow=False)
                for column in table.columns
                if column.heading == heading and column.group
            )),
            across=True,
        )
        for heading in headings
    ]  # fmt: skip


def _place(row: Row, by: Column) -> tuple[bool, bool, float]:
    value = row.cell(by).value
    sign = 1 if by.better == "lower" else -1
    return value is None, not row.ranked, 0.0 if value is None else sign * value


def _labelled(text: str, options: TableOptions) -> str:
    name = _name(text)
    return options.labels.get(name, name) + text[len(name) :]


def _without_notes(row: Row) -> Row:
    cells = {key: replace(cell, note="") for key, cell in row.cells.items()}
    return replace(row, note="", problem="", cells=cells)
