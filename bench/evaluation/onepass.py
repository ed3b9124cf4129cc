"""Scores one-pass results under one or more conventions; repeated runs with their spread."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Sequence as List
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.evaluation.batched_results import (
    StoredBoxes,
    load_boxes,
    measure_results,
    result_notes,
    zero_boxes,
)
from bench.evaluation.doubtful import InvalidRows, largest_image
from bench.evaluation.presence import PresenceFrames, Told
from bench.evaluation.selection import Candidate, first_few, partial_note, refusal
from bench.measures import onepass
from bench.measures.onepass import Convention, Curves
from bench.results.readings import FirstRows, findings
from bench.results.stores import Store
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence


@dataclass(eq=False)
class _SequenceResults:
    """All runs of one tracker on one sequence under one convention.

    Attributes:
        name: of the sequence.
        frames: number of annotated frames.
        curves: by run, counted from 1.
        fps: by run; NaN without times.
        covered: frames with a box, by run; empty where the convention does not report them.
    """

    name: str
    frames: int
    curves: dict[int, Curves] = field(default_factory=dict)
    fps: dict[int, float] = field(default_factory=dict)
    covered: dict[int, int] = field(default_factory=dict)

    def mean_curves(self) -> Curves:
        """The mean curves; those of a single run as they are."""
        curves = list(self.curves.values())
        if len(curves) == 1:
            return curves[0]
        return {name: np.mean([each[name] for each in curves], axis=0) for name in curves[0]}

    def mean_fps(self) -> float:
        """The mean speed of the runs with times; NaN without any."""
        known = [fps for fps in self.fps.values() if np.isfinite(fps)]
        return float(np.mean(known)) if known else float("nan")


@dataclass(frozen=True)
class _Spread:
    """Sample standard deviations over the runs that every sequence has.

    Attributes:
        runs: how many these are.
        measures: of the mean over sequences, by measure.
        per_sequence: by sequence and measure.
        notes: what to say where sequences have different numbers of runs.
    """

    runs: int
    measures: dict[str, float] = field(default_factory=dict)
    per_sequence: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _spread_of(
    results: List[_SequenceResults], rule: Convention, weights: FloatArray | None = None
) -> _Spread:
    """The spread over runs of one tracker; empty if a sequence has a single run."""
    common = sorted(set.intersection(*(set(each.curves) for each in results)))
    most = max(len(each.curves) for each in results)
    fewer = [each.name for each in results if len(each.curves) < most]
    notes: tuple[str, ...] = ()
    if fewer:
        names = ", ".join(fewer[:5]) + (", ..." if len(fewer) > 5 else "")
        notes = (f"fewer than {most} runs of {len(fewer)} sequences ({names})",)
    if len(common) < 2:
        return _Spread(max(1, len(common)), notes=notes)
    curves = [[each.curves[run] for each in results] for run in common]
    fps = np.array([[each.fps[run] for each in results] for run in common])
    values = onepass.run_measures(curves, fps, rule)
    counted = onepass.counted_in_means([each.mean_curves() for each in results], rule)
    whole = {
        name: onepass.weighted_mean(rows, counted[name], weights)
        if name in counted
        else rows.mean(axis=1)
        for name, rows in values.items()
    }
    if all(each.covered for each in results):
        frames = sum(each.frames for each in results)
        covered = [sum(each.covered[run] for each in results) / frames for run in common]
        whole["coverage"] = np.array(covered)
    spreads = {name: _deviation(rows) for name, rows in values.items()}
    return _Spread(
        len(common),
        {name: float(_deviation(rows)) for name, rows in whole.items()},
        {
            each.name: {name: float(rows[index]) for name, rows in spreads.items()}
            for index, each in enumerate(results)
        },
        notes,
    )


def _deviation(rows: FloatArray) -> FloatArray:
    deviation: FloatArray = np.std(rows, axis=0, ddof=1)
    return deviation


@dataclass(eq=False)
class _Collected:
    """Curves of one tracker under one convention, sequence by sequence."""

    tracker: Candidate
    sequences: list[Sequence] = field(default_factory=list)
    results: list[_SequenceResults] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str | None = None

    @property
    def reason(self) -> str | None:
        """Why the tracker is refused under this convention, or None."""
        return self.tracker.refused or self.refused

    def add(
        self,
        sequence: Sequence,
        result: StoredBoxes,
        curves: Curves | ResultError,
        rule: Convention,
    ) -> None:
        """Add one run, or refuse the tracker if the convention rejects its result."""
        if isinstance(curves, ResultError):
            self.refused = self.refused or f"{sequence.name}: {curves}"
            return
        if not self.sequences or self.sequences[-1] is not sequence:
            self.sequences.append(sequence)
            self.results.append(_SequenceResults(sequence.name, len(sequence.ground_truth)))
            if not _annotated(sequence):
                note = f"{sequence.name}: no ground truth, every frame counts as precise"
                self.notes.append(note)
        runs = self.results[-1]
        runs.curves[result.repetition] = curves
        runs.fps[result.repetition] = result.fps
        if rule.coverage == "reported":
            covered = onepass.covered_frames(result.boxes[: len(sequence.ground_truth)])
            runs.covered[result.repetition] = covered

    def _frames(self, rule: Convention) -> FloatArray:
        """Number of frames that the rule counts in each sequence."""
        kept = (onepass.kept_frames(s.ground_truth, s.absent, rule) for s in self.sequences)
        pairs = zip(kept, self.sequences, strict=True)
        return np.array([len(s.ground_truth) if k is None else k.sum() for k, s in pairs], float)

    def scores(self, rule: Convention) -> TrackerScores:
        names = [sequence.name for sequence in self.sequences]
        attributes = [sequence.attributes for sequence in self.sequences]
        weights = self._frames(rule) if rule.pooling == "frames" else None
        spread = _spread_of(self.results, rule, weights)
        notes = tuple(dict.fromkeys([*self.notes, *self.tracker.notes, *spread.notes]))
        curves = [each.mean_curves() for each in self.results]
        fps = np.array([each.mean_fps() for each in self.results])
        scores = onepass.summarize(names, attributes, curves, fps, rule, notes, weights)
        missing = self.tracker.missing
        measures = dict(scores.measures)
        if rule.coverage == "reported":
            frames = sum(each.frames for each in self.results)
            covered = sum(float(np.mean(list(each.covered.values()))) for each in self.results)
            measures["coverage"] = covered / frames
        return dataclasses.replace(
            scores,
            measures=measures,
            missing=missing,
            partial=bool(missing),
            spread=spread.measures,
            spread_per_sequence=spread.per_sequence,
            repetitions=spread.runs,
        )


def evaluate(
    dataset: Dataset,
    store: Store,
    trackers: list[Candidate],
    conventions: Iterable[str],
    *,
    partial: bool,
) -> tuple[list[BenchmarkScores], dict[str, Told]]:
    """Score stored results, one ``BenchmarkScores`` per convention; see ``bench.evaluation``.

    What trackers tell about presence comes beside the scores: whether it counts depends on all.
    """
    _keep_freed_memory()
    rules = [onepass.get_convention(name, dataset.benchmark) for name in conventions]
    invalid = {one.name: InvalidRows() for one in trackers}
    presence, largest = PresenceFrames(dataset, store), largest_image(dataset)
    first_rows: dict[str, list[FirstRows]] = {one.name: [] for one in trackers}
    collected = {
        rule.name: {one.name: _started(one, dataset, rule, partial) for one in trackers}
        for rule in rules
    }
    for sequence in dataset:
        results = list(load_boxes(store, sequence, trackers, largest))
        for result in results:
            invalid[result.tracker].add(result.rows, sequence.name)
            truth = sequence.ground_truth[result.leading :]
            first_rows[result.tracker].append(FirstRows.of(sequence.name, result.boxes, truth))
        presence.add(sequence, results)
        _note_results(trackers, sequence, results)
        for rule in rules:
            zeros = rule.missing == "zeros" and not partial
            scored = results + (zero_boxes(sequence, trackers) if zeros else [])
            for result, curves in measure_results(sequence, scored, rule):
                collected[rule.name][result.tracker].add(sequence, result, curves, rule)
    for tracker in trackers:
        rows = first_rows[tracker.name]
        tracker.notes.extend(map(str, findings(rows, _index_base(dataset))))
    for rule in rules:
        for one in collected[rule.name].values():
            _note_invalid(one, invalid[one.tracker.name], rule)
    found = [_benchmark_scores(dataset, rule, collected[rule.name]) for rule in rules]
    return found, presence.told({name for scores in found for name in scores.trackers})


def _annotated(sequence: Sequence) -> bool:
    """True if any frame has a box; the first almost always has."""
    known = np.isfinite(sequence.ground_truth[:1]).all(axis=1)
    return bool(known.any() or np.isfinite(sequence.ground_truth).all(axis=1).any())


def _index_base(dataset: Dataset) -> float:
    return dataset.sequences[0].index_base if len(dataset) else 0.0


def _keep_freed_memory() -> None:
    """Make glibc keep freed megabyte arrays instead of returning them to the system.

    glibc raises its trim threshold to the largest block freed so far. Scoring allocates
    thousands of such arrays; otherwise page faults take a third of the time.
    """
    np.empty(1 << 21)  # 16 MiB, never touched, freed immediately


def _started(tracker: Candidate, dataset: Dataset, rule: Convention, partial: bool) -> _Collected:
    """An empty collection; missing results are noted, or refuse the tracker."""
    one, missing = _Collected(tracker), tracker.missing
    if not missing:
        return one
    if partial:
        one.notes.append(partial_note(dataset, missing))
    elif rule.missing == "zeros":
        count = len(missing)
        one.notes.append(f"{count} missing sequences scored as zero boxes, as on the server")
    else:
        one.refused = refusal(dataset, tracker)
    return one


def _note_results(
    trackers: list[Candidate], sequence: Sequence, results: list[StoredBoxes]
) -> None:
    notes = {one.name: one.notes for one in trackers}
    for result in results:
        notes[result.tracker].extend(result_notes(sequence, result))


def _note_invalid(one: _Collected, invalid: InvalidRows, rule: Convention) -> None:
    """Note invalid rows; refuse a tracker without any valid row."""
    repair = onepass.words(rule, "repair")
    one.notes.extend(invalid.note("contain NaN or have no area", repair))
    if invalid.far:
        one.notes.append(f"{invalid.far} rows hold numbers beyond any image, over 1e6 pixels")
    if invalid.leaping:
        number, places = invalid.leaping.total(), first_few(invalid.leaping)
        one.notes.append(f"single rows that leap far out of the image: {number}, in {places}")
    if invalid.all:
        one.refused = one.refused or "no sequence has a valid box after its first row"


def _benchmark_scores(
    dataset: Dataset, rule: Convention, collected: dict[str, _Collected]
) -> BenchmarkScores:
    official = onepass.get_convention(get_benchmark(dataset.benchmark).rule, dataset.benchmark)
    trackers = {name: one.scores(rule) for name, one in collected.items() if one.reason is None}
    return BenchmarkScores(
        benchmark=dataset.benchmark,
        convention=rule.name,
        sequences=len(dataset),
        partial=dataset.partial or any(one.partial for one in trackers.values()),
        trackers=trackers,
        thresholds={m: tuple(t.tolist()) for m, t in onepass.thresholds_of(rule).items()},
        refused={name: one.reason for name, one in collected.items() if one.reason is not None},
        caveats=dataset.caveats,
        source=rule.source,
        differences=tuple(onepass.differences(rule, official)),
    )
