"""One-pass results into scores, under any convention."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.evaluation.batched_results import (
    Track,
    load_tracks,
    track_curves,
    track_notes,
    zero_tracks,
)
from bench.evaluation.invalid_rows import InvalidRows, invalid_boxes
from bench.evaluation.selection import (
    missing_sequences,
    notes_on,
    partial_note,
    refusal,
    refuse_hidden,
    tracker_names,
)
from bench.measures import onepass
from bench.measures.onepass.conventions import Convention, differences, get_convention, words
from bench.measures.onepass.summary import summarize, thresholds_of
from bench.results.onepass import OnePassStore
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence


@dataclass(eq=False)
class _Collected:
    """Curves of one tracker under one convention, sequence by sequence."""

    sequences: list[Sequence] = field(default_factory=list)
    curves: list[onepass.Curves] = field(default_factory=list)
    fps: list[float] = field(default_factory=list)
    covered: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str | None = None

    def scores(self, rule: Convention, notes: tuple[str, ...]) -> TrackerScores:
        names = [sequence.name for sequence in self.sequences]
        attributes = [sequence.attributes for sequence in self.sequences]
        scores = summarize(names, attributes, self.curves, np.array(self.fps), rule, notes)
        if not self.covered:
            return scores
        frames = sum(len(sequence.ground_truth) for sequence in self.sequences)
        measures = {**scores.measures, "coverage": sum(self.covered) / frames}
        return dataclasses.replace(scores, measures=measures)


def evaluate(
    dataset: Dataset,
    store: OnePassStore,
    trackers: Iterable[str] | None = None,
    conventions: Iterable[str] | None = None,
    *,
    partial: bool = False,
) -> list[BenchmarkScores]:
    """Score stored results, one ``BenchmarkScores`` per convention.

    Args:
        dataset: annotation of the benchmark; frames are not needed.
        store: where the raw results lie.
        trackers: names to score; every tracker with results by default.
        conventions: names of conventions; the benchmark's official one by default.
        partial: score trackers on the sequences they finished instead of refusing.

    Raises:
        DatasetError: the ground truth is hidden on an evaluation server.
        ResultError: results are missing or malformed, or the convention refuses them while no
            other convention was asked for.
        ConfigError: an unknown tracker or convention.
    """
    benchmark = get_benchmark(dataset.benchmark)
    refuse_hidden(dataset)
    _keep_freed_memory()
    names = tracker_names(store, trackers)
    rules = [get_convention(n, benchmark.name) for n in conventions or (benchmark.rule,)]
    available = {name: store.sequences(name) for name in names}
    missing = {name: missing_sequences(dataset, store, name, available[name]) for name in names}
    notes = {name: notes_on(dataset, store, name, available[name]) for name in names}
    broken = {name: InvalidRows() for name in names}
    collected = {rule.name: {name: _Collected() for name in names} for rule in rules}
    for rule in rules:
        for name in names:
            one = collected[rule.name][name]
            _accept_missing(one, dataset, missing[name], rule, partial=partial)
    for sequence in dataset:
        tracks = list(load_tracks(store, sequence, available))
        for track in tracks:
            notes[track.tracker].extend(track_notes(sequence, track))
            broken[track.tracker].add(*invalid_boxes(track.result))
        for rule in rules:
            zeros = [] if partial else zero_tracks(sequence, missing, rule)
            for track, curves in track_curves(sequence, tracks + zeros, rule):
                one = collected[rule.name][track.tracker]
                _collect(one, sequence, track, curves)
                if rule.coverage == "reported":
                    one.covered.append(
                        onepass.covered_frames(track.result[: len(sequence.ground_truth)])
                    )
    for rule in rules:
        for name in names:
            _tell_broken(collected[rule.name][name], broken[name], rule)
    if len(rules) == 1:
        _raise_refusal(collected[rules[0].name], store)
    incomplete = any(missing.values())
    return [
        _benchmark_scores(dataset, rule, collected[rule.name], notes, incomplete) for rule in rules
    ]


def _benchmark_scores(
    dataset: Dataset,
    rule: Convention,
    collected: dict[str, _Collected],
    notes: dict[str, list[str]],
    incomplete: bool,
) -> BenchmarkScores:
    benchmark = get_benchmark(dataset.benchmark)
    official = get_convention(benchmark.rule, benchmark.name)
    scored = {name: one for name, one in collected.items() if one.refused is None}
    return BenchmarkScores(
        benchmark=benchmark.name,
        convention=rule.name,
        sequences=len(dataset),
        partial=dataset.partial or incomplete,
        trackers={
            name: one.scores(rule, tuple(dict.fromkeys(one.notes + notes[name])))
            for name, one in scored.items()
        },
        thresholds={m: tuple(t.tolist()) for m, t in thresholds_of(rule).items()},
        refused={name: one.refused for name, one in collected.items() if one.refused is not None},
        caveats=dataset.caveats,
        source=rule.source,
        differences=tuple(differences(rule, official)),
    )


def _keep_freed_memory() -> None:
    """Let the allocator keep what arrays of a megabyte free, instead of asking the system anew.

    glibc raises its thresholds for returning memory to the largest block freed so far. Scoring
    allocates thousands of such arrays, and without this a third of its time goes into page
    faults. Elsewhere it does nothing.
    """
    np.empty(1 << 21)  # 16 MiB, never touched, freed at once


def _accept_missing(
    one: _Collected, dataset: Dataset, missing: list[str], rule: Convention, *, partial: bool
) -> None:
    """Note missing results where they are accepted, refuse the tracker where they are not."""
    if not missing:
        return
    if partial:
        one.notes.append(partial_note(dataset, missing))
    elif rule.missing == "zeros":
        one.notes.append(
            f"{len(missing)} missing sequences scored as zero boxes, as the server does"
        )
    else:
        one.refused = refusal(dataset, missing)


def _collect(
    into: _Collected, sequence: Sequence, track: Track, curves: onepass.Curves | ResultError
) -> None:
    if isinstance(curves, ResultError):
        into.refused = into.refused or f"{sequence.name}: {curves}"
        return
    if not np.isfinite(sequence.ground_truth).all(axis=1).any():
        into.notes.append(f"{sequence.name}: no frame has ground truth, so every frame is precise")
    into.sequences.append(sequence)
    into.curves.append(curves)
    into.fps.append(track.fps)


def _tell_broken(one: _Collected, broken: InvalidRows, rule: Convention) -> None:
    """Note rows that are no box; refuse a tracker that has nothing else to be scored."""
    one.notes.extend(broken.note("are NaN or have no size", words(rule, "repair")))
    if broken.all:
        one.refused = one.refused or "no row after the first of any sequence is a box"


def _raise_refusal(collected: dict[str, _Collected], store: OnePassStore) -> None:
    for name, one in collected.items():
        if one.refused is not None:
            raise ResultError(f"{store.folder(name)}: {one.refused}")
