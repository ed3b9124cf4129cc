"""Accuracy and robustness: pooled over frames, by tag and by sequence.

Source: toolkit-legacy ``analysis/analyze_accuracy_robustness.m``, ``estimate_accuracy.m``,
``sequence_tag_selectors.m``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence as List
from dataclasses import dataclass

import numpy as np

from bench.measures.vot.runs import (
    FAILED,
    INITIALISED,
    BoolArray,
    FloatArray,
    IntArray,
    SequenceRuns,
)

BURN_IN = 10
SENSITIVITY = 30.0


@dataclass(frozen=True)
class AccuracyRobustness:
    """Accuracy and failures of one tracker on a selection of frames.

    Attributes:
        accuracy: mean overlap over the valid frames, NaN without any.
        failures: sum over sequences of the mean over repetitions.
        frames: number of frames in the selection, or the mean number of several.
    """

    accuracy: float
    failures: float
    frames: float

    @property
    def robustness(self) -> float:
        """Failures per 100 frames, the R that papers print; lower is better."""
        return 100 * self.failures / self.frames if self.frames else math.nan

    @property
    def reliability(self) -> float:
        """exp(-S F / frames) with S = 30: the abscissa of AR plots; higher is better."""
        rate = self.failures / self.frames if self.frames else math.nan
        return math.exp(-SENSITIVITY * rate)


def accuracy_robustness(
    runs: List[SequenceRuns],
    tag: str | None = None,
    burn_in: int = BURN_IN,
    *,
    filter_first: bool = True,
) -> AccuracyRobustness:
    """Accuracy pooled over the frames of all sequences, and failures.

    With a tag, trajectories are reduced to the frames that carry it before the burn-in is taken
    off, as the official code does.

    Args:
        runs: one entry a sequence.
        tag: name of a tag, ``"empty"``, or None for all frames.
        burn_in: frames that do not count from each initialisation, itself included.
        filter_first: False takes the burn-in off the whole trajectory, as got10k does.
    """
    overlaps, failures, frames = [], 0.0, 0
    for one in runs:
        chosen = np.ones(len(one), dtype=bool) if tag is None else one.tagged(tag)
        if filter_first:
            overlaps.append(frame_accuracy(one, chosen, burn_in))
        else:
            everything = np.ones(len(one), dtype=bool)
            overlaps.append(frame_accuracy(one, everything, burn_in)[chosen])
        failures += float((one.codes[:, chosen] == FAILED).sum(axis=1).mean())
        frames += int(chosen.sum())
    pooled = np.concatenate(overlaps) if overlaps else np.empty(0)
    valid = pooled[~np.isnan(pooled)]
    return AccuracyRobustness(float(valid.mean()) if len(valid) else math.nan, failures, frames)


def frame_accuracy(run: SequenceRuns, chosen: BoolArray, burn_in: int = BURN_IN) -> FloatArray:
    """Overlap of each chosen frame, the mean over repetitions; NaN where none is valid."""
    overlaps = run.accuracy_overlaps[:, chosen].copy()
    overlaps[burnt_in(run.codes[:, chosen], burn_in)] = np.nan
    if len(overlaps) == 1:
        only: FloatArray = overlaps[0]
        return only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # frames that are valid in no repetition
        mean: FloatArray = np.nanmean(overlaps, axis=0)
    return mean


def burnt_in(codes: IntArray, burn_in: int = BURN_IN) -> BoolArray:
    """``(R, N)`` True in the ``burn_in`` frames from each initialisation on."""
    starts = codes == INITIALISED
    started = np.cumsum(starts, axis=1)
    before = np.zeros_like(started)
    before[:, burn_in:] = started[:, : max(0, started.shape[1] - burn_in)]
    burnt: BoolArray = started > before
    return burnt


def weighted_mean(parts: List[AccuracyRobustness]) -> AccuracyRobustness:
    """The reports' ``weighted_mean``: selections weighted by their numbers of frames."""
    frames = np.array([part.frames for part in parts], dtype=np.float64)
    weights = frames / frames.sum()
    accuracy = float(np.nansum(weights * [part.accuracy for part in parts]))
    failures = float((weights * [part.failures for part in parts]).sum())
    return AccuracyRobustness(accuracy, failures, float(frames.mean()))
