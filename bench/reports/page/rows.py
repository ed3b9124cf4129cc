"""The tables of a report as rows of cells, for the templates to print. Knows no HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.reports.notes import meanings_note, scores_notes
from bench.reports.page.encoding import rounded
from bench.reports.palette import PALETTE, colour_of, hex_of
from bench.reports.study import Study
from bench.results.provenance import Origin, origin_of
from bench.scores import TrackerScores

_LOWER_IS_BETTER = frozenset({"robustness", "failures"})
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Style:
    """How a tracker is drawn, the same on every page.

    Attributes:
        colour: as ``#rrggbb``.
        dash: name of the pattern of its lines.
    """

    colour: str
    dash: str


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
        key: name of the measure.
        label: its heading.
        decimals: as many are printed.
        lower: True where lower is better.
    """

    key: str
    label: str
    decimals: int
    lower: bool

    def text(self, value: float | None) -> str:
        """A value as it is printed; a dash for none."""
        if value is None or math.isnan(value):
            return "–"
        return f"{value:,.{0 if value >= 1000 else self.decimals}f}"


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes:
        value: to sort by, None for none.
        text: as it is printed.
        detail: a second, smaller line: interval or spread.
        place: 1 and 2 for best and second best, else 0.
        why: why there is no number.
    """

    value: float | None
    text: str
    detail: str = ""
    place: int = 0
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One tracker of a table; ``rank`` is None where it is partial or without scores."""

    name: str
    style: Style
    rank: int | None
    cells: tuple[Cell, ...]
    origin: Origin
    remark: str = ""
    problem: str = ""


def styles_of(studies: Iterable[Study]) -> dict[str, Style]:
    """A style for every tracker of a report: colours first, then patterns of lines."""
    names = dict.fromkeys(name for study in studies for name in study.trackers)
    return {
        name: Style(hex_of(colour_of(i)), _DASHES[i // len(PALETTE) % len(_DASHES)])
        for i, name in enumerate(names)
    }


def columns_of(study: Study, *, extra: Iterable[str] = ("coverage", "fps")) -> list[Column]:
    """The measures that any tracker of a study has, in the order of its tables."""
    if study.scores is None:
        return []
    layout = study.layout
    known = {m for t in study.scores.trackers.values() for m in t.measures}
    headings = {**layout.columns, **{name: name for name in extra}}
    return [
        Column(key, label, 1 if key == "fps" else layout.decimals.get(key, 3),
               key in _LOWER_IS_BETTER)
        for key, label in headings.items() if key in known
    ]  # fmt: skip


def summary_rows(study: Study, styles: Mapping[str, Style]) -> list[Row]:
    """The main table of a study, one row a tracker in their order."""
    columns = columns_of(study)
    whole = [name for name in study.trackers if _is_ranked(study, name)]
    places = {column.key: _places(study, whole, column) for column in columns}
    rows = []
    for name in study.trackers:
        cells = [_cell(study, name, column, places[column.key]) for column in columns]
        rank = whole.index(name) + 1 if name in whole else None
        remark, problem = _remark(study, name), _problem(study, name)
        origin = _origin(study, name)
        rows.append(Row(name, styles[name], rank, tuple(cells), origin, remark, problem))
    return rows


def _is_ranked(study: Study, name: str) -> bool:
    known = not math.isnan(study.value(name, study.first_measure))
    return known and not study.is_partial(name)


def _places(study: Study, names: list[str], column: Column) -> dict[float, int]:
    """The best and the second best value as printed, each with its place; none of a lone row."""
    values = {round(study.value(name, column.key), column.decimals) for name in names}
    values = {value for value in values if not math.isnan(value)}
    best = sorted(values, reverse=not column.lower)[:2]
    compared = len(names) > 1 and column.key != "fps"  # speeds may be of different machines
    return {value: place for place, value in enumerate(best, start=1)} if compared else {}


def _cell(study: Study, name: str, column: Column, places: Mapping[float, int]) -> Cell:
    scores = study.tracker_scores(name)
    value = rounded(study.value(name, column.key), 6)
    if value is None or scores is None:
        return Cell(None, "–", why="no times are stored" if column.key == "fps" else "no value")
    ranked = _is_ranked(study, name)
    place = places.get(round(value, column.decimals), 0) if ranked else 0
    return Cell(value, column.text(value), _detail(scores, column), place)


def _detail(scores: TrackerScores, column: Column) -> str:
    low, high = scores.intervals.get(column.key, (math.nan, math.nan))
    spread = scores.spread.get(column.key)
    parts = [] if math.isnan(low) else [f"{column.text(low)} – {column.text(high)}"]
    parts += [f"± {column.text(spread)}"] if spread else []
    return ", ".join(parts)


def _remark(study: Study, name: str) -> str:
    scores = study.tracker_scores(name)
    if scores is None or study.dataset is None or not study.is_partial(name):
        return ""
    return f"{len(scores.per_sequence)} of {len(study.dataset)} sequences"


def _problem(study: Study, name: str) -> str:
    return study.stored.failed.get(name, "")


def _origin(study: Study, name: str) -> Origin:
    if study.store is None:
        return Origin("unknown")
    return origin_of(study.store.record_path(name))


def sequence_columns(study: Study) -> list[Column]:
    """The measures of ``columns_of`` that a single sequence has."""
    tables = study.scores.trackers.values() if study.scores else ()
    known = {m for t in tables for row in t.per_sequence.values() for m in row}
    return [column for column in columns_of(study) if column.key in known]


def sequence_cells(study: Study, sequence: str, tracker: str, columns: list[Column]) -> list[Cell]:
    """A tracker's measures on one sequence."""
    scores = study.tracker_scores(tracker)
    row = scores.per_sequence.get(sequence, {}) if scores else {}
    values = [rounded(row.get(column.key), 6) for column in columns]
    return [Cell(value, column.text(value)) for value, column in zip(values, columns, strict=True)]


def footnotes(study: Study) -> list[str]:
    """What must stand under every number of a study."""
    scores = study.scores
    if scores is None:
        return [study.problem] if study.problem else []
    about: dict[str, list[str]] = {}
    for name, tracker in scores.trackers.items():
        for note in tracker.notes:
            about.setdefault(note, []).append(name)
    return [
        *scores_notes(scores),
        meanings_note(scores),
        *(f"{', '.join(names)}: {note}" for note, names in about.items()),
    ]
