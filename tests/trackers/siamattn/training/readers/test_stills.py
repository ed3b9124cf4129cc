"""Single pictures shown in many ways: boxes and masks follow, and what is pasted stays outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bench.errors import DatasetError
from bench.geometry import mask_to_box
from trackers.siamattn.training.readers import open_source, stills
from trackers.siamattn.training.sources import Target

SIZE = (160, 120)
RED, GREEN, GREY = (200, 30, 30), (30, 200, 30), (90, 90, 90)


def ellipse(centre: tuple[int, int], axes: tuple[int, int]) -> list[float]:
    """Corners of an ellipse, as COCO lists them."""
    corners = cv2.ellipse2Poly(centre, axes, 0, 0, 360, 5).astype(float) + 0.5
    return [float(value) for value in corners.ravel()]


def row(number: int, image: int, outline: list[float] | None, **changes: Any) -> dict[str, Any]:
    found = {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0}
    if outline is None:
        return found | {"bbox": [40.0, 30.0, 50.0, 40.0]} | changes
    points = np.reshape(outline, (-1, 2))
    box = [*points.min(0).tolist(), *np.ptp(points, 0).tolist()]
    return found | {"bbox": box, "segmentation": [outline]} | changes


def write_set(root: Path, rows: list[dict[str, Any]], colours: dict[int, Any]) -> None:
    """Pictures of a coloured ellipse on grey, and their annotation."""
    (root / "train2017").mkdir(parents=True)
    (root / "annotations").mkdir()
    images = []
    for number, colour in colours.items():
        picture = np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8)
        for one in rows:
            if one["image_id"] == number and "segmentation" in one:
                corners = np.reshape(one["segmentation"][0], (-1, 2)) - 0.5
                cv2.fillPoly(picture, [corners.round().astype(np.int32)], colour)
        path = root / "train2017" / f"{number}.png"
        assert cv2.imwrite(str(path), picture[..., ::-1])
        images.append({"id": number, "file_name": path.name, "width": SIZE[0], "height": SIZE[1]})
    text = json.dumps({"images": images, "annotations": rows, "categories": []})
    (root / "annotations" / "instances_train2017.json").write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two red ellipses and a green one with masks, and a set of boxes alone."""
    rows = [
        row(1, 1, ellipse((70, 60), (24, 15))),
        row(2, 2, ellipse((80, 50), (40, 30)), category_id=2),
        row(3, 3, ellipse((60, 60), (20, 20))),
    ]
    write_set(tmp_path / "coco", rows, {1: RED, 2: GREEN, 3: RED})
    write_set(tmp_path / "boxes", [row(5, 9, None)], {9: RED})
    return tmp_path


def rows_of(target: Target) -> range:
    return range(len(target.numbers))


def test_sets_are_folders_and_only_some_have_masks(root: Path) -> None:
    source = open_source("stills", root)
    assert (source.name, len(source), source.videos, source.has_masks) == ("stills", 4, 4, True)
    targets = {source.target(index).name: source.target(index) for index in range(4)}
    assert list(targets) == ["stills/boxes/5", "stills/coco/1", "stills/coco/2", "stills/coco/3"]
    plain = targets["stills/boxes/5"]
    assert plain.mask(0) is None
    assert (plain.boxes == [40, 30, 50, 40]).all()
    assert len(np.unique(targets["stills/coco/1"].boxes, axis=0)) > 2


def test_a_row_is_always_the_same_and_rows_differ(root: Path) -> None:
    first, second = (open_source("stills", root).target(1) for _ in range(2))
    pictures = [first.image(index) for index in rows_of(first)]
    for index in reversed(rows_of(first)):
        np.testing.assert_array_equal(pictures[index], second.image(index))
        np.testing.assert_array_equal(first.mask(index), second.mask(index))
    assert len({picture.tobytes() for picture in pictures}) > len(pictures) // 2


def test_boxes_follow_what_is_turned_and_made_smaller(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anything over it, the mask fills the box, and shows the object's own colour."""
    monkeypatch.setattr(stills, "_OVER", 0.0)
    source = open_source("stills", root)
    smaller = []
    for place, colour in ((1, RED), (2, GREEN), (3, RED)):
        target = source.target(place)
        for index in rows_of(target):
            mask = target.mask(index)
            assert mask is not None
            np.testing.assert_allclose(mask_to_box(mask), target.boxes[index], atol=1.1)
            inside = cv2.erode(mask.astype(np.uint8), np.ones((5, 5))).astype(bool)
            assert np.abs(target.image(index)[inside] - np.float64(colour)).max() < 12
        smaller.append(target.boxes[:, 2].min() / target.boxes[:, 2].max())
    assert smaller[1] < 0.75 < smaller[0]  # only the large object is made smaller


def test_objects_over_the_target_leave_its_mask_but_not_its_box(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = open_source("stills", root).target(1)
    monkeypatch.setattr(stills, "_OVER", 0.0)
    whole = [np.count_nonzero(target.mask(index)) for index in rows_of(target)]
    monkeypatch.setattr(stills, "_OVER", 1.0)
    target = open_source("stills", root).target(1)
    seen = [np.count_nonzero(target.mask(index)) for index in rows_of(target)]
    shares = np.divide(seen, whole)
    assert (shares <= 1).all()
    assert shares.min() < 0.95
    assert shares.min() > 1 - stills._COVERED * 4 / np.pi - 0.05  # of the ellipse in its box


def test_crowds_small_objects_and_those_that_fill_the_picture_are_left_out(root: Path) -> None:
    path = root / "coco" / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["annotations"] += [
        row(6, 1, None, iscrowd=1),
        row(7, 1, None, bbox=[5, 5, 60, stills._SMALLEST - 1]),
        row(8, 1, None, bbox=[1, 1, 157, 118]),
        row(9, 1, None, bbox=[1, 1, 157, 60]),
    ]
    path.write_text(json.dumps(content))
    names = [thing.name.rpartition("/")[2] for thing in open_source("stills", root).keys]
    assert names == ["5", "1", "2", "3", "9"]


def test_nothing_is_pasted_where_no_set_has_masks(tmp_path: Path) -> None:
    write_set(tmp_path / "boxes", [row(5, 9, None)], {9: RED})
    target = open_source("stills", tmp_path).target(0)
    for index in rows_of(target):
        assert (target.image(index) == GREY).all()


def test_a_folder_without_sets_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)'stills' at .*annotations/instances_train2017"):
        open_source("stills", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("images"), r"instances_train2017\.json: .*'images'"),
        (lambda content: content["annotations"][0].pop("bbox"), r"2017\.json: .*'bbox'"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2]), r"2017\.json: .*shape"),
        (lambda content: content["annotations"][0].update(image_id=77), r"2017\.json: .*77"),
    ],
)
def test_a_broken_annotation_is_named(root: Path, change: Any, message: str) -> None:
    path = root / "coco" / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=message):
        open_source("stills", root)


def test_a_picture_of_another_size_is_an_unusable_target(root: Path) -> None:
    path = root / "coco" / "train2017" / "1.png"
    assert cv2.imwrite(str(path), np.zeros((50, 60, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"coco/1: expected .*\(160, 120\).*\(60, 50\)"):
        open_source("stills", root).target(1).image(0)
