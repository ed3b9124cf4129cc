"""What a sequence's page shows is what the scores were computed from."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.geometry import Regions
from bench.reports.page.timeline import outlines, stage_size, tracks_along
from bench.reports.study import Study, open_study
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from tests.bench.reports.page.conftest import FAILS_AT, HOSTILE, UNICODE, Made


@pytest.fixture(scope="module")
def one_pass(made: Made) -> Study:
    data = partial(open_dataset, "otb2015", made.data / "otb2015")
    return open_study("otb2015", None, data, OnePassStore(made.results, "otb2015"))


@pytest.fixture(scope="module")
def resets(made: Made) -> Study:
    store = VotStore(made.results, "vot2018", "baseline")
    data = partial(open_dataset, "vot2018", made.data / "vot2018")
    return open_study("vot2018", "baseline", data, store)


def test_overlaps_give_the_success_of_the_table(one_pass: Study) -> None:
    """OTB's success is the mean share of frames above 0, 0.05, ..., 1."""
    assert one_pass.scores is not None
    for sequence in one_pass.sequences:
        for track in tracks_along(one_pass, sequence):
            if track.tracker not in one_pass.scores.trackers or track.problem:
                continue
            above = track.overlap[:, None] > np.arange(21) * 0.05
            expected = one_pass.scores.trackers[track.tracker].per_sequence[sequence.name]
            assert above.mean() == pytest.approx(expected["success"], abs=1e-12)


def test_overlaps_of_a_reset_run_give_its_accuracy(resets: Study) -> None:
    assert resets.scores is not None
    for sequence in resets.sequences:
        (track,) = tracks_along(resets, sequence)
        assert track.failures == (FAILS_AT,)
        assert track.starts == (0, FAILS_AT + 5)
        valid = track.overlap.copy()
        for start in track.starts:
            valid[start : start + 10] = np.nan
        expected = resets.scores.trackers["steady"].per_sequence[sequence.name]
        assert np.nanmean(valid) == pytest.approx(expected["accuracy"], abs=1e-6)


def test_regions_are_zero_based(one_pass: Study) -> None:
    sequence = one_pass.sequences[0]
    steady = next(t for t in tracks_along(one_pass, sequence) if t.tracker == "steady")
    shift = steady.regions[1:] - sequence.ground_truth[1:]
    base = sequence.index_base
    expected = np.tile([2 - base, -base, 0, 0], (len(shift), 1))
    np.testing.assert_allclose(shift, expected, atol=0.01)


def test_order_is_best_first_then_partial_then_broken(one_pass: Study) -> None:
    assert one_pass.trackers == ("steady", HOSTILE, UNICODE, "half", "broken")
    assert [name for name in one_pass.trackers if one_pass.is_partial(name)] == ["half"]
    assert one_pass.status == "miniature"


def test_what_is_missing_or_broken_says_so(one_pass: Study) -> None:
    tracks = {t.tracker: t for t in tracks_along(one_pass, one_pass.sequences[1])}
    assert "three" in (tracks["broken"].problem or "")
    assert tracks["half"].problem is None
    last = {t.tracker: t for t in tracks_along(one_pass, one_pass.sequences[-1])}
    assert last["half"].problem == "no result"
    assert last["broken"].problem is None


def test_outlines_mix_boxes_polygons_and_codes() -> None:
    rows = [[1], [10, 20, 30, 40], [1, 1, 5, 1, 5, 6], [0, 0, 1, 0, 1, 1, 0, 1]]
    found = outlines(Regions.from_rows(rows), 1.0)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [9, 19, 39, 19, 39, 59, 9, 59]
    assert found[2].tolist() == [0, 0, 4, 0, 4, 5, 4, 5]
    assert found[3].tolist() == [-1, -1, 0, -1, 0, 0, -1, 0]
    boxes = outlines(Regions.from_rows([[1], [10, 20, 30, 40]]), 1.0)
    assert boxes[1].tolist() == [9, 19, 30, 40]


def test_the_stage_is_as_large_as_the_frames(one_pass: Study) -> None:
    sequence = one_pass.sequences[0]
    assert sequence.frames is not None
    height, width = sequence.frames[0].shape[:2]
    assert stage_size(sequence) == (width, height)
