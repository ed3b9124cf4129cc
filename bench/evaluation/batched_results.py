"""Stored one-pass results, read sequence by sequence and measured many at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.measures import onepass
from bench.measures.onepass.conventions import Convention
from bench.results.onepass import OnePassStore
from bench.sequence import Sequence


@dataclass(frozen=True, eq=False)
class Track:
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


def load_tracks(
    store: OnePassStore, sequence: Sequence, available: dict[str, frozenset[str]]
) -> Iterator[Track]:
    """Every tracker's result on one sequence, read once whatever conventions follow."""
    for name, present in available.items():
        if sequence.name in present:
            result = store.read_boxes(name, sequence.name)
            short = len(sequence.ground_truth) - len(result)
            omitted = sequence.skippable_frames if short == sequence.skippable_frames else 0
            times = store.read_times(name, sequence.name)
            yield Track(name, result, _fps(times, len(result)), omitted, times is not None)


def zero_tracks(
    sequence: Sequence, missing: dict[str, list[str]], rule: Convention
) -> list[Track]:
    """Zero boxes for the missing results that a convention scores so."""
    if rule.missing != "zeros":
        return []
    zeros = np.zeros_like(sequence.ground_truth)
    return [Track(name, zeros) for name, lacks in missing.items() if sequence.name in lacks]


def _fps(times: FloatArray | None, rows: int) -> float:
    """Frames per second, NaN for no times or ones that cannot be true."""
    if times is None or len(times) != rows or not (times >= 0).all():
        return float("nan")
    total = float(times.sum())
    return rows / total if 0 < total < np.inf else float("nan")


def track_notes(sequence: Sequence, track: Track) -> Iterator[str]:
    """What must be said of one result: times left out, rows left out or too many."""
    if track.timed and np.isnan(track.fps):
        yield f"{sequence.name}: times left out, they do not fit the boxes"
    if track.omitted:
        first = sequence.first_frame + track.omitted
        yield f"{sequence.name} scored from frame {first}, where this result starts"
    elif len(track.result) > len(sequence.ground_truth):
        surplus = len(track.result) - len(sequence.ground_truth)
        yield f"{sequence.name}: {surplus} rows more than ground truth"


def track_curves(
    sequence: Sequence, tracks: list[Track], rule: Convention
) -> Iterator[tuple[Track, onepass.Curves | ResultError]]:
    """Curves of many results on one sequence; those of one shape are measured at once."""
    ordered = sorted(tracks, key=_shape)
    for (_, omitted), same in itertools.groupby(ordered, key=_shape):
        group = list(same)
        truth = sequence.ground_truth[omitted:]
        absent = None if sequence.absent is None else sequence.absent[omitted:]
        try:
            measured = onepass.frame_measures(_stacked(group), truth, rule, absent)
        except ResultError as error:
            if len(group) == 1:
                yield group[0], error
            else:
                for track in group:
                    yield from track_curves(sequence, [track], rule)
            continue
        curves = onepass.sequence_curves(measured, rule)
        rows = zip(curves.success, curves.precision, curves.normalized_precision, strict=True)
        for track, row in zip(group, rows, strict=True):
            yield track, onepass.Curves(*row)


def _stacked(tracks: list[Track]) -> FloatArray:
    """``(T, M, 4)`` boxes that lie as (4, T, M) in memory, so that a coordinate is contiguous."""
    columns = np.empty((4, len(tracks), len(tracks[0].result)))
    for index, track in enumerate(tracks):
        columns[:, index] = track.result.T
    return np.moveaxis(columns, 0, -1)


def _shape(track: Track) -> tuple[int, int]:
    return len(track.result), track.omitted
