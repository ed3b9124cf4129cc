"""Masks in the frame and the rectangles around them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from trackers.siamattn import masks, search
from trackers.siamattn.config import preset

CONFIG = preset("siamattn")


@pytest.mark.parametrize(("name", "used"), [("vot2018", "vot"), ("otb100", "otb")])
def test_masks_and_rectangles_equal_the_release(golden: Any, name: str, used: str) -> None:
    """The released code warped with OpenCV 5, whose interpolation is exact."""
    rows = golden.numbers["siamattn"][name]
    tracking = CONFIG.tracking_for(used)
    boxes = [golden.first_box, *(np.array(row["bbox"]) for row in rows)]
    for number in (1, 2, 5, 10):
        before, now = (centred(box) for box in boxes[number - 1 : number + 1])
        view = search.view(before[:2], before[2:], tracking)
        corner, size = view.region_of_mask(view.to_crop(now))
        small = golden.masks[f"{name}_mask{number}"]
        mask = masks.paste(small, corner, size, (240, 320)) > tracking.mask_threshold
        expected = np.unpackbits(golden.masks[f"{name}_maskimg{number}"]).reshape(240, 320) > 0
        np.testing.assert_array_equal(mask, expected)
        rectangle = masks.rotated_rectangle(mask)
        assert (rectangle is None) == rows[number - 1]["fallback"]
        if rectangle is not None:
            polygon = np.array(rows[number - 1]["polygon"]).reshape(4, 2)
            assert overlap(rectangle, polygon) > 0.99


def centred(box: np.ndarray) -> np.ndarray:
    """x, y, w, h to cx, cy, w, h."""
    return np.concatenate([box[:2] + box[2:] / 2, box[2:]])


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two convex polygons, by OpenCV."""
    hulls = [cv2.convexHull(p.astype(np.float32)) for p in (a, b)]
    shared, _ = cv2.intersectConvexConvex(*hulls)
    return shared / (sum(cv2.contourArea(hull) for hull in hulls) - shared)


@given(st.floats(-30, 60), st.floats(-30, 60), st.floats(5, 90), st.floats(5, 90))
def test_pasting_is_linear_interpolation(x: float, y: float, w: float, h: float) -> None:
    small = np.random.default_rng(1).random((8, 8)).astype(np.float32)
    pasted = masks.paste(small, np.array([x, y]), np.array([w, h]), (40, 50))
    rows = (np.arange(40) * 40 / 39 - y) * 8 / h
    columns = (np.arange(50) * 50 / 49 - x) * 8 / w
    expected = ndimage.map_coordinates(
        np.pad(small, 1), np.meshgrid(rows + 1, columns + 1, indexing="ij"), order=1
    )
    np.testing.assert_allclose(pasted, expected, atol=1e-6)


def test_pasting_into_a_frame_of_one_pixel() -> None:
    pasted = masks.paste(np.ones((8, 8), np.float32), np.zeros(2), np.full(2, 10.0), (1, 1))
    assert pasted.tolist() == [[1.0]]


def test_the_rectangle_fits_a_rotated_bar() -> None:
    canvas = np.zeros((200, 200), np.uint8)
    corners = cv2.boxPoints(((100, 90), (120, 30), 30.0))
    cv2.fillPoly(canvas, [np.rint(corners).astype(np.int32)], 1)
    cv2.rectangle(canvas, (0, 180), (15, 195), 1, -1)  # a smaller part, which is ignored
    rectangle = masks.rotated_rectangle(canvas > 0)
    assert rectangle is not None
    assert overlap(rectangle, corners) > 0.95


@pytest.mark.parametrize("side", [0, 1, 11])
def test_no_rectangle_around_a_small_part(side: int) -> None:
    mask = np.zeros((50, 50), bool)
    mask[5 : 5 + side, 5 : 5 + side] = True  # an outline through pixel centres: (side - 1)^2
    assert masks.rotated_rectangle(mask) is None
