"""The tables of ``bench eval``: scores, conventions, breakdowns, ranks and comparisons."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from bench.benchmarks import get_benchmark
from bench.measures.catalogue import Measure, layout_of
from bench.published.papers import expected_of
from bench.reports.notes import counted, footnotes, heading_of, scores_notes, title_of
from bench.reports.score_table import (
    cell_of,
    column_of,
    presence_table,
    ranked,
    score_table,
    share_of,
)
from bench.reports.table import MISSING, Cell, Column, Row, Table
from bench.scores import BenchmarkScores

_COUNTED = {"attribute": "sequences", "tag": "frames"}
_UNSCORED = Cell(state="unscored")


def eval_tables(
    scored: list[BenchmarkScores],
    breakdowns: Iterable[str] = (),
    compared: tuple[str, str] | None = None,
) -> Iterator[Table]:
    """Every table of an evaluation: a single convention in full, several side by side.

    Args:
        scored: the same results, once for each convention.
        breakdowns: any of ``"attribute"``, ``"tag"`` and ``"sequence"``.
        compared: two trackers to test against each other.

    Raises:
        ConfigError: a tracker to compare has no scores.
    """
    first, *others = own_tables(scored, breakdowns)
    yield first
    if len(scored) == 1:
        yield from known_figures(scored[0])
    yield from others
    if compared:
        yield from (comparison_table(scores, *compared) for scores in scored)


def own_tables(scored: list[BenchmarkScores], breakdowns: Iterable[str] = ()) -> Iterator[Table]:
    """The tables of these results alone: scores, presence, breakdowns and ranks.

    Args:
        scored: the same results, once for each convention.
        breakdowns: any of ``"attribute"``, ``"tag"`` and ``"sequence"``.
    """
    if len(scored) > 1:
        yield convention_table(scored)
    else:
        yield score_table(scored[0])
        told = presence_table(scored[0])
        yield from () if told is None else (told,)
    for scores in scored:
        if scores.trackers:
            yield from (breakdown_table(scores, by) for by in breakdowns)
        if scores.ranks:
            yield rank_table(scores)


def known_figures(scores: BenchmarkScores) -> Iterator[Table]:
    """A table of what papers print and others measured of these trackers, if anything."""
    rows = []
    for name in scores.trackers:
        for known in expected_of(name, scores.benchmark, scores.experiment):
            cells = {measure: Cell(text=figure) for measure, figure in known.measures.items()}
            cells["source"] = Cell(text=known.source)
            rows.append(Row(f"{name}, {known.kind}", "", cells, ranked=False))
    if rows:
        measures = layout_of(scores.experiment, scores.benchmark).columns
        source = Column("source", "Source", better=None, text=True)
        columns = (*map(column_of, measures), source)
        title = "Known figures of these trackers, on the whole benchmark"
        yield Table(f"{scores.benchmark}-known", title, columns, tuple(rows))


def convention_table(scored: list[BenchmarkScores]) -> Table:
    """The same results under every convention, with the reasons for the differences."""
    first = scored[0]
    measures = layout_of(first.experiment, first.benchmark).with_interval
    columns = _columns((scores.convention for scores in scored), measures)
    names = dict.fromkeys(name for scores in scored for name in (*ranked(scores), *scores.refused))
    rows = []
    for name in names:
        cells: dict[str, Cell] = {}
        for scores in scored:
            tracker = scores.trackers.get(name)
            values = tracker.measures if tracker else None
            cells |= _cells(scores.convention, measures, values, _UNSCORED)
        own = first.trackers.get(name)
        share = share_of(first, own) if own else ""
        rows.append(Row(name, "", cells, ranked=not share, share=share))
    shown = " / ".join(measure.short for measure in measures)
    sequences = counted(first.sequences, "sequence")
    title = f"{heading_of(first)}, {sequences}, every convention: {shown}"
    notes = tuple(dict.fromkeys(_convention_notes(scored)))
    name = f"{first.benchmark}-conventions"
    return Table(name, title, columns, tuple(rows), notes, stacked=True)


def _convention_notes(scored: list[BenchmarkScores]) -> Iterator[str]:
    for scores in scored:
        reasons = "; ".join(scores.differences) or "the official definition of this benchmark"
        yield f"{scores.convention}: {reasons}"
    for scores in scored:
        for name, reason in scores.refused.items():
            yield f"{scores.convention} refuses {name}: {reason}"
    for scores in scored:
        yield from footnotes(scores, rule=False)


def breakdown_table(scores: BenchmarkScores, by: str) -> Table:
    """The main measures of every tracker by ``"attribute"``, ``"tag"`` or ``"sequence"``."""
    layout = layout_of(scores.experiment, scores.benchmark)
    measures = layout.breakdown if by == "sequence" else layout.by_group
    parts = {name: getattr(scores.trackers[name], f"per_{by}") for name in ranked(scores)}
    columns, unit = _columns(parts, measures, partial(_heading, scores)), _COUNTED.get(by)
    if unit:
        columns = (Column("count", unit.capitalize(), better=None, decimals=0), *columns)
    rows = []
    for key in dict.fromkeys(key for part in parts.values() for key in part):
        cells: dict[str, Cell] = {}
        for name, part in parts.items():
            cells |= _cells(name, measures, part.get(key))
        if unit:
            counts = {int(part[key][unit]) for part in parts.values() if key in part}
            cells["count"] = Cell(max(counts), text="/".join(map(str, sorted(counts))))
        rows.append(Row(key, "", cells, ranked=False))
    shown = " / ".join(measure.short for measure in measures)
    title, notes = f"{title_of(scores)}: {shown}", list(scores_notes(scores, rule=False))
    if not rows:
        columns, notes = (), [*notes, _nothing_by(scores, by)]
    name = f"{scores.benchmark}-{by}"
    return Table(name, title, columns, tuple(rows), tuple(notes), by.capitalize())


def _heading(scores: BenchmarkScores, name: str) -> str:
    """A tracker above its columns, with the number of its sequences if some are missing."""
    share = share_of(scores, scores.trackers[name])
    return f"{name} ({share})" if share else name


def _nothing_by(scores: BenchmarkScores, by: str) -> str:
    """Why there is no breakdown; an empty table would be read as an error."""
    title = get_benchmark(scores.benchmark).title
    if by == "sequence":
        return "by sequence: no sequence has a score"
    return f"by {by}: this folder of {title} has no {by}s, so there is nothing to break down by"


def _columns(
    groups: Iterable[str], measures: Iterable[Measure], heading: Callable[[str], str] = str
) -> tuple[Column, ...]:
    """A column for each measure under each group, i.e. tracker or convention."""
    return tuple(
        dataclasses.replace(
            column_of(measure, group=heading(group)), key=f"{group}/{measure.name}"
        )
        for group in groups
        for measure in measures
    )


def _cells(
    group: str,
    measures: Iterable[Measure],
    values: Mapping[str, float] | None,
    absent: Cell | None = None,
) -> dict[str, Cell]:
    """The cells of one row under one group; ``absent`` fills them if there are no values."""
    return {
        f"{group}/{measure.name}": absent or cell_of(None)
        if values is None
        else cell_of(values.get(measure.name))
        for measure in measures
    }


def comparison_table(scores: BenchmarkScores, a: str, b: str) -> Table:
    """Paired test of tracker ``a`` against ``b`` on the sequences both have.

    Raises:
        ConfigError: one is not scored, both are the same, or they share no sequence.
    """
    from bench.evaluation import compare

    columns = (
        Column("difference", "Difference", better=None, decimals=4, signed=True),
        Column("interval", "95 % interval", better=None),
        Column("p", "Wilcoxon p", better=None),
        Column("wins", "Above/below", better=None),
    )
    rows = []
    for measure, test in compare(scores, a, b).items():
        cells = {
            "difference": cell_of(test.difference),
            "interval": _interval(test.low, test.high),
            "p": Cell(test.p_value, text=f"{test.p_value:.2g}"),
            "wins": Cell(text=f"{test.wins}/{test.losses} of {test.sequences}"),
        }
        rows.append(Row(measure, "", cells, ranked=False))
    title, notes = f"{title_of(scores)}: {a} minus {b}", tuple(scores_notes(scores, rule=False))
    name = f"{scores.benchmark}-comparison"
    return Table(name, title, columns, tuple(rows), notes, "Measure")


def _interval(low: float, high: float) -> Cell:
    """Both ends of an interval; missing if there are too few sequences for one."""
    if math.isnan(low) or math.isnan(high):
        return MISSING
    return Cell(text=f"[{low:+.3f}, {high:+.3f}]".replace("-", "−"))


def rank_table(scores: BenchmarkScores) -> Table:
    """Ranks by significance tests, best mean rank first; indistinguishable trackers share one."""
    columns = tuple(
        Column(key, key.capitalize(), better="lower", decimals=2)
        for key in (*scores.ranks, "mean")
    )
    ranks = list(scores.ranks.values())
    found = {name: [by_name[name] for by_name in ranks] for name in ranks[0]}
    rows = []
    for name, own in sorted(found.items(), key=lambda item: sum(item[1])):
        figures = zip(columns, (*own, sum(own) / len(own)), strict=True)
        rows.append(Row(name, "", {column.key: Cell(figure) for column, figure in figures}))
    note = "Rank 1 is best; trackers share ranks where tests find no difference."
    name, title = f"{scores.benchmark}-ranks", f"{title_of(scores)}: ranks"
    return Table(name, title, columns, tuple(rows), (note,))
