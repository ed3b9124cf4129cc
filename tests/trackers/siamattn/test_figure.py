"""Figure 4: confidence of one frame without and with attention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bench.errors import ConfigError
from trackers.siamattn.figure import ConfidenceMaps
from trackers.siamattn.tracker import SiamAttn


@pytest.fixture
def tracker(nano_file: Path, golden: Any) -> SiamAttn:
    tracker = SiamAttn(weights=nano_file, device="cpu")
    tracker.init(golden.frames[0], golden.first_box)
    return tracker


@pytest.fixture
def maps() -> ConfidenceMaps:
    """Confident at one position with attention, at none without."""
    image = np.full((255, 255, 3), 90, dtype=np.uint8)
    sure = np.zeros((25, 25), dtype=np.float32)
    sure[3, 20] = 1
    return ConfidenceMaps(image, np.full((25, 25), 0.5, np.float32), sure, stride=8)


def test_maps_of_the_next_frame(tracker: SiamAttn, golden: Any) -> None:
    maps = tracker.confidence_maps(golden.frames[1])
    prediction = tracker.update(golden.frames[1])  # the tracker has not moved
    assert prediction.score is not None
    assert maps.search.shape == (191, 191, 3)
    for each in (maps.without, maps.with_attention):
        assert each.shape == (17, 17)
        assert ((each > 0) & (each < 1)).all()
    assert maps.with_attention.max() >= prediction.score - 1e-6
    assert np.abs(maps.with_attention - maps.without).max() > 1e-3


def test_the_search_image_is_rgb_and_centred(tracker: SiamAttn, golden: Any) -> None:
    """The middle of the crop shows the middle of the target in the frame before."""
    frame = np.zeros_like(golden.frames[1])
    x, y = (golden.first_box[:2] + golden.first_box[2:] / 2).astype(int)
    frame[y - 8 : y + 8, x - 8 : x + 8] = (250, 20, 10)
    search = tracker.confidence_maps(frame).search
    assert search[95, 95].tolist() == [250, 20, 10]


def test_positions_are_drawn_at_their_anchors(maps: ConfidenceMaps) -> None:
    _, plain, attended = maps.draw().axes[:3]
    left, right, bottom, top = attended.images[1].get_extent()
    column, row = (20 + 0.5) / 25, (3 + 0.5) / 25
    assert left + column * (right - left) == pytest.approx(127 + (20 - 12) * 8)
    assert top + row * (bottom - top) == pytest.approx(127 + (3 - 12) * 8)
    assert plain.images[1].get_clim() == attended.images[1].get_clim() == (0, 1)
    assert "without attention" in plain.get_title()


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_the_figure_is_written(maps: ConfidenceMaps, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "figures" / f"four.{ending}"
    maps.save(path)
    if ending == "png":
        assert cv2.imread(str(path)).std() > 10
    else:
        assert path.read_bytes().startswith(b"%PDF")


def test_an_unwritable_figure_is_refused(maps: ConfidenceMaps, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.png, \.pdf or \.svg"):
        maps.save(tmp_path / "four.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        maps.save(tmp_path / "file" / "four.png")
