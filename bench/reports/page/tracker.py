"""The page of one tracker: what each benchmark of the report shows of it, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.measures.catalogue import get_measure
from bench.reports.notes import condensed
from bench.reports.page.views import groups_of, words
from bench.reports.score_table import (
    cell_of,
    column_of,
    columns_of,
    presence_table,
    ranked,
    ranking_measure,
    score_table,
    share_of,
)
from bench.reports.section import ReportSection
from bench.reports.table import Cell, Column, Row, Table
from bench.results.provenance import Provenance
from bench.scores import BenchmarkScores, TrackerScores

ENDS = 5
"""Sequences listed at either end."""
_RANK = Column("rank", "Rank", better=None, text=True)


@dataclass(frozen=True)
class Part:
    """A tracker on one benchmark or experiment.

    Attributes:
        section: the benchmark or experiment.
        origin: where the results come from.
        whole: how many sequences are scored, e.g. ``"5 of 6"``.
        problem: why there are no scores; empty if there are.
        rank: its place by the ranking measure, e.g. ``"2 of 5"``; empty without one.
        tables: its measures with their ranks, and its attributes.
        ends: its best and its worst sequences, or all of them if they are few.
        notes: on this tracker.
    """

    section: ReportSection
    origin: Provenance
    whole: str = ""
    problem: str = ""
    rank: str = ""
    tables: tuple[Table, ...] = ()
    ends: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


def tracker_parts(sections: Iterable[ReportSection], name: str) -> list[Part]:
    """What every section with results of a tracker shows of it."""
    return [_part(section, name) for section in sections if name in section.provenance]


def summary_table(parts: Iterable[Part]) -> Table:
    """One row per benchmark: its main measure, its rank, how whole and of what origin it is."""
    columns = (
        Column("measure", "Measure", better=None, text=True),
        Column("value", "Score", better=None),
        _RANK,
        Column("whole", "Sequences", better=None, text=True),
        Column("origin", "Results", better=None, text=True),
    )
    rows = []
    for part in parts:
        origin = " ".join(filter(None, (part.origin.kind, part.origin.date)))
        cells = {"origin": Cell(text=origin)}
        if part.tables:
            first = part.tables[0].rows[0]
            cells |= {"measure": Cell(text=first.label), **first.cells}
            cells["whole"] = Cell(text=part.whole)
        rows.append(Row(part.section.title, "", cells, problem=part.problem))
    return Table("summary", "All benchmarks", columns, tuple(rows), first_heading="Benchmark")


def _part(section: ReportSection, name: str) -> Part:
    origin, scores = section.provenance[name], section.scores
    if scores is None or name not in scores.trackers:
        problem = section.refused.get(name) or section.problem or "not scored"
        return Part(section, origin, problem=problem)
    tracker = scores.trackers[name]
    measures, groups = _measures(section, scores, name), _groups(section, scores, name)
    return Part(
        section,
        origin,
        share_of(scores, tracker) or f"{scores.sequences} of {scores.sequences}",
        rank=measures.rows[0].cell(_RANK).text,
        tables=(measures, groups) if groups.rows else (measures,),
        ends=_ends(section, scores, name),
        notes=tuple(condensed(tracker)),
    )


def _measures(section: ReportSection, scores: BenchmarkScores, name: str) -> Table:
    """Every measure of a tracker, the one that ranks first, with intervals and ranks."""
    tables = [score_table(scores), *filter(None, (presence_table(scores),))]
    rows = []
    for table in tables:
        row = next(row for row in table.rows if row.label == name)
        for column in table.columns:
            cell = row.cell(column)
            if cell.value is None:
                continue
            values = [each.cell(column).value for each in table.rows if each.ranked]
            rank = place_of(cell.value, values, column) if row.ranked else ""
            cells = {"value": _with_decimals(cell, column), "rank": Cell(text=rank or "–")}
            label = f"{column.heading} (lower is better)" if column.better == "lower" else ""
            rows.append(Row(label or column.heading, "", cells))
    heading = ranking_measure(scores).short
    rows.sort(key=lambda row: row.label != heading)
    columns = (Column("value", "Score", better=None), _RANK)
    return Table(f"{section.key}-measures", "Measures", columns, tuple(rows), (), "Measure")


def place_of(value: float, values: Iterable[float | None], column: Column) -> str:
    """The place of a figure among others, e.g. ``"2 of 5"``; those that print alike share one.

    Empty where a column has no better end.

    >>> place_of(0.5, [0.5, 0.71, None, 0.2], Column("success", "Success"))
    '2 of 3'
    """
    if column.better is None:
        return ""
    known = [round(each, column.decimals) for each in values if each is not None]
    own = round(value, column.decimals)
    ahead = sum(each > own if column.better == "higher" else each < own for each in known)
    return f"{ahead + 1} of {len(known)}"


def _with_decimals(cell: Cell, column: Column) -> Cell:
    return Cell(cell.value, cell.interval, decimals=column.decimals, spread=cell.spread)


def _groups(section: ReportSection, scores: BenchmarkScores, name: str) -> Table:
    """The measure that ranks by attribute or tag, with the place among complete trackers."""
    kind, unit, tables = groups_of(scores)
    column = _main_column(scores, tables)
    if column is None:
        return _listed(f"{section.key}-groups", "", (), [], "")
    others = [each for each in ranked(scores) if not scores.trackers[each].partial]
    rows = []
    for group, numbers in tables[name].items():
        cell = cell_of(numbers.get(column.key))
        if cell.value is None:
            continue
        values = [cell_of(tables[each].get(group, {}).get(column.key)).value for each in others]
        rank = "" if scores.trackers[name].partial else place_of(cell.value, values, column)
        cells = {"unit": Cell(numbers[unit]), column.key: cell, "rank": Cell(text=rank or "–")}
        rows.append(Row(words(group), "", cells))
    counts = Column("unit", unit.capitalize(), better=None, decimals=0)
    columns = (counts, column, _RANK)
    title = f"By {kind}"
    return _listed(f"{section.key}-groups", title, columns, rows, kind.capitalize())


def _listed(
    name: str, title: str, columns: tuple[Column, ...], rows: list[Row], first: str
) -> Table:
    """A table whose rows do not compete: none of its figures is marked."""
    return Table(name, title, columns, tuple(rows), first_heading=first, marks={})


def _main_column(
    scores: BenchmarkScores, tables: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> Column | None:
    """The measure that ranks, or the layout's first one that parts of a benchmark have."""
    having = {key for table in tables.values() for row in table.values() for key in row}
    main = ranking_measure(scores).name
    keys = [main, *(column.key for column in columns_of(scores))]
    return next((column_of(get_measure(key)) for key in keys if key in having), None)


def _ends(section: ReportSection, scores: BenchmarkScores, name: str) -> tuple[Table, ...]:
    """The best and the worst sequences, with the place among all trackers there."""
    tables = {each: tracker.per_sequence for each, tracker in scores.trackers.items()}
    column = _main_column(scores, tables)
    if column is None:
        return ()
    rows = [_sequence_row(tables, name, each, column) for each in tables[name]]
    sign = 1 if column.better == "lower" else -1
    known = [row for row in rows if row.cell(column).value is not None]
    known.sort(key=lambda row: sign * (row.cell(column).value or 0.0))
    columns = (column, *_beside(scores.trackers[name], column), _RANK)
    pieces = {"all": ("Sequences, best first", known)}
    if len(known) > 2 * ENDS:
        best, worst = known[:ENDS], known[: -ENDS - 1 : -1]
        pieces = {"best": ("Best sequences", best), "worst": ("Worst sequences", worst)}
    return tuple(
        _listed(f"{section.key}-{key}", title, columns, piece, "Sequence")
        for key, (title, piece) in pieces.items()
    )


def _beside(tracker: TrackerScores, main: Column) -> tuple[Column, ...]:
    """Failures beside accuracy, which counts only what lies between them."""
    counted = any("failures" in each for each in tracker.per_sequence.values())
    return (column_of(get_measure("failures")),) if counted and main.key == "accuracy" else ()


def _sequence_row(
    tables: Mapping[str, Mapping[str, Mapping[str, float]]],
    name: str,
    sequence: str,
    column: Column,
) -> Row:
    numbers = tables[name][sequence]
    values = [cell_of(each.get(sequence, {}).get(column.key)).value for each in tables.values()]
    cells = {key: cell_of(value) for key, value in numbers.items()}
    value = cells.get(column.key, Cell()).value
    rank = "" if value is None else place_of(value, values, column)
    return Row(sequence, "", {**cells, "rank": Cell(text=rank or "–")})
