"""Runs shorter than their sequence, as the official code scores them.

Expected values: a plain port of toolkit-legacy ``estimate_expected_overlap.m`` for the tag "all",
which reads the overlaps of a short run as far as they go.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.geometry import FAILED, INITIALISED, SKIPPED, TRACKED
from bench.measures.vot.expected_overlap import cut_runs
from bench.measures.vot.runs import SequenceRuns

SKIP = 5


def made(seed: int, frames: int, ends: Sequence[int]) -> SequenceRuns:
    """Runs with failures at random frames; run ``r`` ends after ``ends[r]`` frames."""
    rng = np.random.default_rng(seed)
    codes = np.full((len(ends), frames), SKIPPED)
    overlaps = np.full((len(ends), frames), np.nan)
    for row, end in enumerate(ends):
        at = 0
        while at < end:
            codes[row, at] = INITIALISED
            failure = at + int(rng.integers(2, 40))
            stop = min(failure, end)
            codes[row, at + 1 : stop] = TRACKED
            overlaps[row, at + 1 : stop] = rng.uniform(0.1, 1, max(0, stop - at - 1))
            if failure < end:
                codes[row, failure] = FAILED
            at = failure + SKIP
    return SequenceRuns(f"s{seed}", codes, overlaps, overlaps, {}, lengths=np.array(list(ends)))


def official(sequences: Sequence[SequenceRuns], longest: int) -> FloatArray:
    pieces, weights = [], []
    for sequence in sequences:
        for codes, values, end in zip(
            sequence.codes, sequence.eao_overlaps, sequence.lengths, strict=True
        ):
            overlaps = np.nan_to_num(values[:end])
            failures = np.flatnonzero(codes[:end] == FAILED)
            points = [0, *(f + SKIP for f in failures if f + SKIP < end)]
            for start, following in itertools.pairwise(points):
                piece = np.zeros(longest)
                part = overlaps[start : following + 1][:longest]
                piece[: len(part)] = part
                pieces.append(piece)
                weights.append(1 / len(sequence.codes))
            piece = np.full(longest, np.nan)
            part = overlaps[points[-1] :][:longest]
            piece[: len(part)] = part
            pieces.append(piece)
            share = (end - points[-1]) / (len(sequence) - points[-1]) if len(failures) else 1
            weights.append(share / len(sequence.codes))
    stacked, weight = np.stack(pieces), np.array(weights)
    curve = np.ones(longest)
    for length in range(2, longest + 1):
        usable = ~np.isnan(stacked[:, length - 1])
        means = stacked[usable, 1:length].mean(axis=1)
        curve[length - 1] = (means * weight[usable]).sum() / weight[usable].sum()
    return curve


@pytest.mark.parametrize("ends", [(120, 120), (80, 120), (30, 61), (5, 120), (1, 119)])
def test_expected_overlap_of_short_runs(ends: tuple[int, int]) -> None:
    runs = [made(0, 120, ends), made(1, 90, (90, 90)), made(2, 150, (150,))]
    found = cut_runs(runs, 150).expected_overlap().curve()
    np.testing.assert_allclose(found, official(runs, 150), rtol=0, atol=1e-12)


def test_a_short_run_without_failures_weighs_as_a_whole_one() -> None:
    codes = np.full((1, 60), TRACKED)
    codes[0, 0], codes[0, 40:] = INITIALISED, SKIPPED
    overlaps = np.where(codes == TRACKED, 0.5, np.nan)
    short = SequenceRuns("a", codes, overlaps, overlaps, {}, lengths=np.array([40]))
    runs = [short, made(3, 80, (80,))]
    found = cut_runs(runs, 80).expected_overlap().curve()
    np.testing.assert_allclose(found, official(runs, 80), rtol=0, atol=1e-12)
