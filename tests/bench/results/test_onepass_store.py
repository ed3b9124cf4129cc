"""The store of one-pass results on disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ResultError
from bench.results.onepass import OnePassStore
from bench.sequence import Sequence, Trajectory

TRUTH = np.array([[10.0, 20, 30, 40]] * 3)
BOXES = np.array([[9.0, 19, 30, 40], [9.25, 19.5, 31, 41], [np.nan] * 4])


def trajectory(scores: list[float]) -> Trajectory:
    return Trajectory(BOXES, np.array([0.5, 0.25, 0.125]), np.array(scores))


def test_boxes_are_stored_in_the_coordinates_of_the_benchmark(tmp_path: Path) -> None:
    store = OnePassStore(tmp_path, "otb2015")
    store.write("t", Sequence("Crossing", TRUTH, index_base=1.0), trajectory([1.0, 0.5, 0.25]))
    text = (tmp_path / "otb2015/t/Crossing.txt").read_text().splitlines()
    assert text[0] == "10.0000,20.0000,30.0000,40.0000"
    np.testing.assert_array_equal(
        store.read_boxes("t", "Crossing"), BOXES + np.array([1, 1, 0, 0])
    )
    np.testing.assert_array_equal(store.read_times("t", "Crossing"), [0.5, 0.25, 0.125])
    assert store.confidence_path("t", "Crossing").read_text().split() == [
        "1.000000",
        "0.500000",
        "0.250000",
    ]


def test_stored_results_are_listed(tmp_path: Path) -> None:
    store = OnePassStore(tmp_path, "vot2018")
    assert store.trackers() == []
    assert store.sequences("t") == frozenset()
    for tracker, name in (("b", "bag"), ("A", "bag"), ("A", "ball1")):
        store.write(tracker, Sequence(name, TRUTH), trajectory([np.nan] * 3))
    (tmp_path / "vot2018/empty").mkdir()
    (tmp_path / "vot2018/A/.bag.txt.tmp").write_text("")
    assert store.trackers() == ["A", "b"]
    assert store.sequences("A") == {"bag", "ball1"}
    assert not store.confidence_path("A", "bag").exists()


def test_a_result_is_finished_with_a_row_for_every_frame(tmp_path: Path) -> None:
    store, sequence = OnePassStore(tmp_path, "vot2018"), Sequence("bag", TRUTH)
    assert not store.finished("t", sequence)
    store.write("t", sequence, trajectory([np.nan] * 3))
    assert store.finished("t", sequence)
    assert not store.finished("t", Sequence("bag", TRUTH[:2]))


def test_missing_results(tmp_path: Path) -> None:
    store = OnePassStore(tmp_path, "vot2018")
    assert store.read_times("t", "bag") is None
    with pytest.raises(ResultError, match=r"bag\.txt: cannot be read"):
        store.read_boxes("t", "bag")


def test_a_folder_name_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    """It cannot be shown in a table, page or file."""
    folder = tmp_path / "otb2015" / os.fsdecode(b"bad\xff")
    try:
        folder.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system holds no such names")
    (folder / "a.txt").write_text("1,2,3,4\n")
    with pytest.raises(ResultError, match=r"in UTF-8, found 'bad\\udcff'. Rename it"):
        OnePassStore(tmp_path, "otb2015").trackers()
