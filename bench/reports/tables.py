"""Scores as tables for the terminal and as CSV, always with what must be said beside them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, unknown_name
from bench.scores import BenchmarkScores, TrackerScores

_COLUMNS = {
    "success": "Success",
    "precision": "Precision",
    "normalized_precision": "Norm. P",
    "success_rate_50": "SR .50",
    "success_rate_75": "SR .75",
}
_PIPE_WIDTH = 10_000
_WITH_INTERVAL = ("success", "precision", "normalized_precision")


def report_console() -> Console:
    """Standard output; wide enough for any table where it is not a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def ranked(scores: BenchmarkScores) -> list[tuple[str, TrackerScores]]:
    """Trackers with their scores, best success first."""
    return sorted(scores.trackers.items(), key=lambda item: -item[1].measures["success"])


def print_scores(console: Console, scores: BenchmarkScores) -> None:
    """One row a tracker, best success first, with 95 % intervals."""
    table = _table(_title(scores))
    table.add_column("Tracker", overflow="fold")
    for heading in _COLUMNS.values():
        table.add_column(heading, justify="right")
    table.add_column("fps", justify="right")
    for name, tracker in ranked(scores):
        cells = [_cell(tracker, measure) for measure in _COLUMNS]
        table.add_row(_label(scores, name, tracker), *cells, _fps(tracker.measures))
    for name, reason in scores.refused.items():
        table.add_row(escape(name), f"refused: {escape(reason)}")
    console.print(table)


def print_conventions(console: Console, scored: list[BenchmarkScores]) -> None:
    """The same results under every convention side by side, and why they differ."""
    title = f"{_heading(scored[0])}, every convention: success / precision / normalised precision"
    table = _table(title)
    table.add_column("Tracker", overflow="fold")
    for scores in scored:
        table.add_column(scores.convention, justify="right")
    names = [name for name, _ in ranked(scored[0])] + list(scored[0].refused)
    for name in names:
        table.add_row(escape(name), *(_triple(scores, name) for scores in scored))
    console.print(table)
    for scores in scored:
        reasons = "; ".join(scores.differences) or "the official definition of this benchmark"
        console.print(f"[bold]{scores.convention}[/]: {escape(reasons)}.")
    for scores in scored:
        for name, reason in scores.refused.items():
            console.print(f"{scores.convention} refuses {escape(name)}: {escape(reason)}")


def print_breakdown(console: Console, scores: BenchmarkScores, by: str) -> None:
    """Success and precision of every tracker by ``"attribute"`` or ``"sequence"``."""
    table = _table(f"{_title(scores)}: success / precision")
    table.add_column(by.capitalize())
    if by == "attribute":
        table.add_column("Sequences", justify="right")
    trackers = ranked(scores)
    parts = {name: getattr(t, f"per_{by}") for name, t in trackers}
    for name in parts:
        table.add_column(escape(name), justify="right")
    keys = list(dict.fromkeys(key for part in parts.values() for key in part))
    for key in keys:
        cells = [_pair(part.get(key)) for part in parts.values()]
        if by == "attribute":
            counts = {int(part[key]["sequences"]) for part in parts.values() if key in part}
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
    for heading in ("Measure", "Difference", "95 % interval", "Wilcoxon p", "Wins/losses"):
        table.add_column(heading, justify="right")
    for measure in _WITH_INTERVAL:
        test = paired_test(
            np.array([first[s][measure] for s in common]),
            np.array([second[s][measure] for s in common]),
        )
        interval = f"[{test.low:+.3f}, {test.high:+.3f}]"
        wins = f"{test.wins}/{test.losses} of {test.sequences}"
        table.add_row(
            measure, f"{test.difference:+.4f}", escape(interval), f"{test.p_value:.2g}", wins
        )
    console.print(table)


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


def footnotes(scores: BenchmarkScores, *, rule: bool = True) -> Iterator[str]:
    """What must stand under every table: stand-ins, gaps, the convention, the interval."""
    yield from scores.caveats
    if rule:
        yield f"convention {scores.convention}: {scores.source}"
        for difference in scores.differences:
            yield f"differs from the official definition: {difference}"
    for note in get_benchmark(scores.benchmark).notes:
        yield note
    for name, tracker in scores.trackers.items():
        for note in tracker.notes:
            yield f"{name}: {note}"
    yield "intervals: 95 % bootstrap over sequences; fps: mean over sequences, decoding excluded"


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
    return f"{_heading(scores)}, convention {scores.convention}"


def _label(scores: BenchmarkScores, name: str, tracker: TrackerScores) -> str:
    """The tracker's name, with the number of sequences where it is not all of them."""
    scored = len(tracker.per_sequence)
    return escape(name if scored == scores.sequences else f"{name} ({scored}/{scores.sequences})")


def _cell(tracker: TrackerScores, measure: str) -> str:
    value = f"{tracker.measures[measure]:.3f}"
    low, high = tracker.intervals[measure]
    if measure not in _WITH_INTERVAL or math.isnan(low):
        return value
    return f"{value}\n[dim]{_short(low)}–{_short(high)}[/]"


def _short(fraction: float) -> str:
    """Three decimals without the leading zero, as papers print them."""
    return f"{fraction:.3f}".removeprefix("0")


def _fps(measures: Mapping[str, float]) -> str:
    fps = measures.get("fps", math.nan)
    return "-" if math.isnan(fps) else f"{fps:,.1f}" if fps < 1000 else f"{fps:,.0f}"


def _triple(scores: BenchmarkScores, name: str) -> str:
    if name not in scores.trackers:
        return "refused"
    measures = scores.trackers[name].measures
    return "\n".join(f"{measures[m]:.3f}" for m in _WITH_INTERVAL)


def _pair(measures: Mapping[str, float] | None) -> str:
    if measures is None:
        return "-"
    return f"{measures['success']:.3f} / {measures['precision']:.3f}"
