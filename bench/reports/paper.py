"""A printed table beside the scores of stored results, with the differences between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from bench.benchmarks import get_benchmark
from bench.measures.catalogue import layout_of
from bench.published.papers import Figure, Heading, Match, PaperTable, Status, match_row
from bench.reports.notes import condensed, grouped, labels_of, scores_notes
from bench.reports.score_table import measure_cell, share_of
from bench.reports.section import ReportSection
from bench.reports.table import MISSING, Cell, Column, Kind, Row, State, Table
from bench.scores import TrackerScores

_STATES: Mapping[Status, State] = {
    "read": "known",
    "misprint": "known",
    "unverified": "unverified",
    "unreadable": "unreadable",
    "not printed": "missing",
}
_NOTES_PER_ROW = 3
DIFFERENCE = "-difference"
"""End of the keys of columns with differences."""
_ALIKE = (
    "figures that print alike are marked alike. Columns with a lost figure and results with "
    "missing sequences are not ranked. A question mark: the figure is not verified."
)
RANKED_APART = (
    f"Bold is best and underlined second best, among printed rows and among scored rows; {_ALIKE}"
)
RANKED_TOGETHER = (
    "Bold is best and underlined second best, among figures printed in papers and figures scored "
    f"here together; {_ALIKE}"
)
_UNKNOWN_SOURCE = "no readable run record, so the source of these results is unknown"


@dataclass(frozen=True)
class _Entry:
    """One tracker's results on one benchmark, and the printed row they belong to."""

    section: ReportSection
    name: str
    match: Match | None

    @property
    def kind(self) -> Kind:
        return _kind(self.section, self.name)

    @property
    def scores(self) -> TrackerScores | None:
        return self.section.scores.trackers.get(self.name) if self.section.scores else None

    @property
    def share(self) -> str:
        """How many sequences are scored, if some are missing."""
        if self.scores is None or self.section.scores is None:
            return ""
        return share_of(self.section.scores, self.scores)

    @property
    def ranked(self) -> bool:
        """Whether its scores compete for the best; those of the miniature do."""
        whole = self.section.miniature or _is_whole(self.section)
        return self.scores is not None and not self.scores.partial and whole

    @property
    def comparable(self) -> bool:
        """Whether its scores can be compared with printed ones."""
        return self.match is not None and self.ranked and not self.section.miniature


def build_table(
    paper: PaperTable,
    sections: Iterable[ReportSection],
    *,
    same: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Table:
    """The printed rows, each followed by our scores of that tracker; other trackers at the end.

    Further columns hold the difference scored minus printed, both rounded as printed: zero
    means the printed digits are reproduced. Partial results and the miniature have none.

    Args:
        paper: the printed table.
        sections: results of the benchmarks of its columns.
        same: printed row by name of results, for names that do not match by themselves.
        today: the date in the notes.
    """
    entries = [each for section in sections for each in _entries(paper, section, same or {})]
    rows: list[Row] = []
    for label in paper.rows:
        rows.append(_printed_row(paper, label))
        rows += _rows(paper, [e for e in entries if e.match and e.match.row == label])
    rows += _rows(paper, [e for e in entries if e.match is None])
    return Table(
        name=f"table{paper.name}" if paper.name.isdigit() else paper.name,
        title=paper.title + _label(entries),
        columns=(*map(_column, paper.columns), *_difference_columns(paper, rows)),
        rows=tuple(rows),
        notes=tuple(_notes(paper, entries, today or date.today())),
        first_heading=paper.first_heading,
    )


def _entries(
    paper: PaperTable, section: ReportSection, same: Mapping[str, str]
) -> Iterator[_Entry]:
    for name in section.provenance:
        match = match_row(paper, section.benchmark.name, name, _kind(section, name))
        if same.get(name) in paper.rows:
            match = Match(same[name], "named by --same")
        yield _Entry(section, name, match)


def _kind(section: ReportSection, name: str) -> Kind:
    """Results without a run record of this toolkit count as imported."""
    return "measured" if section.provenance[name].kind == "measured" else "imported"


def _column(heading: Heading) -> Column:
    return Column(
        heading.key,
        heading.heading,
        heading.group,
        heading.unit,
        heading.better,
        heading.decimals,
        signed=heading.better is None,
    )


def _printed_row(paper: PaperTable, label: str) -> Row:
    figures = {column.key: paper.figure(label, column) for column in paper.columns}
    cells = {key: _printed_cell(figure) for key, figure in figures.items() if figure}
    return Row(label, "printed", cells)


def _printed_cell(figure: Figure) -> Cell:
    decimals = figure.decimals if figure.value is not None else None
    return Cell(figure.value, None, _STATES[figure.status], decimals, figure.note)


def _rows(paper: PaperTable, entries: list[_Entry]) -> list[Row]:
    """One row per tracker and kind, across benchmarks; complete results first."""
    by_row: dict[tuple[str, Kind], list[_Entry]] = {}
    for each in entries:
        by_row.setdefault((each.name, each.kind), []).append(each)
    rows = [_row(paper, name, kind, own) for (name, kind), own in by_row.items()]
    return sorted(rows, key=lambda row: (not row.ranked, not row.share))


def _row(paper: PaperTable, name: str, kind: Kind, entries: list[_Entry]) -> Row:
    cells: dict[str, Cell] = {}
    for each in entries:
        for heading in paper.columns:
            if heading.benchmark == each.section.benchmark.name:
                cells[heading.key] = _scored_cell(each, heading)
                cells[_difference_key(heading)] = _difference(paper, each, heading)
    notes = dict.fromkeys(note for each in entries for note in _row_notes(each))
    shares = dict.fromkeys(each.share for each in entries if each.share)
    ranked = all(each.ranked for each in entries)
    return Row(name, kind, cells, "; ".join(notes), ranked, share=", ".join(shares))


def _scored_cell(entry: _Entry, heading: Heading) -> Cell:
    if entry.scores is None:
        return Cell(state="broken" if entry.section.scorable else "unscored")
    return measure_cell(entry.scores, heading.measure, heading.scale)


def _difference(paper: PaperTable, entry: _Entry, heading: Heading) -> Cell:
    """Scored minus printed, both as printed; missing unless there are both."""
    figure = paper.figure(entry.match.row, heading) if entry.match else None
    value = _scored_cell(entry, heading).value
    if not entry.comparable or figure is None or figure.value is None or value is None:
        return MISSING
    decimals = figure.decimals
    return Cell(round(round(value, decimals) - figure.value, decimals), decimals=decimals)


def _difference_key(heading: Heading) -> str:
    return f"{heading.key}{DIFFERENCE}"


def _difference_columns(paper: PaperTable, rows: list[Row]) -> tuple[Column, ...]:
    """Columns for the differences that exist."""
    known = {key for row in rows for key, cell in row.cells.items() if cell.value is not None}
    return tuple(
        dataclasses.replace(
            _column(heading),
            key=_difference_key(heading),
            group=f"{heading.group} scored − printed".strip(),
            better=None,
            signed=True,
        )
        for heading in paper.columns
        if _difference_key(heading) in known
    )


def _row_notes(entry: _Entry) -> Iterator[str]:
    """The printed row compared with, gaps, and errors."""
    title = entry.section.benchmark.title
    if entry.match and entry.match.reason and entry.comparable:
        yield f"compared with {entry.match.row} on {title} ({entry.match.reason})"
    if entry.section.provenance[entry.name].kind == "unknown":
        yield _UNKNOWN_SOURCE
    if entry.scores is None:
        yield f"{title}: {entry.section.refused.get(entry.name, 'not scored')}"
        return
    notes = condensed(entry.scores)
    yield from (f"{title}: {note}" for note in notes[:_NOTES_PER_ROW])
    if len(notes) > _NOTES_PER_ROW:
        yield f"{title}: {len(notes) - _NOTES_PER_ROW} further notes, listed by `bench eval`"


def _label(entries: list[_Entry]) -> str:
    """Labels for the title: the miniature, missing sequences."""
    scored = [section.scores for section in _sections(entries) if section.scores]
    labels = ", ".join(dict.fromkeys(label for each in scored for label in labels_of(each)))
    return f" (scored rows: {labels})" if labels else ""


def _notes(paper: PaperTable, entries: list[_Entry], today: date) -> Iterator[str]:
    yield f"Printed figures: {paper.source}."
    yield RANKED_APART
    if paper.scored:
        yield (
            "Imported: raw results from elsewhere, scored here. Measured: run and scored here. "
            "Differences are scored minus printed, both rounded as printed. Intervals, if shown: "
            "95 % bootstrap over sequences."
        )
        notes = (
            (note, section.benchmark.title)
            for section in _sections(entries)
            for note in _section_notes(paper, section)
        )
        yield from (f"{', '.join(titles)}: {note}" for note, titles in grouped(notes).items())
        yield from _unscored(paper, entries)
    yield f"Written on {today.isoformat()}."


def _section_notes(paper: PaperTable, section: ReportSection) -> Iterator[str]:
    """Notes on the scores of one benchmark, for the measures that the table shows."""
    if section.scores is None:
        return
    name = section.benchmark.name
    shown = {column.measure for column in paper.columns if column.benchmark == name}
    yield from scores_notes(section.scores, measures=shown)
    meanings = layout_of(section.experiment, section.benchmark.name).meanings.items()
    yield from (meaning for measure, meaning in meanings if measure in shown)
    if section.miniature:
        yield "no differences, because the miniature is not the benchmark"
    elif not _is_whole(section):
        yield "neither ranked nor compared with printed figures: too many sequences are missing"


def _is_whole(section: ReportSection) -> bool:
    """Whether at most one sequence in a hundred is missing from the dataset.

    Expected average overlap needs every sequence, since its lengths depend on them.
    """
    expected = section.benchmark.expected_sequences
    if expected is None or section.scores is None:
        return True
    missing = expected - section.scores.sequences
    return missing <= (0 if section.scores.interval else expected // 100)


def _sections(entries: list[_Entry]) -> list[ReportSection]:
    return list({each.section.key: each.section for each in entries}.values())


def _unscored(paper: PaperTable, entries: list[_Entry]) -> Iterator[str]:
    """The printed rows of each benchmark without results."""
    for benchmark in paper.benchmarks:
        own = (e for e in entries if e.section.benchmark.name == benchmark)
        found = {entry.match.row for entry in own if entry.match}
        printed = dict.fromkeys(f.row for f in paper.figures if f.benchmark == benchmark)
        missing = [row for row in printed if row not in found]
        if missing:
            yield (
                f"{get_benchmark(benchmark).title}: no results here of {', '.join(missing)}; "
                "docs/systems.md lists known sources"
            )
