"""Scores as tables for the terminal and as CSV, always with what must be said beside them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

from rich import markup
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, unknown_name
from bench.measures.catalogue import Layout, layout_of
from bench.published.expectations import expected_of
from bench.reports.escaping import plain
from bench.reports.notes import footnotes
from bench.scores import BenchmarkScores, TrackerScores

_PIPE_WIDTH = 10_000


def escape(text: str) -> str:
    """Text that a terminal shows as it is: neither markup nor control characters act."""
    return markup.escape(plain(text))


def report_console() -> Console:
    """Standard output; wide enough for any table where it is not a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def ranked(scores: BenchmarkScores) -> list[tuple[str, TrackerScores]]:
    """Trackers with their scores, the best first."""
    columns = layout_of(scores.experiment).columns
    shown = [m for m in columns if all(m in t.measures for t in scores.trackers.values())]
    return sorted(scores.trackers.items(), key=lambda item: -item[1].measures[shown[0]])


def print_scores(console: Console, scores: BenchmarkScores) -> None:
    """One row a tracker, the best first, with 95 % intervals and the spread over repetitions."""
    layout = layout_of(scores.experiment)
    table = _table(_title(scores))
    table.add_column("Tracker", overflow="fold")
    for heading in layout.columns.values():
        table.add_column(heading, justify="right")
    table.add_column("fps", justify="right")
    for name, tracker in ranked(scores):
        cells = [_cell(layout, tracker, measure) for measure in layout.columns]
        table.add_row(_label(scores, name, tracker), *cells, _fps(tracker.measures))
    for name, reason in scores.refused.items():
        table.add_row(escape(name), f"refused: {escape(reason)}")
    console.print(table)
    _print_expectations(console, scores, layout)


def _print_expectations(console: Console, scores: BenchmarkScores, layout: Layout) -> None:
    """What a paper prints of the trackers at hand, and what others measured."""
    known = [
        (name, each)
        for name in scores.trackers
        for each in expected_of(name, scores.benchmark, scores.experiment)
    ]
    if not known:
        return
    table = _table("What is known of these trackers, on the whole benchmark")
    for heading in ("Tracker", *layout.columns.values(), "Source"):
        table.add_column(heading, overflow="fold")
    for name, each in known:
        cells = [each.measures.get(measure, "-") for measure in layout.columns]
        table.add_row(escape(f"{name}, {each.kind}"), *cells, escape(each.source))
    console.print(table)


def print_conventions(console: Console, scored: list[BenchmarkScores]) -> None:
    """The same results under every convention side by side, and why they differ."""
    layout = layout_of(scored[0].experiment)
    shown = " / ".join(layout.columns[measure] for measure in layout.with_interval)
    title = f"{_heading(scored[0])}, every convention: {shown}"
    table = _table(title)
    table.add_column("Tracker", overflow="fold")
    for scores in scored:
        table.add_column(scores.convention, justify="right")
    names = [name for name, _ in ranked(scored[0])] + list(scored[0].refused)
    for name in names:
        table.add_row(escape(name), *(_stacked(scores, name) for scores in scored))
    console.print(table)
    for scores in scored:
        reasons = "; ".join(scores.differences) or "the official definition of this benchmark"
        console.print(f"[bold]{scores.convention}[/]: {escape(reasons)}.")
    for scores in scored:
        for name, reason in scores.refused.items():
            console.print(f"{scores.convention} refuses {escape(name)}: {escape(reason)}")


def print_breakdown(console: Console, scores: BenchmarkScores, by: str) -> None:
    """The main measures of every tracker by ``"attribute"``, ``"tag"`` or ``"sequence"``."""
    layout = layout_of(scores.experiment)
    measures = layout.breakdown if by == "sequence" else layout.by_group
    shown = " / ".join(layout.columns[measure] for measure in measures)
    table = _table(f"{_title(scores)}: {shown}")
    table.add_column(by.capitalize())
    unit = {"attribute": "sequences", "tag": "frames"}.get(by)
    if unit:
        table.add_column(unit.capitalize(), justify="right")
    trackers = ranked(scores)
    parts = {name: getattr(t, f"per_{by}") for name, t in trackers}
    for name in parts:
        table.add_column(escape(name), justify="right")
    keys = list(dict.fromkeys(key for part in parts.values() for key in part))
    for key in keys:
        cells = [_group(layout, measures, part.get(key)) for part in parts.values()]
        if unit:
            counts = {int(part[key][unit]) for part in parts.values() if key in part}
            cells.insert(0, "/".join(map(str, sorted(counts))))
        table.add_row(escape(key), *cells)
    console.print(table)


def print_comparison(console: Console, scores: BenchmarkScores, a: str, b: str) -> None:
    """Paired test of tracker ``a`` against ``b`` on the sequences both have."""
    import numpy as np

    from bench.measures.statistics import paired_test

    for name in (a, b):
        if name not in scores.trackers:
            raise unknown_name("scored tracker", name, scores.trackers)
    first, second = scores.trackers[a].per_sequence, scores.trackers[b].per_sequence
    common = [sequence for sequence in first if sequence in second]
    if a == b or not common:
        found = "one and the same" if a == b else "without a sequence in common"
        raise ConfigError(f"cannot compare {a!r} with {b!r}: they are {found}")
    table = _table(f"{_title(scores)}: {escape(a)} minus {escape(b)}")
    for heading in ("Measure", "Difference", "95 % interval", "Wilcoxon p", "Above/below"):
        table.add_column(heading, justify="right")
    for measure in layout_of(scores.experiment).compared:
        ours = np.array([first[s][measure] for s in common])
        theirs = np.array([second[s][measure] for s in common])
        test = paired_test(ours, theirs)
        interval = f"[{test.low:+.3f}, {test.high:+.3f}]"
        wins = f"{test.wins}/{test.losses} of {test.sequences}"
        table.add_row(
            measure, f"{test.difference:+.4f}", escape(interval), f"{test.p_value:.2g}", wins
        )
    console.print(table)


def print_ranks(console: Console, scores: BenchmarkScores) -> None:
    """Ranks in which trackers that tests cannot tell apart are equal, best mean rank first."""
    table = _table(f"{_title(scores)}: ranks")
    table.add_column("Tracker", overflow="fold")
    headings = [heading.capitalize() for heading in scores.ranks]
    for heading in (*headings, "Mean"):
        table.add_column(heading, justify="right")
    columns = list(scores.ranks.values())
    rows = {name: [column[name] for column in columns] for name in columns[0]}
    for name, ranks in sorted(rows.items(), key=lambda row: sum(row[1])):
        cells = [f"{rank:.2f}" for rank in (*ranks, sum(ranks) / len(ranks))]
        table.add_row(escape(name), *cells)
    console.print(table)
    console.print("Rank 1 is best; trackers share ranks where tests find no difference.")


def to_csv(scored: list[BenchmarkScores]) -> str:
    """One line per benchmark, convention, tracker and measure."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        [
            "benchmark",
            "convention",
            "tracker",
            "measure",
            "value",
            "low",
            "high",
            "partial",
            "notes",
        ]
    )
    for scores in scored:
        for name, tracker in ranked(scores):
            notes = "; ".join([*scores.caveats, *tracker.notes])
            for measure, value in tracker.measures.items():
                low, high = tracker.intervals.get(measure, (math.nan, math.nan))
                cells = ["" if math.isnan(x) else repr(x) for x in (value, low, high)]
                row = [scores.benchmark, scores.convention, name, measure, *cells]
                writer.writerow([*row, scores.partial, notes])
    return stream.getvalue()


def print_footnotes(console: Console, scored: list[BenchmarkScores]) -> None:
    """What must stand under the tables of ``scored``, each note once."""
    rule = len(scored) == 1  # several conventions have been explained beside their table
    for note in dict.fromkeys(n for scores in scored for n in footnotes(scores, rule=rule)):
        console.print(f"* {escape(note)}", style="dim", highlight=False)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD)


def _heading(scores: BenchmarkScores) -> str:
    title = get_benchmark(scores.benchmark).title
    labels = [caveat.partition(":")[0].upper() for caveat in scores.caveats]
    if scores.partial and not labels:
        labels = ["PARTIAL RESULTS"]
    marks = "".join(f" ({label})" for label in labels)
    return f"{title}{marks}, {scores.sequences} sequences"


def _title(scores: BenchmarkScores) -> str:
    experiment = "" if scores.experiment == "onepass" else f", {scores.experiment}"
    return f"{_heading(scores)}{experiment}, convention {scores.convention}"


def _label(scores: BenchmarkScores, name: str, tracker: TrackerScores) -> str:
    """The tracker's name, with the number of sequences where it is not all of them."""
    scored = len(tracker.per_sequence)
    return escape(name if scored == scores.sequences else f"{name} ({scored}/{scores.sequences})")


def _cell(layout: Layout, tracker: TrackerScores, measure: str) -> str:
    value = layout.text(measure, tracker.measures.get(measure, math.nan))
    if spread := tracker.spread.get(measure):
        value += f" ±{layout.text(measure, spread)}"
    low, high = tracker.intervals.get(measure, (math.nan, math.nan))
    if measure not in layout.with_interval or math.isnan(low):
        return value
    return f"{value}\n[dim]{_short(low)}–{_short(high)}[/]"


def _short(fraction: float) -> str:
    """Three decimals without the leading zero, as papers print them."""
    return f"{fraction:.3f}".removeprefix("0")


def _fps(measures: Mapping[str, float]) -> str:
    fps = measures.get("fps", math.nan)
    return "-" if math.isnan(fps) else f"{fps:,.1f}" if fps < 1000 else f"{fps:,.0f}"


def _stacked(scores: BenchmarkScores, name: str) -> str:
    if name not in scores.trackers:
        return "refused"
    layout, measures = layout_of(scores.experiment), scores.trackers[name].measures
    return "\n".join(layout.text(m, measures.get(m, math.nan)) for m in layout.with_interval)


def _group(layout: Layout, measures: tuple[str, ...], values: Mapping[str, float] | None) -> str:
    if values is None:
        return "-"
    return " / ".join(layout.text(m, values.get(m, math.nan)) for m in measures)
