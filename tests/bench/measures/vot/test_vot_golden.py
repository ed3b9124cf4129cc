"""All values of the official MATLAB analysis (Octave), under its own rectangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.benchmarks import get_benchmark
from bench.geometry import FAILED
from bench.measures.vot.accuracy import burnt_in, tally, weighted_mean
from bench.measures.vot.expected_overlap import cut_runs, estimate_interval
from bench.measures.vot.runs import SequenceRuns
from bench.runner.session import are_equal
from tests.bench.measures.vot.conftest import TAGS, load, read

TRACKERS = "ABC"
SINGLE = 1e-6  # the official overlaps are computed in single precision
Runs = dict[str, list[SequenceRuns]]


@pytest.fixture(scope="module")
def runs(shared: Path) -> Runs:
    return {t: load(shared / "golden/vot/in", t, "vot-matlab-head") for t in TRACKERS}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_overlaps_burn_in_and_failures(
    runs: Runs, golden_vot: dict[str, Any], tracker: str
) -> None:
    for one in runs[tracker]:
        burnt = one.accuracy_overlaps.copy()
        burnt[burnt_in(one.codes)] = np.nan
        for index in range(one.repetitions):
            key = f"{tracker}/{one.name}/{index + 1}"
            plain = golden_vot[f"{key}/overlap_noburnin_bound_wh1"]
            np.testing.assert_allclose(one.eao_overlaps[index], plain, rtol=0, atol=SINGLE)
            expected = golden_vot[f"{key}/overlap_burnin_bound_wh"]
            np.testing.assert_allclose(burnt[index], expected, rtol=0, atol=SINGLE)
            assert np.nanmean(burnt[index]) == pytest.approx(
                golden_vot[f"{key}/acc_burnin"][0], abs=SINGLE
            )
            failed = np.flatnonzero(one.codes[index] == FAILED) + 1
            assert len(failed) == golden_vot[f"{key}/failures"][0]
            assert failed.tolist() == golden_vot[f"{key}/failure_frames_1based"]


@pytest.mark.parametrize("column", range(3))
def test_accuracy_and_failures_by_tag_and_sequence(
    runs: Runs, golden_vot: dict[str, Any], column: int
) -> None:
    mine = runs[TRACKERS[column]]
    tags = [None, *TAGS, "empty"]
    found = {f"tag_{tag or 'all'}": tally(mine, tag).pooled() for tag in tags}
    found |= {f"sequence_{one.name}": tally([one]).pooled() for one in mine}
    for key, score in found.items():
        assert score.accuracy == pytest.approx(
            golden_vot[f"AR/{key}/accuracy"][column], abs=SINGLE
        ), key
        assert score.failures == pytest.approx(
            golden_vot[f"AR/{key}/failures"][column], abs=1e-12
        ), key
        assert score.robustness / 100 == pytest.approx(
            golden_vot[f"AR/{key}/failurerate"][column], abs=1e-12
        ), key
        assert score.frames == golden_vot[f"AR/{key}/length"][0], key
    weighted = weighted_mean([found[f"sequence_{one.name}"] for one in mine])
    expected = golden_vot["AR/weighted_mean_over_sequences/accuracy"][column]
    assert weighted.accuracy == pytest.approx(expected, abs=SINGLE)


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("tag", [None, *TAGS, "empty"])
def test_expected_overlap(
    runs: Runs, golden_vot: dict[str, Any], tracker: str, tag: str | None
) -> None:
    expected = cut_runs(runs[tracker], 220).expected_overlap(tag)
    name = tag or "all"
    curve = golden_vot[f"{tracker}/EAO_curve/{name}"]
    np.testing.assert_allclose(expected.curve(), curve, rtol=0, atol=1e-9)
    for low, high in ((40, 150), (60, 110)):
        score = golden_vot[f"{tracker}/EAO_{low}_{high}/{name}"][0]
        assert expected.score((low, high)) == pytest.approx(score, abs=1e-9)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_interval(shared: Path, golden_vot: dict[str, Any], number: int) -> None:
    lengths = np.loadtxt(shared / f"golden/vot/in/lengths{number}.txt").ravel()
    assert list(estimate_interval(lengths)) == golden_vot[f"INTERVAL/{number}"]


@pytest.mark.parametrize(
    ("benchmark", "interval"),
    [("vot2016", (168, 108, 371)), ("vot2018", (160, 100, 356)), ("vot2019", (128, 46, 291))],
)
def test_published_intervals_follow_from_the_lengths(
    benchmark: str, interval: tuple[int, int, int]
) -> None:
    lengths = [float(row.frames or 0) for row in get_benchmark(benchmark).table]
    assert estimate_interval(np.array(lengths)) == interval


@pytest.mark.parametrize("tracker", TRACKERS)
def test_deterministic_trackers(shared: Path, golden_vot: dict[str, Any], tracker: str) -> None:
    folder = shared / "golden/vot/in/results" / tracker / "baseline"
    for results in folder.iterdir():
        first = [read(path) for path in sorted(results.glob(f"{results.name}_0*.txt"))[:3]]
        (expected,) = golden_vot[f"{tracker}/{results.name}/deterministic"]
        assert (len(first) == 3 and are_equal(first)) == expected
