"""Pictures show the stored regions in the right place."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import ConfigError, DatasetError
from bench.geometry import EMPTY, FAILED, INITIALISED, SKIPPED, Regions, mask_to_runs
from bench.reports.legend_strip import AnnotatedFrames, annotated_frames
from bench.reports.overlay import Layer, draw_regions, layers
from bench.reports.palette import PALETTE, TRUTH, Look, looks
from bench.reports.text_drawing import draw_text, legible, text_width
from bench.sequence import Sequence, to_file
from bench.tracker import ABSENT

GREY = [90, 90, 90]
FIRST = looks(["mine"])["mine"].colour


class Grey:
    """Plain grey frames."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full((240, 320, 3), 90, dtype=np.uint8)


def like(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where pixels have a colour, with a tolerance for smooth edges."""
    found: np.ndarray = (np.abs(pixels - np.array(colour, dtype=float)) <= 48).all(axis=-1)
    return found


def clip(**more: object) -> Sequence:
    truth = np.tile([101.0, 61.0, 40.0, 30.0], (4, 1))
    return Sequence("clip", truth, **{"frames": Grey(), "index_base": 1.0, **more})  # type: ignore[arg-type]


def drawn_frame(sequence: Sequence, regions: Regions, index: int = 0) -> np.ndarray:
    return draw_regions(Grey()[index], layers(sequence, {"mine": regions}), index, zoom=1)


def test_boxes_are_drawn_in_zero_based_pixels() -> None:
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
    codes = layers(sequence, {"mine": regions})[1].codes
    assert codes == {0: INITIALISED, 2: FAILED, 3: SKIPPED}


def test_a_failure_is_a_border_and_a_cross_where_the_target_was_lost() -> None:
    rows = [[1], [200, 100, 40, 80], [2], [0]]
    frame = drawn_frame(clip(index_base=0.0), Regions.from_rows(rows), 2)
    assert like(frame[[0, 239], 160], FIRST).all()
    assert like(frame[140, 220], FIRST)


def test_masks_are_tinted_inside_and_outlined() -> None:
    mask = np.zeros((240, 320), dtype=bool)
    mask[100:140, 50:90] = True
    frame = draw_regions(Grey()[0], [Layer("m", Look((255, 0, 0)), (mask,), {})], 0, zoom=1)
    assert frame[120, 70].tolist() == [156, 54, 54]  # 0.6 of the grey, 0.4 of the red
    assert like(frame[100, 70], (255, 0, 0))
    assert frame[120, 100].tolist() == GREY


def test_kept_masks_replace_regions_where_there_are_any() -> None:
    mask = np.zeros((240, 320), dtype=bool)
    mask[100:140, 50:90] = True
    boxes = Regions.from_boxes(np.tile([201.0, 121.0, 20.0, 20.0], (4, 1)))
    kept = (None, mask_to_runs(mask), EMPTY, None)
    drawn = layers(clip(), {"mine": boxes}, masks={"mine": kept})
    both = layers(clip(), {"mine": np.stack([mask] * 4)})
    for zoom in (1, 2):
        found = [draw_regions(Grey()[0], drawn, index, zoom=zoom) for index in range(4)]
        np.testing.assert_array_equal(found[1], draw_regions(Grey()[1], both, 1, zoom=zoom))
        for index in (0, 2, 3):  # an empty mask shows the box that is scored
            plain = draw_regions(Grey()[0], layers(clip(), {"mine": boxes}), index, zoom=zoom)
            np.testing.assert_array_equal(found[index], plain)


def test_a_mask_too_few_is_said() -> None:
    boxes = Regions.from_boxes(np.tile([201.0, 121.0, 20.0, 20.0], (4, 1)))
    with pytest.raises(ConfigError, match="mine: expected a mask for each of 4 frames, found 1"):
        layers(clip(), {"mine": boxes}, masks={"mine": (EMPTY,)})


@pytest.mark.parametrize("masked", [False, True])
def test_the_answer_absent_is_a_crossed_circle_at_the_last_region(masked: bool) -> None:
    sequence = clip()
    rows = to_file(np.array([[40.0, 150, 40, 30], ABSENT, [0, 0, 0, 0], [40, 150, 40, 30]]), 1.0)
    rows[2] = 0  # as vot-toolkit writes it
    mask = np.zeros((240, 320), dtype=bool)
    mask[150:180, 40:80] = True
    masks = (mask_to_runs(mask), EMPTY, EMPTY, None) if masked else None
    drawn = layers(sequence, {"mine": Regions.from_boxes(rows)}, masks={"mine": masks})
    assert drawn[1].absent == {1, 2}
    for index in (1, 2):
        frame = draw_regions(Grey()[0], drawn, index, zoom=1)
        centre = frame[150:181, 40:81]
        assert like(frame[165, 60], FIRST)  # the stroke runs through the middle
        assert like(centre, FIRST).sum() > 50
        assert frame[152, 42].tolist() == GREY  # no region
        legend = AnnotatedFrames(sequence, drawn).at(index)[480:]
        assert not np.array_equal(legend, AnnotatedFrames(sequence, drawn).at(3)[480:])


def test_absent_from_the_start_draws_nothing() -> None:
    rows = Regions.from_boxes(np.tile(to_file(np.array(ABSENT), 1.0), (4, 1)))
    frame = draw_regions(Grey()[0], layers(clip(), {"mine": rows}), 2, zoom=1)
    assert not like(frame, FIRST).any()


def test_the_eighth_tracker_shares_a_colour_and_has_gaps() -> None:
    boxes = Regions.from_boxes(np.tile([51.0, 51.0, 200.0, 100.0], (4, 1)))
    names = [f"tracker-{i}" for i in range(8)]
    drawn = layers(clip(), dict.fromkeys(names, boxes))[1:]
    assert {layer.name: layer.look.colour for layer in drawn} == {
        name: look.colour for name, look in looks(names).items()
    }
    (dashed,) = [layer for layer in drawn if layer.look.dash != "solid"]
    solid = next(layer for layer in drawn if layer.look.colour == dashed.look.colour)
    lengths = [
        like(draw_regions(Grey()[0], [layer], 0, zoom=1)[50], layer.look.colour).sum()
        for layer in (solid, dashed)
    ]
    assert 0.3 * lengths[0] < lengths[1] < 0.95 * lengths[0]


def test_looks_can_be_given() -> None:
    given = {"mine": Look((9, 8, 7))}
    assert layers(clip(), {"mine": Regions.from_rows([])}, given)[1].look.colour == (9, 8, 7)


def test_arrays_are_zero_based() -> None:
    boxes = np.tile([200.0, 120.0, 20.0, 20.0], (4, 1))
    boxes[1] = np.nan
    polygons = np.tile([[200.0, 120], [220, 120], [220, 140], [200, 140]], (4, 1, 1))
    masks = np.zeros((4, 240, 320), dtype=bool)
    masks[:, 120:141, 200:221] = True
    for regions in (boxes, polygons, masks):
        frame = draw_regions(Grey()[0], layers(clip(), {"mine": regions}), 0, zoom=1)
        assert like(frame[120, 210], FIRST)
    assert layers(clip(), {"mine": boxes})[1].shape(1) is None
    with pytest.raises(ConfigError, match=r"mine: expected boxes.*\(4, 5\)"):
        layers(clip(), {"mine": np.zeros((4, 5))})


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


def test_the_frame_of_a_failure_is_repeated_and_its_legend_says_so() -> None:
    rows = [[1], [200, 100, 40, 80], [2], [0]]
    drawn = layers(clip(), {"mine": Regions.from_rows(rows)})
    frames = annotated_frames(clip(), drawn, hold=3)
    images = list(frames)
    assert len(images) == len(frames) == 4 + 3
    assert len({image.shape for image in images}) == 1
    assert images[0].shape[0] > 480  # the legend is below the picture, not on it
    alarms = [bool((image[480:] == (190, 30, 30)).all(axis=-1).any()) for image in images]
    assert alarms == [False, False, True, True, True, True, False]
    assert [drawn[1].failures(index) for index in (1, 3)] == [0, 1]
    assert (frames.at(3) == images[-1]).all()
    with pytest.raises(ConfigError, match="from 1 to 4, found 5"):
        frames.at(4)


def test_twenty_names_stay_within_the_legend() -> None:
    chosen = looks(f"tracker {i} 跟踪" * 3 for i in range(20))
    drawn = [Layer(name, look, (), {0: FAILED}) for name, look in chosen.items()]
    frame = AnnotatedFrames(clip(), drawn).at(0)
    assert frame.shape[1] == 640
    found = {tuple(c) for c in frame[480:].reshape(-1, 3).tolist()}
    assert set(PALETTE) <= found


def test_annotation_alone_cannot_be_drawn() -> None:
    with pytest.raises(DatasetError, match="only annotation"):
        annotated_frames(clip(frames=None), [])


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
