"""How far single boxes lie away from their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from bench.geometry import leaps

BOX = [100.0, 80.0, 40.0, 10.0]  # of size 20


@pytest.mark.parametrize(
    ("middle", "after", "found"),
    [
        (BOX, BOX, 0),
        ([100, 480, 40, 10], BOX, 20),
        ([-300, 80, 40, 10], BOX, 20),
        ([100, 80, 440, 10], BOX, 20),
        ([100, 80, 400, 410], BOX, 1),  # a box around something else, whose size counts
        ([500, 80, 40, 10], [500, 80, 40, 10], 0),
        ([500, 80, 40, 10], [120, 80, 40, 10], 9.5),
        ([500, 80, 40, 0], BOX, 0),
        ([np.nan] * 4, BOX, 0),
        ([500, 80, 40, 10], [np.nan] * 4, 0),
    ],
)
def test_a_leap_in_sizes_of_the_target(
    middle: list[float], after: list[float], found: float
) -> None:
    boxes = np.array([BOX, middle, after])
    for order in ("C", "F"):
        given = np.array(boxes, order=order)
        assert leaps(given).tolist() == pytest.approx([0, found, 0])
        np.testing.assert_array_equal(given, boxes)


def test_only_what_lies_outside_the_image_counts() -> None:
    boxes = np.array([BOX, [500, 80, 40, 10], BOX, BOX, [100, 480, 40, 10], BOX])
    assert leaps(boxes, (640, 480)).tolist() == pytest.approx([0, 0, 0, 0, 0.5, 0])
    assert leaps(boxes, (320, 240)).tolist() == pytest.approx([0, 11, 0, 0, 12.5, 0])


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_too_few_boxes_have_no_neighbours(rows: int) -> None:
    assert leaps(np.ones((rows, 4))).tolist() == [0] * rows
