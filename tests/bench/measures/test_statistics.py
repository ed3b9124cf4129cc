"""Bootstrap intervals and paired tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from bench.measures.statistics import bootstrap_intervals, paired_test


def test_interval_holds_the_mean_and_shrinks_with_more_sequences() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.uniform(size=(1, 20)), rng.uniform(size=(1, 2000))
    (low, high), (low2, high2) = bootstrap_intervals(few)[0], bootstrap_intervals(many)[0]
    assert low < few.mean() < high
    assert high2 - low2 < (high - low) / 5


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = np.random.default_rng(2).normal(size=(1, 500))
    low, high = bootstrap_intervals(values)[0]
    half = 1.96 * values.std() / np.sqrt(values.size)
    assert abs((high - low) / 2 - half) < 0.1 * half


@pytest.mark.parametrize("sequences", [2, 5, 100])
def test_interval_equals_scipy(sequences: int) -> None:
    values = np.random.default_rng(5).uniform(size=(3, sequences))
    expected = bootstrap(
        (values,), np.mean, axis=-1, n_resamples=1000, method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    np.testing.assert_allclose(
        bootstrap_intervals(values).T, [expected.low, expected.high], rtol=1e-12
    )


def test_interval_is_deterministic_and_unknown_for_one_sequence() -> None:
    values = np.random.default_rng(3).uniform(size=(3, 30))
    assert np.array_equal(bootstrap_intervals(values), bootstrap_intervals(values))
    assert np.isnan(bootstrap_intervals(values[:, :1])).all()


def test_paired_test_sees_a_small_consistent_gain() -> None:
    rng = np.random.default_rng(4)
    b = rng.uniform(size=60)
    test = paired_test(b + 0.01 + rng.normal(scale=0.002, size=60), b)
    assert test.low > 0.008
    assert test.high < 0.012
    assert test.p_value < 1e-6
    assert (test.wins, test.losses, test.sequences) == (60, 0, 60)


def test_paired_test_of_a_tracker_with_itself() -> None:
    scores = np.linspace(0, 1, 9)
    test = paired_test(scores, scores)
    assert (test.difference, test.p_value, test.wins, test.losses) == (0, 1, 0, 0)


def test_paired_test_excludes_nan() -> None:
    a, b = np.array([0.5, np.nan, 0.7, 0.9]), np.array([0.4, 0.1, np.nan, 0.6])
    test = paired_test(a, b)
    assert test == paired_test(a[[0, 3]], b[[0, 3]])
    assert (test.difference, test.sequences) == (pytest.approx(0.2), 2)


def test_paired_test_without_sequences_is_nan() -> None:
    test = paired_test(np.array([np.nan, 1.0]), np.array([0.5, np.nan]))
    assert np.isnan([test.difference, test.low, test.high]).all()
    assert (test.p_value, test.wins, test.losses, test.sequences) == (1, 0, 0, 0)
