"""VOT2016 and VOT2018: flat and ``color/`` frames, boxes and polygons, tags, real data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.errors import DatasetError

POLYGON = "1,1,4,2,3,6,0,5\n"
TAGS = {"camera_motion", "illum_change", "occlusion", "size_change", "motion_change"}


@pytest.fixture
def official(tmp_path: Path, write_images) -> Path:
    """bag with colour frames and polygons, ball1 flat with boxes."""
    (tmp_path / "list.txt").write_text("bag\nball1\n")
    write_images(tmp_path / "bag" / "color", [1, 2, 3], digits=8)
    (tmp_path / "bag" / "groundtruth.txt").write_text(POLYGON * 3)
    (tmp_path / "bag" / "occlusion.tag").write_text("0\n1\n")
    (tmp_path / "bag" / "size_change.tag").write_text("1\n1\n1\n")
    (tmp_path / "bag" / "practical.value").write_text("0.1\n0.2\n0.3\n")
    write_images(tmp_path / "ball1", [1, 2], digits=8)
    (tmp_path / "ball1" / "groundtruth.txt").write_text("1.5,2,3,4\n2,2,3,4\n")
    (tmp_path / "road").mkdir()
    return tmp_path


@pytest.mark.parametrize("inner", ["", "sequences"])
def test_official_folders(official: Path, inner: str):
    if inner:
        names = [path.name for path in official.iterdir()]
        (official / inner).mkdir()
        for name in names:
            (official / name).rename(official / inner / name)
    dataset = open_dataset("vot2018", official)
    assert [s.name for s in dataset] == ["bag", "ball1"]
    bag, ball = dataset
    np.testing.assert_array_equal(bag.ground_truth, [[0, 1, 4, 5]] * 3)
    assert bag.polygons is not None
    np.testing.assert_array_equal(bag.polygons[0], [[1, 1], [4, 2], [3, 6], [0, 5]])
    assert set(bag.tags) == TAGS
    assert bag.tags["occlusion"].tolist() == [False, True, False], "short file: not tagged"
    assert bag.tags["size_change"].all()
    assert not bag.tags["camera_motion"].any(), "no file: never tagged"
    assert bag.practical is not None
    assert bag.practical.tolist() == [0.1, 0.2, 0.3]
    assert bag.size == ball.size == (16, 12)
    assert bag.index_base == 0
    np.testing.assert_array_equal(ball.ground_truth, [[1.5, 2, 3, 4], [2, 2, 3, 4]])
    assert ball.polygons is None, "boxes stay boxes: conventions differ in where they end"
    assert ball.regions.counts.tolist() == [4, 4]
    assert ball.practical is None
    assert len(bag.frames or ()) == 3
    assert len(ball.frames or ()) == 2


def test_without_a_list_the_folders_tell(official: Path):
    (official / "list.txt").unlink()
    assert [s.name for s in open_dataset("vot2016", official)] == ["bag", "ball1"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("groundtruth.txt", POLYGON + "1,2,3\n", r"groundtruth\.txt:2: expected 8 numbers"),
        ("groundtruth.txt", "1,2,3,4,5,6\n", r"groundtruth\.txt:1: expected 8 numbers, found 6"),
        ("groundtruth.txt", "", r"groundtruth\.txt: expected .* no rows"),
        ("occlusion.tag", "0\n7\n", r"occlusion\.tag: expected flags of 0 or 1, found b'7'"),
        ("practical.value", "0.1\n", r"practical\.value: expected 3 values.* found 1"),
    ],
)
def test_malformed_files(official: Path, file: str, content: str, message: str):
    (official / "bag" / file).write_text(content)
    with pytest.raises(DatasetError, match=message):
        open_dataset("vot2018", official)


@pytest.mark.parametrize(
    ("benchmark", "rows", "sized"), [("vot2016", 21455, 50), ("vot2018", 21356, 60)]
)
def test_real_annotation_alone(shared: Path, benchmark: str, rows: int, sized: int):
    dataset = open_dataset(benchmark, shared / "data" / benchmark / "annotations")
    assert len(dataset) == 60
    assert not dataset.partial
    assert sum(len(s) for s in dataset) == rows
    assert all(set(s.tags) == TAGS for s in dataset)
    assert all(len(tag) == len(s) for s in dataset for tag in s.tags.values())
    rotated = [s for s in dataset if s.polygons is not None and s.polygons.shape == (len(s), 4, 2)]
    assert {s.name for s in dataset} - {s.name for s in rotated} <= {"conduction1"}
    assert sum(s.size is not None for s in dataset) == sized
    assert not dataset["ball1"].tags["occlusion"].any(), "an empty list: never tagged"


def test_real_sequence_is_the_one_of_the_json(shared: Path):
    folder = open_dataset("vot2018", shared / "data/vot2018/sequences")
    assert [str(c) for c in folder.caveats] == ["partial: 1 of 60 sequences"]
    bag = folder["bag"]
    other = open_dataset("vot2018", shared / "data/vot2018/annotations")["bag"]
    assert bag.polygons is not None
    assert other.polygons is not None
    np.testing.assert_array_equal(bag.polygons, other.polygons)
    np.testing.assert_array_equal(bag.ground_truth, other.ground_truth)
    for name, tag in bag.tags.items():
        np.testing.assert_array_equal(tag, other.tags[name], err_msg=name)
    assert bag.size == other.size == (480, 360)
    assert bag.frames is not None
    assert len(bag.frames) == len(bag) == 196
    assert bag.frames[195].shape == (360, 480, 3)


def test_stated_sizes_are_kept_as_numbers(tmp_path: Path):
    video = {
        "img_names": ["bag/color/00000001.jpg"],
        "gt_rect": [[1, 2, 3, 4]],
        "width": "640",
        "height": "480",
        "occlusion": [],
    }
    (tmp_path / "VOT2018.json").write_text(json.dumps({"bag": video}))
    sequence = open_dataset("vot2018", tmp_path)["bag"]
    assert sequence.size == (640, 480)
    assert sequence.tags["occlusion"].tolist() == [False]
