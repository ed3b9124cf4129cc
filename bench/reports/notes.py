"""What must stand under every table: stand-ins, gaps, the convention, the interval."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bench.benchmarks import Benchmark, get_benchmark
from bench.measures.catalogue import layout_of
from bench.scores import BenchmarkScores

_INTERVALS = "intervals: 95 % bootstrap over sequences"


def heading_of(scores: BenchmarkScores) -> str:
    """Benchmark and experiment, with labels such as MINIATURE in capitals.

    Readers who see a plot alone must not take a stand-in for the benchmark.
    """
    experiment = () if scores.experiment == "onepass" else (scores.experiment,)
    return ", ".join((get_benchmark(scores.benchmark).title, *experiment, *labels_of(scores)))


def labels_of(scores: BenchmarkScores) -> list[str]:
    """What a heading must not hide: a stand-in, or missing sequences."""
    if scores.caveats:
        return [caveat.kind.upper() for caveat in scores.caveats]
    shown_partial = any(tracker.partial for tracker in scores.trackers.values())
    return ["PARTIAL RESULTS"] if shown_partial else []


def footnotes(scores: BenchmarkScores, *, rule: bool = True) -> Iterator[str]:
    """Everything to be said of scores and of single trackers among them.

    Args:
        scores: on one benchmark under one convention.
        rule: whether the convention has to be explained.
    """
    yield from scores_notes(scores, rule=rule)
    for name, tracker in scores.trackers.items():
        for note in tracker.notes:
            yield f"{name}: {note}"
    yield meanings_note(scores)


def meanings_note(scores: BenchmarkScores) -> str:
    """What the measures, speeds and intervals of an experiment's tables are."""
    return "; ".join([*layout_of(scores.experiment).meanings.values(), _INTERVALS])


def scores_notes(
    scores: BenchmarkScores, *, rule: bool = True, measures: Collection[str] | None = None
) -> Iterator[str]:
    """What is to be said of scores, whichever trackers they are of.

    Args:
        scores: on one benchmark under one convention.
        rule: whether the convention has to be explained.
        measures: that are shown; all by default.
    """
    benchmark = get_benchmark(scores.benchmark)
    yield from scores.caveats or _complete(scores, benchmark)
    if rule:
        yield f"convention {scores.convention}: {scores.source}"
        for difference in scores.differences:
            yield f"differs from the official definition: {difference}"
    if scores.interval and (measures is None or "eao" in measures):
        yield _interval_note(scores.interval, benchmark.interval)
    notes = benchmark.measure_notes.items()
    yield from (note for measure, note in notes if measures is None or measure in measures)
    yield from benchmark.notes


def _complete(scores: BenchmarkScores, benchmark: Benchmark) -> Iterator[str]:
    if benchmark.sequences is not None:
        yield f"complete: {scores.sequences} of {benchmark.sequences} sequences"


def _interval_note(interval: tuple[int, int], published: tuple[int, int] | None) -> str:
    note = f"EAO: expected overlap averaged over lengths {interval[0]}..{interval[1]}"
    if interval == published or published is None:
        return note
    return f"{note}, estimated from these sequences, not {published[0]}..{published[1]}"
