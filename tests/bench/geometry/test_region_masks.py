"""Conversion of masks to and from polygons, and their overlap."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import TrackerError
from bench.geometry import (
    Regions,
    canonical_corners,
    mask_overlap,
    mask_to_polygon,
    rasterize,
    region_overlaps,
)

WIDTH, HEIGHT = 160, 120
GOLDEN = Path(__file__).parents[2] / "golden/vot/golden_pairs.json"


def rectangles_from(side: float) -> st.SearchStrategy[np.ndarray]:
    """Corners of rotated rectangles inside the image, with sides of at least ``side`` pixels."""
    return st.builds(
        lambda centre, size, angle: rotated(np.array(centre), np.array(size), angle),
        st.tuples(st.floats(60, 100), st.floats(55, 65)),
        st.tuples(st.floats(side, 60), st.floats(side, 60)),
        st.floats(0, 6.3),
    )


rotated_rectangles = rectangles_from(15)


def rotated(centre: np.ndarray, size: np.ndarray, angle: float) -> np.ndarray:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * size
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return corners @ turn.T + centre


@given(rectangles_from(30))
def test_rotated_rectangle_of_a_mask_of_one_is_near_it(corners: np.ndarray) -> None:
    # Each side may lose a pixel to rounding, too much for smaller rectangles.
    found = mask_to_polygon(rasterize(corners, WIDTH, HEIGHT))
    (overlap,) = region_overlaps(*(Regions.from_polygons(p[None]) for p in (corners, found)))
    assert overlap >= 0.9


@given(rotated_rectangles, st.integers(0, 3), st.booleans())
def test_order_does_not_depend_on_the_first_corner_nor_the_direction(
    corners: np.ndarray, turns: int, backwards: bool
) -> None:
    listed = np.roll(corners[::-1] if backwards else corners, turns, axis=0)
    found = canonical_corners(listed)
    np.testing.assert_array_equal(found, canonical_corners(corners))
    assert sorted(map(tuple, found)) == sorted(map(tuple, corners))


def test_order_starts_at_the_top_left_and_runs_clockwise_in_the_image() -> None:
    tilted = np.array([[10.0, 30.0], [12.0, 10.0], [32.0, 12.0], [30.0, 32.0]])
    expected = [[12, 10], [32, 12], [30, 32], [10, 30]]
    assert canonical_corners(tilted).tolist() == expected


def test_of_two_corners_equally_near_the_upper_is_first() -> None:
    diamond = np.array([[0.0, 10.0], [10.0, 0.0], [20.0, 10.0], [10.0, 20.0]])
    noise = np.array([[-1e-5, 0.0], [1e-5, 0.0], [0.0, 0.0], [0.0, 0.0]])
    for corners in (diamond, diamond + noise, diamond - noise):
        assert canonical_corners(corners)[0].round(3).tolist() == [10, 0]


def test_the_largest_part_of_a_mask_counts() -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[5:10, 5:10] = True
    mask[40:61, 50:81] = True
    assert mask_to_polygon(mask).tolist() == [[50, 40], [80, 40], [80, 60], [50, 60]]


def test_a_mask_of_one_pixel_has_a_rectangle_without_area() -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[7, 9] = True
    assert mask_to_polygon(mask).tolist() == [[9, 7]] * 4


def test_an_empty_mask_is_an_error() -> None:
    with pytest.raises(TrackerError, match="at least one true pixel"):
        mask_to_polygon(np.zeros((4, 4), dtype=bool))


def test_rasterized_rectangle_reaches_the_pixel_at_x_plus_w() -> None:
    mask = rasterize(np.array([2.0, 1.0, 3.0, 2.0]), 8, 6)
    expected = np.zeros((6, 8), dtype=bool)
    expected[1:4, 2:6] = True
    np.testing.assert_array_equal(mask, expected)


def test_rasterized_polygons_have_the_golden_overlap() -> None:
    golden = json.loads(GOLDEN.read_text())
    size = golden["width"], golden["height"]
    for a, b, expected in zip(golden["a"], golden["b"], golden["pysot"]["wh1"], strict=True):
        first, second = (rasterize(np.array(row), *size) for row in (a, b))
        union = (first | second).sum()
        overlap = (first & second).sum() / union if expected else 0.0
        # Relative to its window a pair may have a node on the other side of an integer.
        assert overlap == pytest.approx(expected, abs=2 / max(union, 1))


@given(rotated_rectangles, rotated_rectangles)
def test_mask_overlap_is_that_of_the_pixels(a: np.ndarray, b: np.ndarray) -> None:
    first, second = (rasterize(corners, WIDTH, HEIGHT) for corners in (a, b))
    (found,) = mask_overlap(first, Regions.from_polygons(b[None]))
    assert found == (first & second).sum() / (first | second).sum()


@given(st.lists(st.integers(-20, 180), min_size=8, max_size=8))
def test_mask_overlap_holds_for_polygons_that_cross_themselves(row: list[int]) -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[20:90, 30:120] = True
    own = rasterize(np.array(row), WIDTH, HEIGHT)
    (found,) = mask_overlap(mask, Regions.from_rows([row]))
    assert found == (mask & own).sum() / (mask | own).sum()


def test_rows_that_are_no_regions_in_the_image() -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    rows = [[1], [4000, 10, 5, 5], [np.nan, 0, 5, 5], [1e9, 1e9, 1e9, 1e9], [0, 0, 9, 9]]
    np.testing.assert_array_equal(
        mask_overlap(mask, Regions.from_rows(rows)), [np.nan, 0, 0, 0, 0]
    )
    assert not rasterize(np.array(rows[1]), WIDTH, HEIGHT).any()
    assert not rasterize(np.array(rows[2]), WIDTH, HEIGHT).any()
    mask[:] = True
    assert mask_overlap(mask, Regions.from_rows(rows))[4] == 100 / mask.size
