"""ImageNet VID and DET: tracks and objects from XML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DatasetError
from trackers.siamattn.training.readers import open_source

Paint = Callable[..., None]
OBJECT = (
    "<object><trackid>{}</trackid><name>n02691156</name><bndbox><xmax>{}</xmax><xmin>{}</xmin>"
    "<ymax>{}</ymax><ymin>{}</ymin></bndbox><occluded>0</occluded></object>"
)
SIZE = "<size><width>64</width><height>48</height></size>"
Corners = tuple[int, float, float, float, float]


def write_xml(path: Path, *objects: Corners, size: str = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    items = "".join(OBJECT.format(t, x2, x1, y2, y1) for t, x1, y1, x2, y2 in objects)
    path.write_text(f"<annotation><filename>0</filename>{size}{items}</annotation>")


@pytest.fixture
def vid(tmp_path: Path, paint: Paint) -> Path:
    video = Path("VID/train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00001000")
    folder = tmp_path / "Annotations" / video
    write_xml(folder / "000000.xml", (0, 5, 6, 25, 16))
    write_xml(folder / "000001.xml", (0, 6, 6, 26, 16), (1, 40, 10, 80, 30))
    write_xml(folder / "000002.xml")
    write_xml(folder / "000003.xml", (0, 9, 6, 9, 16), (1, 42, 10, 80, 30))
    for number in range(4):
        paint(tmp_path / "Data" / video / f"{number:06d}.JPEG", 30 * number)
    return tmp_path


def test_vid_tracks_by_trackid(vid: Path) -> None:
    source = open_source("vid", vid)
    assert (len(source), source.videos, source.has_masks) == (2, 1, False)
    first, second = source.target(0), source.target(1)
    assert first.name.endswith("ILSVRC2015_train_00001000/0")
    assert first.numbers.tolist() == [0, 1]  # in frame 3 the box has no width
    assert first.boxes.tolist() == [[5, 6, 20, 10], [6, 6, 20, 10]]
    assert second.numbers.tolist() == [1, 3]
    assert second.boxes.tolist() == [[40, 10, 40, 20], [42, 10, 38, 20]]  # partly outside
    assert abs(int(second.image(1)[0, 0, 0]) - 90) <= 1
    assert second.mask(0) is None


@pytest.mark.parametrize(
    "text",
    [
        "<annotation><object>",
        "<annotation><object><trackid>0</trackid></object></annotation>",
        "<annotation>" + OBJECT.format(0, "x", 1, 2, 1) + "</annotation>",
        "<annotation>" + OBJECT.format("", 4, 1, 2, 1) + "</annotation>",
    ],
)
def test_a_broken_file_is_a_target_that_raises(vid: Path, text: str) -> None:
    path = next(vid.rglob("000001.xml"))
    path.write_text(text)
    source = open_source("vid", vid)
    with pytest.raises(DatasetError, match=r"000001.xml: expected XML"):
        source.target(0)
    assert source.target(1).numbers.tolist() == [0]
    assert source.target(2).numbers.tolist() == [3]


def test_det_objects_are_targets_of_one_frame(tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "Annotations/DET/train"
    write_xml(folder / "ILSVRC2013_train/n01/n01_12.xml", (0, 1, 2, 11, 12), (0, 20, 2, 31, 12))
    write_xml(folder / "ILSVRC2014_train_0006/x_1.xml", (0, 90, 2, 99, 12), (0, 1, 1, 3, 3))
    write_xml(folder / "ILSVRC2014_train_0006/x_2.xml", (0, 90, 2, 99, 12), size="")
    write_xml(folder / "ILSVRC2014_train_0006/x_3.xml")
    paint(tmp_path / "Data/DET/train/ILSVRC2013_train/n01/n01_12.JPEG", 70)
    source = open_source("det", tmp_path, index=tmp_path / "det.npz")
    again = open_source("det", tmp_path, index=tmp_path / "det.npz")
    assert [again.target(i).name for i in range(len(again))] == [
        "det/ILSVRC2013_train/n01/n01_12/0",
        "det/ILSVRC2013_train/n01/n01_12/1",
        "det/ILSVRC2014_train_0006/x_1/1",  # object 0 is outside the image
        "det/ILSVRC2014_train_0006/x_2/0",  # the image size is unknown, so it may be inside
    ]
    assert source.videos == 3
    target = source.target(1)
    assert target.boxes.tolist() == [[20, 2, 11, 10]]
    assert target.image(0).shape == (48, 64, 3)
    with pytest.raises(DatasetError, match=r"x_1.JPEG does not exist"):
        source.target(2).image(0)


@pytest.mark.parametrize("layout", ["vid", "det"])
def test_a_missing_set_names_the_expected_files(layout: str, tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=rf"layout '{layout}'.*\n.*Annotations/{layout.upper()}"
    ):
        open_source(layout, tmp_path)
