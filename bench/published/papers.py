"""Tables of papers as printed, figure by figure, with known errors; scores of released weights.

``tables.json`` describes the columns; one CSV file per table holds its figures with their source;
``aliases.csv`` maps names of results to printed names.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from bench.benchmarks import get_benchmark
from bench.errors import unknown_name
from bench.loading import registered_trackers

FOLDER = Path(__file__).parent

Status = Literal["read", "misprint", "unverified", "unreadable", "not printed"]


@dataclass(frozen=True)
class Figure:
    """One cell of a printed table.

    Attributes:
        row: the tracker or variant, in this toolkit's spelling.
        benchmark, measure: what was measured.
        printed: the text as printed, without unit; empty if unreadable or not printed.
        status: ``"misprint"`` if the paper contradicts itself or its source, ``"unverified"`` if
            the available text is ambiguous, ``"unreadable"`` if a printed figure is lost,
            ``"not printed"`` for a dash.
        note: reason for the status, except for ``"read"`` and ``"not printed"``.
        source: place of the figure.
    """

    row: str
    benchmark: str
    measure: str
    printed: str
    status: Status
    note: str
    source: str

    @property
    def value(self) -> float | None:
        """The number in the unit of its column, None if ``printed`` is empty."""
        return float(self.printed) if self.printed else None

    @property
    def decimals(self) -> int:
        """Number of printed decimals."""
        return len(self.printed.partition(".")[2])


@dataclass(frozen=True)
class Heading:
    """One column of a printed table.

    Attributes:
        benchmark, measure: what it shows.
        heading, group: as printed; a group spans adjacent columns.
        unit: ``"%"`` if fractions are printed as percentages.
        better: which direction is better, None if neither is.
        decimals: decimals of most figures in the column.
    """

    benchmark: str
    measure: str
    heading: str
    group: str = ""
    unit: str = ""
    better: Literal["higher", "lower"] | None = "higher"
    decimals: int = 3

    @property
    def key(self) -> str:
        """Name of the column within its table."""
        return f"{self.benchmark}-{self.measure}"

    @property
    def scale(self) -> float:
        """Factor from fractions to printed numbers."""
        return 100.0 if self.unit == "%" else 1.0


@dataclass(frozen=True)
class PaperTable:
    """A printed table.

    Attributes:
        name: identifier for ``bench tables``.
        title: what it shows.
        source: paper and table number.
        columns: in printed order.
        figures: all cells, row by row.
        first_heading: heading of the row labels.
        scored: True if its rows are trackers to compare results with.
        entries: True if they are challenge entries, which may share their name with another
            program.
    """

    name: str
    title: str
    source: str
    columns: tuple[Heading, ...]
    figures: tuple[Figure, ...]
    first_heading: str = "Tracker"
    scored: bool = True
    entries: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """Row labels in printed order."""
        return tuple(dict.fromkeys(figure.row for figure in self.figures))

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Identifiers of the benchmarks of its columns."""
        return tuple(dict.fromkeys(column.benchmark for column in self.columns))

    def figure(self, row: str, column: Heading) -> Figure | None:
        """The figure of a row and column, None if there is no such cell."""
        cells = (f for f in self.figures if (f.row, f.measure) == (row, column.measure))
        return next((f for f in cells if f.benchmark == column.benchmark), None)


@dataclass(frozen=True)
class Match:
    """The printed row for some results, with the reason if the names differ."""

    row: str
    reason: str = ""


def table_names() -> tuple[str, ...]:
    """Names of all tables."""
    return tuple(_specifications())


@lru_cache(maxsize=16)
def paper_table(name: str) -> PaperTable:
    """The printed table called ``name``.

    Raises:
        ConfigError: the name is unknown; the message lists the known ones.
    """
    if name not in _specifications():
        raise unknown_name("table", name, table_names())
    content = dict(_specifications()[name])
    columns = tuple(Heading(**column) for column in content.pop("columns"))
    figures = tuple(Figure(**row) for row in _read_csv(content.pop("file")))
    return PaperTable(name=name, columns=columns, figures=figures, **content)


@lru_cache(maxsize=2)
def with_weights(kind: Literal["released", "re-run"]) -> tuple[Figure, ...]:
    """Scores of released weights, by those who released them, or of a re-run by others."""
    return tuple(Figure(**row) for row in _read_csv(f"{kind}.csv"))


def match_row(table: PaperTable, benchmark: str, results: str, kind: str) -> Match | None:
    """The printed row for results of a name and kind, None if there is none.

    Ignores case, hyphens, underscores, dots and spaces; ``aliases.csv`` adds other names.
    """
    wanted, rows = _normal(results), {_normal(row): row for row in table.rows}
    for alias in _aliases():
        fits = alias["benchmark"] in ("*", benchmark) and alias["kind"] in ("any", kind)
        if fits and _normal(alias["results"]) == wanted and alias["printed"] in table.rows:
            return Match(alias["printed"], alias["reason"])
    return Match(rows[wanted]) if wanted in rows else None


def _normal(name: str) -> str:
    return re.sub(r"[-_. ]", "", name.lower())


@lru_cache(maxsize=1)
def _specifications() -> Mapping[str, Mapping[str, Any]]:
    content: dict[str, dict[str, Any]] = json.loads(
        (FOLDER / "tables.json").read_text(encoding="utf-8")
    )
    return content


@lru_cache(maxsize=1)
def _aliases() -> tuple[Mapping[str, str], ...]:
    return tuple(_read_csv("aliases.csv"))


def _read_csv(name: str) -> Iterator[Any]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


@dataclass(frozen=True)
class Expectation:
    """Scores of a tracker on a benchmark according to one source.

    Attributes:
        kind: ``"printed"`` in a paper, ``"released"`` with the weights, or ``"re-run"`` by others.
        source: origin of the figures, with known errors.
        measures: fractions by measure, with as many digits as the source gives.
    """

    kind: str
    source: str
    measures: dict[str, str]


def expected_of(tracker: str, benchmark: str, experiment: str) -> list[Expectation]:
    """Published scores for results of a given name.

    Results belong to the registered tracker with the longest name that starts theirs:
    ``siamattn-vot`` to ``siamattn``, ``siamattn-lite`` to one without published scores. Only the
    main experiment of a benchmark and unambiguous figures count.

    Args:
        tracker: name of the results.
        benchmark: identifier, e.g. ``"vot2018"``.
        experiment: ``"onepass"`` or a VOT experiment.
    """
    if experiment != next(iter(get_benchmark(benchmark).experiments), "onepass"):
        return []
    fitting = (each for each in registered_trackers() if tracker.lower().startswith(each))
    name = max(fitting, key=len, default="")
    found = [*_printed(name, benchmark)]
    for kind in ("released", "re-run"):
        own = (f for f in with_weights(kind) if f.row.lower() == name and f.benchmark == benchmark)
        found += _by_source(kind, [(figure, "") for figure in own])
    return found


def printed_figures(results: str, benchmark: str) -> list[Expectation]:
    """What tables print of the tracker that results of this name are of, paper by paper."""
    found: list[Expectation] = []
    for table in map(paper_table, table_names()):
        units = {c.measure: c.unit for c in table.columns if c.benchmark == benchmark}
        match = match_row(table, benchmark, results, "imported") if units else None
        if match is not None and table.scored:
            own = (f for f in table.figures if f.row == match.row and f.benchmark == benchmark)
            found += _by_source("printed", [(f, units[f.measure]) for f in own], match.reason)
    return found


def _printed(name: str, benchmark: str) -> Iterator[Expectation]:
    """Figures of one tracker in all tables of trackers."""
    for table in map(paper_table, table_names()):
        match = match_row(table, benchmark, name, "measured")
        if match and table.scored and not table.entries:
            units = {c.measure: c.unit for c in table.columns if c.benchmark == benchmark}
            own = (f for f in table.figures if f.row == match.row and f.benchmark == benchmark)
            yield from _by_source("printed", [(f, units[f.measure]) for f in own], match.reason)


def _by_source(
    kind: str, figures: Sequence[tuple[Figure, str]], reason: str = ""
) -> Iterator[Expectation]:
    """Unambiguous figures, each with its unit, grouped by source.

    ``reason`` says why they stand for a tracker of another name.
    """
    wanted = [
        (figure, unit)
        for figure, unit in figures
        if figure.printed and figure.status in ("read", "misprint")
    ]
    for source in dict.fromkeys(figure.source for figure, _ in wanted):
        own = [(figure, unit) for figure, unit in wanted if figure.source == source]
        remarks = dict.fromkeys((reason, *(figure.note for figure, _ in own)))
        notes = "; ".join(remark for remark in remarks if remark)
        measures = {figure.measure: _fraction(figure, unit) for figure, unit in own}
        yield Expectation(kind, f"{source} ({notes})" if notes else source, measures)


def _fraction(figure: Figure, unit: str) -> str:
    """A printed figure as a fraction, with the same digits."""
    return str(Decimal(figure.printed).scaleb(-2 if unit == "%" else 0))
