"""What every tracker did along one sequence, frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.evaluation.vot import overlap_bounds, padded
from bench.geometry import FAILED, INITIALISED, outlines, region_overlaps
from bench.measures import onepass, vot
from bench.results.stores import Store, check_rows
from bench.sequence import Masks, Sequence
from bench.tracker import absent_rows


@dataclass(frozen=True, eq=False)
class Track:
    """One tracker along one sequence of ``N`` frames.

    Attributes:
        tracker: its name.
        overlap: ``(N,)`` by the official rule, NaN where a frame is not scored.
        regions: ``(N, 4)`` x, y, w, h or ``(N, 2K)`` corners in 0-based pixels, NaN for none.
        failures: indices of the frames where it failed; without resets, the first frame of
            each stretch with overlap 0.
        starts: indices of the frames where it was initialised.
        repetitions: how many runs are stored; this is the first.
        problem: why there is nothing to show.
        absent: ``(N,)`` True where it says that the target is not visible; its region is NaN.
        masks: of each frame, in place of its region; empty if not kept.
    """

    tracker: str
    overlap: FloatArray
    regions: FloatArray
    failures: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    repetitions: int = 1
    problem: str | None = None
    absent: BoolArray = field(default_factory=lambda: np.empty(0, dtype=bool))
    masks: Masks = ()


def tracks_along(store: Store, trackers: Iterable[str], sequence: Sequence) -> Iterator[Track]:
    """Every tracker on one sequence; ``Track.problem`` names a missing or broken result."""
    read = _boxes_track if store.experiment == "onepass" else _regions_track
    for tracker in trackers:
        if sequence.name not in store.sequences(tracker):
            yield _without(tracker, "no result")
            continue
        try:
            yield read(store, sequence, tracker)
        except ResultError as error:
            yield _without(tracker, str(error))


def _without(tracker: str, problem: str) -> Track:
    return Track(tracker, np.empty(0), np.empty((0, 4)), problem=problem)


def _boxes_track(store: Store, sequence: Sequence, tracker: str) -> Track:
    """A one-pass result; leading frames that it leaves out are NaN."""
    run = store.read_run(tracker, sequence.name)
    boxes = run.values[:, :4]
    leading, frames = sequence.leading(len(boxes)), len(sequence)
    before = np.full((leading, 4), np.nan)
    absent = absent_rows(run, sequence.index_base)
    regions = np.concatenate([before, np.where(absent[:, None], np.nan, boxes)])
    regions[:, :2] -= sequence.index_base
    overlap = np.full(frames, np.nan)
    if not sequence.hidden:
        overlap[leading:] = _box_overlap(store.benchmark, sequence, boxes, leading)
    lost = np.equal(overlap, 0)
    begins = np.flatnonzero(lost & ~np.concatenate([[False], lost[:-1]]))
    return Track(
        tracker,
        overlap,
        regions[:frames],
        tuple(begins.tolist()),
        (leading,),
        absent=np.concatenate([np.zeros(leading, dtype=bool), absent])[:frames],
        masks=((None,) * leading + _masks(store, tracker, sequence, None, len(run)))[:frames],
    )


def _masks(
    store: Store, tracker: str, sequence: Sequence, repetition: int | None, rows: int
) -> Masks:
    """The masks of a run of so many rows; none if they are not kept."""
    masks = store.read_masks(tracker, sequence.name, repetition) or ()
    if masks:
        check_rows(f"{store.folder(tracker)}: masks of {sequence.name}", len(masks), rows)
    return masks


def _box_overlap(
    benchmark: str, sequence: Sequence, boxes: FloatArray, leading: int
) -> FloatArray:
    """``(N - leading,)`` overlap by the official rule; NaN where a frame does not count."""
    rule = onepass.get_convention(get_benchmark(benchmark).rule, benchmark)
    first = "ground truth" if rule.first_frame == "left out" else rule.first_frame
    every_frame = dataclasses.replace(rule, drop="none", first_frame=first)
    truth = sequence.ground_truth[leading:]
    overlap = onepass.frame_measures(boxes, truth, every_frame, None, sequence.size).overlap.copy()
    overlap[overlap < 0] = np.nan  # the rule marks unscorable ground truth so
    if rule.drop.startswith("absent") and sequence.absent is not None:
        overlap[sequence.absent[leading:]] = np.nan
    return overlap


def _regions_track(store: Store, sequence: Sequence, tracker: str) -> Track:
    """The first run of a VOT experiment, with the bounds of expected overlaps."""
    repetitions = store.repetitions(tracker, sequence.name)
    run = padded(store.read_run(tracker, sequence.name, repetitions[0]), len(sequence))
    check_rows(f"{store.folder(tracker)}: {sequence.name}", len(run), len(sequence))
    rule = vot.get_convention(get_benchmark(store.benchmark).rule)
    _, bounds = overlap_bounds(sequence, rule)
    absent = absent_rows(run, sequence.index_base)
    return Track(
        tracker,
        region_overlaps(sequence.regions, run, rule.overlap, bounds),
        np.where(absent[:, None], np.nan, outlines(run, sequence.index_base)),
        tuple(np.flatnonzero(run.codes == FAILED).tolist()),
        tuple(np.flatnonzero(run.codes == INITIALISED).tolist()),
        len(repetitions),
        absent=absent,
        masks=_masks(store, tracker, sequence, repetitions[0], len(run)),
    )
