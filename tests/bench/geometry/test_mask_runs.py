"""Run lengths of masks: exact round trips, equal to vot-toolkit's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from bench.arrays import BoolArray
from bench.geometry import EMPTY, has_pixels, mask_to_runs, runs_to_mask

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))


@given(masks)
def test_a_mask_comes_back_as_it_was(mask: BoolArray) -> None:
    runs = mask_to_runs(mask)
    np.testing.assert_array_equal(runs_to_mask(runs, mask.shape[::-1]), mask)
    x, y, width, height, *lengths = runs.tolist()
    assert sum(lengths[1::2]) == mask.sum()
    assert sum(lengths) == width * height  # the box is tight and filled
    np.testing.assert_array_equal(runs_to_mask(runs), mask[y : y + height, x : x + width])


@given(masks)
def test_runs_are_those_of_vot_toolkit(mask: BoolArray) -> None:
    io = pytest.importorskip("vot.region.io", reason="needs vot-toolkit")
    box, runs = io.encode_mask(mask.astype(np.uint8))
    ours = mask_to_runs(mask).tolist()
    assert ours == list(map(int, [*box, *runs]))
    decoded, corner = io.create_mask_from_string(list(map(str, ours)))
    expected = np.zeros_like(mask)
    height, width = decoded.shape
    expected[corner[1] : corner[1] + height, corner[0] : corner[0] + width] = decoded
    np.testing.assert_array_equal(expected, mask)


@given(masks)
def test_a_mask_has_pixels_or_is_empty(mask: BoolArray) -> None:
    runs = mask_to_runs(mask)
    assert has_pixels(runs) == mask.any()
    assert (runs.tolist() == EMPTY.tolist()) == (not mask.any())
    assert not has_pixels(np.array([0, 0, 0, 0, 0]))  # as others write an empty one


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -2), (3, 1), (9, 9), (-9, -9)])
def test_what_lies_outside_the_image_is_cut_off(x: int, y: int) -> None:
    inside = runs_to_mask([x, y, 3, 3, 0, 9], (4, 3))
    expected = np.zeros((30, 30), dtype=bool)
    expected[10 + y : 13 + y, 10 + x : 13 + x] = True
    np.testing.assert_array_equal(inside, expected[10:13, 10:14])


def test_runs_that_end_early_are_outside_to_the_end() -> None:
    assert runs_to_mask([5, 6, 2, 2, 1, 1]).tolist() == [[False, True], [False, False]]
