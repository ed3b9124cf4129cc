"""Raw results and annotation into scores: the arrow between the store and the measures."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.benchmarks import get_benchmark
from bench.errors import DatasetError, ResultError, unknown_name
from bench.measures import ope
from bench.measures.conventions import Convention, differences, get_convention
from bench.measures.summary import summarize, thresholds_of
from bench.results.store import ResultStore
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, FloatArray, Sequence


@dataclass(frozen=True, eq=False)
class _Track:
    """The stored result of one tracker on one sequence.

    Attributes:
        tracker: its name.
        result: ``(M, 4)`` boxes in file coordinates.
        fps: frames per second, NaN where no times are stored.
        omitted: leading frames that the result leaves out.
        timed: whether times are stored, usable or not.
    """

    tracker: str
    result: FloatArray
    fps: float = float("nan")
    omitted: int = 0
    timed: bool = False


@dataclass(eq=False)
class _Collected:
    """Curves of one tracker under one convention, sequence by sequence."""

    sequences: list[Sequence] = field(default_factory=list)
    curves: list[ope.Curves] = field(default_factory=list)
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
    store: ResultStore,
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
    _refuse_hidden(dataset)
    _keep_freed_memory()
    names = _tracker_names(store, trackers)
    rules = [get_convention(n, benchmark.name) for n in conventions or (benchmark.rule,)]
    available = {name: store.sequences(name) for name in names}
    missing = {name: _missing(dataset, store, name, available[name]) for name in names}
    notes = {name: _surplus_note(dataset, available[name]) for name in names}
    collected = {rule.name: {name: _Collected() for name in names} for rule in rules}
    for rule in rules:
        for name in names:
            one = collected[rule.name][name]
            _accept_missing(one, dataset, missing[name], rule, partial=partial)
    for sequence in dataset:
        tracks = list(_load_tracks(store, sequence, available))
        for track in tracks:
            notes[track.tracker].extend(_track_notes(sequence, track))
        for rule in rules:
            zeros = [] if partial else _zero_tracks(sequence, missing, rule)
            for track, curves in _track_curves(sequence, tracks + zeros, rule):
                one = collected[rule.name][track.tracker]
                _collect(one, sequence, track, curves)
                if rule.name == "trackingnet":  # the only code that prints it
                    one.covered.append(
                        ope.covered_frames(track.result[: len(sequence.ground_truth)])
                    )
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


def _refuse_hidden(dataset: Dataset) -> None:
    hidden = [sequence.name for sequence in dataset if sequence.hidden]
    if hidden and dataset.benchmark == "folder":
        raise DatasetError(
            f"{dataset.root}: {_some(hidden)} has a box for the first frame only, so nothing can "
            "be scored. Give a box for every frame, or look at the result with `bench show`."
        )
    if hidden:
        raise DatasetError(
            f"{dataset.root}: the ground truth of {len(hidden)} sequences ({hidden[0]} ...) has "
            "only its first frame, so they cannot be scored here. Make the archive for the "
            "evaluation server with `bench pack trackingnet`, or score a split with full "
            "annotation (--subset TRAIN_0)."
        )


def _tracker_names(store: ResultStore, wanted: Iterable[str] | None) -> list[str]:
    known, folder = store.trackers(), store.root / store.benchmark
    names = list(dict.fromkeys(wanted or known))
    for name in names:
        if name not in known:
            raise unknown_name(f"tracker with results in {folder}", name, known)
    if not names:
        raise ResultError(
            f"no results to score: looked for <tracker>/<sequence>.txt in {folder}. Make some "
            f"with `bench run {store.benchmark} ...` or bring some in with "
            f"`bench import {store.benchmark} ...`."
        )
    return names


def _missing(
    dataset: Dataset, store: ResultStore, name: str, available: frozenset[str]
) -> list[str]:
    """Sequences of the dataset that a tracker has no result of; an error if that is all."""
    missing = [sequence.name for sequence in dataset if sequence.name not in available]
    if len(missing) == len(dataset):
        raise ResultError(
            f"{name}: no result in {store.folder(name)} is of a sequence in {dataset.root}"
        )
    return missing


def _surplus_note(dataset: Dataset, available: frozenset[str]) -> list[str]:
    surplus = sorted(available - {sequence.name for sequence in dataset})
    if not surplus:
        return []
    return [f"{len(surplus)} results of sequences that are not in the dataset: {_some(surplus)}"]


def _accept_missing(
    one: _Collected, dataset: Dataset, missing: list[str], rule: Convention, *, partial: bool
) -> None:
    """Note missing results where they are accepted, refuse the tracker where they are not."""
    if not missing:
        return
    if partial:
        present = len(dataset) - len(missing)
        one.notes.append(f"partial: {present} of {len(dataset)} sequences")
    elif rule.missing == "zeros":
        one.notes.append(
            f"{len(missing)} missing sequences scored as zero boxes, as the server does"
        )
    else:
        one.refused = (
            f"no result for {len(missing)} of {len(dataset)} sequences ({_some(missing)}). Finish "
            "the run with `bench run`, or score what is there with --partial."
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _load_tracks(
    store: ResultStore, sequence: Sequence, available: dict[str, frozenset[str]]
) -> Iterator[_Track]:
    """Every tracker's result on one sequence, read once whatever conventions follow."""
    for name, present in available.items():
        if sequence.name in present:
            result = store.read_boxes(name, sequence.name)
            short = len(sequence.ground_truth) - len(result)
            omitted = sequence.omitted if short == sequence.omitted else 0
            times = store.read_times(name, sequence.name)
            yield _Track(name, result, _fps(times, len(result)), omitted, times is not None)


def _zero_tracks(
    sequence: Sequence, missing: dict[str, list[str]], rule: Convention
) -> list[_Track]:
    """Zero boxes for the missing results that a convention scores so."""
    if rule.missing != "zeros":
        return []
    zeros = np.zeros_like(sequence.ground_truth)
    return [_Track(name, zeros) for name, lacks in missing.items() if sequence.name in lacks]


def _fps(times: FloatArray | None, rows: int) -> float:
    """Frames per second, NaN for no times or ones that cannot be true."""
    if times is None or len(times) != rows or not (times >= 0).all():
        return float("nan")
    total = float(times.sum())
    return rows / total if 0 < total < np.inf else float("nan")


def _track_notes(sequence: Sequence, track: _Track) -> Iterator[str]:
    if track.timed and np.isnan(track.fps):
        yield f"{sequence.name}: times left out, they do not fit the boxes"
    if track.omitted:
        first = sequence.first_frame + track.omitted
        yield f"{sequence.name} scored from frame {first}, where this result starts"
    elif len(track.result) > len(sequence.ground_truth):
        surplus = len(track.result) - len(sequence.ground_truth)
        yield f"{sequence.name}: {surplus} rows more than ground truth"


def _track_curves(
    sequence: Sequence, tracks: list[_Track], rule: Convention
) -> Iterator[tuple[_Track, ope.Curves | ResultError]]:
    """Curves of many results on one sequence; those of one shape are measured at once."""
    ordered = sorted(tracks, key=_shape)
    for (_, omitted), same in itertools.groupby(ordered, key=_shape):
        group = list(same)
        truth = sequence.ground_truth[omitted:]
        absent = None if sequence.absent is None else sequence.absent[omitted:]
        try:
            measured = ope.frame_measures(_stacked(group), truth, rule, absent)
        except ResultError as error:
            if len(group) == 1:
                yield group[0], error
            else:
                for track in group:
                    yield from _track_curves(sequence, [track], rule)
            continue
        curves = ope.sequence_curves(measured, rule)
        rows = zip(curves.success, curves.precision, curves.normalized_precision, strict=True)
        for track, row in zip(group, rows, strict=True):
            yield track, ope.Curves(*row)


def _stacked(tracks: list[_Track]) -> FloatArray:
    """``(T, M, 4)`` boxes that lie as (4, T, M) in memory, so that a coordinate is contiguous."""
    columns = np.empty((4, len(tracks), len(tracks[0].result)))
    for index, track in enumerate(tracks):
        columns[:, index] = track.result.T
    return np.moveaxis(columns, 0, -1)


def _shape(track: _Track) -> tuple[int, int]:
    return len(track.result), track.omitted


def _collect(
    into: _Collected, sequence: Sequence, track: _Track, curves: ope.Curves | ResultError
) -> None:
    if isinstance(curves, ResultError):
        into.refused = into.refused or f"{sequence.name}: {curves}"
        return
    if not np.isfinite(sequence.ground_truth).all(axis=1).any():
        into.notes.append(f"{sequence.name}: no frame has ground truth, so every frame is precise")
    into.sequences.append(sequence)
    into.curves.append(curves)
    into.fps.append(track.fps)


def _raise_refusal(collected: dict[str, _Collected], store: ResultStore) -> None:
    for name, one in collected.items():
        if one.refused is not None:
            raise ResultError(f"{store.folder(name)}: {one.refused}")
