"""Scores of stored one-pass results: completeness, notes, conventions, records."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, DatasetError, ResultError
from bench.evaluation import evaluate
from bench.files import format_rows, write_atomically
from bench.results.checksums import SUMS
from bench.results.onepass import OnePassStore
from bench.scores import Caveat
from bench.sequence import Dataset, Sequence, Trajectory
from bench.tracker import ABSENT

BOX = np.array([20.0, 30.0, 40.0, 10.0])


def sequence(name: str, length: int = 10, **more: object) -> Sequence:
    truth = np.tile(BOX, (length, 1)) + np.arange(length)[:, None] * [2, 0, 0, 0]
    return Sequence(name, truth, index_base=1.0, **more)  # type: ignore[arg-type]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    sequences = (
        sequence("a", attributes=frozenset({"SV"})),
        sequence("b", 20, attributes=frozenset({"SV", "FM"})),
        sequence("c", 8, skippable_frames=3),
    )
    return Dataset("otb2015", tmp_path, sequences, expected=3)


@pytest.fixture
def store(tmp_path: Path, dataset: Dataset) -> OnePassStore:
    """``perfect`` has all rows right, ``still`` repeats the first box."""
    store = OnePassStore(tmp_path / "results", "otb2015")
    for one in dataset:
        zero_based = one.ground_truth - [1, 1, 0, 0]
        times, scores = np.full(len(one), 0.02), np.full(len(one), np.nan)
        store.write("perfect", one, Trajectory(zero_based, times, scores))
        still = np.tile(one.initial_box, (len(one), 1))
        store.write("still", one, Trajectory(still, times * 2, scores))
    for tracker in ("perfect", "still"):  # tests change files by hand, which would be noted
        (store.folder(tracker) / SUMS).unlink()
    return store


def test_scores_of_known_boxes(dataset: Dataset, store: OnePassStore) -> None:
    (scores,) = evaluate(dataset, store)
    perfect, still = scores.trackers["perfect"], scores.trackers["still"]
    assert perfect.measures["success"] == pytest.approx(20 / 21)
    assert perfect.measures["precision"] == perfect.measures["success_rate_75"] == 1
    assert perfect.measures["fps"] == pytest.approx(50)
    assert still.measures["fps"] == pytest.approx(25)
    # in "a" the box is t * 2 px off in frame t: within 20 px always, in "b" for 11 of 20 frames
    assert still.per_sequence["a"]["precision"] == 1
    assert still.per_sequence["b"]["precision"] == 11 / 20
    assert still.measures["precision"] == pytest.approx((1 + 11 / 20 + 1) / 3)
    low, high = still.intervals["precision"]
    assert low < still.measures["precision"] < high
    assert scores.convention == "otb"
    assert not scores.partial


def test_attributes_need_two_sequences(dataset: Dataset, store: OnePassStore) -> None:
    (scores,) = evaluate(dataset, store, ["still"])
    per_attribute = scores.trackers["still"].per_attribute
    assert set(per_attribute) == {"SV"}  # only one sequence has FM
    assert per_attribute["SV"]["sequences"] == 2
    assert per_attribute["SV"]["precision"] == pytest.approx((1 + 11 / 20) / 2)


def test_missing_sequences_refuse_their_tracker_unless_partial(
    dataset: Dataset, store: OnePassStore
) -> None:
    store.boxes_path("still", "b").unlink()
    (scores,) = evaluate(dataset, store)
    assert set(scores.trackers) == {"perfect"}
    assert not scores.partial, "what is scored is whole"
    assert "no result for 1 of 3 sequences (b)" in scores.refused["still"]
    (scores,) = evaluate(dataset, store, partial=True)
    assert scores.partial
    assert scores.trackers["still"].missing == ("b",)
    assert [name for name, one in scores.trackers.items() if one.partial] == ["still"]
    assert scores.trackers["still"].notes == ("partial: 2 of 3 sequences",)
    assert set(scores.trackers["still"].per_sequence) == {"a", "c"}
    assert scores.trackers["perfect"].notes == ()


def test_partial_dataset_and_miniature_are_named(dataset: Dataset, store: OnePassStore) -> None:
    half = Dataset("otb2015", dataset.root, dataset.sequences[:2], expected=100)
    (scores,) = evaluate(half, store)
    assert scores.partial
    assert scores.caveats == (Caveat("partial", "2 of 100 sequences"),)
    surplus = "results of 1 sequences outside the dataset ignored: c"
    assert scores.trackers["still"].notes == (surplus,)
    mini = Dataset("otb2015", dataset.root, dataset.sequences, expected=100, miniature=True)
    (scores,) = evaluate(mini, store)
    assert [caveat.kind for caveat in scores.caveats] == ["miniature"]


def test_result_that_omits_leading_frames_is_aligned(
    dataset: Dataset, store: OnePassStore
) -> None:
    for path in (store.boxes_path("perfect", "c"), store.times_path("perfect", "c")):
        write_atomically(path, b"".join(path.read_bytes().splitlines(keepends=True)[3:]))
    (scores,) = evaluate(dataset, store, ["perfect"])
    assert scores.trackers["perfect"].measures["success"] == pytest.approx(20 / 21)
    assert scores.trackers["perfect"].notes == ("c: scored from frame 4, where the result starts",)


def test_wrong_number_of_rows_names_tracker_sequence_and_counts(
    dataset: Dataset, store: OnePassStore
) -> None:
    path = store.boxes_path("still", "b")
    write_atomically(path, b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    (scores,) = evaluate(dataset, store)
    assert set(scores.trackers) == {"perfect"}
    assert "b: the result has 19 rows, the ground truth 20" in scores.refused["still"]


def test_a_broken_file_costs_its_tracker_only(dataset: Dataset, store: OnePassStore) -> None:
    write_atomically(store.boxes_path("still", "b"), b"1,2,3\n")
    (scores,) = evaluate(dataset, store)
    assert set(scores.trackers) == {"perfect"}
    assert "b.txt:1: expected 4 numbers, found 3" in scores.refused["still"]
    (alone,) = evaluate(dataset, store, ["still"])
    assert not alone.trackers
    assert alone.refused == scores.refused


def test_a_convention_may_refuse_one_tracker_beside_others(
    dataset: Dataset, store: OnePassStore
) -> None:
    rows = dataset["a"].ground_truth.copy()
    rows[4] = np.nan
    write_atomically(store.boxes_path("still", "a"), format_rows(rows))
    official, pytracking = evaluate(dataset, store, conventions=["otb", "pytracking"])
    assert set(official.trackers) == {"perfect", "still"}
    assert set(pytracking.trackers) == {"perfect"}
    assert "rejects results with NaN" in pytracking.refused["still"]


def test_invalid_rows_are_noted_with_their_consequence(
    dataset: Dataset, store: OnePassStore
) -> None:
    for name, broken in (("a", [0, 4, 5]), ("b", [19])):
        rows = dataset[name].ground_truth.copy()
        rows[broken] = [[np.nan] * 4, [np.nan] * 4, [30, 30, 0, 10]][: len(broken)]
        write_atomically(store.boxes_path("perfect", name), format_rows(rows))
    official, pysot = evaluate(dataset, store, conventions=["otb", "pysot"])
    for scores, repair in ((official, "replaced by the previous row"), (pysot, "unchanged")):
        (note,) = scores.trackers["perfect"].notes
        assert note.startswith("3 of 35 rows contain NaN or have no area, in 2 sequences: ")
        assert repair in note  # row 1 is given
    assert official.trackers["still"].notes == ()


def test_a_tracker_that_never_answers_is_named(dataset: Dataset, store: OnePassStore) -> None:
    """As one whose ``update`` lacks its ``return``."""
    rows = np.tile(np.add(ABSENT, [1, 1, 0, 0]), (20, 1))
    rows[0] = dataset["b"].ground_truth[0]
    write_atomically(store.boxes_path("still", "b"), format_rows(rows))
    (scores,) = evaluate(dataset, store)
    assert scores.trackers["still"].notes == ('b: "not visible" in every frame after the first',)


@pytest.mark.parametrize("row", [[np.nan] * 4, [0.0] * 4])
def test_a_result_without_valid_boxes_is_refused(
    dataset: Dataset, store: OnePassStore, row: list[float]
) -> None:
    for one in dataset:
        rows = np.vstack([one.ground_truth[:1], np.tile(row, (len(one) - 1, 1))])
        write_atomically(store.boxes_path("still", one.name), format_rows(rows))
    for scores in evaluate(dataset, store, conventions=["otb", "lasot"]):
        assert set(scores.trackers) == {"perfect"}
        assert "no sequence has a valid box after its first row" in scores.refused["still"]


def test_trackingnet_scores_missing_files_as_zero_boxes(tmp_path: Path) -> None:
    dataset = Dataset("trackingnet", tmp_path, (sequence("a"), sequence("b")), expected=2)
    store = OnePassStore(tmp_path, "trackingnet")
    write_atomically(store.boxes_path("t", "a"), format_rows(dataset["a"].ground_truth))
    (scores,) = evaluate(dataset, store)
    assert scores.trackers["t"].per_sequence["a"]["success"] == 1
    assert scores.trackers["t"].measures["coverage"] == 11 / 20
    assert scores.trackers["t"].per_sequence["b"]["success"] < 0.2
    assert scores.trackers["t"].notes == (
        "1 missing sequences scored as zero boxes, as on the server",
    )
    assert scores.partial


def test_zero_boxes_apply_to_their_convention_only(dataset: Dataset, store: OnePassStore) -> None:
    store.boxes_path("still", "b").unlink()
    otb, devkit = evaluate(dataset, store, conventions=["otb", "trackingnet"])
    assert set(otb.trackers) == {"perfect"}
    assert otb.refused["still"].startswith("no result for 1 of 3 sequences (b)")
    assert "zero boxes" in devkit.trackers["still"].notes[0]


@pytest.mark.parametrize("times", [b"1.0\n", b"-1\n" * 10, b"inf\n" * 10])
def test_invalid_times_are_ignored_and_noted(
    dataset: Dataset, store: OnePassStore, times: bytes
) -> None:
    write_atomically(store.times_path("still", "a"), times)
    (scores,) = evaluate(dataset, store, ["still"])
    assert scores.trackers["still"].measures["fps"] == pytest.approx(25)
    assert scores.trackers["still"].notes == ("a: times ignored, they do not match the boxes",)


def test_sequence_without_ground_truth_is_noted(tmp_path: Path) -> None:
    dataset = Dataset("folder", tmp_path, (Sequence("a", np.full((5, 4), np.nan)),))
    store = OnePassStore(tmp_path, "folder")
    write_atomically(store.boxes_path("t", "a"), format_rows(np.ones((5, 4))))
    (scores,) = evaluate(dataset, store)
    assert "a: no ground truth" in scores.trackers["t"].notes[0]


@pytest.mark.parametrize("benchmark", ["folder", "otb2015"])
def test_the_first_row_and_column_of_pixels_count_in_own_clips(
    tmp_path: Path, benchmark: str
) -> None:
    """They are 0 there, and 1 in OTB's files, whose rule asks x, y > 0."""
    truth = np.tile([0.0, 10, 20, 30], (5, 1))
    dataset = Dataset(benchmark, tmp_path, (Sequence("a", truth), Sequence("b", truth + 5)))
    store = OnePassStore(tmp_path, benchmark)
    for name in ("a", "b"):
        boxes = dataset[name].ground_truth + np.array([0, 0, 0, 30])
        write_atomically(store.boxes_path("t", name), format_rows(boxes))
    (scores,) = evaluate(dataset, store)
    at_border = scores.trackers["t"].per_sequence["a"]["success"]
    assert at_border == (pytest.approx(12 / 21) if benchmark == "folder" else 0)


def test_own_clip_with_one_box_cannot_be_scored(tmp_path: Path) -> None:
    clip = Dataset("folder", tmp_path, (sequence("a", 1, hidden=True),))
    with pytest.raises(DatasetError, match="a box for every frame"):
        evaluate(clip, OnePassStore(tmp_path, "folder"))


def test_hidden_ground_truth_cannot_be_scored(tmp_path: Path, store: OnePassStore) -> None:
    hidden = Dataset("trackingnet", tmp_path, (sequence("a", 1, hidden=True),))
    with pytest.raises(DatasetError, match="bench pack trackingnet"):
        evaluate(hidden, OnePassStore(tmp_path, "trackingnet"))


def test_unknown_tracker_and_empty_store(dataset: Dataset, store: OnePassStore) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'still'"):
        evaluate(dataset, store, ["stil"])
    with pytest.raises(ResultError, match="no results to score"):
        evaluate(dataset, OnePassStore(dataset.root / "nowhere", "otb2015"))


def test_json_has_the_promised_shape_and_no_nan(dataset: Dataset, store: OnePassStore) -> None:
    store.times_path("perfect", "a").unlink()
    (scores,) = evaluate(dataset, store)
    plain = json.loads(json.dumps(scores.to_json(), allow_nan=False))
    assert plain["benchmark"] == "otb2015"
    assert plain["convention"] == "otb"
    assert plain["sequences"] == 3
    assert plain["partial"] is False
    tracker = plain["trackers"]["perfect"]
    assert {"success", "precision", "normalized_precision", "fps"} <= set(tracker["measures"])
    assert len(tracker["curves"]["success"]) == len(plain["thresholds"]["success"]) == 21
    assert len(tracker["curves"]["precision"]) == 51
    assert tracker["per_sequence"]["a"]["fps"] is None
    assert len(tracker["intervals"]["success"]) == 2
