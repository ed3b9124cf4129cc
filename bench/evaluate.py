"""Raw results and annotation into scores: the arrow between the store and the measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.benchmarks import get_benchmark
from bench.errors import BenchError, DatasetError, ResultError, unknown_name
from bench.measures import ope
from bench.measures.conventions import Convention, differences, get_convention
from bench.measures.statistics import bootstrap_intervals
from bench.results.store import ResultStore
from bench.scores import MEASURES, BenchmarkScores, TrackerScores
from bench.sequence import BoolArray, Dataset, FloatArray, Sequence

_MIN_SEQUENCES_PER_ATTRIBUTE = 2  # as OTB perfPlot.m


@dataclass(frozen=True, eq=False)
class _Track:
    """One stored result with the ground-truth rows it is scored against."""

    sequence: Sequence
    result: FloatArray
    truth: FloatArray
    absent: BoolArray | None
    fps: float
    path: Path


@dataclass(frozen=True, eq=False)
class _TrackerResults:
    """Everything stored of one tracker, with what must be said about it."""

    tracks: tuple[_Track, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


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
    names = _tracker_names(store, trackers)
    rules = [get_convention(n, benchmark.name) for n in conventions or (benchmark.rule,)]
    official = get_convention(benchmark.rule, benchmark.name)
    zeros = any(rule.missing == "zeros" for rule in rules)
    tables: list[dict[str, TrackerScores]] = [{} for _ in rules]
    refusals: list[dict[str, str]] = [{} for _ in rules]
    complete = True
    for name in names:
        loaded = _load(dataset, store, name, partial=partial, zeros=zeros)
        complete &= not loaded.missing
        for rule, table, refused in zip(rules, tables, refusals, strict=True):
            try:
                table[name] = _score(loaded, rule)
            except ResultError as error:
                if len(rules) == 1:
                    raise
                refused[name] = str(error)
    return [
        BenchmarkScores(
            benchmark=dataset.benchmark,
            convention=rule.name,
            sequences=len(dataset),
            partial=dataset.partial or not complete,
            trackers=table,
            thresholds=_thresholds(rule),
            refused=refused,
            caveats=dataset.caveats,
            source=rule.source,
            differences=tuple(differences(rule, official)),
        )
        for rule, table, refused in zip(rules, tables, refusals, strict=True)
    ]


def _refuse_hidden(dataset: Dataset) -> None:
    hidden = [sequence.name for sequence in dataset if sequence.hidden]
    if hidden:
        raise DatasetError(
            f"{dataset.root}: the ground truth of {len(hidden)} sequences ({hidden[0]} ...) has "
            "only its first frame, so they cannot be scored here. Make the archive for the "
            "evaluation server with `bench pack trackingnet`, or score a split with full "
            "annotation (--subset TRAIN_0)."
        )


def _tracker_names(store: ResultStore, wanted: Iterable[str] | None) -> list[str]:
    known = store.trackers()
    names = list(wanted or known)
    for name in names:
        if name not in known:
            raise unknown_name(
                f"tracker with results in {store.root / store.benchmark}", name, known
            )
    if not names:
        raise ResultError(
            f"no results to score: looked for <tracker>/<sequence>.txt in "
            f"{store.root / store.benchmark}. Make some with `bench run {store.benchmark} ...` "
            f"or bring some in with `bench import {store.benchmark} ...`."
        )
    return names


def _load(
    dataset: Dataset, store: ResultStore, name: str, *, partial: bool, zeros: bool
) -> _TrackerResults:
    """Read every result of one tracker once, whatever number of conventions follows."""
    tracks: list[_Track] = []
    missing: list[str] = []
    notes: list[str] = []
    for sequence in dataset:
        if store.boxes_path(name, sequence.name).is_file():
            tracks.append(_load_track(store, name, sequence, notes))
            continue
        missing.append(sequence.name)
        if zeros and not partial:
            tracks.append(_absent_track(store, name, sequence))
    if missing and partial:
        notes.append(f"{len(tracks)} of {len(dataset)} sequences")
    elif missing and zeros:
        notes.append(f"{len(missing)} missing sequences scored as zero boxes, as the server does")
    elif missing:
        raise ResultError(
            f"{name}: no result for {len(missing)} of {len(dataset)} sequences "
            f"({', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}) in "
            f"{store.folder(name)}. Finish the run with `bench run`, or score what is there "
            "with --partial."
        )
    if not tracks:
        raise ResultError(f"{name}: no result for any sequence of {dataset.root}")
    return _TrackerResults(tuple(tracks), tuple(missing), tuple(notes))


def _load_track(store: ResultStore, name: str, sequence: Sequence, notes: list[str]) -> _Track:
    result = store.read_boxes(name, sequence.name)
    times = store.read_times(name, sequence.name)
    fps = float("nan")
    if times is not None and times.sum() > 0:
        fps = len(times) / float(times.sum())
    omitted = 0
    if sequence.omitted and len(result) == len(sequence.ground_truth) - sequence.omitted:
        omitted = sequence.omitted
        first = sequence.first_frame + omitted
        notes.append(f"{sequence.name} scored from frame {first}, where this result starts")
    absent = None if sequence.absent is None else sequence.absent[omitted:]
    path = store.boxes_path(name, sequence.name)
    return _Track(sequence, result, sequence.ground_truth[omitted:], absent, fps, path)


def _absent_track(store: ResultStore, name: str, sequence: Sequence) -> _Track:
    zeros, path = np.zeros_like(sequence.ground_truth), store.boxes_path(name, sequence.name)
    truth = sequence.ground_truth
    return _Track(sequence, zeros, truth, sequence.absent, float("nan"), path)


def _score(loaded: _TrackerResults, rule: Convention) -> TrackerScores:
    """Scores of one tracker under one convention."""
    curves = [_track_curves(track, rule) for track in loaded.tracks]
    thresholds = _thresholds(rule)
    stacked = {m: np.stack([getattr(c, m) for c in curves]) for m in MEASURES}
    values = {
        m: ope.curve_score(stacked[m], np.asarray(thresholds[m]), getattr(rule, _SCORE_OF[m]))
        for m in MEASURES
    }
    values["success_rate_50"] = stacked["success"][:, 10]
    values["success_rate_75"] = stacked["success"][:, 15]
    counted = {m: _counted(stacked[_CURVE_OF.get(m, m)], rule) for m in values}
    means = {m: float(v[counted[m]].mean()) for m, v in values.items()}
    fps = np.array([track.fps for track in loaded.tracks])
    if np.isfinite(fps).any():
        means["fps"] = float(np.nanmean(fps))
    return TrackerScores(
        measures=means,
        intervals=_intervals(values, counted),
        per_sequence=_per_sequence(loaded.tracks, values, fps),
        per_attribute=_per_attribute(loaded.tracks, values, counted),
        curves={m: tuple(ope.mean_curve(stacked[m], rule).tolist()) for m in MEASURES},
        notes=loaded.notes,
    )


_SCORE_OF = {
    "success": "success_score",
    "precision": "precision_score",
    "normalized_precision": "normalized_score",
}
_CURVE_OF = {"success_rate_50": "success", "success_rate_75": "success"}


def _track_curves(track: _Track, rule: Convention) -> ope.Curves:
    try:
        measured = ope.frame_measures(track.result, track.truth, rule, track.absent)
    except BenchError as error:
        raise ResultError(f"{track.path}: {error}") from error
    return ope.sequence_curves(measured, rule)


def _counted(curves: FloatArray, rule: Convention) -> BoolArray:
    """``(S,)`` the sequences that enter the mean (see ``ope.mean_curve``)."""
    nonzero: BoolArray = np.greater(curves.sum(axis=1), np.finfo(float).eps)
    if rule.zero_curves == "kept" or not nonzero.any():
        return np.ones(len(curves), dtype=bool)
    return nonzero


def _intervals(
    values: dict[str, FloatArray], counted: dict[str, BoolArray]
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals; one call for all measures that count the same sequences."""
    everywhere = [m for m in values if counted[m].all()]
    groups = [everywhere] if everywhere else []
    groups += [[m] for m in values if not counted[m].all()]
    intervals = {}
    for group in groups:
        rows = np.stack([values[m][counted[m]] for m in group])
        for measure, (low, high) in zip(group, bootstrap_intervals(rows).tolist(), strict=True):
            intervals[measure] = (low, high)
    return intervals


def _per_sequence(
    tracks: tuple[_Track, ...], values: dict[str, FloatArray], fps: FloatArray
) -> dict[str, dict[str, float]]:
    rows = {}
    for index, track in enumerate(tracks):
        row = {measure: float(value[index]) for measure, value in values.items()}
        if np.isfinite(fps[index]):
            row["fps"] = float(fps[index])
        rows[track.sequence.name] = row
    return rows


def _per_attribute(
    tracks: tuple[_Track, ...], values: dict[str, FloatArray], counted: dict[str, BoolArray]
) -> dict[str, dict[str, float]]:
    """Means over the sequences that carry an attribute, for attributes of two or more."""
    table = {}
    for attribute in sorted({a for track in tracks for a in track.sequence.attributes}):
        carries = np.array([attribute in track.sequence.attributes for track in tracks])
        if carries.sum() < _MIN_SEQUENCES_PER_ATTRIBUTE:
            continue
        means = {m: float(v[carries & counted[m]].mean()) for m, v in values.items()}
        table[attribute] = {**means, "sequences": int(carries.sum())}
    return table


def _thresholds(rule: Convention) -> dict[str, tuple[float, ...]]:
    return {
        "success": tuple(rule.success_thresholds.tolist()),
        "precision": tuple(rule.precision_thresholds.tolist()),
        "normalized_precision": tuple(rule.normalized_thresholds.tolist()),
    }
