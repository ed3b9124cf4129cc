"""Whether trackers know when the target is there, from their scores and from what they say."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.errors import ResultError
from bench.evaluation.batched_results import StoredBoxes
from bench.measures.presence import Presence, absence_rates, presence
from bench.results.stores import Store
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence
from bench.tracker import absent_boxes

CURVE = "presence"
FALSE_RATES = np.linspace(0, 1, 101)
"""Abscissae of the stored curve."""


@dataclass(eq=False)
class _Frames:
    """Frames of one tracker after the first of each run, run by run.

    Attributes:
        scores: confidence, NaN where unknown.
        absent: by the annotation.
        said: where the tracker says that the target is not visible.
        broken: why scores of a run are ignored.
    """

    scores: list[FloatArray] = field(default_factory=list)
    absent: list[BoolArray] = field(default_factory=list)
    said: list[BoolArray] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


class PresenceFrames:
    """Collects the frames of every tracker on sequences with annotated absence.

    Args:
        dataset: does nothing unless some frame of it is annotated as absent.
        store: has the scores.
    """

    def __init__(self, dataset: Dataset, store: Store) -> None:
        flags = [each.absent for each in dataset]
        self._wanted = any(each is not None and each.any() for each in flags)
        self._store = store
        self._frames: dict[str, _Frames] = defaultdict(_Frames)

    def add(self, sequence: Sequence, results: Iterable[StoredBoxes]) -> None:
        """Add all results of a sequence, if its absences are annotated."""
        if not self._wanted or sequence.absent is None:
            return
        for result in results:
            absent = sequence.absent[result.leading :][1 : len(result.boxes)]
            said = absent_boxes(result.boxes, sequence.index_base)
            one = self._frames[result.tracker]
            one.absent.append(absent)
            one.said.append(said[1 : len(absent) + 1])
            one.scores.append(self._scores(one, sequence, result)[1 : len(absent) + 1])

    def _scores(self, one: _Frames, sequence: Sequence, result: StoredBoxes) -> FloatArray:
        """The scores of a run, NaN where there are none."""
        unknown = np.full(len(result.boxes), np.nan)
        try:
            scores = self._store.read_scores(result.tracker, sequence.name, result.repetition)
        except ResultError as error:
            one.broken.append(f"{sequence.name}: scores ignored: {error}")
            return unknown
        if scores is not None and len(scores) != len(unknown):
            one.broken.append(f"{sequence.name}: scores ignored, they do not match the boxes")
            return unknown
        return unknown if scores is None else scores

    def extended(self, scores: BenchmarkScores) -> BenchmarkScores:
        """Scores with the measures and the curve; unchanged if no tracker tells presence."""
        if not any(each.tells for name, each in self._told.items() if name in scores.trackers):
            return scores
        trackers = {
            name: self._told[name].added(one) if name in self._told else one
            for name, one in scores.trackers.items()
        }
        thresholds = {**scores.thresholds, CURVE: tuple(FALSE_RATES.tolist())}
        return dataclasses.replace(scores, trackers=trackers, thresholds=thresholds)

    @cached_property
    def _told(self) -> dict[str, _Told]:
        return {name: _Told(frames) for name, frames in self._frames.items()}


class _Told:
    """What one tracker tells about presence."""

    def __init__(self, frames: _Frames) -> None:
        scores, self.broken = np.concatenate(frames.scores), frames.broken
        self.absent, self.said = np.concatenate(frames.absent), np.concatenate(frames.said)
        scored = np.isfinite(scores)
        self.scored, self.unscored = np.count_nonzero(scored), np.count_nonzero(~scored)
        self.shown = ~self.absent[scored]
        self.measured = presence(scores[scored], self.shown)

    @property
    def tells(self) -> bool:
        """Whether there is any score, or an answer "not visible"."""
        return bool(self.scored or self.said.any())

    def added(self, scores: TrackerScores) -> TrackerScores:
        """The scores of the tracker with these measures, the curve and the notes."""
        measures, curves = dict(scores.measures), dict(scores.curves)
        if self.measured is not None:
            measures |= _measures(self.measured)
            curves[CURVE] = tuple(self.measured.true_rates_at(FALSE_RATES).tolist())
        if self.said.any():
            precision, recall = absence_rates(self.said, self.absent)
            measures |= {"absence_precision": precision, "absence_recall": recall}
        notes = (*scores.notes, *self._notes())
        return dataclasses.replace(scores, measures=measures, curves=curves, notes=notes)

    def _notes(self) -> Iterator[str]:
        yield from self.broken
        if not self.scored:
            yield "presence: no confidence scores are stored"
        elif self.measured is None:
            what = "show" if self.shown.any() else "lack"
            yield f"presence: not defined, all {self.scored} frames with a score {what} the target"
        if self.scored and self.unscored:
            yield f"presence: {self.unscored} frames without a finite score are left out"
        if self.said.any():
            yield (
                f"says itself that the target is not visible in {self.said.sum()} frames; "
                f"{self.absent.sum()} are without it"
            )


def _measures(one: Presence) -> dict[str, float]:
    return {
        "presence_auroc": one.auroc,
        "presence_f": one.best_f,
        "presence_always": one.always,
        "presence_threshold": one.threshold,
        "presence_frames": one.frames,
        "presence_absent": one.absent,
    }
