"""Tables of papers, figure by figure as they are printed, with what is known to be wrong in them.

``tables.json`` says which columns a table has, one csv a table holds its figures, each with its
source, and ``aliases.csv`` which results go by another name than the printed one.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from bench.errors import unknown_name

_FOLDER = Path(__file__).parent

Status = Literal["read", "misprint", "unverified", "unreadable", "not printed"]


@dataclass(frozen=True)
class Figure:
    """One cell of a printed table.

    Attributes:
        row: the tracker or variant, as this toolkit spells it.
        benchmark, measure: what was measured.
        printed: the text as printed, without a unit; empty where nothing can be read.
        status: ``"misprint"`` where the paper contradicts itself or its source,
            ``"unverified"`` where the text at hand leaves a doubt, ``"unreadable"`` where a figure
            is printed but lost, ``"not printed"`` where there is a dash.
        note: the reason for any status but ``"read"`` and ``"not printed"``.
        source: where the figure stands.
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
        """As a number, in the unit of its column; None where nothing can be read."""
        return float(self.printed) if self.printed else None

    @property
    def decimals(self) -> int:
        """How many are printed."""
        return len(self.printed.partition(".")[2])


@dataclass(frozen=True)
class Heading:
    """One column of a printed table.

    Attributes:
        benchmark, measure: what stands in it.
        heading, group: as printed; the group spans neighbouring columns.
        unit: ``"%"`` where fractions are printed as per cent.
        better: which end wins, None where neither does.
        decimals: as most figures of the column are printed.
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
        """What a fraction of 1 is multiplied by to be printed here."""
        return 100.0 if self.unit == "%" else 1.0


@dataclass(frozen=True)
class PaperTable:
    """A printed table.

    Attributes:
        name: as ``bench tables`` knows it.
        title: what it shows.
        source: where it is printed.
        columns: in the printed order.
        figures: every cell, row by row.
        first_heading: what stands above the labels of the rows.
        scored: whether its rows are trackers that results may be compared with.
        entries: whether they are entries of a challenge, which say nothing of other programs of
            the same name.
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
        """Labels of the rows, in the printed order."""
        return tuple(dict.fromkeys(figure.row for figure in self.figures))

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Identifiers of the benchmarks of its columns."""
        return tuple(dict.fromkeys(column.benchmark for column in self.columns))

    def figure(self, row: str, column: Heading) -> Figure | None:
        """The figure of a row and column, None where there is no such cell."""
        cells = (f for f in self.figures if (f.row, f.measure) == (row, column.measure))
        return next((f for f in cells if f.benchmark == column.benchmark), None)


@dataclass(frozen=True)
class Match:
    """The printed row that results belong to, with the reason where the names differ."""

    row: str
    reason: str = ""


def table_names() -> tuple[str, ...]:
    """Names of the tables there are."""
    return tuple(_specifications())


@lru_cache(maxsize=16)
def paper_table(name: str) -> PaperTable:
    """The printed table called ``name``.

    Raises:
        ConfigError: there is none; the message lists those there are.
    """
    if name not in _specifications():
        raise unknown_name("table", name, table_names())
    content = dict(_specifications()[name])
    columns = tuple(Heading(**column) for column in content.pop("columns"))
    figures = tuple(Figure(**row) for row in _read_csv(content.pop("file")))
    return PaperTable(name=name, columns=columns, figures=figures, **content)


@lru_cache(maxsize=1)
def re_runs() -> tuple[Figure, ...]:
    """What others measured with a tracker's released weights."""
    return tuple(Figure(**row) for row in _read_csv("re-runs.csv"))


def match_row(table: PaperTable, benchmark: str, results: str, kind: str) -> Match | None:
    """The printed row that results of a name and kind belong to, None where there is none.

    Letter case, hyphens, dots and blanks do not count; further names stand in ``aliases.csv``.
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
        (_FOLDER / "tables.json").read_text(encoding="utf-8")
    )
    return content


@lru_cache(maxsize=1)
def _aliases() -> tuple[Mapping[str, str], ...]:
    return tuple(_read_csv("aliases.csv"))


def _read_csv(name: str) -> Iterator[Any]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
