"""Loads one-pass results sequence by sequence and measures many trackers at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.evaluation.doubtful import RowCounts, Size, count_rows
from bench.evaluation.selection import Candidate
from bench.measures import onepass
from bench.measures.onepass import Convention, Curves
from bench.results.stores import Store, check_boxes
from bench.sequence import Sequence
from bench.tracker import absent_boxes


@dataclass(frozen=True, eq=False)
class StoredBoxes:
    """The stored result of one tracker on one sequence.

    Attributes:
        tracker: its name.
        boxes: ``(M, 4)`` in file coordinates.
        rows: how many of them are invalid or far.
        fps: frames per second; NaN without valid times.
        leading: number of leading frames that the result omits.
        timed: True if times are stored, valid or not.
        repetition: number of the run, from 1.
    """

    tracker: str
    boxes: FloatArray
    rows: RowCounts = field(default_factory=RowCounts)
    fps: float = float("nan")
    leading: int = 0
    timed: bool = False
    repetition: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Key of results that can be measured in one call."""
        return len(self.boxes), self.leading


def load_boxes(
    store: Store, sequence: Sequence, trackers: Iterable[Candidate], largest: Size
) -> Iterator[StoredBoxes]:
    """Every tracker's runs on one sequence; trackers with a broken result are refused.

    Args:
        store: raw results.
        sequence: the sequence.
        trackers: those that are scored.
        largest: width and height that no image of unknown size exceeds.
    """
    image = sequence.size or largest
    for tracker in trackers:
        if tracker.refused:
            continue
        try:
            for number in tracker.runs.get(sequence.name, ()):
                yield _load(store, sequence, tracker.name, number, image)
        except ResultError as error:
            tracker.refuse(str(error))


def _load(store: Store, sequence: Sequence, name: str, number: int, image: Size) -> StoredBoxes:
    boxes = store.read_run(name, sequence.name, number).values[:, :4]
    rows = count_rows(boxes, image)
    if rows.far:
        check_boxes(boxes, f"{store.folder(name)}: {sequence.name}")
    times = store.read_times(name, sequence.name, number)
    leading = sequence.leading(len(boxes))
    fps = _fps(times, len(boxes))
    return StoredBoxes(name, boxes, rows, fps, leading, times is not None, number)


def zero_boxes(sequence: Sequence, trackers: Iterable[Candidate]) -> list[StoredBoxes]:
    """Zero boxes in place of missing results."""
    zeros = np.zeros_like(sequence.ground_truth)
    return [StoredBoxes(one.name, zeros) for one in trackers if sequence.name in one.missing]


def _fps(times: FloatArray | None, rows: int) -> float:
    """Frames per second; NaN without valid times."""
    if times is None or len(times) != rows or not (times >= 0).all():
        return float("nan")
    total = float(times.sum())
    return rows / total if 0 < total < np.inf else float("nan")


def result_notes(sequence: Sequence, result: StoredBoxes) -> Iterator[str]:
    """Remarks on one result: invalid times, omitted or extra rows, no answer but "not visible"."""
    answers = result.boxes[1:]
    if len(answers) and absent_boxes(answers, sequence.index_base).all():
        yield f'{sequence.name}: "not visible" in every frame after the first'
    if result.timed and np.isnan(result.fps):
        yield f"{sequence.name}: times ignored, they do not match the boxes"
    if result.leading:
        first = sequence.first_frame + result.leading
        yield f"{sequence.name}: scored from frame {first}, where the result starts"
    elif len(result.boxes) > len(sequence.ground_truth):
        surplus = len(result.boxes) - len(sequence.ground_truth)
        yield f"{sequence.name}: {surplus} more rows than the ground truth"


def measure_results(
    sequence: Sequence, results: list[StoredBoxes], rule: Convention
) -> Iterator[tuple[StoredBoxes, Curves | ResultError]]:
    """Curves of many results on one sequence; results of equal shape share one call."""
    ordered = sorted(results, key=lambda result: result.shape)
    for (_, leading), same in itertools.groupby(ordered, key=lambda result: result.shape):
        group = list(same)
        truth = sequence.ground_truth[leading:]
        absent = None if sequence.absent is None else sequence.absent[leading:]
        try:
            measured = onepass.frame_measures(_stacked(group), truth, rule, absent, sequence.size)
        except ResultError as error:
            if len(group) == 1:
                yield group[0], error
            else:
                for result in group:
                    yield from measure_results(sequence, [result], rule)
            continue
        curves = onepass.sequence_curves(measured, rule)
        for index, result in enumerate(group):
            yield result, {name: rows[index] for name, rows in curves.items()}


def _stacked(results: list[StoredBoxes]) -> FloatArray:
    """``(T, M, 4)`` boxes with a (4, T, M) memory layout: each coordinate is contiguous."""
    columns = np.empty((4, len(results), len(results[0].boxes)))
    for index, result in enumerate(results):
        columns[:, index] = result.boxes.T
    return np.moveaxis(columns, 0, -1)
