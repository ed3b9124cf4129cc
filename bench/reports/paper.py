"""A printed table beside the scores of stored results, with the differences between them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from bench.benchmarks import get_benchmark
from bench.measures.catalogue import layout_of
from bench.published.papers import Figure, Heading, Match, PaperTable, Status, match_row
from bench.reports.notes import scores_notes
from bench.reports.stored import Stored
from bench.reports.table import MISSING, Cell, Column, Kind, Row, State, Table
from bench.scores import TrackerScores

_STATES: Mapping[Status, State] = {
    "read": "known",
    "misprint": "known",
    "unverified": "unverified",
    "unreadable": "unreadable",
    "not printed": "missing",
}
_SAID = 3  # notes of a row that are written out


@dataclass(frozen=True)
class _Scored:
    """One tracker's scores on one benchmark, or why it has none."""

    stored: Stored
    name: str
    match: Match | None

    @property
    def kind(self) -> Kind:
        return self.stored.sources[self.name].kind

    @property
    def scores(self) -> TrackerScores | None:
        return self.stored.scores.trackers.get(self.name) if self.stored.scores else None

    @property
    def comparable(self) -> bool:
        """Whether its scores may be held against printed ones."""
        return self.match is not None and not self.stored.miniature and _is_whole(self.stored)


def build_table(
    paper: PaperTable,
    stored: Iterable[Stored],
    *,
    same: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Table:
    """The table as printed, below each row what was scored here, then trackers it does not have.

    Scored rows carry the difference scored minus printed in further columns, both rounded as
    printed; a zero means that the printed digits come out. Scores on the miniature have none.

    Args:
        paper: the printed table.
        stored: results of the benchmarks of its columns.
        same: printed row by name of results, where the names tell nothing.
        today: the date in the notes.
    """
    scored = [each for one in stored for each in _scored(paper, one, same or {})]
    columns = tuple(_column(heading) for heading in paper.columns)
    printed = {row: _printed_row(paper, row) for row in paper.rows}
    rows: list[Row] = []
    for label, row in printed.items():
        rows += [row, *_rows(paper, [s for s in scored if s.match and s.match.row == label])]
    rows += _rows(paper, [s for s in scored if s.match is None])
    return Table(
        name=f"table{paper.name}" if paper.name.isdigit() else paper.name,
        title=paper.title + _label(scored),
        columns=columns + _difference_columns(paper, rows),
        rows=tuple(rows),
        notes=tuple(_notes(paper, scored, today or date.today())),
        first_heading=paper.first_heading,
    )


def _scored(paper: PaperTable, stored: Stored, same: Mapping[str, str]) -> Iterator[_Scored]:
    for name, source in stored.sources.items():
        match = match_row(paper, stored.benchmark, name, source.kind)
        if same.get(name) in paper.rows:
            match = Match(same[name], "as told on the command line")
        yield _Scored(stored, name, match)


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


def _rows(paper: PaperTable, scored: list[_Scored]) -> list[Row]:
    """One row a tracker and kind; a tracker may have scores on several benchmarks."""
    grouped: dict[tuple[str, Kind], list[_Scored]] = {}
    for each in scored:
        grouped.setdefault((each.name, each.kind), []).append(each)
    return [_row(paper, name, kind, same) for (name, kind), same in grouped.items()]


def _row(paper: PaperTable, name: str, kind: Kind, scored: list[_Scored]) -> Row:
    cells: dict[str, Cell] = {}
    for each in scored:
        headings = [c for c in paper.columns if c.benchmark == each.stored.benchmark]
        for heading in headings:
            cells[heading.key] = _scored_cell(each, heading)
            cells[_difference_key(heading)] = _difference(paper, each, heading)
    notes = dict.fromkeys(note for each in scored for note in _row_notes(each))
    ranked = all(each.scores is not None and not _is_partial(each) for each in scored)
    return Row(name, kind, cells, "; ".join(notes), ranked)


def _scored_cell(scored: _Scored, heading: Heading) -> Cell:
    if scored.scores is None:
        return Cell(state=scored.stored.state)
    value = scored.scores.measures.get(heading.measure, math.nan)
    if math.isnan(value):
        return MISSING
    low, high = scored.scores.intervals.get(heading.measure, (math.nan, math.nan))
    scale = heading.scale
    interval = None if math.isnan(low) else (low * scale, high * scale)
    return Cell(value * scale, interval)


def _difference(paper: PaperTable, scored: _Scored, heading: Heading) -> Cell:
    """Scored minus printed, both as printed; missing where there are not both."""
    figure = paper.figure(scored.match.row, heading) if scored.match else None
    value = _scored_cell(scored, heading).value
    if not scored.comparable or figure is None or figure.value is None or value is None:
        return MISSING
    decimals = figure.decimals
    return Cell(round(round(value, decimals) - figure.value, decimals), decimals=decimals)


def _difference_key(heading: Heading) -> str:
    return f"{heading.key}-difference"


def _difference_columns(paper: PaperTable, rows: list[Row]) -> tuple[Column, ...]:
    """Columns for the differences there are."""
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


def _row_notes(scored: _Scored) -> Iterator[str]:
    """What must be said of scores: the printed row they belong to, gaps, breakage."""
    title = get_benchmark(scored.stored.benchmark).title
    match, source = scored.match, scored.stored.sources[scored.name]
    if match and match.reason and scored.comparable:
        yield f"held against {match.row} on {title} ({match.reason})"
    if source.note:
        yield source.note
    if scored.scores is None:
        yield f"{title}: {scored.stored.failed.get(scored.name, 'not scored')}"
        return
    notes = scored.scores.notes
    for note in notes[:_SAID]:
        yield f"{title}: {note}"
    if len(notes) > _SAID:
        yield f"{title}: {len(notes) - _SAID} further notes, listed by `bench eval`"


def _is_partial(scored: _Scored) -> bool:
    if not (scored.stored.miniature or _is_whole(scored.stored)):
        return True
    notes = scored.scores.notes if scored.scores else ()
    return any(note.startswith("partial:") for note in notes)


def _label(scored: list[_Scored]) -> str:
    """What a reader must not miss, for the title: the stand-in, a dataset with gaps."""
    labels = ["MINIATURE" for each in scored if each.stored.miniature]
    for each in scored:
        caveats = each.stored.scores.caveats if each.stored.scores else ()
        labels += [caveat.partition(":")[0].upper() for caveat in caveats]
    known = ", ".join(dict.fromkeys(labels))
    return f" (scored rows: {known})" if known else ""


def _notes(paper: PaperTable, scored: list[_Scored], today: date) -> Iterator[str]:
    yield f"Printed figures: {paper.source}."
    yield (
        "Bold is best and underlined second best, printed rows among themselves and scored rows "
        "among themselves; what prints alike is marked alike. A column of which a figure is "
        "lost is not ranked, nor are results that lack sequences. A question mark: the figure is "
        "not verified."
    )
    if not paper.scored:
        yield f"Written on {today.isoformat()}."
        return
    yield (
        "Imported: raw results made elsewhere, scored here. Measured: run and scored here. "
        "Differences are scored minus printed, both rounded as printed. Intervals, where shown: "
        "95 % bootstrap over sequences."
    )
    about: dict[str, list[str]] = {}
    for one in _distinct(scored):
        for note in _scores_notes(paper, one):
            about.setdefault(note, []).append(get_benchmark(one.benchmark).title)
    yield from (f"{', '.join(titles)}: {note}" for note, titles in about.items())
    yield from _unscored(paper, scored)
    yield f"Written on {today.isoformat()}."


def _scores_notes(paper: PaperTable, stored: Stored) -> Iterator[str]:
    """What is to be said of the scores of one benchmark in the columns of a table."""
    if stored.scores is None:
        return
    shown = {column.measure for column in paper.columns if column.benchmark == stored.benchmark}
    yield from scores_notes(stored.scores, measures=shown)
    meanings = layout_of(stored.scores.experiment).meanings.items()
    yield from (meaning for measure, meaning in meanings if measure in shown)
    if stored.miniature:
        yield "no differences, as the miniature is not the benchmark"
    elif not _is_whole(stored):
        yield "neither ranked nor held against printed figures, as too many sequences are lacking"


def _is_whole(stored: Stored) -> bool:
    """Whether a dataset has nearly all sequences; averages of fewer are of something else.

    An expected average overlap needs them all, as the lengths it is the mean over follow.
    """
    expected = get_benchmark(stored.benchmark).sequences
    if expected is None or stored.scores is None:
        return True
    lacking = expected - stored.scores.sequences
    return lacking <= (0 if stored.scores.interval else expected // 100)


def _distinct(scored: list[_Scored]) -> list[Stored]:
    return list({each.stored.benchmark: each.stored for each in scored}.values())


def _unscored(paper: PaperTable, scored: list[_Scored]) -> Iterator[str]:
    """The printed rows of each benchmark that no results here belong to."""
    for benchmark in paper.benchmarks:
        having = {s.match.row for s in scored if s.match and s.stored.benchmark == benchmark}
        printed = dict.fromkeys(f.row for f in paper.figures if f.benchmark == benchmark)
        lacking = [row for row in printed if row not in having]
        if lacking:
            title = get_benchmark(benchmark).title
            yield (
                f"{title}: no results here of {', '.join(lacking)}; docs/systems.md says what is "
                "known of where they can be had"
            )
