"""Experiments of the VOT challenge into scores, under any convention."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.evaluation.invalid_rows import InvalidRows, invalid_answers
from bench.evaluation.selection import (
    missing_sequences,
    notes_on,
    partial_note,
    refusal,
    refuse_hidden,
    tracker_names,
)
from bench.geometry import Regions, region_overlaps
from bench.geometry.overlap import Counter, pixel_counter
from bench.measures import vot
from bench.results.vot.store import VotStore
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence

Interval = tuple[int, int]
Bounds = tuple[float, float] | None


@dataclass(eq=False)
class _Collected:
    """What one tracker's runs gave under each convention, sequence by sequence."""

    runs: dict[str, list[vot.SequenceRuns]]
    fps: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: str | None = None


def evaluate(
    dataset: Dataset,
    store: VotStore,
    trackers: Iterable[str] | None = None,
    conventions: Iterable[str] | None = None,
    *,
    partial: bool = False,
    ranks: bool = False,
) -> list[BenchmarkScores]:
    """Score stored runs of an experiment, one ``BenchmarkScores`` per convention.

    The expected average overlap is the mean over the published lengths where the dataset is the
    benchmark, else over those that the official estimator finds in its sequences.

    Args:
        dataset: annotation of the benchmark; frames are not needed, their size is.
        store: where the raw results of the experiment lie.
        trackers: names to score; every tracker with results by default.
        conventions: names of conventions; the benchmark's official one by default.
        partial: score trackers on the sequences they finished instead of refusing.
        ranks: also rank the trackers that have every sequence by significance tests.

    Raises:
        ResultError: results are missing or malformed, or do not fit the annotation.
        ConfigError: an unknown tracker or convention.
    """
    refuse_hidden(dataset)
    names = tracker_names(store, trackers)
    default = get_benchmark(dataset.benchmark).rule
    rules = [vot.get_convention(name) for name in conventions or (default,)]
    collected = {name: _Collected({rule.name: [] for rule in rules}) for name in names}
    present = {
        name: _present(dataset, store, name, collected[name], partial=partial) for name in names
    }
    frames = sum(len(sequence) for sequence in dataset)
    count = pixel_counter(frames * len(names))
    for sequence in dataset:
        having = [name for name in names if sequence.name in present[name]]
        regions = {
            name: store.read_runs(name, sequence.name, len(sequence.ground_truth))
            for name in having
        }
        for rule in rules if having else ():
            for name, runs in _overlapped(sequence, regions, rule, count).items():
                collected[name].runs[rule.name].append(runs)
        for name in having:
            _note_times(collected[name], store, name, sequence, regions[name])
    for one in collected.values():
        _tell_broken(one)
    return [_scores(dataset, store, rule, collected, ranks=ranks) for rule in rules]


def _present(
    dataset: Dataset, store: VotStore, name: str, one: _Collected, *, partial: bool
) -> frozenset[str]:
    """The sequences to score a tracker on; none where it is refused for those it lacks."""
    available = store.sequences(name)
    missing = missing_sequences(dataset, store, name, available)
    one.notes.extend(notes_on(dataset, store, name, available))
    if missing and not partial:
        one.refused = refusal(dataset, missing)
        return frozenset()
    if missing:
        one.notes.append(partial_note(dataset, missing))
    return available


def _overlapped(
    sequence: Sequence, regions: dict[str, list[Regions]], rule: vot.VotConvention, count: Counter
) -> dict[str, vot.SequenceRuns]:
    """Every tracker's runs on a sequence with their overlaps, all computed in one go."""
    results = Regions.concatenate([run for runs in regions.values() for run in runs])
    truth = sequence.regions
    repeated = np.tile(np.arange(len(truth)), sum(map(len, regions.values())))
    truth = truth[repeated]
    wide, narrow = _bounds(sequence, rule)
    expected = region_overlaps(truth, results, rule.overlap, narrow, count)
    accuracy = expected
    if wide != narrow and wide is not None:
        accuracy = expected.copy()
        rows = np.flatnonzero(_reaches_beyond(results, wide) | _reaches_beyond(truth, wide))
        accuracy[rows] = region_overlaps(truth[rows], results[rows], rule.overlap, wide, count)
    frames = len(sequence.ground_truth)
    codes, accuracy, expected = (
        results.codes.reshape(-1, frames),
        accuracy.reshape(-1, frames),
        expected.reshape(-1, frames),
    )
    overlapped, start = {}, 0
    for name, runs in regions.items():
        own = slice(start, start + len(runs))
        overlapped[name] = vot.SequenceRuns(
            sequence.name, codes[own], accuracy[own], expected[own], sequence.tags,
            sequence.practical,
        )  # fmt: skip
        start = own.stop
    return overlapped


def _bounds(sequence: Sequence, rule: vot.VotConvention) -> tuple[Bounds, Bounds]:
    """Bounds of accuracy and of expected overlaps; none where the size is not known."""
    if sequence.size is None:
        return None, None
    width, height = sequence.size
    size, less = (width, height), (width - 1, height - 1)
    if rule.overlap in ("vot-toolkit", "analytic"):
        return size, size
    return size if rule.accuracy_bounds == "size" else less, less


def _reaches_beyond(regions: Regions, bounds: tuple[float, float]) -> BoolArray:
    """Rows with a corner in the last column or row, where the two bounds differ."""
    with np.errstate(invalid="ignore"):
        x, y = regions.values[:, 0::2], regions.values[:, 1::2]
        boxes = regions.counts == 4
        right = np.where(boxes, x[:, 0] + x[:, 1], np.nanmax(x, axis=1, initial=-np.inf))
        low = np.where(boxes, y[:, 0] + y[:, 1], np.nanmax(y, axis=1, initial=-np.inf))
        beyond: BoolArray = (right > bounds[0] - 1) | (low > bounds[1] - 1)
    return beyond


def _note_times(
    into: _Collected,
    store: VotStore,
    tracker: str,
    sequence: Sequence,
    regions: list[Regions],
) -> None:
    times = store.read_times(tracker, sequence.name)
    into.fps[sequence.name] = _fps(times, regions)
    if sequence.size is None:
        into.notes.append(f"{sequence.name}: overlap without bounds, the image size is not known")


def _tell_broken(one: _Collected) -> None:
    """Note regions that are none; refuse a tracker that has nothing else to be scored."""
    broken = InvalidRows()
    for runs in next(iter(one.runs.values())):  # codes are the same under every convention
        broken.add(*invalid_answers(runs.codes))
    outcome = "no part of accuracy, overlap 0 in expected overlaps"
    one.notes.extend(broken.note("are no region though nothing failed", outcome))
    if broken.all:
        one.refused = one.refused or "no frame of any sequence has a region"


def _fps(times: FloatArray | None, regions: list[Regions]) -> float:
    """Frames that the tracker saw per second, NaN without times that can be true."""
    seen = sum(int((run.codes != 0).sum()) for run in regions)
    if times is None or (times < 0).any():
        return float("nan")
    total = float(np.nansum(times))
    return seen / total if 0 < total < np.inf else float("nan")


def _scores(
    dataset: Dataset,
    store: VotStore,
    rule: vot.VotConvention,
    collected: dict[str, _Collected],
    *,
    ranks: bool,
) -> BenchmarkScores:
    benchmark = get_benchmark(dataset.benchmark)
    interval = _interval(dataset)
    supervised = store.experiment != "unsupervised"
    scored = {
        name: _tracker_scores(one, rule, dataset, interval if supervised else None)
        for name, one in collected.items()
        if one.refused is None
    }
    if not scored:
        name, one = next(iter(collected.items()))
        raise ResultError(f"{store.folder(name)}: {one.refused}")
    return BenchmarkScores(
        benchmark=benchmark.name,
        convention=rule.name,
        sequences=len(dataset),
        partial=dataset.partial or any(_is_partial(one) for one in collected.values()),
        trackers=scored,
        thresholds={"expected_overlap": tuple(range(1, _longest(dataset) + 1))},
        refused={name: one.refused for name, one in collected.items() if one.refused is not None},
        caveats=dataset.caveats,
        source=rule.source,
        differences=tuple(vot.differences(rule, vot.get_convention(benchmark.rule))),
        experiment=store.experiment,
        interval=interval if supervised else None,
        ranks=_ranks(dataset, rule, collected) if ranks else {},
    )


def _is_partial(one: _Collected) -> bool:
    return one.refused is not None or any(note.startswith("partial:") for note in one.notes)


def _interval(dataset: Dataset) -> Interval:
    """Lengths to average over: the published ones for the benchmark, else estimated."""
    published = get_benchmark(dataset.benchmark).interval
    if published and not dataset.partial and not dataset.miniature:
        return published
    lengths = np.array([len(sequence) for sequence in dataset], dtype=np.float64)
    _, low, high = vot.estimate_interval(lengths)
    return low, high


def _longest(dataset: Dataset) -> int:
    return max(len(sequence) for sequence in dataset)


def _tracker_scores(
    one: _Collected, rule: vot.VotConvention, dataset: Dataset, interval: Interval | None
) -> TrackerScores:
    notes = tuple(dict.fromkeys(one.notes))
    runs = one.runs[rule.name]
    if interval is None:
        by_sequence = rule.accuracy == "by sequence"
        scores = vot.summarize_unsupervised(runs, notes, by_sequence=by_sequence)
    else:
        scores = vot.summarize_runs(runs, rule, interval, _longest(dataset), notes)
    return _with_fps(scores, one.fps)


def _with_fps(scores: TrackerScores, fps: dict[str, float]) -> TrackerScores:
    """The same with the mean speed over sequences, where times are stored."""
    if np.isnan(list(fps.values())).all():
        return scores
    rows = {name: {**row, "fps": fps[name]} for name, row in scores.per_sequence.items()}
    measures = {**scores.measures, "fps": float(np.nanmean(list(fps.values())))}
    return dataclasses.replace(scores, measures=measures, per_sequence=rows)


def _ranks(
    dataset: Dataset, rule: vot.VotConvention, collected: dict[str, _Collected]
) -> dict[str, dict[str, float]]:
    """Ranks in accuracy and robustness of the trackers that have every sequence."""
    runs = {name: one.runs[rule.name] for name, one in collected.items()}
    whole = {name: each for name, each in runs.items() if len(each) == len(dataset)}
    if len(whole) < 2:
        return {}
    ranks = vot.rank_trackers(whole)
    return {"accuracy": dict(ranks.accuracy), "robustness": dict(ranks.robustness)}
