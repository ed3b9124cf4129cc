"""What must stand under every table: stand-ins, gaps, the convention, the interval."""

from __future__ import annotations

from collections.abc import Iterator

from bench.benchmarks import get_benchmark
from bench.reports.layouts import layout_of
from bench.scores import BenchmarkScores


def footnotes(scores: BenchmarkScores, *, rule: bool = True) -> Iterator[str]:
    """Everything to be said of scores and of single trackers among them.

    Args:
        scores: on one benchmark under one convention.
        rule: whether the convention has to be explained.
    """
    *general, layout = scores_notes(scores, rule=rule)
    yield from general
    for name, tracker in scores.trackers.items():
        for note in tracker.notes:
            yield f"{name}: {note}"
    yield layout


def scores_notes(scores: BenchmarkScores, *, rule: bool = True) -> Iterator[str]:
    """What is to be said of scores, whichever trackers they are of."""
    yield from scores.caveats
    if rule:
        yield f"convention {scores.convention}: {scores.source}"
        for difference in scores.differences:
            yield f"differs from the official definition: {difference}"
    if scores.interval:
        yield _interval_note(scores.interval, get_benchmark(scores.benchmark).interval)
    benchmark = get_benchmark(scores.benchmark)
    yield from (*benchmark.measure_notes.values(), *benchmark.notes)
    yield layout_of(scores.experiment).footnote


def _interval_note(interval: tuple[int, int], published: tuple[int, int] | None) -> str:
    note = f"EAO: expected overlap averaged over lengths {interval[0]}..{interval[1]}"
    if interval == published or published is None:
        return note
    return f"{note}, estimated from these sequences, not {published[0]}..{published[1]}"
