"""The tables of ``bench diff``: what moved, where, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from bench.benchmarks import get_benchmark
from bench.comparison import Difference
from bench.comparison.difference import SequenceDifference
from bench.measures.catalogue import get_measure
from bench.reports.escaping import without_folders
from bench.reports.table import Cell, Column, Row, Table

_LISTED = 10


def difference_tables(found: Difference, listed: int = _LISTED) -> Iterator[Table]:
    """Every table of a comparison that has rows.

    Args:
        found: the comparison.
        listed: how many sequences, attributes and retests are shown.
    """
    yield _measures(found)
    yield _sequences(found, listed)
    yield _groups(found, listed)
    yield _causes(found)
    yield _reruns(found)
    yield _inputs(found)
    yield _facts(found)
    yield _expected(found)
    yield _retests(found)


def _words(key: str, heading: str) -> Column:
    return Column(key, heading, better=None, text=True)


def _number(key: str, heading: str, decimals: int = 4, *, signed: bool = False) -> Column:
    return Column(key, heading, better=None, decimals=decimals, signed=signed)


def _measures(found: Difference) -> Table:
    """Is it real? Each difference with its interval, and the spread of runs."""
    columns = (
        _number("a", "A"), _number("b", "B"), _number("difference", "A − B", signed=True),
        _words("interval", "95 % interval"), _number("p", "p", 3), _words("verdict", "verdict"),
    )  # fmt: skip
    rows = tuple(
        Row(
            get_measure(each.measure).title, "",
            {
                "a": Cell(each.a, spread=each.spread_a), "b": Cell(each.b, spread=each.spread_b),
                "difference": Cell(each.difference),
                "interval": Cell(text=_span(each.low, each.high)),
                "p": Cell(None if math.isnan(each.p_value) else each.p_value),
                "verdict": Cell(text=each.verdict),
            },
        )
        for each in found.measures
    )  # fmt: skip
    title = f"{get_benchmark(found.benchmark).title}: A = {found.a}, B = {found.b}"
    notes = [found.verdict, *found.notes]
    if found.measures:
        notes.append(
            "intervals: A − B over sequences, both on the same bootstrap resamples; p: Wilcoxon "
            "signed-rank over sequences"
        )
    return Table("diff-measures", title, columns, rows, tuple(notes), "Measure")


def _span(low: float, high: float) -> str:
    return "—" if math.isnan(low) else f"{low:+.4f} to {high:+.4f}".replace("-", "−")


def _sequences(found: Difference, listed: int) -> Table:
    """Where? The greatest shares, with the frames at which the runs part."""
    main = found.main
    columns = [
        _words("any", "parts at"), _words("pixel", "by a pixel"), _words("apart", "apart"),
    ]  # fmt: skip
    if main:
        columns.insert(0, _number("share", f"share of {get_measure(main).short}", 5, signed=True))
    resets = any(row.parting.only_a or row.parting.only_b for row in found.sequences)
    if resets:
        columns += [_words("only_a", "failures of A only"), _words("only_b", "of B only")]
    if main == "eao":
        columns.append(_number("left", "A − B without it", 4, signed=True))
    shown = found.sequences[:listed]
    rows = tuple(Row(each.name, "", _cells(each, main)) for each in shown)
    rest = found.sequences[listed:]
    notes = []
    if main and found.sequences:
        total = sum(each.shares[main] for each in rest)
        notes = [
            f"shares sum to the difference of {get_measure(main).title}"
            + (f"; the other {len(rest)} sequences make {total:+.5f} of it" if rest else "")
        ]
    title = "Where: sequences by their share of the difference" if main else "Where"
    return Table("diff-sequences", title, tuple(columns), rows, tuple(notes), "Sequence")


def _cells(each: SequenceDifference, main: str) -> dict[str, Cell]:
    parting = each.parting
    cells = {
        name: Cell(text=_frame(getattr(parting, name), each.first_frame))
        for name in ("any", "pixel", "apart")
    }
    for name in ("only_a", "only_b"):
        frames = [_frame(frame, each.first_frame) for frame in getattr(parting, name)]
        cells[name] = Cell(text=", ".join(frames) or "—")
    if main:
        cells["share"] = Cell(each.shares[main])
        cells["left"] = Cell(None if math.isnan(each.left_out) else each.left_out)
    return cells


def _frame(index: int | None, first: int) -> str:
    return "—" if index is None else str(index + first)


def _groups(found: Difference, listed: int) -> Table:
    columns = (
        _number("share", "share", 5, signed=True), _number("part", "part of all", 2),
    )  # fmt: skip
    rows = tuple(
        Row(each.name.replace("_", " "), "", {"share": Cell(each.share), "part": Cell(each.part)})
        for each in found.groups[:listed]
    )
    notes = ("attributes overlap, so their shares do not sum to the difference",) if rows else ()
    title = "Where: attributes and tags by their share"
    return Table("diff-groups", title, columns, rows, notes, "Attribute")


def _causes(found: Difference) -> Table:
    columns = (
        _words("side", "run"), _words("evidence", "evidence"), _words("explains", "explains"),
        _words("remedy", "what to do"),
    )  # fmt: skip
    sides = {"a": "A", "b": "B", "": "—"}
    rows = tuple(
        Row(
            f"{each.name}: {each.title}", "",
            {
                "side": Cell(text=sides[each.side]), "evidence": Cell(text=each.evidence),
                "explains": Cell(text=_parts(each.explains)), "remedy": Cell(text=each.remedy),
            },
        )
        for each in found.causes
    )  # fmt: skip
    return Table("diff-causes", "Why: causes, the surest first", columns, rows, (), "Cause")


def _parts(explains: object) -> str:
    parts = dict(explains) if isinstance(explains, dict) else {}
    return ", ".join(f"{part:.0%} of {name}" for name, part in list(parts.items())[:3]) or "—"


def _reruns(found: Difference) -> Table:
    columns = (
        _number("equal", "rows equal", 2), _number("explains", "explains", 2, signed=True),
        _words("problem", "remark"),
    )  # fmt: skip
    rows = tuple(
        Row(
            f"{each.change} ({each.sequence}, {each.frames} frames)", "",
            {
                "equal": Cell(None if each.problem and each.cause else each.equal),
                "explains": Cell(each.explains if each.cause and not each.problem else None),
                "problem": Cell(text=each.problem or "—"),
            },
        )
        for each in found.reruns
    )  # fmt: skip
    notes = (
        "rows equal: to those of the other run (of the control: to its own); explains: part of "
        "the mean distance between both runs that the change makes",
    ) if rows else ()  # fmt: skip
    return Table("diff-reruns", "Why: run again under one change", columns, rows, notes, "Change")


def _inputs(found: Difference) -> Table:
    columns = (_number("mean", "mean", 2), _number("largest", "largest", 0))
    rows = tuple(
        Row(each.change, "", {"mean": Cell(each.mean), "largest": Cell(each.largest)})
        for each in found.inputs
    )
    first = {row.name: row.first_frame for row in found.sequences}
    where = (
        f": {found.inputs[0].sequence}, frame "
        f"{found.inputs[0].frame + first.get(found.inputs[0].sequence, 1)}"
        if found.inputs
        else ""
    )
    notes = (
        "of 255 grey levels, in the target's box; a change that does nothing there is no cause",
    ) if rows else ()  # fmt: skip
    title = f"Why: what reading the frame of the first parting otherwise changes{where}"
    return Table("diff-inputs", title, columns, rows, notes, "Frame")


def shareable_difference(found: Difference) -> Difference:
    """The same for a page that is passed on: nothing in it names a folder."""
    return replace(
        found,
        notes=tuple(map(without_folders, found.notes)),
        facts=tuple(
            replace(f, a=without_folders(str(f.a)), b=without_folders(str(f.b)))
            for f in found.facts
        ),
        causes=tuple(replace(c, evidence=without_folders(c.evidence)) for c in found.causes),
    )


def _facts(found: Difference) -> Table:
    columns = (_words("a", "A"), _words("b", "B"), _words("cause", "can be"))
    rows = tuple(
        Row(
            f"{each.title} ({each.name})", "",
            {
                "a": Cell(text=str(each.a)[:60]), "b": Cell(text=str(each.b)[:60]),
                "cause": Cell(text=each.cause or "no box by itself"),
            },
        )
        for each in found.facts
    )  # fmt: skip
    return Table(
        "diff-facts", "Why: what the records state differently", columns, rows, (), "Fact"
    )


def _expected(found: Difference) -> Table:
    columns = (
        _number("value", "expected"), _number("tolerance", "±"), _number("found", "found"),
        _words("verdict", "verdict"), _words("source", "source"),
    )  # fmt: skip
    rows = tuple(
        Row(
            f"{each.label}, {each.checkpoint}: {get_measure(each.measure).short}", "",
            {
                "value": Cell(each.value), "tolerance": Cell(each.tolerance),
                "found": Cell(each.found), "verdict": Cell(text=each.verdict),
                "source": Cell(text=each.source),
            },
        )
        for each in found.expected
    )  # fmt: skip
    return Table(
        "diff-expected", "Is it what is expected? Recorded scores", columns, rows, (), "Score"
    )


def _retests(found: Difference) -> Table:
    """The difference that is left under each convention and reading."""
    measures = [each.measure for each in found.measures]
    columns = tuple(_number(m, get_measure(m).short, 4, signed=True) for m in measures)
    rows = tuple(
        Row(each.change, "", {m: Cell(left) for m, left in each.left.items()})
        for each in found.retests
    )
    title = "Why: A − B under other conventions and readings"
    return Table("diff-retests", title, columns, rows, (), "Scored under")
