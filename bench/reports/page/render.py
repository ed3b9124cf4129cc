"""Fills the templates. Jinja escapes everything they print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.evaluation.along import Track
from bench.reports.notes import counted, footnotes
from bench.reports.palette import DASHES, Look
from bench.reports.score_table import presence_table, score_table, sequence_table
from bench.reports.section import ReportSection
from bench.reports.table import Cell, Column, Table, bounds_of, spread_of, text_of
from bench.results.record import now
from bench.version import __version__


@dataclass(frozen=True)
class Leader:
    """One of the best trackers of a benchmark, with the length of its bar in percent."""

    name: str
    text: str
    percent: float
    share: str = ""


def card_status(section: ReportSection, leaders: Iterable[Leader]) -> str:
    """The label of a card on the overview, which is of what the card shows."""
    scores = section.scores
    if section.status != "partial" or scores is None:
        return section.status
    whole = scores.sequences == section.benchmark.expected_sequences
    return "complete" if whole and not any(each.share for each in leaders) else "partial"


class Renderer:
    """Turns sections into pages of HTML."""

    def __init__(
        self, sections: list[ReportSection], looks: Mapping[str, Look], heading: str
    ) -> None:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self.sections = sections
        self.tables = {s.key: score_table(s.scores) for s in sections if s.scores}
        self.environment = Environment(
            loader=PackageLoader("bench.reports.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(
            sections=sections, looks=looks, strokes=DASHES, text_of=_text, detail_of=_detail,
            counted=counted, written=now(), version=__version__, heading=heading,
        )  # fmt: skip

    def overview(self) -> str:
        """The page that links to all others."""
        main = [section for section in self.sections if section.is_main]
        names = dict.fromkeys(name for section in main for name in section.trackers)
        best = {key: leaders(table) for key, table in self.tables.items()}
        results = {name: sum(name in section.provenance for section in main) for name in names}
        return self._render(
            "index.html.j2",
            root="",
            main=main,
            leaders=best,
            labels={each.key: card_status(each, best.get(each.key, ())) for each in main},
            tables=self.tables,
            places={key: _places(table) for key, table in self.tables.items()},
            names=sorted(names, key=lambda name: (-results[name], name.lower())),
        )

    def section(
        self,
        section: ReportSection,
        files: list[str],
        links: Iterable[tuple[str, str]] = (),
        tables: Iterable[Table] = (),
    ) -> str:
        """The page of a benchmark or experiment.

        Args:
            section: to show.
            files: names of the pages of its sequences.
            links: address and text of its further pages.
            tables: to show below its scores.
        """
        return self._render(
            "section.html.j2",
            root="",
            section=section,
            table=self.tables.get(section.key),
            told=presence_table(section.scores) if section.scores else None,
            pages=list(zip(section.sequences, files, strict=True)),
            links=list(links),
            tables=_as_html(tables),
        )

    def sequence(
        self, section: ReportSection, files: list[str], index: int, tracks: list[Track]
    ) -> str:
        """The page of a sequence.

        Args:
            section: its benchmark or experiment.
            files: names of the pages of all sequences.
            index: of this one.
            tracks: of every tracker.
        """
        sequence, scores = section.sequences[index], section.scores
        table = sequence_table(scores, sequence.name) if scores else Table("", "", (), ())
        return self._render(
            "sequence.html.j2",
            root="../",
            section=section,
            sequence=sequence,
            table=table,
            places=_places(table),
            data=f"{section.key}/{files[index]}",
            before=_neighbour(section, files, index - 1),
            after=_neighbour(section, files, index + 1),
            tracks=tracks,
            notes=list(footnotes(scores)) if scores else [section.problem],
        )

    def tables_page(
        self, section: ReportSection, title: str, tables: Iterable[Table], picture: str = ""
    ) -> str:
        """A further page of a benchmark or experiment: a picture and tables."""
        return self._render(
            "tables.html.j2", root="", section=section, tables=_as_html(tables), picture=picture,
            title=title,
        )  # fmt: skip

    def papers(self, tables: Iterable[str]) -> str:
        """The page of printed tables, given as HTML with escaped names."""
        from markupsafe import Markup

        return self._render("papers.html.j2", root="", papers=[Markup(each) for each in tables])

    def _render(self, template: str, **values: Any) -> str:
        return self.environment.get_template(template).render(**values)


def _as_html(tables: Iterable[Table]) -> list[Any]:
    """Tables as HTML with escaped names."""
    from markupsafe import Markup

    from bench.reports.render import to_html

    return [Markup(to_html(each, intervals=True)) for each in tables]


def leaders(table: Table, count: int = 3) -> list[Leader]:
    """The best few trackers, with bars relative to the best; partial ones only if all are."""
    column = table.columns[0]
    known = [row for row in table.rows if row.cell(column).value is not None]
    shown = ([row for row in known if row.ranked] or known)[:count]
    values = {row.label: row.cell(column).value or 0.0 for row in shown}
    longest = max([*values.values(), 1e-9])
    return [
        Leader(
            row.label,
            _text(row.cell(column), column),
            round(100 * values[row.label] / longest, 1),
            row.share,
        )
        for row in shown
    ]


def _text(cell: Cell, column: Column) -> str:
    return text_of(cell, column, "–")


def _detail(cell: Cell, column: Column) -> str:
    """The second, smaller line of a cell: interval and spread."""
    bounds = bounds_of(cell, column)
    interval = f"{bounds[0]} – {bounds[1]}" if bounds else ""
    return ", ".join(filter(None, (interval, spread_of(cell, column))))


def _places(table: Table) -> dict[str, int]:
    """The index of each row by its label."""
    return {row.label: index for index, row in enumerate(table.rows)}


def _neighbour(section: ReportSection, files: list[str], index: int) -> Mapping[str, str] | None:
    if not 0 <= index < len(files):
        return None
    return {"name": section.sequences[index].name, "href": f"{files[index]}.html"}
