"""OTB-2015: every quirk on small folders, and the real annotation and sequences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError


def make(root: Path, folder: str, content: str, file: str = "groundtruth_rect.txt") -> Path:
    """A sequence folder with one ground-truth file."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / file).write_text(content)
    return root / folder / "img"


@pytest.fixture
def official(tmp_path: Path, write_images) -> Path:
    """Five entries in four folders, in three delimiters."""
    write_images(make(tmp_path, "Board", "11,12,5,6\n12,12,5,6\n"), [1, 2], digits=5)
    write_images(make(tmp_path, "David", "1\t2\t3\t4\n5\t6\t7\t8\n"), range(299, 305))
    make(tmp_path, "Human4", "", "groundtruth_rect.1.txt")
    write_images(make(tmp_path, "Human4", "1 2 3 4\n", "groundtruth_rect.2.txt"), [1])
    make(tmp_path, "jogging", "1,2 3\t4\n", "groundtruth_rect.1.txt")
    write_images(make(tmp_path, "jogging", "5,6,7,8\n", "groundtruth_rect.2.txt"), [1])
    (tmp_path / "att").mkdir()
    (tmp_path / "att" / "Board.txt").write_text("1,0,1,1,0,0,0,0,0,0,1\n")
    return tmp_path


def test_official_folders(official: Path, number_of):
    dataset = open_dataset("otb2015", official)
    assert [s.name for s in dataset] == ["Board", "David", "Human4-2", "Jogging-1", "Jogging-2"]
    assert dataset.partial
    assert str(dataset.caveats[0]) == "partial: 5 of 100 sequences"
    np.testing.assert_array_equal(dataset["David"].ground_truth, [[1, 2, 3, 4], [5, 6, 7, 8]])
    np.testing.assert_array_equal(dataset["Jogging-1"].ground_truth, [[1, 2, 3, 4]])
    np.testing.assert_array_equal(dataset["Jogging-2"].ground_truth, [[5, 6, 7, 8]])
    np.testing.assert_array_equal(dataset["Human4-2"].ground_truth, [[1, 2, 3, 4]])
    listed = {"SV", "MB", "FM", "OPR", "OV", "BC"}
    assert dataset["Board"].attributes == listed, "the authors' list, not the flag file"
    assert dataset["Jogging-2"].attributes == {"OCC", "DEF", "OPR"}
    assert dataset["Board"].index_base == 1
    np.testing.assert_array_equal(dataset["Board"].initial_box, [10, 11, 5, 6])
    assert dataset["David"].first_frame == 300
    frames = dataset["David"].frames
    assert frames is not None
    assert len(frames) == 2
    assert number_of(frames[0]) == 300 * 10 % 250 / 10
    assert len(dataset["Board"].frames or ()) == 2


def test_miniature(official: Path):
    (official / "miniature.json").write_text("{}")
    (official / "att" / "Jogging.2.txt").write_text("0 0 0 1 1 0 0 0 0 0 0")
    dataset = open_dataset("otb2015", official)
    assert dataset["Board"].attributes == {"IV", "SV", "OCC", "LR"}, "of the generated video"
    assert dataset["Jogging-2"].attributes == {"OCC", "DEF"}
    assert dataset.miniature
    assert [str(c) for c in dataset.caveats] == ["miniature: generated video, not the benchmark"]


def test_an_empty_ground_truth_is_named(official: Path):
    (official / "Board" / "groundtruth_rect.txt").write_text("")
    with pytest.raises(DatasetError, match=r"Board/groundtruth_rect\.txt:1: .*empty file"):
        open_dataset("otb2015", official)


def test_a_missing_ground_truth_is_named(official: Path):
    (official / "Board" / "groundtruth_rect.txt").unlink()
    with pytest.raises(DatasetError, match=r"Board/groundtruth_rect\.txt: cannot be read"):
        open_dataset("otb2015", official)


def test_missing_dataset_says_where_what_and_from_where(tmp_path: Path):
    with pytest.raises(DatasetError) as caught:
        open_dataset("otb2015", tmp_path / "none")
    message = str(caught.value)
    for part in ("none/anno", "groundtruth_rect.txt", "cvlab.hanyang.ac.kr", "make demo"):
        assert part in message


def test_unknown_subset(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"unknown subset of OTB-2015 'all'.*Known: test"):
        open_dataset("otb2015", tmp_path, subset="all")


@pytest.mark.parametrize("inner", ["", "anno"])
def test_real_annotation_alone(shared: Path, inner: str):
    dataset = open_dataset("otb2015", shared / "data/otb2015/annotations" / inner)
    assert len(dataset) == 100
    assert not dataset.partial
    assert sum(len(s) for s in dataset) == 59040
    assert len(dataset["Tiger1"]) == 354
    assert dataset["Tiger1"].skippable_frames == 5
    assert sum(s.skippable_frames for s in dataset) == 5
    assert [s.first_frame for s in dataset if s.first_frame != 1] == [247, 18, 300]
    assert all(s.attributes for s in dataset)
    assert all(s.frames is None for s in dataset)
    invalid = {s.name: n for s in dataset if (n := int((s.ground_truth <= 0).any(axis=1).sum()))}
    assert invalid == {"Biker": 7, "Board": 1, "Crowds": 1, "Twinnings": 1}


def test_real_texts_and_json_agree(shared: Path):
    folder = shared / "data/otb2015/annotations"
    texts, single = (
        open_dataset("otb2015", folder),
        open_dataset("otb2015", folder / "OTB100.json"),
    )
    assert [s.name for s in texts] == [s.name for s in single]
    for text, other in zip(texts, single, strict=True):
        skipped = text.skippable_frames if text.name == "Tiger1" else 0
        np.testing.assert_array_equal(text.ground_truth[skipped:], other.ground_truth)
        assert other.index_base == text.index_base
    assert single["Tiger1"].first_frame == 6
    assert single["Suv"].attributes == {"OCC", "IPR", "OV"}
    known = {"IV", "OPR", "SV", "OCC", "DEF", "MB", "FM", "IPR", "OV", "BC", "LR"}
    assert set().union(*(s.attributes for s in single)) == known
    assert [s.attributes for s in texts] == [s.attributes for s in single], "one list for both"


def test_real_sequences(shared: Path):
    dataset = open_dataset("otb2015", shared / "data/otb2015/sequences")
    lengths = {s.name: (len(s), len(s.frames or ())) for s in dataset}
    assert lengths == {
        "Couple": (140, 140),
        "Crossing": (120, 120),
        "David": (471, 471),
        "Football1": (74, 74),
        "Skiing": (81, 81),
    }
    frames = dataset["Football1"].frames
    assert frames is not None
    assert frames[73].shape == (288, 352, 3)


def test_json_is_read_only_without_texts(tmp_path: Path):
    video = {"img_names": ["Boy/img/0001.jpg"], "gt_rect": [[1, 2, 3, 4]], "attr": []}
    (tmp_path / "OTB100.json").write_text(json.dumps({"Boy": video}))
    np.testing.assert_array_equal(
        open_dataset("otb2015", tmp_path)["Boy"].ground_truth, [[1, 2, 3, 4]]
    )
    (tmp_path / "anno").mkdir()
    (tmp_path / "anno" / "boy.txt").write_text("5,6,7,8")
    np.testing.assert_array_equal(
        open_dataset("otb2015", tmp_path)["Boy"].ground_truth, [[5, 6, 7, 8]]
    )
