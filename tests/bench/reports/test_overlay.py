"""Videos show what was stored, where it was stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.errors import ConfigError, DatasetError
from bench.geometry import Regions
from bench.reports import overlay
from bench.sequence import Sequence


class Grey:
    """Plain grey frames."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full((240, 320, 3), 90, dtype=np.uint8)


def clip(**more: object) -> Sequence:
    truth = np.tile([101.0, 61.0, 40.0, 30.0], (4, 1))
    return Sequence("clip", truth, **{"frames": Grey(), "origin": 1.0, **more})  # type: ignore[arg-type]


def test_boxes_are_drawn_at_their_place_with_the_origin_removed() -> None:
    boxes = {"mine": Regions.from_boxes(np.tile([201.0, 121.0, 20.0, 20.0], (4, 1)))}
    drawn = overlay.layers(clip(), boxes)
    frame = next(iter(overlay.overlay(clip(), drawn)))
    assert frame[60, 120, 1] > 150  # top edge of the ground truth, green
    assert frame[75, 120].tolist() == [90, 90, 90]  # inside nothing is painted
    assert frame[120, 210, 0] > 180  # top edge of the tracker's box, orange


def test_polygons_are_drawn_and_codes_named_in_the_legend() -> None:
    rows = [[1], [200, 100, 240, 140, 200, 180, 160, 140], [2], [0]]
    drawn = overlay.layers(clip(origin=0.0), {"mine": Regions.from_rows(rows)})
    frames = list(overlay.overlay(clip(origin=0.0), drawn))
    assert frames[1][120, 220, 0] > 180  # upper right edge of the diamond
    assert frames[1][100, 240].tolist() == [90, 90, 90]  # a corner of its bounding box
    for index in (0, 2, 3):
        assert frames[index][120, 220].tolist() == [90, 90, 90]
    assert [layer.marks for layer in drawn] == [{}, {0: "started", 2: "FAILED", 3: "waits"}]


def test_unknown_rows_are_not_drawn() -> None:
    truth = np.full((4, 4), np.nan)
    truth[0] = [101, 61, 40, 30]
    sequence = Sequence("c", truth, frames=Grey())
    frames = list(overlay.overlay(sequence, overlay.layers(sequence, {})))
    assert frames[0][61, 120].tolist() != [90, 90, 90]
    assert frames[1][61, 120].tolist() == [90, 90, 90]


def test_annotation_alone_cannot_be_drawn() -> None:
    with pytest.raises(DatasetError, match="only annotation"):
        list(overlay.overlay(clip(frames=None), []))


def test_video_is_whole_or_not_there(tmp_path: Path) -> None:
    def failing() -> object:
        yield Grey()[0]
        raise DatasetError("frame 2 is missing")

    path = tmp_path / "clip.avi"
    with pytest.raises(DatasetError):
        overlay.write_video(failing(), path, 25)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert overlay.write_video(iter(Grey()[i] for i in range(4)), path, 25) == 4
    assert int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) == 4


def test_unknown_ending_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.mp4 or \.avi"):
        overlay.write_video(iter([]), tmp_path / "clip.mov", 25)
