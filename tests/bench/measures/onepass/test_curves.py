"""Rules of the measures, checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.errors import ConfigError, ResultError
from bench.measures import onepass
from bench.measures.conventions import convention_names, differences, get_convention
from bench.measures.onepass import curves

OTB = get_convention("otb", "otb2015")
LASOT = get_convention("lasot", "lasot")
TRUTH = np.tile([10.0, 10.0, 20.0, 20.0], (4, 1))


def success(result: np.ndarray, truth: np.ndarray, rule: object = OTB, **more: object) -> float:
    measured = onepass.frame_measures(result, truth, rule, **more)  # type: ignore[arg-type]
    curve = onepass.sequence_curves(measured, rule)["success"]  # type: ignore[arg-type]
    return float(onepass.curve_score(curve, OTB.success_thresholds, "mean"))


def test_perfect_tracker_scores_twenty_of_twenty_one() -> None:
    assert success(TRUTH, TRUTH) == pytest.approx(20 / 21, abs=1e-15)


def test_perfect_tracker_on_lasot_loses_its_absent_frames() -> None:
    absent = np.array([False, True, True, False])
    assert success(TRUTH, TRUTH, LASOT, absent=absent) == pytest.approx(20 / 21 / 2, abs=1e-15)


def test_invalid_ground_truth_misses_success_and_hits_precision() -> None:
    truth = TRUTH.copy()
    truth[2] = np.nan
    measured = onepass.frame_measures(TRUTH, truth, OTB)
    curves = onepass.sequence_curves(measured, OTB)
    assert measured.overlap.tolist() == [1, 1, -1, 1]
    assert curves["precision"][0] == 1
    assert curves["success"][0] == 3 / 4


def test_invalid_rows_take_the_repaired_previous_row() -> None:
    result = TRUTH + np.arange(4)[:, None]
    result[1:3, 2] = 0
    repaired = onepass.repair_rows(result, TRUTH, OTB)
    assert repaired[1].tolist() == repaired[2].tolist() == result[0].tolist()


def test_broken_row_on_unknown_ground_truth_stays_and_spreads() -> None:
    result, truth = TRUTH.copy(), TRUTH.copy()
    result[1:3] = np.nan
    truth[1] = np.nan
    repaired = onepass.repair_rows(result, truth, OTB)
    assert np.isnan(repaired[1:3]).all()  # row 3 takes row 2, which was not replaced


@pytest.mark.parametrize("rows", [3, 5])
def test_wrong_number_of_rows_is_refused(rows: int) -> None:
    with pytest.raises(ResultError, match=f"{rows} rows, the ground truth 4"):
        onepass.frame_measures(np.ones((rows, 4)), TRUTH, OTB)


def test_lasot_cuts_longer_results() -> None:
    assert len(onepass.frame_measures(np.ones((6, 4)), TRUTH, LASOT).overlap) == 4


def test_sequence_without_any_hit_leaves_the_mean() -> None:
    curves = np.stack([np.zeros(21), np.ones(21)])
    assert onepass.mean_curve(curves, OTB).tolist() == [1.0] * 21
    assert onepass.mean_curve(curves, get_convention("pysot", "otb2015"))[0] == 0.5


values = arrays(float, 40, elements=st.floats(-1, 2) | st.just(float("nan")))


@given(values)
def test_counting_by_sorting_equals_comparing(values: np.ndarray) -> None:
    thresholds = OTB.success_thresholds
    values[:21] = thresholds  # exact ties
    above = (values[:, None] > thresholds).sum(axis=0)
    at_least = (values[:, None] >= thresholds).sum(axis=0)
    within = (values[:, None] <= thresholds).sum(axis=0)
    assert curves._count_above(values, thresholds, strict=True).tolist() == above.tolist()
    assert curves._count_above(values, thresholds, strict=False).tolist() == at_least.tolist()
    assert curves._count_within(values, thresholds).tolist() == within.tolist()


def test_unknown_convention_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'pysot'.*trackingnet"):
        get_convention("pysott", "otb2015")


def test_differences_are_in_words_and_only_against_others() -> None:
    assert differences(OTB, OTB) == []
    for name in convention_names("otb2015"):
        rule = get_convention(name, "otb2015")
        assert bool(differences(rule, OTB)) == (name != "otb")
    got10k = differences(get_convention("got10k", "uav123"), OTB)
    assert any("NaN ground truth" in phrase for phrase in got10k)
