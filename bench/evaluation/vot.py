"""Scores runs of the VOT experiments under one or more conventions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.evaluation.doubtful import InvalidRows, OddRegions, invalid_answers
from bench.evaluation.selection import Candidate, candidates, first_few, partial_note, refusal
from bench.geometry import SKIPPED, Regions, region_overlaps
from bench.geometry.overlap import Counter, pixel_counter
from bench.measures import vot
from bench.results.stores import Store
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence

_EQUAL = 1e-3  # difference of overlaps that counts as none
_ENOUGH = 3  # equal repetitions after which the official code stops
Interval = tuple[int, int]
Bounds = tuple[float, float] | None


@dataclass(eq=False)
class _Collected:
    """One tracker's runs under each convention, sequence by sequence."""

    tracker: Candidate
    runs: dict[str, list[vot.SequenceRuns]]
    fps: dict[str, float] = field(default_factory=dict)
    odd: OddRegions = field(default_factory=OddRegions)

    @property
    def refused(self) -> str | None:
        return self.tracker.refused


def evaluate(
    dataset: Dataset,
    store: Store,
    trackers: list[Candidate],
    conventions: Iterable[str],
    *,
    partial: bool,
    ranks: bool,
) -> list[BenchmarkScores]:
    """Score stored runs, one ``BenchmarkScores`` per convention; see ``bench.evaluation``.

    The EAO averages over the published sequence lengths if the dataset is complete, else over
    the interval that the official estimator gives for its sequences.
    """
    rules = [vot.get_convention(name) for name in conventions]
    collected = {one.name: _Collected(one, {rule.name: [] for rule in rules}) for one in trackers}
    for tracker in trackers:
        _check_missing(tracker, dataset, partial)
    count = pixel_counter(sum(len(sequence) for sequence in dataset) * len(trackers))
    for sequence in dataset:
        regions = {one.name: runs for one, runs in _read(store, sequence, trackers)}
        for rule in rules if regions else ():
            for name, runs in _overlapped(sequence, regions, rule, count).items():
                collected[name].runs[rule.name].append(runs)
        for name, read in regions.items():
            scored = collected[name].runs[rules[0].name][-1]
            supervised = store.experiment != "unsupervised"
            collected[name].odd.add(read, scored, supervised=supervised)
    for one in collected.values():
        _note_repetitions(one)
        _note_invalid(one)
        _note_unbounded(one, dataset)
        _add_times(one, store, dataset)
    return [_scores(dataset, store, rule, collected, ranks=ranks) for rule in rules]


def overlapped_runs(
    dataset: Dataset, store: Store, names: Iterable[str], rule: vot.VotConvention
) -> dict[str, list[vot.SequenceRuns]]:
    """Each tracker's runs with the overlaps of a rule, an entry for each sequence with a result.

    Trackers whose results are broken have only the sequences before the broken one.
    """
    trackers = candidates(dataset, store, names)
    found: dict[str, list[vot.SequenceRuns]] = {one.name: [] for one in trackers}
    count = pixel_counter(sum(len(sequence) for sequence in dataset) * len(trackers))
    for sequence in dataset:
        regions = {one.name: runs for one, runs in _read(store, sequence, trackers)}
        for name, runs in _overlapped(sequence, regions, rule, count).items() if regions else ():
            found[name].append(runs)
    return found


def _check_missing(one: Candidate, dataset: Dataset, partial: bool) -> None:
    """Note missing sequences, or refuse the tracker because of them."""
    if one.missing and partial:
        one.notes.append(partial_note(dataset, one.missing))
    elif one.missing:
        one.refuse(refusal(dataset, one))


def _read(
    store: Store, sequence: Sequence, trackers: Iterable[Candidate]
) -> Iterator[tuple[Candidate, list[Regions]]]:
    """Every tracker's runs on one sequence; trackers with broken runs are refused."""
    for one in trackers:
        if one.refused or sequence.name not in one.runs:
            continue
        try:
            runs = store.read_runs(one.name, sequence.name)
            _check_runs(store, one.name, sequence, runs)
        except ResultError as error:
            one.refuse(str(error))
            continue
        one.notes += run_notes(sequence, one.runs[sequence.name], runs)
        yield one, runs


def _check_runs(store: Store, name: str, sequence: Sequence, runs: list[Regions]) -> None:
    """Refuse runs of more rows than frames; the official code scores shorter ones."""
    frames = len(sequence.ground_truth)
    if any(not 0 < len(run) <= frames for run in runs):
        store.read_runs(name, sequence.name, frames)  # names the file


def run_notes(
    sequence: Sequence, repetitions: tuple[int, ...], runs: list[Regions]
) -> Iterator[str]:
    """Remarks on runs that end early, and on repetitions that are not there."""
    frames = len(sequence.ground_truth)
    short = sorted({len(run) for run in runs if len(run) < frames})
    if short:
        yield (
            f"{sequence.name}: ends at frame {', '.join(map(str, short))} of {frames}; scored as "
            "far as it goes, as in the official code"
        )
    gaps = sorted(set(range(1, repetitions[-1])) - set(repetitions))
    if gaps:
        yield f"{sequence.name}: repetition {', '.join(map(str, gaps))} is missing"


def padded(run: Regions, frames: int) -> Regions:
    """A run with skipped frames up to the end of its sequence (sequence_tag_selectors.m)."""
    if len(run) >= frames:
        return run
    return Regions.concatenate([run, Regions.from_rows([[SKIPPED]] * (frames - len(run)))])


def _overlapped(
    sequence: Sequence, regions: dict[str, list[Regions]], rule: vot.VotConvention, count: Counter
) -> dict[str, vot.SequenceRuns]:
    """Every tracker's runs on a sequence with their overlaps, computed in one batch."""
    truth = sequence.regions
    lengths = {name: np.array([len(run) for run in runs]) for name, runs in regions.items()}
    results = Regions.concatenate(
        [padded(run, len(truth)) for runs in regions.values() for run in runs]
    )
    repeated = np.tile(np.arange(len(truth)), sum(map(len, regions.values())))
    truth = truth[repeated]
    wide, narrow = overlap_bounds(sequence, rule)
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
            sequence.practical, None if (lengths[name] == frames).all() else lengths[name],
        )  # fmt: skip
        start = own.stop
    return overlapped


def overlap_bounds(sequence: Sequence, rule: vot.VotConvention) -> tuple[Bounds, Bounds]:
    """Bounds of the overlaps for accuracy and for EAO; None if the image size is unknown."""
    if sequence.size is None:
        return None, None
    width, height = sequence.size
    size, less = (width, height), (width - 1, height - 1)
    if rule.overlap in ("vot-toolkit", "analytic"):
        return size, size
    return size if rule.accuracy_bounds == "size" else less, less


def _reaches_beyond(regions: Regions, bounds: tuple[float, float]) -> BoolArray:
    """Rows with a corner in the last image column or row, where the two bounds differ."""
    with np.errstate(invalid="ignore"):
        x, y = regions.values[:, 0::2], regions.values[:, 1::2]
        boxes = regions.counts == 4
        right = np.where(boxes, x[:, 0] + x[:, 1], np.nanmax(x, axis=1, initial=-np.inf))
        low = np.where(boxes, y[:, 0] + y[:, 1], np.nanmax(y, axis=1, initial=-np.inf))
        beyond: BoolArray = (right > bounds[0] - 1) | (low > bounds[1] - 1)
    return beyond


def _note_invalid(one: _Collected) -> None:
    """Note invalid answers; refuse a tracker without any valid one."""
    invalid = InvalidRows()
    for runs in next(iter(one.runs.values())):  # codes are the same under every convention
        invalid.add(invalid_answers(runs.codes, runs.lengths), runs.name)
    outcome = "excluded from accuracy, overlap 0 in EAO"
    one.tracker.notes += invalid.note("have no region without a failure before", outcome)
    one.tracker.notes += one.odd.notes()
    if invalid.all:
        one.tracker.refuse("no sequence has a frame with a region")


def _note_repetitions(one: _Collected) -> None:
    """Note sequences with fewer runs than others, where their runs are not all the same."""
    counts = {runs.name: runs.repetitions for runs in next(iter(one.runs.values()))}
    most = max(counts.values(), default=0)
    fewer = [
        f"{runs.name} ({runs.repetitions})"
        for runs in next(iter(one.runs.values()))
        if runs.repetitions < most and not _stopped_early(runs)
    ]
    if fewer:
        one.tracker.notes.append(f"fewer than {most} repetitions of {first_few(fewer)}")


def _stopped_early(runs: vot.SequenceRuns) -> bool:
    """True for the three equal runs after which the official code stops."""
    if runs.repetitions != _ENOUGH:
        return False
    overlaps = np.nan_to_num(runs.eao_overlaps)
    close = np.abs(overlaps - overlaps[0]) <= _EQUAL
    return bool((runs.codes == runs.codes[0]).all() and close.all())


def _note_unbounded(one: _Collected, dataset: Dataset) -> None:
    """Note sequences whose overlap is not clipped to the image."""
    runs = next(iter(one.runs.values()))
    unbounded = [each.name for each in runs if dataset[each.name].size is None]
    if unbounded:
        one.tracker.notes.append(
            f"overlap not clipped in {len(unbounded)} sequences of unknown image size"
        )


def _add_times(one: _Collected, store: Store, dataset: Dataset) -> None:
    """Add the speed on each sequence; refuse a tracker with malformed times."""
    for runs in next(iter(one.runs.values())):
        try:
            times = store.read_times(one.tracker.name, runs.name)
        except ResultError as error:
            one.tracker.refuse(str(error))
            return
        one.fps[runs.name] = _fps(times, int((runs.codes != SKIPPED).sum()))


def _fps(times: FloatArray | None, seen: int) -> float:
    """Frames per second over the frames the tracker saw; NaN without valid times."""
    if times is None or (times < 0).any():
        return float("nan")
    total = float(np.nansum(times))
    return seen / total if 0 < total < np.inf else float("nan")


def _scores(
    dataset: Dataset,
    store: Store,
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
    return BenchmarkScores(
        benchmark=benchmark.name,
        convention=rule.name,
        sequences=len(dataset),
        partial=dataset.partial or any(one.partial for one in scored.values()),
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


def _interval(dataset: Dataset) -> Interval:
    """EAO interval: published for the full benchmark, else estimated."""
    published = get_benchmark(dataset.benchmark).interval
    if published and not dataset.partial and not dataset.miniature:
        return published
    lengths = np.array([len(sequence) for sequence in dataset], dtype=np.float64)
    from bench.measures.vot.expected_overlap import estimate_interval

    _, low, high = estimate_interval(lengths)
    return low, high


def _longest(dataset: Dataset) -> int:
    return max(len(sequence) for sequence in dataset)


def _tracker_scores(
    one: _Collected, rule: vot.VotConvention, dataset: Dataset, interval: Interval | None
) -> TrackerScores:
    notes, missing = tuple(dict.fromkeys(one.tracker.notes)), one.tracker.missing
    runs = one.runs[rule.name]
    if interval is None:
        by_sequence = rule.accuracy == "by sequence"
        scores = vot.summarize_unsupervised(runs, notes, by_sequence=by_sequence)
    else:
        scores = vot.summarize_runs(runs, rule, interval, _longest(dataset), notes)
    scores = dataclasses.replace(scores, missing=missing, partial=bool(missing))
    return _with_fps(scores, one.fps)


def _with_fps(scores: TrackerScores, fps: dict[str, float]) -> TrackerScores:
    """Add the mean speed over sequences, if times are stored."""
    if np.isnan(list(fps.values())).all():
        return scores
    rows = {name: {**row, "fps": fps[name]} for name, row in scores.per_sequence.items()}
    measures = {**scores.measures, "fps": float(np.nanmean(list(fps.values())))}
    return dataclasses.replace(scores, measures=measures, per_sequence=rows)


def _ranks(
    dataset: Dataset, rule: vot.VotConvention, collected: dict[str, _Collected]
) -> dict[str, dict[str, float]]:
    """Ranks in accuracy and robustness of the complete trackers."""
    runs = {name: one.runs[rule.name] for name, one in collected.items()}
    whole = {
        name: each
        for name, each in runs.items()
        if len(each) == len(dataset) and not collected[name].refused
    }
    if len(whole) < 2:
        return {}
    from bench.measures.vot.ranks import rank_trackers

    ranks = rank_trackers(whole)
    return {"accuracy": dict(ranks.accuracy), "robustness": dict(ranks.robustness)}
