"""Masks as text, and in every store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.arrays import BoolArray
from bench.errors import ResultError
from bench.geometry import EMPTY, Regions, mask_to_runs, runs_to_mask
from bench.results.masks import format_masks, parse_masks
from bench.results.memory import MemoryStore
from bench.results.onepass import OnePassStore
from bench.results.stores import Store
from bench.results.vot.store import VotStore
from bench.sequence import Masks, RegionTrajectory, Sequence, Trajectory

SIZE = (7, 5)
drawn = hnp.arrays(bool, SIZE[::-1])
answers = st.lists(st.one_of(st.none(), drawn), min_size=1, max_size=6)


def same(a: Masks | None, b: Masks | None) -> bool:
    if a is None or b is None:
        return a is b
    return [m if m is None else m.tolist() for m in a] == [
        m if m is None else m.tolist() for m in b
    ]


@given(answers)
def test_masks_come_back_as_they_were(frames: list[BoolArray | None]) -> None:
    masks = tuple(None if frame is None else mask_to_runs(frame) for frame in frames)
    back = parse_masks(format_masks(masks), "f")
    assert same(back, masks)
    for frame, runs in zip(frames, back, strict=True):
        if frame is not None and runs is not None:
            np.testing.assert_array_equal(runs_to_mask(runs, SIZE), frame)


def test_vot_toolkit_reads_the_file(tmp_path: Path) -> None:
    io = pytest.importorskip("vot.region.io", reason="needs vot-toolkit")
    mask = np.zeros((6, 8), dtype=bool)
    mask[2:5, 3:7] = True
    mask[3, 4] = False
    path = tmp_path / "a_mask.txt"
    path.write_bytes(format_masks((None, mask_to_runs(mask), EMPTY)))
    start, found, empty = io.read_trajectory(str(path))
    assert start.code == 0
    x, y = found.offset
    height, width = found.mask.shape
    seen = np.zeros_like(mask)
    seen[y : y + height, x : x + width] = found.mask
    np.testing.assert_array_equal(seen, mask)
    assert not empty.mask.any()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"1,2,3,4", r"f:2: expected a mask, m and whole numbers.*found '1,2,3,4'"),
        (b"", r"f:2: expected a mask"),
        (b"m1,2,3", r"f:2: expected a mask, x, y, width, height.*found \[1, 2, 3\]"),
        (b"m1,2,3,4,x", r"f:2: expected a mask, m and whole"),
        (b"m1,2,3,4,1.5", r"f:2: expected a mask, m and whole"),
        (b"m0,0,2,2,1,9", r"runs that fill a mask of 2 x 2 pixels, found 10 pixels in 2 runs"),
        (b"m0,0,2,2,-1,3", r"runs that fill a mask"),
        (b"m0,0,-2,2", r"mask of at most 16777216 pixels, found -2 x 2"),
        (b"m0,0,99999,99999", r"mask of at most 16777216 pixels"),
        (b"m0,0,1," + b"9" * 5000, r"f:2: expected a mask, m and whole"),
        (b"m0,0,1,999999999999", r"mask of at most 16777216 pixels"),
        (b"m999999999999,0,1,1,1", r"at most"),
        (b"m--1,0,1,1,1", r"f:2: expected a mask, m and whole"),
        (b"\xff\xfe", r"f:2: expected a mask"),
    ],
)
def test_malformed_masks_name_their_line(line: bytes, problem: str) -> None:
    with pytest.raises(ResultError, match=problem):
        parse_masks(b"0\n" + line + b"\n0\n", "f")


MASKS: Masks = (None, mask_to_runs(np.eye(4, dtype=bool)), EMPTY)
SCORES = np.array([np.nan, 0.25, 0.125])


def written(store: Store, masks: Masks, repetition: int = 1) -> None:
    truth = np.array([[10.0, 20, 30, 40]] * 3)
    sequence, times = Sequence("a", truth), np.full(3, 0.5)
    if store.experiment == "onepass":
        store.write("t", sequence, Trajectory(truth, times, SCORES, masks), repetition)
        return
    regions = Regions.from_rows([[1], [1, 2, 3, 4], [0, 0, 0, 0]])
    store.write("t", sequence, RegionTrajectory(regions, times, SCORES, masks), repetition)


@pytest.mark.parametrize("experiment", ["onepass", "baseline"])
def test_every_store_keeps_masks_and_scores(tmp_path: Path, experiment: str) -> None:
    disk: Store = (
        OnePassStore(tmp_path, "otb2015")
        if experiment == "onepass"
        else VotStore(tmp_path, "vot2018", experiment)
    )
    written(disk, MASKS)
    written(disk, (EMPTY, None, None), repetition=2)
    memory = MemoryStore(disk.benchmark, experiment)
    memory.copy_from(disk, "t")
    for store in (disk, memory):
        assert same(store.read_masks("t", "a"), MASKS)
        assert same(store.read_masks("t", "a", 2), (EMPTY, None, None))
        found = store.read_scores("t", "a")
        assert found is not None
        np.testing.assert_array_equal(found, SCORES)
        assert store.repetitions("t", "a") == (1, 2)  # masks are not taken for runs
        assert store.runs("t") == {"a": (1, 2)}
        assert store.changed_files("t") == []
    path = disk.masks_path("t", "a")
    assert path is not None
    path.write_bytes(path.read_bytes() + b"0\n")
    assert disk.changed_files("t") == [path.relative_to(disk.folder("t")).as_posix()]


def test_a_result_without_masks_has_none(tmp_path: Path) -> None:
    store = OnePassStore(tmp_path, "otb2015")
    written(store, ())
    assert store.read_masks("t", "a") is None
    assert not (store.folder("t") / "masks").exists()


def test_the_regions_are_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed between two files is not finished, so it runs again."""
    import bench.results.onepass as module

    names: list[str] = []
    monkeypatch.setattr(module, "write_atomically", lambda path, _: names.append(path.name))
    written(OnePassStore(tmp_path, "otb2015"), MASKS)
    assert names == ["a_time.txt", "a_score.txt", "a_mask.txt", "a.txt"]
