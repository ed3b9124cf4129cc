"""PySOT-style JSON: image folders, absent flags, malformed content."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bench.datasets import open_dataset
from bench.errors import DatasetError


def video(**changes: Any) -> dict[str, Any]:
    """A video of two frames in PySOT's format."""
    names = ["airplane-1/img/00000001.jpg", "airplane-1/img/00000002.jpg"]
    return {"img_names": names, "gt_rect": [[1, 2, 3, 4], [1, 2, 3, 4]], **changes}


def write(root: Path, content: Any) -> Path:
    path = root / "LaSOT.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("below", ["", "LaSOTBenchmark"])
def test_images_beside_the_file_or_one_level_below(tmp_path: Path, write_images, below, number_of):
    write(tmp_path, {"airplane-1": video()})
    assert open_dataset("lasot", tmp_path)["airplane-1"].frames is None
    write_images(tmp_path / below / "airplane-1" / "img", [1, 2], digits=8)
    frames = open_dataset("lasot", tmp_path / "LaSOT.json")["airplane-1"].frames
    assert frames is not None
    assert [number_of(frame) for frame in frames] == [1, 2]


@pytest.mark.parametrize("flags", [[1, 0], [0, 1]])
def test_absent_in_either_meaning(tmp_path: Path, flags: list[int]):
    """Frame 1 is never absent, which distinguishes both polarities of the flags."""
    write(tmp_path, {"airplane-1": video(absent=flags)})
    absent = open_dataset("lasot", tmp_path)["airplane-1"].absent
    assert absent is not None
    assert absent.tolist() == [False, True]


def test_nan_rows_and_written_out_attributes(tmp_path: Path):
    nan = float("nan")
    rows = [[1, 2, 3, 4], [nan] * 4]
    content = video(gt_rect=rows, attr=["Similar Object", "Background Clutters", "Other"])
    (tmp_path / "UAV123.json").write_text(json.dumps({"bike1": content, "person7": content}))
    dataset = open_dataset("uav123", tmp_path)
    assert [s.name for s in dataset] == ["bike1"], "person7 is UAV20L"
    assert (dataset["bike1"].ground_truth[1] != dataset["bike1"].ground_truth[1]).all()
    assert dataset["bike1"].attributes == {"SOB", "BC", "Other"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[1, 2]", "expected an object of sequences"),
        ({"airplane-1": 3}, "expected an object of sequences"),
        ({"airplane-1": {"gt_rect": [[1, 2, 3, 4]]}}, "'airplane-1': .*KeyError: 'img_names'"),
        ({"airplane-1": video(gt_rect=[[1, 2, 3]])}, "row 1: expected 4 .* found 3"),
        ({"airplane-1": video(gt_rect=[[1, 2, 3, "x"]])}, "'airplane-1': .*ValueError"),
        ({"airplane-1": video(gt_rect=5)}, "'airplane-1': .*TypeError"),
        ({"airplane-1": video(gt_rect=[])}, "'airplane-1': .*no rows"),
        ({"airplane-1": video(absent=[1])}, "1 absent flags for 2 rows"),
        ({"airplane-1": video(occlusion=3)}, "'airplane-1': .*TypeError"),
        ({"airplane-1": video(width="a", height="b")}, "'airplane-1': .*ValueError"),
        ({"airplane-1": video(attr=7)}, "'airplane-1': .*TypeError"),
    ],
)
def test_malformed(tmp_path: Path, content: Any, message: str):
    write(tmp_path, content)
    with pytest.raises(DatasetError, match=message):
        open_dataset("lasot", tmp_path)


def test_frames_are_not_needed(shared: Path):
    dataset = open_dataset("vot2018", shared / "cases/vot-json-no-images/VOT2018.json")
    (bag,) = dataset
    assert (len(bag), bag.size, bag.first_frame, bag.frames) == (3, (64, 48), 1, None)
    assert bag.polygons is not None


@pytest.mark.parametrize(("name", "first"), [("a/img/0300.jpg", 300), ("a/x12.png", 12), ("a", 1)])
def test_the_first_number_is_in_the_first_name(tmp_path: Path, name: str, first: int):
    write(tmp_path, {"airplane-1": video(img_names=[name])})
    assert open_dataset("lasot", tmp_path)["airplane-1"].first_frame == first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 5000 + "]" * 5000, "nested 5000 deep"),
        ('{"airplane-1": ' * 100 + "1" + "}" * 100, "nested 100 deep"),
        ('{"airplane-1": {"img_names": [], "gt_rect": [[1, 2, 3, Infinity]]}}', "Infinity"),
        ('{"airplane-1": {"img_names": [], "gt_rect": [[1, 2, 3, 1e999]]}}', "row 1: expected"),
        ({"airplane-1": video(img_names="abc")}, "not a list of paths"),
        ({"airplane-1": video(width=-1, height=5)}, "width and height in pixels"),
        ({"airplane-1": video(width=10**12, height=5)}, "width and height in pixels"),
        ({"airplane-1": video(gt_rect=[[1, 2, 3, "x" * 10_000]])}, "'airplane-1': "),
        ({"airplane-1": video(gt_rect=[[10**306, 2, 3, 4]])}, "row 1: expected finite"),
    ],
)
def test_hostile(tmp_path: Path, content: Any, message: str):
    path = write(tmp_path, content)
    with pytest.raises(DatasetError, match=message) as caught:
        open_dataset("lasot", tmp_path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(path))


def test_a_pipe_is_no_json(tmp_path: Path):
    os.mkfifo(tmp_path / "LaSOT.json")
    with pytest.raises(DatasetError, match="no LaSOT dataset"):
        open_dataset("lasot", tmp_path)
