"""Pictures show what was stored, where it was stored."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import DatasetError
from bench.geometry import Regions
from bench.reports.legend_strip import captioned, captioned_frames
from bench.reports.overlay import FAILED, Layer, draw_regions, layers
from bench.reports.palette import PALETTE, TRUTH, colour_of
from bench.reports.text_drawing import draw_text, legible, text_width
from bench.sequence import Sequence

GREY = [90, 90, 90]
FIRST = PALETTE[0]


class Grey:
    """Plain grey frames."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full((240, 320, 3), 90, dtype=np.uint8)


def like(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where pixels have a colour, a smooth edge allowed for."""
    found: np.ndarray = (np.abs(pixels - np.array(colour, dtype=float)) <= 48).all(axis=-1)
    return found


def clip(**more: object) -> Sequence:
    truth = np.tile([101.0, 61.0, 40.0, 30.0], (4, 1))
    return Sequence("clip", truth, **{"frames": Grey(), "index_base": 1.0, **more})  # type: ignore[arg-type]


def drawn_frame(sequence: Sequence, regions: Regions, index: int = 0) -> np.ndarray:
    return draw_regions(Grey()[index], layers(sequence, {"mine": regions}), index, zoom=1)


def test_boxes_are_drawn_at_their_place_with_the_origin_removed() -> None:
    frame = drawn_frame(clip(), Regions.from_boxes(np.tile([201.0, 121.0, 20.0, 20.0], (4, 1))))
    assert like(frame[60, 120], TRUTH)  # top edge of the ground truth
    assert frame[75, 120].tolist() == GREY  # inside nothing is painted
    assert like(frame[120, 210], FIRST)  # top edge of the tracker's box


def test_enlarging_moves_regions_with_the_picture() -> None:
    boxes = Regions.from_boxes(np.tile([201.0, 121.0, 20.0, 20.0], (4, 1)))
    frame = draw_regions(Grey()[0], layers(clip(), {"mine": boxes}), 0)
    assert frame.shape == (480, 640, 3)
    assert like(frame[240, 420], FIRST)
    assert frame[260, 420].tolist() == GREY


def test_polygons_are_drawn_and_codes_are_not() -> None:
    rows = [[1], [200, 100, 240, 140, 200, 180, 160, 140], [2], [0]]
    regions, sequence = Regions.from_rows(rows), clip(index_base=0.0)
    frames = [drawn_frame(sequence, regions, index) for index in range(4)]
    assert like(frames[1][120, 220], FIRST)  # upper right edge of the diamond
    assert frames[1][100, 240].tolist() == GREY  # a corner of its bounding box
    assert frames[0][120, 220].tolist() == frames[3][120, 220].tolist() == GREY
    marks = layers(sequence, {"mine": regions})[1].marks
    assert marks == {0: "started", 2: "FAILED", 3: "waits"}


def test_a_failure_is_a_border_and_a_cross_where_the_target_was_lost() -> None:
    rows = [[1], [200, 100, 40, 80], [2], [0]]
    frame = drawn_frame(clip(index_base=0.0), Regions.from_rows(rows), 2)
    assert like(frame[[0, 239], 160], FIRST).all()
    assert like(frame[140, 220], FIRST)


def test_masks_are_tinted_inside_and_outlined() -> None:
    mask = np.zeros((240, 320), dtype=bool)
    mask[100:140, 50:90] = True
    frame = draw_regions(Grey()[0], [Layer("m", (255, 0, 0), (mask,), {})], 0, zoom=1)
    assert frame[120, 70].tolist() == [156, 54, 54]  # 0.6 of the grey, 0.4 of the red
    assert like(frame[100, 70], (255, 0, 0))
    assert frame[120, 100].tolist() == GREY


def test_the_eighth_tracker_has_the_first_ones_colour_and_gaps() -> None:
    boxes = Regions.from_boxes(np.tile([51.0, 51.0, 200.0, 100.0], (4, 1)))
    drawn = layers(clip(), {str(index): boxes for index in range(8)})[1:]
    assert drawn[7].colour == drawn[0].colour == colour_of(7)
    assert [layer.dashed for layer in drawn] == [False] * 7 + [True]
    solid, dashed = (
        like(draw_regions(Grey()[0], [layer], 0, zoom=1)[50], FIRST).sum()
        for layer in (drawn[0], drawn[7])
    )
    assert 0.3 * solid < dashed < 0.8 * solid


def test_unknown_rows_are_not_drawn() -> None:
    truth = np.full((4, 4), np.nan)
    truth[0] = [101, 61, 40, 30]
    sequence = Sequence("c", truth, frames=Grey())
    first, second = (draw_regions(Grey()[i], layers(sequence, {}), i, zoom=1) for i in (0, 1))
    assert first[61, 120].tolist() != GREY
    assert (second == 90).all()


def test_regions_far_outside_the_picture_do_no_harm() -> None:
    regions = Regions.from_boxes(np.tile([-1e9, 5e8, 2e9, 1e9], (4, 1)))
    assert drawn_frame(clip(), regions).shape == (240, 320, 3)


def test_the_frame_of_a_failure_is_held_and_its_caption_says_so() -> None:
    rows = [[1], [200, 100, 40, 80], [2], [0]]
    drawn = layers(clip(), {"mine": Regions.from_rows(rows)})
    frames = list(captioned_frames(clip(), drawn, hold=3))
    assert len(frames) == 4 + 3
    assert len({frame.shape for frame in frames}) == 1
    assert frames[0].shape[0] > 480  # the caption is beneath the picture, not on it
    alarms = [bool((frame[480:] == (190, 30, 30)).all(axis=-1).any()) for frame in frames]
    assert alarms == [False, False, True, True, True, True, False]
    assert drawn[1].failures(1) == 0
    assert drawn[1].failures(3) == 1


def test_twenty_names_stay_within_the_caption() -> None:
    scene = np.zeros((240, 640, 3), dtype=np.uint8)
    drawn = [Layer(f"tracker {i} 跟踪" * 3, colour_of(i), (), {0: FAILED}) for i in range(20)]
    frame = captioned(scene, drawn, 0, 1)
    assert frame.shape[1] == 640
    found = {tuple(c) for c in frame[240:].reshape(-1, 3).tolist()}
    assert set(PALETTE) <= found


def test_annotation_alone_cannot_be_drawn() -> None:
    with pytest.raises(DatasetError, match="only annotation"):
        list(captioned_frames(clip(frames=None), []))


def test_text_is_cut_at_the_borders() -> None:
    canvas = np.zeros((20, 30, 3), dtype=np.uint8)
    for x, y in ((-5, -3), (25, 15), (100, 100), (-500, 0)):
        draw_text(canvas, "wide text", x, y, 12, (255, 255, 255))
    assert canvas[:10, :10].any()
    assert text_width("wide text", 12) > text_width("wide", 12)


def test_names_are_legible_whatever_is_in_them() -> None:
    assert legible("Ωμέγα_$x$<b>") == "Ωμέγα_$x$<b>"
    assert legible("a\tb\x1b") == "a\\tb\\x1b"
    assert len(legible("跟" * 40)) == 32
