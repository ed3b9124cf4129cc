"""The scores of one benchmark as a table, best tracker first, and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from bench.benchmarks import get_benchmark
from bench.measures.catalogue import Measure, layout_of, measures
from bench.reports.escaping import harmless
from bench.reports.notes import condensed, footnotes, shareable, title_of
from bench.reports.table import MISSING, Cell, Column, Row, Table
from bench.scores import BenchmarkScores, TrackerScores

_CSV = (
    "benchmark", "convention", "tracker", "measure", "value", "low", "high", "partial", "caveat",
    "notes",
)  # fmt: skip
_UNTIMED = Cell(state="missing", note="no times are stored")


def ranking_measure(scores: BenchmarkScores) -> Measure:
    """The measure that trackers are ranked by: the layout's first one that every tracker has.

    Some conventions have no expected average overlap; accuracy then takes its place.
    """
    columns = layout_of(scores.experiment, scores.benchmark).columns
    trackers = scores.trackers.values()
    return next((m for m in columns if all(m.name in t.measures for t in trackers)), columns[0])


def ranked(scores: BenchmarkScores) -> list[str]:
    """Names of the scored trackers: complete ones by rank, then partial ones."""
    measure = ranking_measure(scores).name

    def place(name: str) -> tuple[bool, bool, float]:
        tracker = scores.trackers[name]
        value = tracker.measures.get(measure, math.nan)
        return tracker.partial, math.isnan(value), -value

    return sorted(scores.trackers, key=place)


def score_table(scores: BenchmarkScores) -> Table:
    """One row per tracker, with intervals and the spread over repetitions.

    Partial trackers follow the complete ones, without a rank; then those without scores.
    """
    columns = columns_of(scores)
    names = ranked(scores)
    rows = [_row(scores, name, columns, place) for place, name in enumerate(names, start=1)]
    rows += [unscored_row(name, reason) for name, reason in scores.refused.items()]
    title, notes = title_of(scores), tuple(footnotes(scores))
    return Table(f"{scores.benchmark}-scores", title, columns, tuple(rows), notes)


def unscored_row(name: str, reason: str) -> Row:
    """The row of a tracker without scores."""
    return Row(name, "", {}, ranked=False, problem=reason)


def sequence_table(scores: BenchmarkScores, sequence: str) -> Table:
    """The measures of every tracker on one sequence."""

    def measured(tracker: TrackerScores) -> Mapping[str, float]:
        return tracker.per_sequence.get(sequence, {})

    columns = columns_of(scores, measured)
    rows = []
    for name, tracker in scores.trackers.items():
        cells = {column.key: cell_of(measured(tracker).get(column.key)) for column in columns}
        rows.append(Row(name, "", cells, ranked=False))
    return Table(f"{scores.benchmark}-sequence", sequence, columns, tuple(rows))


def columns_of(
    scores: BenchmarkScores,
    measured: Callable[[TrackerScores], Mapping[str, float]] = lambda tracker: tracker.measures,
) -> tuple[Column, ...]:
    """The layout's columns, then the catalogue's other measures; only those with a value.

    Args:
        scores: of one benchmark.
        measured: the numbers of a tracker to show.
    """
    layout = layout_of(scores.experiment, scores.benchmark)
    having = {name for tracker in scores.trackers.values() for name in measured(tracker)}
    order = dict.fromkeys((*layout.columns, *measures().values()))
    return tuple(
        column_of(measure, interval=measure in layout.with_interval)
        for measure in order
        if measure.name in having and measure not in layout.presence
    )


def presence_table(scores: BenchmarkScores) -> Table | None:
    """How well each tracker knows when the target is there; None if none of them tells.

    Notes on single trackers are those of ``score_table``.
    """
    having = {name for tracker in scores.trackers.values() for name in tracker.measures}
    shown = [each for each in layout_of(scores.experiment).presence if each.name in having]
    if not shown:
        return None
    columns = tuple(map(column_of, shown))
    rows = [replace(_row(scores, name, columns, 0), rank=None) for name in ranked(scores)]
    title = f"{title_of(scores)}: is the target there?"
    notes = "; ".join(each.meaning for each in shown if each.meaning)
    return Table(f"{scores.benchmark}-presence", title, columns, tuple(rows), (notes,))


def column_of(measure: Measure, *, group: str = "", interval: bool = True) -> Column:
    """The column of a measure. Speed has no better end: machines may differ."""
    better = None if measure.name == "fps" else measure.better
    return Column(
        measure.name, measure.short, group, "", better, measure.decimals, interval=interval
    )


def cell_of(value: float | None) -> Cell:
    """A cell for a number; missing if it is NaN or None."""
    return MISSING if value is None or math.isnan(value) else Cell(value)


def share_of(scores: BenchmarkScores, tracker: TrackerScores) -> str:
    """How many sequences a partial tracker is scored on; empty for a complete one."""
    if not tracker.partial:
        return ""
    return f"{scores.sequences - len(tracker.missing)} of {scores.sequences}"


def _row(scores: BenchmarkScores, name: str, columns: Iterable[Column], place: int) -> Row:
    tracker = scores.trackers[name]
    known = not math.isnan(tracker.measures.get(ranking_measure(scores).name, math.nan))
    complete = not tracker.partial
    return Row(
        name,
        "",
        {column.key: measure_cell(tracker, column.key) for column in columns},
        ranked=complete,
        rank=place if complete and known else None,
        share=share_of(scores, tracker),
    )


def measure_cell(tracker: TrackerScores, measure: str, scale: float = 1.0) -> Cell:
    """A tracker's measure with its interval and spread.

    Args:
        tracker: its scores.
        measure: name of the measure.
        scale: factor from a fraction of 1 to the unit of the column.
    """
    value = tracker.measures.get(measure, math.nan)
    if math.isnan(value):
        return _UNTIMED if measure == "fps" else MISSING
    low, high = tracker.intervals.get(measure, (math.nan, math.nan))
    interval = None if math.isnan(low) else (low * scale, high * scale)
    spread = tracker.spread.get(measure)
    return Cell(value * scale, interval, spread=None if spread is None else spread * scale)


def scores_csv(scored: Iterable[BenchmarkScores]) -> str:
    """One line per benchmark, convention, tracker and measure, in full precision.

    The first line of a tracker has its notes. Names that a spreadsheet would run as a formula
    get an apostrophe in front.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CSV)
    for scores in map(shareable, scored):
        for name in ranked(scores):
            writer.writerows(_csv_lines(scores, name))
    return stream.getvalue()


def _csv_lines(scores: BenchmarkScores, name: str) -> Iterator[list[object]]:
    """The lines of one tracker, its notes in the first."""
    tracker = scores.trackers[name]
    expected = get_benchmark(scores.benchmark).expected_sequences
    short = scores.partial and expected not in (None, scores.sequences)
    caveat = ", ".join(each.kind for each in scores.caveats)
    notes = harmless("; ".join([*map(str, scores.caveats), *condensed(tracker)]))
    for measure, value in tracker.measures.items():
        interval = tracker.intervals.get(measure, (math.nan, math.nan))
        cells = ["" if math.isnan(x) else repr(x) for x in (value, *interval)]
        row = (scores.benchmark, scores.convention, harmless(name), measure, *cells)
        yield [*row, short or tracker.partial, caveat, notes]
        notes = ""
