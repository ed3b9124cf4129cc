"""What every tracker did along one sequence, frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import DatasetError, ResultError
from bench.geometry import outlines as outlines
from bench.geometry import region_overlaps
from bench.measures import onepass, vot
from bench.measures.onepass import conventions
from bench.reports.study import Study
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Sequence

_INITIALISED, _FAILED = 1, 2


@dataclass(frozen=True, eq=False)
class Track:
    """One tracker along one sequence of ``N`` frames.

    Attributes:
        tracker: its name.
        overlap: ``(N,)`` as the official rule computes it, NaN where a frame is not scored.
        regions: ``(N, 4)`` x, y, w, h or ``(N, 2K)`` corners in 0-based pixels, NaN for none.
        failures: indices of the frames where it failed: overlap 0 in an experiment with resets;
            else the first frame of each stretch without overlap.
        starts: indices of the frames where it was initialised.
        repetitions: how many runs are stored; the first is shown.
        problem: why there is nothing to show.
    """

    tracker: str
    overlap: FloatArray
    regions: FloatArray
    failures: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    repetitions: int = 1
    problem: str | None = None


def tracks_along(study: Study, sequence: Sequence) -> Iterator[Track]:
    """Every tracker on one sequence; a result that is missing or broken says so."""
    read = _reset_track if isinstance(study.store, VotStore) else _one_pass_track
    for tracker in study.trackers:
        if study.store is None or sequence.name not in study.store.sequences(tracker):
            yield _without(tracker, "no result")
            continue
        try:
            yield read(study, sequence, tracker)
        except ResultError as error:
            yield _without(tracker, str(error))


def _without(tracker: str, problem: str) -> Track:
    return Track(tracker, np.empty(0), np.empty((0, 4)), problem=problem)


def _one_pass_track(study: Study, sequence: Sequence, tracker: str) -> Track:
    store = cast(OnePassStore, study.store)
    result = store.read_boxes(tracker, sequence.name)
    skipped = _skipped(sequence, len(result))
    regions = np.concatenate([np.full((skipped, 4), np.nan), result])
    regions[:, :2] -= sequence.index_base
    frames = frame_count(sequence)
    overlap = np.full(frames, np.nan)
    if not sequence.hidden:
        overlap[skipped:] = _one_pass_overlap(study.benchmark.name, sequence, result, skipped)
    lost = np.equal(overlap, 0)
    begins = np.flatnonzero(lost & ~np.concatenate([[False], lost[:-1]]))
    return Track(tracker, overlap, regions[:frames], tuple(begins.tolist()), (skipped,))


def frame_count(sequence: Sequence) -> int:
    """Frames of a sequence as its page counts them: every one that has a row of annotation."""
    return len(sequence) if sequence.hidden else len(sequence.ground_truth)


def _skipped(sequence: Sequence, rows: int) -> int:
    """Leading frames that a result leaves out as some toolkits do (Tiger1)."""
    return (
        sequence.skippable_frames
        if len(sequence.ground_truth) - rows == sequence.skippable_frames
        else 0
    )


def _one_pass_overlap(
    benchmark: str, sequence: Sequence, result: FloatArray, skipped: int
) -> FloatArray:
    """``(N - skipped,)`` overlap by the official rule; NaN where a frame does not count."""
    rule = conventions.get_convention(get_benchmark(benchmark).rule, benchmark)
    every_frame = dataclasses.replace(rule, drop="none")
    truth = sequence.ground_truth[skipped:]
    overlap = onepass.frame_measures(result, truth, every_frame, None).overlap.copy()
    overlap[overlap < 0] = np.nan  # the rule's mark for ground truth that cannot be scored
    if rule.drop == "absent" and sequence.absent is not None:
        overlap[sequence.absent[skipped:]] = np.nan
    return overlap


def _reset_track(study: Study, sequence: Sequence, tracker: str) -> Track:
    store = cast(VotStore, study.store)
    repetitions = store.repetitions(tracker, sequence.name)
    frames = frame_count(sequence)
    run = store.read_run(tracker, sequence.name, repetitions[0], frames)
    rule = vot.get_convention(study.benchmark.rule).overlap
    overlap = region_overlaps(sequence.regions, run, rule, _bounds(sequence, rule))
    return Track(
        tracker,
        overlap,
        outlines(run, sequence.index_base),
        tuple(np.flatnonzero(run.codes == _FAILED).tolist()),
        tuple(np.flatnonzero(run.codes == _INITIALISED).tolist()),
        len(repetitions),
    )


def _bounds(sequence: Sequence, rule: str) -> tuple[float, float] | None:
    """What ``region_overlaps`` says that the rule's own code takes, as for expected overlaps."""
    if sequence.size is None:
        return None
    less = 1 if rule in ("vot", "vot-matlab-head") else 0
    return sequence.size[0] - less, sequence.size[1] - less


def stage_size(sequence: Sequence) -> tuple[int, int]:
    """(width, height) of the frames in pixels; without any, enough for the ground truth.

    One frame is read where the annotation does not tell.
    """
    if sequence.size is not None:
        return sequence.size
    if sequence.frames is not None and len(sequence.frames):
        try:
            height, width = sequence.frames[0].shape[:2]
        except DatasetError:  # `bench check` is there to say so; the page shows regions alone
            pass
        else:
            return width, height
    return _extent(outlines(sequence.regions, sequence.index_base))


def _extent(truth: FloatArray) -> tuple[int, int]:
    """Room for every ground-truth region, and a tenth more."""
    ends = truth.copy()
    if truth.shape[1] == 4:
        ends[:, :2] += truth[:, 2:]
        ends = ends[:, :2]
    known = np.nan_to_num(ends.reshape(-1, 2), nan=0.0, posinf=0.0, neginf=0.0)
    width, height = (known.max(axis=0, initial=1) * 1.1).tolist()
    return max(64, round(width)), max(64, round(height))
