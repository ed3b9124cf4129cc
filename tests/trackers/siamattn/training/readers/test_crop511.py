"""PySOT's folders of crops: the target is centred, its size follows from the frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.errors import DatasetError
from trackers.siamattn.training.readers import open_source
from trackers.siamattn.training.readers.crop511 import boxes_in_crops

Paint = Callable[..., None]
VIDEO = "train/ILSVRC2015_VID_train_0000/a"


def write(root: Path, tracks: object) -> None:
    (root / "train.json").write_text(json.dumps({VIDEO: tracks}))


def test_a_box_in_its_crop() -> None:
    """A square of 50 is 100 wide with its margin, so 127 pixels of the crop show 100."""
    assert boxes_in_crops(np.array([[50.0, 50.0]])) == pytest.approx(
        np.array([[255 - 31.25, 255 - 31.25, 63.5, 63.5]])
    )


def test_boxes_match_crops_made_as_pysot_does(tmp_path: Path) -> None:
    """A white rectangle is at the predicted box, to the pixel."""
    frame = np.zeros((400, 600), dtype=np.uint8)
    x1, y1, x2, y2 = 250, 150, 330, 190  # edges of pixels: 80 x 40
    frame[y1:y2, x1:x2] = 255
    w, h = x2 - x1, y2 - y1
    side = np.sqrt((w + 60) * (h + 60)) * 510 / 127  # between the centres of the outer pixels
    zoom = 510 / side
    shift = 255 - zoom * (np.array([x1 + x2, y1 + y2]) / 2 - 0.5)
    matrix = np.column_stack([np.eye(2) * zoom, shift])
    crop = cv2.warpAffine(frame, matrix, (511, 511))
    ys, xs = np.nonzero(crop > 127)
    x, y, width, height = boxes_in_crops(np.array([[w, h]], dtype=float))[0]
    assert (xs.min(), ys.min()) == pytest.approx((x, y), abs=1)
    assert (np.ptp(xs) + 1, np.ptp(ys) + 1) == pytest.approx((width, height), abs=1.5)


def test_tracks_of_a_train_json(tmp_path: Path, paint: Paint) -> None:
    frames = {"000003": [10, 20, 60, 70], "000001": [100, 50], "meta": "x", "000002": [9, 9, 9, 9]}
    write(tmp_path, {"00": frames, "01": {"000001": [0, 0, 10, 20]}})
    for name in ("000001.00", "000003.00", "000001.01"):
        paint(tmp_path / "crop511" / VIDEO / f"{name}.x.jpg", 99, (511, 511))
    source = open_source("crop511", tmp_path, name="vid")
    assert (len(source), source.videos, source.has_masks) == (2, 1, False)
    target = source.target(0)
    assert target.name == f"vid/{VIDEO}/00"
    assert target.numbers.tolist() == [1, 3]  # frame 2 has no area
    assert target.boxes[1] == pytest.approx([223.75, 223.75, 63.5, 63.5])
    assert target.boxes[0] == pytest.approx(boxes_in_crops(np.array([[100.0, 50.0]]))[0])
    assert target.image(1).shape == (511, 511, 3)
    assert target.mask(0) is None


@pytest.mark.parametrize("size", [(255, 255), (511, 255), (1022, 1022)])
def test_crops_of_another_size_are_refused(
    tmp_path: Path, paint: Paint, size: tuple[int, int]
) -> None:
    """The box of a 511 pixel crop would lie in the corner of one of 255."""
    write(tmp_path, {"00": {"000001": [10, 20, 60, 70]}})
    paint(tmp_path / "crop511" / VIDEO / "000001.00.x.jpg", 99, size)
    target = open_source("crop511", tmp_path).target(0)
    with pytest.raises(DatasetError, match=r"000001.00.x.jpg: expected a crop of 511 x 511"):
        target.image(0)


def test_masks_are_read(tmp_path: Path, paint: Paint) -> None:
    write(tmp_path, {"00": {"000000": [10, 20, 60, 70], "000001": [10, 20, 60, 70]}})
    paint(tmp_path / "crop511" / VIDEO / "000000.00.m.png", 255, (511, 511))
    target = open_source("crop511", tmp_path, masks=True).target(0)
    mask = target.mask(0)
    assert mask is not None
    assert mask.shape == (511, 511)
    assert mask.all()
    with pytest.raises(DatasetError, match=r"000001.00.m.png does not exist"):
        target.mask(1)


@pytest.mark.parametrize("frames", [{"000001": [1, 2, 3]}, {"000001": "ab"}, {"1": None}, [4], {}])
def test_a_broken_track_is_named(tmp_path: Path, frames: object) -> None:
    write(tmp_path, {"00": frames})
    with pytest.raises(DatasetError, match=rf"crop511/{VIDEO}/00: expected"):
        open_source("crop511", tmp_path).target(0)


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}', "\xff"])
def test_a_broken_json_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "train.json").write_text(text, encoding="latin-1")
    with pytest.raises(DatasetError, match=r"train.json: expected"):
        open_source("crop511", tmp_path)


def test_an_empty_or_missing_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"train.json and crop511"):
        open_source("crop511", tmp_path)
    write(tmp_path, {})
    with pytest.raises(DatasetError, match=r"tracks in train.json"):
        open_source("crop511", tmp_path)
