"""Whether trackers know when the target is there, from their scores and from what they say."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.errors import ResultError
from bench.measures.presence import Presence, absence_rates, presence
from bench.results.stores import Store
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence
from bench.tracker import absent_boxes

if TYPE_CHECKING:
    from bench.evaluation.batched_results import StoredBoxes

CURVE = "presence"
FALSE_RATES = np.linspace(0, 1, 101)
"""Abscissae of the stored curve."""
_NO_SCORES = "presence: no confidence scores are stored"


@dataclass(frozen=True, eq=False)
class _Run:
    """Frames of one run after the first.

    Attributes:
        absent: by the annotation.
        said: where the tracker says that the target is not visible; None for nowhere.
        scores: confidence, NaN where unknown; None without any.
    """

    absent: BoolArray
    said: BoolArray | None
    scores: FloatArray | None


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
        self._runs: dict[str, list[_Run]] = defaultdict(list)
        self._broken: dict[str, list[str]] = defaultdict(list)
        self._keep: dict[tuple[str, int], bool] = {}

    def add(self, sequence: Sequence, results: Iterable[StoredBoxes]) -> None:
        """Add all results of a sequence, if its absences are annotated."""
        if not self._wanted or sequence.absent is None:
            return
        for result in results:
            rows = slice(1, len(result.boxes))
            absent = sequence.absent[result.leading :][rows]
            said = absent_boxes(result.boxes, sequence.index_base)[rows]
            scores = self._scores(sequence, result)
            self._runs[result.tracker].append(
                _Run(
                    absent,
                    said[: len(absent)] if said.any() else None,
                    None if scores is None else scores[rows][: len(absent)],
                )
            )

    def _scores(self, sequence: Sequence, result: StoredBoxes) -> FloatArray | None:
        """The scores of a run; None where there are none, or none that fit its boxes."""
        if not self._keeps(sequence, result):
            return None
        broken = self._broken[result.tracker]
        try:
            scores = self._store.read_scores(result.tracker, sequence.name, result.repetition)
        except ResultError as error:
            broken.append(f"{sequence.name}: scores ignored: {error}")
            return None
        if scores is not None and len(scores) != len(result.boxes):
            broken.append(f"{sequence.name}: scores ignored, they do not match the boxes")
            return None
        return scores

    def _keeps(self, sequence: Sequence, result: StoredBoxes) -> bool:
        """Whether a run of all sequences has a folder of scores; asked once, as most have none."""
        run = result.tracker, result.repetition
        if run not in self._keep:
            path = self._store.confidence_path(result.tracker, sequence.name, result.repetition)
            self._keep[run] = path is None or path.parent.is_dir()
        return self._keep[run]

    def told(self, names: Collection[str]) -> dict[str, Told]:
        """What each of these trackers tells, those without a frame that counts left out."""
        return {
            name: _Frames(runs, self._broken[name]).told()
            for name, runs in self._runs.items()
            if name in names
        }


@dataclass(frozen=True)
class Told:
    """What one tracker tells about presence.

    Attributes:
        tells: whether there is any score, or an answer "not visible".
        measures: by name.
        curve: true rates at ``FALSE_RATES``; empty where it is not defined.
        notes: remarks to print beside the scores.
    """

    tells: bool
    measures: Mapping[str, float]
    curve: tuple[float, ...]
    notes: tuple[str, ...]

    def added(self, scores: TrackerScores) -> TrackerScores:
        """The scores of the tracker with these measures, the curve and the notes."""
        return dataclasses.replace(
            scores,
            measures={**scores.measures, **self.measures},
            curves={**scores.curves, **({CURVE: self.curve} if self.curve else {})},
            notes=(*scores.notes, *self.notes),
        )


def extended(scores: BenchmarkScores, told: Mapping[str, Told]) -> BenchmarkScores:
    """Scores with the measures and the curve; unchanged if no tracker tells presence."""
    if not any(each.tells for name, each in told.items() if name in scores.trackers):
        return scores
    trackers = {
        name: told[name].added(one) if name in told else one
        for name, one in scores.trackers.items()
    }
    thresholds = {**scores.thresholds, CURVE: tuple(FALSE_RATES.tolist())}
    return dataclasses.replace(scores, trackers=trackers, thresholds=thresholds)


class _Frames:
    """All frames of one tracker."""

    def __init__(self, runs: list[_Run], broken: list[str]) -> None:
        self._runs, self._broken = runs, broken

    @property
    def _tells(self) -> bool:
        return any(
            run.said is not None or (run.scores is not None and np.isfinite(run.scores).any())
            for run in self._runs
        )

    @cached_property
    def absent(self) -> BoolArray:
        """``(F,)`` frames without the target."""
        return np.concatenate([run.absent for run in self._runs])

    @cached_property
    def said(self) -> BoolArray:
        """``(F,)`` frames that the tracker calls so."""
        nowhere = (np.zeros(len(run.absent), dtype=bool) for run in self._runs)
        pairs = zip(self._runs, nowhere, strict=True)
        return np.concatenate([none if run.said is None else run.said for run, none in pairs])

    @cached_property
    def scores(self) -> FloatArray:
        """``(F,)`` confidence, NaN where unknown."""
        unknown = (np.full(len(run.absent), np.nan) for run in self._runs)
        pairs = zip(self._runs, unknown, strict=True)
        return np.concatenate([none if run.scores is None else run.scores for run, none in pairs])

    def told(self) -> Told:
        """What the tracker tells."""
        if not self._tells:
            return Told(False, {}, (), (*self._broken, _NO_SCORES))
        scored = np.isfinite(self.scores)
        shown = ~self.absent[scored]
        measures: dict[str, float] = {}
        curve: tuple[float, ...] = ()
        measured = presence(self.scores[scored], shown)
        if measured is not None:
            measures |= _measures(measured)
            curve = tuple(measured.true_rates_at(FALSE_RATES).tolist())
        if self.said.any():
            precision, recall = absence_rates(self.said, self.absent)
            measures |= {"absence_precision": precision, "absence_recall": recall}
        notes = tuple(self._notes(scored, shown, defined=measured is not None))
        return Told(True, measures, curve, notes)

    def _notes(self, scored: BoolArray, shown: BoolArray, *, defined: bool) -> Iterator[str]:
        yield from self._broken
        if not scored.any():
            yield _NO_SCORES
        elif not defined:
            what = "show" if shown.any() else "lack"
            yield f"presence: not defined, all {len(shown)} frames with a score {what} the target"
        if scored.any() and not scored.all():
            left_out = np.count_nonzero(~scored)
            yield f"presence: {left_out} frames without a finite score are left out"
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
