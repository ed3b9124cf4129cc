"""Golden values of the official code, and of other toolkits for named conventions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import ResultError
from bench.files import read_rows
from bench.measures import onepass
from bench.measures.conventions import Convention, get_convention

GOLDEN = Path(__file__).parents[3] / "golden" / "ope"
BENCHMARKS = {"otb": "otb2015", "uav": "uav123", "lasot": "lasot", "trackingnet": "trackingnet"}
OFFICIAL = {"otb": "otb", "uav": "otb", "lasot": "lasot"}
SEQUENCES = range(6)
TOLERANCE = 1e-12


def golden(name: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return table


def inputs(kind: str, tracker: int, sequence: int) -> tuple[np.ndarray, np.ndarray]:
    """Result and ground truth."""
    folder = GOLDEN / "in" / kind
    truth = read_rows(folder / f"s{sequence}.txt")
    result = read_rows(folder / f"t{tracker}__s{sequence}.txt")
    if (kind, tracker, sequence) == ("trackingnet", 3, 4):
        result = np.zeros_like(truth)  # the devkit substitutes zeros for a missing file
    return result, truth


def measure(kind: str, tracker: int, sequence: int, rule: Convention) -> onepass.FrameMeasures:
    folder = GOLDEN / "in" / kind
    result, truth = inputs(kind, tracker, sequence)
    absent = None
    if kind == "lasot":
        absent = read_rows(folder / f"s{sequence}.absent", columns=1)[:, 0] > 0
    return onepass.frame_measures(result, truth, rule, absent)


def mean_curves(kind: str, tracker: int, rule: Convention) -> dict[str, np.ndarray]:
    curves = [onepass.sequence_curves(measure(kind, tracker, s, rule), rule) for s in SEQUENCES]
    return {
        name: onepass.mean_curve(np.stack([c[name] for c in curves]), rule)
        for name in ("success", "precision", "normalized_precision")
    }


def scores(kind: str, tracker: int, rule: Convention) -> list[float]:
    curves = mean_curves(kind, tracker, rule)
    return [
        float(onepass.curve_score(curves["success"], rule.success_thresholds, rule.success_score)),
        float(
            onepass.curve_score(
                curves["precision"], rule.precision_thresholds, rule.precision_score
            )
        ),
        float(
            onepass.curve_score(
                curves["normalized_precision"], rule.normalized_thresholds, rule.normalized_score
            )
        ),
    ]


def octave(kind: str) -> Convention:
    """The official rule as Octave ran it: its ``0:0.05:1`` are multiples, unlike MATLAB's."""
    rule = get_convention(OFFICIAL[kind], BENCHMARKS[kind])
    return dataclasses.replace(rule, success_steps="multiples")


def assert_equal(found: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kind", OFFICIAL)
@pytest.mark.parametrize("tracker", range(4))
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_frames_and_curves_equal_the_official_code(kind: str, tracker: int, sequence: int) -> None:
    rule = octave(kind)
    expected = golden("golden_ope")[kind]
    measured = measure(kind, tracker, sequence, rule)
    curves = onepass.sequence_curves(measured, rule)
    key = f"t{tracker}/s{sequence}"
    assert_equal(measured.overlap, expected[f"{key}/iou"])
    assert_equal(measured.error, expected[f"{key}/err"])
    if kind != "lasot":  # LaSOT's code has no such averages; OTB's sum valid rows over all rows
        scored = measured.overlap != -1
        overlap, error = (v[scored].sum() / len(v) for v in (measured.overlap, measured.error))
        assert_equal(np.array([overlap]), expected[f"{key}/aveCoverage"])
        assert_equal(np.array([error]), expected[f"{key}/aveErrCenter"])
    assert_equal(curves["success"], expected[f"{key}/succ"])
    assert_equal(curves["precision"], expected[f"{key}/prec"])
    if kind == "lasot":
        assert_equal(measured.normalized_error, expected[f"{key}/nerr"])
        assert_equal(curves["normalized_precision"], expected[f"{key}/nprec"])


@pytest.mark.parametrize("kind", OFFICIAL)
@pytest.mark.parametrize("tracker", range(4))
def test_means_equal_the_official_code(kind: str, tracker: int) -> None:
    rule = octave(kind)
    expected = golden("golden_ope")[kind]
    curves = mean_curves(kind, tracker, rule)
    success, precision, normalized = scores(kind, tracker, rule)
    key = f"t{tracker}/ALL"
    assert_equal(curves["success"], expected[f"{key}/succ_curve"])
    assert_equal(curves["precision"], expected[f"{key}/prec_curve"])
    assert_equal(np.array([success]), expected[f"{key}/succ_auc"])
    assert_equal(np.array([precision]), expected[f"{key}/prec_at21"])
    if kind == "lasot":
        assert_equal(curves["normalized_precision"], expected[f"{key}/nprec_curve"])
        assert_equal(np.array([normalized]), expected[f"{key}/nprec_at21"])


@pytest.mark.parametrize("kind", OFFICIAL)
@pytest.mark.parametrize("tracker", range(4))
def test_every_printed_number_of_a_curve(kind: str, tracker: int) -> None:
    rule = octave(kind)
    expected = golden("golden_ope")[kind]
    short = {"success": "succ", "precision": "prec", "normalized_precision": "nprec"}
    per_sequence = [
        onepass.sequence_curves(measure(kind, tracker, s, rule), rule) for s in SEQUENCES
    ]
    for name, curve in mean_curves(kind, tracker, rule).items():
        key = f"t{tracker}/ALL/{short[name]}"
        if f"{key}_auc" not in expected:
            assert (name, kind) in {("normalized_precision", k) for k in ("otb", "uav")}
            continue
        stacked = np.stack([curves[name] for curves in per_sequence])
        assert_equal(np.array([curve.mean()]), expected[f"{key}_auc"])
        assert_equal(curve[20:21], expected[f"{key}_at21"])
        counted = onepass.counted_sequences(stacked, rule).sum()
        assert_equal(np.array([counted]), expected[f"{key}_nseq"])


def test_rows_with_some_nan_follow_matlab() -> None:
    rule = get_convention("otb", "otb2015")
    expected = golden("golden_ope")["otb_partialnan"]
    measured = measure("otb", 4, 3, rule)
    assert_equal(measured.overlap, expected["iou"])
    assert_equal(measured.error, expected["err"])


@pytest.mark.parametrize("tracker", range(4))
def test_trackingnet_equals_the_devkit(tracker: int) -> None:
    rule = get_convention("trackingnet", "trackingnet")
    expected = golden("golden_trackingnet")[f"t{tracker}"]
    wanted = [expected["success"], expected["precision"], expected["nprecision"]]
    assert_equal(np.array(scores("trackingnet", tracker, rule)), [w / 100 for w in wanted])
    results = [inputs("trackingnet", tracker, s)[0] for s in SEQUENCES]
    covered = sum(map(onepass.covered_frames, results)) / sum(map(len, results))
    assert_equal(np.array([covered]), [expected["coverage"] / 100])


@pytest.mark.parametrize("name", ["pysot", "got10k", "pytracking"])
@pytest.mark.parametrize("kind", ["otb", "uav", "lasot"])
@pytest.mark.parametrize("tracker", range(4))
def test_named_conventions_equal_the_peers(name: str, kind: str, tracker: int) -> None:
    rule = get_convention(name, BENCHMARKS[kind])
    expected = golden(f"peers_{name}")[f"{kind}/t{tracker}"]
    if isinstance(expected, str):
        with pytest.raises(ResultError, match="rejects"):
            scores(kind, tracker, rule)
        return
    found = scores(kind, tracker, rule)
    known = ~np.isnan(expected)  # got10k 0.1.3 has no normalised precision
    assert known[:2].all()
    assert_equal(np.array(found)[known], np.array(expected)[known].tolist())


def test_an_overlap_of_65_percent_succeeds_at_65_percent_in_matlab() -> None:
    truth = np.array([[10.0, 10.0, 20.0, 20.0]] * 2)
    result = np.array([[10.0, 10.0, 20.0, 20.0], [10.0, 10.0, 13.0, 20.0]])  # overlap 0.65
    hits = {}
    for name in ("otb", "lasot", "pysot", "got10k", "pytracking"):
        rule = get_convention(name, "otb2015")
        curves = onepass.sequence_curves(onepass.frame_measures(result, truth, rule), rule)
        hits[name] = curves["success"][13]
    assert hits == {"otb": 1, "lasot": 0.5, "pysot": 0.5, "got10k": 0.5, "pytracking": 0.5}


def test_pysot_tests_the_sign_of_the_scaled_centre() -> None:
    """LaSOT's tiger-6 has a row of negative height, a hit in normalised precision there."""
    truth = np.array([[613.0, 731.0, 247.0, 20.0], [613.0, 731.0, 247.0, -11.0]])
    result = np.array([[613.0, 731.0, 247.0, 20.0], [5.0, 5.0, 9.0, 9.0]])
    rule = get_convention("pysot", "lasot")
    measured = onepass.frame_measures(result, truth, rule)
    assert measured.normalized_error[1] == -1
    assert measured.error[1] > 0


def hits_of_a_perfect_result(name: str, benchmark: str, absent: list[bool]) -> list[list[float]]:
    """Hits of success at 0.5, precision at 20 px and normalised precision at 0.2, by frame."""
    truth = np.array([[9.0, 9.0, 20.0, 20.0], [0.0, 9.0, 20.0, 20.0], [9.0, 9.0, 20.0, 20.0]])
    rule = get_convention(name, benchmark)
    found = onepass.frame_measures(truth, truth, rule, np.array(absent))
    hits = [found.overlap > 0.5, found.error <= 20, found.normalized_error <= 0.2]
    return np.array(hits, int).tolist()


def test_a_box_at_the_border_under_pytracking_and_the_scripts_made_from_it() -> None:
    """pytracking asks x, y, w, h > 0 of a box (6f501d9, 8304b20); STARK and OSTrack w, h > 0.

    STARK copied a version in between (07a34e8, b6d984d), and the lib/test family has it since.
    """
    none = [False] * 3
    assert hits_of_a_perfect_result("otb", "otb2015", none) == [[1, 0, 1], [1, 1, 1], [1, 1, 1]]
    assert hits_of_a_perfect_result("pytracking", "otb2015", none) == [
        [1, 0, 1], [1, 0, 1], [1, 1, 1]
    ]  # fmt: skip
    assert hits_of_a_perfect_result("libtest", "otb2015", none) == [[1, 1, 1]] * 3
    assert hits_of_a_perfect_result("libtest", "uav123", none) == [[1, 1, 1]] * 3


@pytest.mark.parametrize("name", ["pytracking", "libtest"])
def test_an_absent_target_is_normally_precise_outside_lasot_itself(name: str) -> None:
    """Their code takes such frames out for the dataset called ``lasot`` alone."""
    last = [False, False, True]
    assert [row[-1:] for row in hits_of_a_perfect_result(name, "lasot", last)] == [
        [int(name == "libtest")]
    ] * 2 + [[1]]
    for benchmark in ("lasotext", "avist"):
        hits = hits_of_a_perfect_result(name, benchmark, last)
        assert [row[2] for row in hits] == [0, 0, 1]
