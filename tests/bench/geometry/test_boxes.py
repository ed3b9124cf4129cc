"""Properties of boxes, polygons and masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from bench import geometry
from bench.errors import TrackerError

coordinate = st.floats(-500, 500, allow_nan=False).map(lambda v: round(v, 3))
side = st.floats(0.5, 400).map(lambda v: round(v, 3))
boxes = st.tuples(coordinate, coordinate, side, side).map(np.array)
shifts = st.tuples(coordinate, coordinate).map(np.array)


def moved(b: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return b + np.concatenate([shift, [0, 0]])


@given(boxes, boxes)
def test_overlap_is_symmetric_bounded_and_equals_shapely(a: np.ndarray, b: np.ndarray) -> None:
    overlap = geometry.box_iou(a, b)
    assert overlap == geometry.box_iou(b, a)
    assert 0 <= overlap <= 1 + 1e-12
    first, second = (box(x, y, x + w, y + h) for x, y, w, h in (a, b))
    assert overlap == pytest.approx(
        first.intersection(second).area / first.union(second).area, abs=1e-6
    )


@given(boxes, boxes)
def test_inclusive_and_continuous_forms_agree(a: np.ndarray, b: np.ndarray) -> None:
    assert geometry.box_iou(a, b) == pytest.approx(geometry.clipped_iou(a, b), abs=1e-9)


@given(boxes)
def test_a_box_overlaps_itself_fully(a: np.ndarray) -> None:
    assert geometry.box_iou(a, a) == pytest.approx(1, abs=1e-9)
    assert geometry.clipped_iou(a, a) <= 1


@given(boxes, boxes, shifts)
def test_overlap_and_errors_do_not_move_with_the_origin(
    a: np.ndarray, b: np.ndarray, shift: np.ndarray
) -> None:
    there = moved(a, shift), moved(b, shift)
    assert geometry.box_iou(*there) == pytest.approx(geometry.box_iou(a, b), abs=1e-6)
    assert geometry.centre_errors(*there)[0] == pytest.approx(
        geometry.centre_errors(a, b)[0], abs=1e-6
    )


@given(boxes, shifts)
def test_centre_error_is_the_length_of_the_shift(a: np.ndarray, shift: np.ndarray) -> None:
    expected = np.hypot(*shift)
    assert geometry.centre_errors(moved(a, shift), a)[0] == pytest.approx(expected, abs=1e-9)


@given(boxes, shifts, st.booleans())
def test_normalized_error_is_the_shift_in_target_sizes(
    a: np.ndarray, shift: np.ndarray, of_offset: bool
) -> None:
    expected = np.hypot(*(shift / a[2:]))
    found = geometry.centre_errors(moved(a, shift), a, of_offset=of_offset)[1]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-8)


@given(boxes)
def test_box_to_polygon_and_back(a: np.ndarray) -> None:
    assert np.allclose(geometry.polygon_to_box(geometry.box_to_polygon(a)), a, atol=1e-9)


@given(boxes, st.floats(0, np.pi))
def test_area_preserving_box_keeps_centre_and_area(a: np.ndarray, angle: float) -> None:
    corners = geometry.box_to_polygon(a)
    centre = corners.mean(axis=0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rotated = (corners - centre) @ turn.T + centre
    found = geometry.area_preserving_box(rotated)
    assert found[2:].prod() == pytest.approx(Polygon(rotated).area, rel=1e-6)
    assert np.allclose(found[:2] + found[2:] / 2, centre, atol=1e-6)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 10), st.integers(1, 10))
def test_mask_of_a_box_has_that_box(x: int, y: int, w: int, h: int) -> None:
    mask = np.zeros((32, 32), dtype=bool)
    mask[y : y + h, x : x + w] = True
    assert geometry.mask_to_box(mask).tolist() == [x, y, w, h]


def test_empty_mask_is_an_error() -> None:
    with pytest.raises(TrackerError, match="at least one true pixel"):
        geometry.mask_to_box(np.zeros((4, 4), dtype=bool))


def test_unknown_box_is_no_overlap_number_in_the_clipped_form() -> None:
    unknown = np.full(4, np.nan)
    known = np.array([0.0, 0.0, 2.0, 2.0])
    assert np.isnan(geometry.clipped_iou(unknown, known))
