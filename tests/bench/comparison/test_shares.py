"""Shares sum to the difference, whatever the runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.comparison.shares import (
    eao_interval,
    expected_overlaps,
    left_out,
    mean_shares,
    vot_shares,
)
from bench.geometry import FAILED, INITIALISED, SKIPPED, TRACKED
from bench.measures import onepass, vot
from bench.scores import TrackerScores

RULE = vot.get_convention("vot")


def runs_of(seed: int, lengths: list[int]) -> list[vot.SequenceRuns]:
    """Runs with random failures and overlaps."""
    random = np.random.default_rng(seed)
    found = []
    for number, frames in enumerate(lengths):
        codes = np.full((2, frames), TRACKED)
        codes[:, 0] = INITIALISED
        for row in codes:
            for at in random.integers(8, frames, random.integers(0, 3)):
                if (row[at : at + 6] == TRACKED).all():
                    row[at] = FAILED
                    row[at + 1 : at + 5] = SKIPPED
                    row[at + 5 : at + 6] = INITIALISED
        overlaps = np.where(codes == TRACKED, random.uniform(0.05, 1, codes.shape), np.nan)
        found.append(vot.SequenceRuns(f"s{number}", codes, overlaps, overlaps, {}))
    return found


@given(st.integers(0, 1000), st.lists(st.integers(30, 90), min_size=2, max_size=6))
def test_vot_shares_sum_to_the_difference(seed: int, lengths: list[int]) -> None:
    interval = (20, max(lengths))
    a, b = runs_of(seed, lengths), runs_of(seed + 1, lengths)
    shares = vot_shares(a, b, interval, RULE)
    scores = [vot.summarize_runs(one, RULE, interval, max(lengths)).measures for one in (a, b)]
    for measure, values in shares.items():
        difference = scores[0][measure] - scores[1][measure]
        assert values.sum() == pytest.approx(difference, abs=1e-12), measure


def test_leaving_a_sequence_out_is_scoring_the_others() -> None:
    lengths, interval = [60, 80, 50, 70], (20, 60)
    a, b = runs_of(3, lengths), runs_of(4, lengths)
    sums = expected_overlaps(a, b, RULE)
    without = left_out(*sums, interval)
    for place in range(4):
        rest = [
            vot.summarize_runs(one[:place] + one[place + 1 :], RULE, interval, 80).measures["eao"]
            for one in (a, b)
        ]
        assert without[place] == pytest.approx(rest[0] - rest[1], abs=1e-12)
    low, high = eao_interval(*sums, interval)
    assert low < sums[0].score(interval) - sums[1].score(interval) < high


def test_shares_without_resets_weigh_sequences_by_length() -> None:
    lengths = [40, 90, 60]
    runs = [runs_of(seed, lengths) for seed in (7, 8)]
    a, b = (vot.summarize_unsupervised(one) for one in runs)
    names = [one.name for one in runs[0]]
    shares = mean_shares(a, b, names, np.array(lengths, dtype=float))["average_overlap"]
    difference = a.measures["average_overlap"] - b.measures["average_overlap"]
    assert shares.sum() == pytest.approx(difference, abs=1e-12)
    own = a.per_sequence["s1"]["average_overlap"] - b.per_sequence["s1"]["average_overlap"]
    assert shares[1] == pytest.approx(own * 90 / 190)


def test_a_measure_that_is_no_mean_has_no_share() -> None:
    one = TrackerScores(
        {"m": 0.5}, {}, {"x": {"m": 0.2}, "y": {"m": 0.3}, "z": {"m": 0.3}}, {}, {}
    )
    assert mean_shares(one, one, ["x", "y", "z"]) == {}


def test_shares_of_means_follow_the_sequences_that_count() -> None:
    """OTB leaves a sequence of an all-zero curve out of the mean, in one run and not the other."""
    rule = onepass.get_convention("otb", "otb2015")
    flat, zero = np.linspace(1, 0, 21), np.zeros(21)
    names, tables = ["x", "y", "z"], []
    for success in ([flat, zero, flat / 2], [flat, flat / 3, flat / 2]):
        curves = [
            {"success": s, "precision": np.linspace(0, 1, 51), "normalized_precision": np.ones(51)}
            for s in success
        ]
        none = np.full(3, np.nan)
        tables.append(onepass.summarize(names, [frozenset()] * 3, curves, none, rule))
    a, b = tables
    assert isinstance(a, TrackerScores)
    shares = mean_shares(a, b, names)
    for measure in ("success", "precision", "success_rate_50"):
        difference = a.measures[measure] - b.measures[measure]
        assert shares[measure].sum() == pytest.approx(difference, abs=1e-12)
    assert shares["success"][1] == pytest.approx(-(flat / 3).mean() / 3)
