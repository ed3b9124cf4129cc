"""Titles of tables and plots, and the notes beneath them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sized
from dataclasses import replace

from bench.benchmarks import Benchmark, get_benchmark
from bench.measures.catalogue import layout_of
from bench.reports.escaping import without_folders
from bench.scores import BenchmarkScores, Caveat, TrackerScores

_INTERVALS = "intervals: 95 % bootstrap over sequences"
_NAMED = 5  # names that a note lists
_ALIKE = 3  # notes on single sequences that differ in name and numbers only
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


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
    sequences = counted(scores.sequences, "sequence")
    return f"{heading_of(scores)}, {sequences}, convention {scores.convention}"


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "tracker"), counted(2, "tracker")
    ('1 tracker', '2 trackers')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


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
    return "; ".join(
        [*layout_of(scores.experiment, scores.benchmark).meanings.values(), _INTERVALS]
    )


def tracker_notes(scores: BenchmarkScores) -> list[str]:
    """Every distinct note on trackers once, with the trackers it applies to."""
    return [f"{names_in(names)}: {note}" for note, names in noted(scores).items()]


def noted(scores: BenchmarkScores) -> dict[str, list[str]]:
    """The trackers that each distinct note applies to.

    Of many notes on single sequences that differ in numbers only, the first stands for all.
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for name, each in scores.trackers.items():
        for note in each.notes:
            kinds.setdefault(_kind_of(note, each), []).append((note, name))
    found: dict[str, list[str]] = {}
    for notes in kinds.values():
        about = grouped(notes)
        if len(about) > _ALIKE:
            names = list(dict.fromkeys(name for _, name in notes))
            about = {notes[0][0] + _more(notes): names}
        for note, names in about.items():
            found.setdefault(note, []).extend(names)
    return found


def _kind_of(note: str, tracker: TrackerScores) -> str:
    """The note itself; without name and numbers if it is on a single sequence."""
    sequence, colon, rest = note.partition(": ")
    of_one = colon and (sequence in tracker.per_sequence or sequence in tracker.missing)
    return f"sequence: {_NUMBER.sub('#', rest)}" if of_one else note


def _more(notes: Sized) -> str:
    return f"; and the like on {counted(len(notes) - 1, 'more result')}"


def condensed(tracker: TrackerScores) -> list[str]:
    """The notes on one tracker, of many alike the first with the number of the others."""
    kinds: dict[str, list[str]] = {}
    for note in tracker.notes:
        kinds.setdefault(_kind_of(note, tracker), []).append(note)
    found = []
    for notes in kinds.values():
        found += notes if len(notes) <= _ALIKE else [notes[0] + _more(notes)]
    return found


def shareable(scores: BenchmarkScores) -> BenchmarkScores:
    """The same scores for files that are passed on: no note names a folder of this machine."""
    trackers = {
        name: replace(each, notes=tuple(map(without_folders, each.notes)))
        for name, each in scores.trackers.items()
    }
    return replace(
        scores,
        trackers=trackers,
        refused={name: without_folders(why) for name, why in scores.refused.items()},
        caveats=tuple(Caveat(each.kind, without_folders(each.text)) for each in scores.caveats),
    )


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
    """How complete the dataset is; the word alone would be read of the trackers, too."""
    if benchmark.expected_sequences is not None:
        partial = any(tracker.partial for tracker in scores.trackers.values())
        what = "dataset" if partial else "complete"
        yield f"{what}: {scores.sequences} of {benchmark.expected_sequences} sequences"


def _interval_note(interval: tuple[int, int], published: tuple[int, int] | None) -> str:
    note = f"EAO: expected overlap averaged over lengths {interval[0]}..{interval[1]}"
    if published in (None, interval):
        return note
    return f"{note}, estimated from these sequences, not {published[0]}..{published[1]}"
