"""Ranks against the official adaptation, and the tests of equality."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from bench.errors import ResultError
from bench.measures.vot import SequenceRuns
from bench.measures.vot.ranks import (
    Mode,
    adapted_ranks,
    equal_accuracy,
    equal_robustness,
    rank_trackers,
)
from tests.bench.measures.vot.conftest import simulate

FRAMES = 100
NOTHING = np.zeros(FRAMES)


def runs_of(level: float, failures: list[int], seed: int, repetitions: int = 5) -> SequenceRuns:
    noise = np.random.default_rng(seed).normal(0, 0.05, FRAMES)
    return simulate([failures] * repetitions, level + noise)


def test_adapted_ranks_are_the_official_ones(golden_vot: dict[str, Any]) -> None:
    """The matrix of the official run: 1 equals 2, 2 equals 3, all others differ."""
    same = np.eye(4, dtype=bool)
    same[0, 1] = same[1, 0] = same[1, 2] = same[2, 1] = True
    for mode in get_args(Mode):
        found = adapted_ranks(np.arange(1.0, 5), same, mode)
        assert found.tolist() == golden_vot[f"adapted_ranks/{mode}"], mode


def test_clear_differences_are_ranked() -> None:
    ranks = rank_trackers(
        {
            "good": [runs_of(0.8, [], 1)],
            "lost": [runs_of(0.5, [20, 40, 60], 2)],
            "alike": [runs_of(0.8, [], 3)],
        }
    )
    assert ranks.accuracy == {"good": 1.5, "lost": 3.0, "alike": 1.5}
    assert ranks.robustness == {"good": 1.5, "lost": 3.0, "alike": 1.5}


def test_missing_repetitions_are_their_mean() -> None:
    """The only run of a deterministic tracker counts for every repetition."""
    other = [runs_of(0.5, [20], 2, repetitions=15)]
    once, often = ([runs_of(0.5, [20, 40], 4, repetitions=count)] for count in (1, 15))
    assert rank_trackers({"a": once, "b": other}) == rank_trackers({"a": often, "b": other})
    assert rank_trackers({"a": once, "b": other}).robustness == {"a": 2.0, "b": 1.0}


def test_the_practical_difference_makes_equal() -> None:
    a, b = np.full(FRAMES, 0.60), np.full(FRAMES, 0.61)
    assert not equal_accuracy(a, b, NOTHING)
    assert equal_accuracy(a, b, np.full(FRAMES, 0.02))
    assert not equal_accuracy(a, b, np.full(FRAMES, 0.005))


def test_few_frames_count_as_equal() -> None:
    a, b = np.full(24, 0.2), np.full(24, 0.9)
    assert equal_accuracy(a, b, np.zeros(24))
    a, b = np.full(25, 0.2), np.full(25, 0.9)
    assert not equal_accuracy(a, b, np.zeros(25))


def test_frames_that_one_tracker_lacks_do_not_count() -> None:
    a, b = np.full(FRAMES, 0.2), np.full(FRAMES, 0.9)
    b[20:] = np.nan
    assert equal_accuracy(a, b, NOTHING)


def test_failures_of_the_same_distribution() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.poisson(2, (2, 300)).astype(float)
    assert equal_robustness(a, b)
    assert not equal_robustness(a, b + 1)
    assert equal_robustness(np.zeros(9), np.zeros(9))


def test_a_tracker_without_a_valid_frame_is_last() -> None:
    blind = runs_of(0.5, [], 1)
    blind.accuracy_overlaps[:] = np.nan
    ranks = rank_trackers({"blind": [blind], "sees": [runs_of(0.5, [], 2)]}, "none")
    assert ranks.accuracy == {"blind": 2.0, "sees": 1.0}


def test_other_sequences_are_refused() -> None:
    short = simulate([[]], np.ones(30))
    with pytest.raises(ResultError, match="same sequences, found 1 for b and 1 for a"):
        rank_trackers({"a": [runs_of(0.5, [], 1)], "b": [short]})
