"""Titles of tables and plots, and the notes beneath them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from bench.benchmarks import Benchmark, get_benchmark
from bench.measures.catalogue import layout_of
from bench.scores import BenchmarkScores

_INTERVALS = "intervals: 95 % bootstrap over sequences"
_NAMED = 5  # names that a note lists


def heading_of(scores: BenchmarkScores) -> str:
    """Benchmark and experiment, with labels such as MINIATURE in capitals.

    Readers who see a plot alone must not take a stand-in for the benchmark.
    """
    experiment = () if scores.experiment == "onepass" else (scores.experiment,)
    title = get_benchmark(scores.benchmark).title
    return ", ".join((title, *experiment, *labels_of(scores)))


def labels_of(scores: BenchmarkScores) -> list[str]:
    """Labels of a heading: the miniature, or missing sequences."""
    if scores.caveats:
        return [caveat.kind.upper() for caveat in scores.caveats]
    partial = any(tracker.partial for tracker in scores.trackers.values())
    return ["PARTIAL RESULTS"] if partial else []


def title_of(scores: BenchmarkScores) -> str:
    """The heading with the number of sequences and the convention."""
    plural = "s" * (scores.sequences != 1)
    sequences = f"{scores.sequences} sequence{plural}"
    return f"{heading_of(scores)}, {sequences}, convention {scores.convention}"


def footnotes(scores: BenchmarkScores, *, rule: bool = True) -> Iterator[str]:
    """All notes on scores and on single trackers.

    Args:
        scores: of one benchmark under one convention.
        rule: whether to explain the convention.
    """
    yield from scores_notes(scores, rule=rule)
    yield from tracker_notes(scores)
    yield meanings_note(scores)


def meanings_note(scores: BenchmarkScores) -> str:
    """Definitions of the measures, speeds and intervals in an experiment's tables."""
    return "; ".join([*layout_of(scores.experiment).meanings.values(), _INTERVALS])


def tracker_notes(scores: BenchmarkScores) -> list[str]:
    """Every distinct note on trackers once, with the trackers it applies to."""
    notes = ((note, name) for name, each in scores.trackers.items() for note in each.notes)
    return [f"{names_in(names)}: {note}" for note, names in grouped(notes).items()]


def grouped(notes: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that each note applies to, both in their first order."""
    about: dict[str, list[str]] = {}
    for note, name in notes:
        about.setdefault(note, []).append(name)
    return about


def names_in(names: list[str]) -> str:
    """A list of names for a note; long lists end with a count.

    >>> names_in(["a", "b"])
    'a, b'
    >>> names_in(list("abcdefgh"))
    'a, b, c, d, e and 3 more'
    """
    rest = len(names) - _NAMED
    listed = ", ".join(names[: _NAMED if rest > 1 else None])
    return f"{listed} and {rest} more" if rest > 1 else listed


def scores_notes(
    scores: BenchmarkScores, *, rule: bool = True, measures: Collection[str] | None = None
) -> Iterator[str]:
    """Notes that hold for every tracker.

    Args:
        scores: of one benchmark under one convention.
        rule: whether to explain the convention.
        measures: the measures shown; all by default.
    """
    benchmark = get_benchmark(scores.benchmark)
    yield from map(str, scores.caveats) if scores.caveats else _complete(scores, benchmark)
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
    if published in (None, interval):
        return note
    return f"{note}, estimated from these sequences, not {published[0]}..{published[1]}"
