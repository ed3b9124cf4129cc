"""Crops, anchors and proposal selection, against values of the released trackers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trackers.siamattn import search
from trackers.siamattn.config import RPNConfig, TrackingConfig, preset
from trackers.siamattn.training.targets import decode_proposals, training_anchors

CONFIG = preset("siamattn")
SETS = {"vot2018": CONFIG.tracking.vot, "otb100": CONFIG.tracking.otb}

places = st.floats(-80, 400)
lengths = st.floats(1, 300)


def centred(box: list[float]) -> np.ndarray:
    """x, y, w, h to cx, cy, w, h."""
    corner, size = np.array(box).reshape(2, 2)
    return np.concatenate([corner + size / 2, size])


def steps(golden: Any, name: str) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """The centred box before each frame, and the released tracker's values in it."""
    rows = golden.numbers["siamattn"][name]
    boxes = [centred(golden.first_box), *(centred(row["bbox"]) for row in rows)]
    return list(zip(boxes[:-1], rows, strict=True))


@pytest.mark.parametrize("name", SETS)
def test_the_searched_square_equals_the_release(golden: Any, name: str) -> None:
    for box, row in steps(golden, name):
        view = search.view(box[:2], box[2:], SETS[name])
        assert view.side == row["s_x"] == row["crop_box"][2]
        assert view.zoom == pytest.approx(row["scale_z"], rel=1e-12)
        np.testing.assert_allclose(view.origin, row["crop_box"][:2], atol=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_penalty_and_ranking_equal_the_release(golden: Any, name: str) -> None:
    tracking = SETS[name]
    window = search.cosine_window(CONFIG.rpn, tracking)
    anchors = search.anchors(CONFIG.rpn, tracking)
    for box, row in steps(golden, name):
        view = search.view(box[:2], box[2:], tracking)
        found = np.array(row["rpn_cxcywh"]) - [127.5, 127.5, 0, 0]
        best = row["best_idx"]
        boxes, scores = anchors.copy(), np.zeros(len(anchors))
        boxes[best], scores[best] = found, row["score"]
        chosen = search.best_proposal(scores, boxes, box[2:] * view.zoom, window, tracking)
        assert chosen.index == best
        assert chosen.penalty == pytest.approx(row["penalty"], abs=1e-6)
        share = tracking.window_influence
        rank = chosen.penalty * chosen.score * (1 - share) + window[best] * share
        assert rank == pytest.approx(row["pscore"], abs=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_the_refined_and_smoothed_box_equals_the_release(golden: Any, name: str) -> None:
    tracking = SETS[name]
    for box, row in steps(golden, name):
        view = search.view(box[:2], box[2:], tracking)
        found = np.array(row["rpn_cxcywh"])
        proposal = search.Proposal(found, row["score"], row["penalty"], row["best_idx"])
        np.testing.assert_allclose(search.roi_of(found, 0.5), row["rpn_roi"][1:], atol=1e-4)
        refined = search.shift(found, np.array(row["bbox_raw"]) * search.DELTAS)
        np.testing.assert_allclose(refined, row["refined_cxcywh"], atol=1e-9)
        moved = search.next_box(
            box[2:], view.to_frame(refined), proposal, np.array([319.0, 239.0]), tracking.lr
        )
        np.testing.assert_allclose(moved, centred(row["bbox"]), atol=1e-9)
        mask_roi = search.roi_of(view.to_crop(moved))
        np.testing.assert_allclose(mask_roi, row["mask_roi"][1:], atol=1e-4)


def test_crops_over_the_border_equal_the_release(shared: Path) -> None:
    folder = shared / "golden" / "siamattn"
    with np.load(folder / "frames_real.npz") as file:
        frame = file["frames"][0]
    with np.load(folder / "crop_border.npz") as file:
        for number in range(5):
            x, y, side = file[f"c{number}"]
            fill = frame.mean(axis=(0, 1))
            found = search.crop(frame, np.array([x, y]), int(side), 127, fill)
            np.testing.assert_array_equal(found.transpose(2, 0, 1), file[f"o{number}"])


@given(places, places, st.integers(1, 90))
def test_a_crop_shows_the_frame_inside_and_the_fill_outside(x: float, y: float, side: int) -> None:
    rows, columns = np.mgrid[:60, :50]
    frame = np.stack([rows, columns, rows + columns], axis=-1).astype(np.uint8)
    fill = np.array([200.9, 201.2, 202.0])
    found = search.crop(frame, np.array([x, y]), side, side, fill)
    left, top = (int(np.floor(c - (side + 1) / 2 + 0.5)) for c in (x, y))
    for row, column in ((0, 0), (side - 1, side - 1), (side // 2, side // 3)):
        r, c = top + row, left + column
        inside = 0 <= r < 60 and 0 <= c < 50
        assert found[row, column].tolist() == ([r, c, r + c] if inside else [200, 201, 202])


def test_anchors_equal_pysots() -> None:
    anchors = search.anchors(RPNConfig(), TrackingConfig()).reshape(5, 25, 25, 4)
    assert anchors[:, 0, 0, 2:].tolist() == [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]
    assert anchors[0, 0, :, 0].tolist() == list(range(-96, 97, 8))  # columns move x
    assert anchors[0, :, 0, 1].tolist() == list(range(-96, 97, 8))
    assert (anchors[3, :, 7, 0] == -40).all()


def test_the_window_prefers_the_middle_for_every_anchor() -> None:
    window = search.cosine_window(RPNConfig(), TrackingConfig()).reshape(5, 25, 25)
    assert (window == window[0]).all()
    assert window[0, 12, 12] == window.max() == pytest.approx(1)
    assert window[0, 0].max() == 0


def test_scores_are_the_softmax_over_background_and_target() -> None:
    cls = np.random.default_rng(0).standard_normal((10, 25, 25)).astype(np.float32)
    exponentials = np.exp(cls.astype(np.float64))
    expected = exponentials[5:] / (exponentials[:5] + exponentials[5:])
    np.testing.assert_allclose(search.foreground(cls), expected.ravel(), rtol=1e-12)


def test_regressions_are_read_coordinate_by_coordinate() -> None:
    loc = np.zeros((20, 25, 25), dtype=np.float32)
    loc[0 * 5 + 2, 3, 4] = 0.25  # dx of the third anchor
    loc[3 * 5 + 2, 3, 4] = np.log(2)  # dh
    anchors = search.anchors(RPNConfig(), TrackingConfig())
    boxes = search.decode(loc, anchors)
    changed = np.flatnonzero((boxes != anchors).any(axis=1))
    assert changed.tolist() == [2 * 625 + 3 * 25 + 4]
    np.testing.assert_allclose(boxes[changed[0]], [-64 + 16, -72, 64, 128], rtol=1e-6)


@given(lengths, lengths, st.floats(0.01, 1))
def test_only_changes_of_size_are_penalised(w: float, h: float, k: float) -> None:
    tracking = TrackingConfig(penalty_k=k)
    size = np.array([w, h])
    sizes = size * np.array([[1.0, 1.0], [2.0, 2.0], [0.5, 0.5], [1.5, 1.0], [1.0, 1.5]])
    kept = search.penalties(sizes, size, tracking)
    assert kept[0] == pytest.approx(1)
    assert kept[1] == pytest.approx(np.exp(-k))  # twice as large, same proportions
    assert kept[2] == pytest.approx(np.exp(-k))
    assert (kept[1:] < 1).all()


@given(places, places, lengths, lengths)
def test_crop_and_frame_coordinates_are_inverse(x: float, y: float, w: float, h: float) -> None:
    view = search.view(np.array([x, y]), np.array([w, h]), TrackingConfig())
    box = np.array([y, x, h, w])
    np.testing.assert_allclose(view.to_frame(view.to_crop(box)), box, atol=1e-8)
    middle = view.to_crop(np.array([x, y, w, h]))
    assert middle[2] * middle[3] <= 127**2  # target and context fill the exemplar


@given(st.floats(80, 160), st.floats(60, 140), st.floats(12, 40), st.floats(12, 40))
def test_a_registered_view_maps_positions_exactly(x: float, y: float, w: float, h: float) -> None:
    """Grey levels encode the position, so the crop's grey gives the true position."""
    rows, columns = np.mgrid[:200, :240]
    first = np.array([57, 37])  # twice the position is a valid grey level
    frame = np.clip(2 * (np.stack([columns, rows, rows], axis=-1) - first[[0, 1, 1]]), 0, 255)
    tracking = preset("siamattn-nano").tracking.vot
    view = search.view(np.array([x, y]), np.array([w, h]), tracking)
    assert np.abs(view.centre - [x, y]).max() <= 0.5
    assert (view.origin == np.rint(view.origin)).all()
    found = search.crop(frame.astype(np.uint8), view.centre, view.side, view.instance, np.zeros(3))
    for row, column in ((60, 60), (95, 110), (130, 100)):
        place = view.to_frame(np.array([column + 0.5, row + 0.5, 1, 1]))[:2] - 0.5
        np.testing.assert_allclose(found[row, column, :2] / 2 + first, place, atol=0.4)


def test_a_registered_tracker_pools_what_training_pools() -> None:
    """An anchor's region is the same in both, although their pixel coordinates differ."""
    config = preset("siamattn-nano")
    tracking = config.tracking.otb
    anchors = training_anchors(config.rpn, tracking).reshape(-1, 4)
    loc = torch.zeros(1, 20, 17, 17)
    trained = decode_proposals(loc, torch.from_numpy(anchors), tracking.instance)[0]
    number = 2 * 17 * 17 + 5 * 17 + 9
    box = search.anchors(config.rpn, tracking)[number]
    region = search.box_region(search.proposal_in_crop(box, tracking.instance), tracking)
    np.testing.assert_allclose(region, trained[number])


def test_contrast_around_the_target_is_reduced() -> None:
    """The box keeps its contrast, the surroundings lose theirs, edge pixels half of it."""
    crop = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    corners = np.array([4.0, 6.5, 12.0, 15.0])
    assert search.fade_surround(crop, corners, 1.0) is crop
    found, mean = search.fade_surround(crop, corners, 0.25), crop.mean(axis=(0, 1))
    np.testing.assert_array_equal(found[7:15, 4:12], crop[7:15, 4:12])
    shares = np.full((20, 20), 0.25)
    shares[7:15, 4:12] = 1
    shares[6, 4:12] = 0.5 + 0.5 * 0.25
    np.testing.assert_allclose(found - mean, (crop - mean) * shares[..., None], atol=0.5)


def test_a_box_larger_than_the_crop_changes_nothing() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    found = search.fade_surround(crop, np.array([-8.0, -1.0, 20.0, 31.5]), 0.0)
    np.testing.assert_array_equal(found, crop)


@given(places, places, lengths, lengths)
def test_the_next_box_stays_in_the_frame(x: float, y: float, w: float, h: float) -> None:
    limits = np.array([99.0, 59.0])
    proposal = search.Proposal(np.zeros(4), 0.9, 0.8, 0)
    box = search.next_box(np.array([40.0, 30.0]), np.array([x, y, w, h]), proposal, limits, 0.5)
    assert (box[:2] >= 0).all()
    assert (box[:2] <= limits).all()
    assert (box[2:] >= 10).all()
    assert (box[2:] <= limits).all()


def test_a_more_confident_proposal_changes_the_size_more() -> None:
    size, found = np.array([20.0, 20.0]), np.array([50.0, 50.0, 40.0, 40.0])
    limits = np.array([200.0, 200.0])
    sides = [
        search.next_box(size, found, search.Proposal(found, score, 1.0, 0), limits, 0.5)[2]
        for score in (0.0, 0.5, 1.0)
    ]
    assert sides == [20, 25, 30]
    assert all(a < b for a, b in pairwise(sides))
