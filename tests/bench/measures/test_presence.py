"""Presence: the area under the ROC curve and the best F, against other people's formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from bench.measures.presence import absence_rates, presence

# Few distinct scores, so that there are ties.
frames = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40)


def split(pairs: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s / 4 for s, _ in pairs]), np.array([p for _, p in pairs])


@given(frames)
def test_the_area_is_the_statistic_of_mann_and_whitney(pairs: list[tuple[int, bool]]) -> None:
    scores, present = split(pairs)
    found = presence(scores, present)
    if present.all() or not present.any():
        assert found is None
        return
    assert found is not None
    shown, gone = scores[present], scores[~present]
    statistic = mannwhitneyu(shown, gone).statistic
    assert found.auroc == pytest.approx(statistic / (len(shown) * len(gone)), abs=1e-12)


@given(frames)
def test_the_best_f_is_that_of_trying_every_threshold(pairs: list[tuple[int, bool]]) -> None:
    scores, present = split(pairs)
    found = presence(scores, present)
    if found is None:
        return

    def f(threshold: float) -> float:
        """As scikit-learn's f1_score defines it."""
        called = scores >= threshold
        precision = present[called].mean() if called.any() else 0.0
        recall = called[present].mean()
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    tried = {threshold: f(threshold) for threshold in scores.tolist()}
    assert found.best_f == pytest.approx(max(tried.values()), abs=1e-12)
    assert f(found.threshold) == pytest.approx(found.best_f, abs=1e-12)
    assert all(f(t) < found.best_f for t in tried if t > found.threshold)  # the highest of equals
    assert found.always == pytest.approx(f(-np.inf), abs=1e-12)
    assert found.best_f >= found.always


def test_golden_values() -> None:
    """Worked by hand: four present and three absent frames, with a tie between the two kinds.

    Of 12 pairs, the present frame is above in 9 and equal in 1: 9.5 / 12. At .4, all 4 present
    and 2 absent frames reach the threshold: F = 8 / (8 + 2) = .8; at .9, 2 present ones: 4 / 6.
    """
    scores = np.array([0.9, 0.9, 0.6, 0.4, 0.7, 0.4, 0.1])
    present = np.array([True, True, True, True, False, False, False])
    found = presence(scores, present)
    assert found is not None
    assert found.auroc == pytest.approx(9.5 / 12, abs=1e-15)
    assert (found.best_f, found.threshold) == (pytest.approx(0.8, abs=1e-15), 0.4)
    assert found.always == pytest.approx(8 / 11, abs=1e-15)
    assert (found.frames, found.absent) == (7, 3)
    assert found.false_rates.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert found.true_rates.tolist() == pytest.approx([0, 0.5, 0.5, 0.75, 1, 1])
    at = found.true_rates_at(np.array([0, 1 / 6, 1 / 3, 0.5, 1]))
    assert at.tolist() == pytest.approx([0.5, 0.5, 0.75, 0.875, 1])


def test_scikit_learns_example() -> None:
    """The example of ``sklearn.metrics.roc_auc_score``'s guide: 0.75."""
    found = presence(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    assert found is not None
    assert found.auroc == 0.75


def test_extremes() -> None:
    present = np.array([True, True, False])
    right = presence(np.array([2.0, 2.0, 1.0]), present)
    wrong = presence(np.array([1.0, 1.0, 2.0]), present)
    constant = presence(np.full(3, 0.5), present)
    assert right is not None
    assert wrong is not None
    assert constant is not None
    assert (right.auroc, right.best_f, right.threshold) == (1, 1, 2)
    assert wrong.auroc == 0
    assert constant.auroc == 0.5
    assert constant.best_f == constant.always == pytest.approx(0.8)


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_of_frames_defines_nothing(kind: bool) -> None:
    assert presence(np.arange(4.0), np.full(4, kind)) is None
    assert presence(np.empty(0), np.empty(0, dtype=bool)) is None


def test_rates_of_own_answers() -> None:
    said = np.array([True, True, False, False, False])
    absent = np.array([True, False, True, True, False])
    assert absence_rates(said, absent) == (0.5, pytest.approx(1 / 3))
    precision, recall = absence_rates(np.zeros(5, dtype=bool), absent)
    assert np.isnan(precision)
    assert recall == 0
    assert np.isnan(absence_rates(said, np.zeros(5, dtype=bool))[1])
