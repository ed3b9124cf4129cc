"""Tracks along a sequence agree with the scores computed from the same results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.evaluation import evaluate
from bench.evaluation.along import Track, tracks_along
from bench.geometry import EMPTY, Regions
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory
from bench.tracker import ABSENT

FAILS_AT, RESTARTS_AT, FRAMES = 20, 25, 60


def drifting(frames: int, step: float = 2.0) -> FloatArray:
    boxes = np.tile([20.0, 30.0, 40.0, 24.0], (frames, 1))
    boxes[:, 0] += step * np.arange(frames)
    return boxes


def write(store: OnePassStore, tracker: str, sequence: Sequence, zero_based: FloatArray) -> None:
    times = np.full(len(zero_based), 0.01)
    store.write(tracker, sequence, Trajectory(zero_based, times, np.full_like(times, np.nan)))


@pytest.fixture
def one_pass(tmp_path: Path) -> tuple[Dataset, OnePassStore]:
    """``near`` drifts away slowly, ``half`` has one of the sequences, ``broken`` no numbers."""
    sequences = (
        Sequence("a", drifting(FRAMES), index_base=1.0),
        Sequence("b", drifting(30, 1.0), index_base=1.0, skippable_frames=5),
    )
    store = OnePassStore(tmp_path, "otb2015")
    for sequence in sequences:
        write(store, "near", sequence, drifting(len(sequence), 1.5) - [1, 1, 0, 0])
    write(store, "half", sequences[0], drifting(FRAMES) - [1, 1, 0, 0])
    write(store, "broken", sequences[0], drifting(FRAMES))
    store.boxes_path("broken", "a").write_text("1,2,three,4\n")
    return Dataset("otb2015", tmp_path, sequences, expected=2), store


def along(store: OnePassStore | VotStore, sequence: Sequence) -> dict[str, Track]:
    tracks = tracks_along(store, store.trackers(), sequence)
    return {track.tracker: track for track in tracks}


def test_overlaps_give_the_success_of_the_scores(one_pass: tuple[Dataset, OnePassStore]) -> None:
    """OTB's success is the mean share of frames above 0, 0.05, ..., 1."""
    dataset, store = one_pass
    (scores,) = evaluate(dataset, store, ["near"])
    for sequence in dataset:
        track = along(store, sequence)["near"]
        above = track.overlap[:, None] > np.arange(21) * 0.05
        expected = scores.trackers["near"].per_sequence[sequence.name]["success"]
        assert above.mean() == pytest.approx(expected, abs=1e-12)


def test_regions_are_zero_based(one_pass: tuple[Dataset, OnePassStore]) -> None:
    dataset, store = one_pass
    track = along(store, dataset["a"])["half"]
    np.testing.assert_allclose(track.regions, drifting(FRAMES) - [1, 1, 0, 0], atol=0.01)


def test_missing_and_broken_results_state_the_problem(
    one_pass: tuple[Dataset, OnePassStore],
) -> None:
    dataset, store = one_pass
    first, second = along(store, dataset["a"]), along(store, dataset["b"])
    assert "three" in (first["broken"].problem or "")
    assert first["half"].problem is None
    assert second["half"].problem == "no result"


def test_frames_that_a_result_leaves_out_are_unknown(
    one_pass: tuple[Dataset, OnePassStore],
) -> None:
    dataset, store = one_pass
    sequence = dataset["b"]
    write(store, "short", sequence, drifting(30, 1.0)[5:] - [1, 1, 0, 0])
    track = along(store, sequence)["short"]
    assert np.isnan(track.overlap[:5]).all()
    assert np.isnan(track.regions[:5]).all()
    assert (track.overlap[5:] > 0.99).all()
    assert track.starts == (5,)


def test_frames_without_the_target_do_not_count(tmp_path: Path) -> None:
    absent = np.arange(FRAMES) < 3
    sequence = Sequence("s", drifting(FRAMES), absent=absent)
    store = OnePassStore(tmp_path, "lasot")
    write(store, "t", sequence, drifting(FRAMES))
    overlap = along(store, sequence)["t"].overlap
    assert np.array_equal(np.isnan(overlap), absent)


def test_stretches_without_overlap_are_failures(tmp_path: Path) -> None:
    sequence = Sequence("s", drifting(FRAMES))
    boxes = drifting(FRAMES)
    boxes[10:15, 1] += 500
    boxes[40:, 1] += 500
    store = OnePassStore(tmp_path, "otb2015")
    write(store, "t", sequence, boxes)
    assert along(store, sequence)["t"].failures == (10, 40)


def test_hidden_ground_truth_leaves_regions_alone(tmp_path: Path) -> None:
    frames = [np.zeros((8, 8, 3), dtype=np.uint8)] * 3
    sequence = Sequence("s", drifting(1), frames, hidden=True)
    store = OnePassStore(tmp_path, "trackingnet")
    write(store, "t", sequence, drifting(3))
    track = along(store, sequence)["t"]
    assert np.isnan(track.overlap).all()
    assert track.overlap.shape == (3,)
    assert track.regions.shape == (3, 4)


@pytest.mark.parametrize("size", [(320, 240), None])
def test_overlaps_of_a_reset_run_give_its_accuracy(
    tmp_path: Path, size: tuple[int, int] | None
) -> None:
    """Accuracy is the mean overlap outside the ten frames after each start."""
    sequence = Sequence("s", drifting(FRAMES, 1.0), size=size, benchmark="vot2018")
    dataset = Dataset("vot2018", tmp_path, (sequence,))
    rows = [row.tolist() for row in drifting(FRAMES, 1.1)]
    rows[0] = [1]
    rows[FAILS_AT : RESTARTS_AT + 1] = [[2], [0], [0], [0], [0], [1]]
    nothing = np.full(FRAMES, np.nan)
    store = VotStore(tmp_path, "vot2018", "baseline")
    run = RegionTrajectory(Regions.from_rows(rows), np.full(FRAMES, 0.01), nothing)
    for repetition in (1, 2):
        store.write("t", sequence, run, repetition)
    track = along(store, sequence)["t"]
    assert track.failures == (FAILS_AT,)
    assert track.starts == (0, RESTARTS_AT)
    assert track.repetitions == 2
    valid = track.overlap.copy()
    for start in track.starts:
        valid[start : start + 10] = np.nan
    (scores,) = evaluate(dataset, store)
    expected = scores.trackers["t"].per_sequence["s"]["accuracy"]
    assert np.nanmean(valid) == pytest.approx(expected, abs=1e-6)


def test_absences_have_no_region_and_masks_stand_by(tmp_path: Path) -> None:
    truth = drifting(6)
    sequence = Sequence("a", truth, index_base=1.0, skippable_frames=2)
    boxes = truth[2:] - [1, 1, 0, 0]
    boxes[1] = ABSENT
    unknown, mask = np.full(4, np.nan), np.array([1, 2, 1, 1, 0, 1])
    store = OnePassStore(tmp_path, "otb2015")
    store.write("t", sequence, Trajectory(boxes, unknown, unknown, (None, EMPTY, mask, None)))
    track = along(store, sequence)["t"]
    assert track.absent.tolist() == [False, False, False, True, False, False]
    assert np.isnan(track.regions).any(axis=1).tolist() == [True, True, False, True, False, False]
    assert [kept is not None for kept in track.masks] == [False, False, False, True, True, False]
    assert track.overlap[3] == 0
    store.masks_path("t", "a").write_text("0\n")
    assert "masks of a: expected 4 rows" in (along(store, sequence)["t"].problem or "")


def test_without_resets_an_absence_has_no_region(tmp_path: Path) -> None:
    truth = drifting(4)
    sequence = Sequence("a", truth, size=(320, 240))
    rows = [[1], truth[1].tolist(), [0, 0, 0, 0], [1, 1, 9, 1, 9, 9, 1, 9]]
    store, nothing = VotStore(tmp_path, "vot2018", "unsupervised"), np.full(4, np.nan)
    store.write("t", sequence, RegionTrajectory(Regions.from_rows(rows), nothing, nothing))
    track = along(store, sequence)["t"]
    assert track.absent.tolist() == [False, False, True, False]
    assert np.isnan(track.regions).any(axis=1).tolist() == [True, False, True, False]
    assert track.masks == ()
