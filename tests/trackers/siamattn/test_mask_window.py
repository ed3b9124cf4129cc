"""SiamMask's windows: where they lie, and that cutting first computes the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trackers.siamattn import search
from trackers.siamattn.config import preset
from trackers.siamattn.mask_window import RefineHead, cut, cut_levels, places_of
from trackers.siamattn.rpn import Correlation

CONFIG = preset("siammask")
TRACKING = CONFIG.tracking_for()
ANCHORS = search.anchors(CONFIG.rpn, TRACKING)

positions = st.integers(0, 24)


@given(positions, positions, st.integers(0, 4))
def test_an_anchor_s_window_leads_back_to_its_place(row: int, column: int, anchor: int) -> None:
    """PySOT: the corner is at (c - base / 2) stride, 127 pixels wide."""
    box = search.window_of(ANCHORS[(anchor * 25 + row) * 25 + column], TRACKING)
    np.testing.assert_array_equal(box[:2] - box[2:] / 2, [(column - 4) * 8, (row - 4) * 8])
    np.testing.assert_array_equal(box[2:], [127, 127])
    rois = torch.tensor([[3.0, *search.mask_region(box, TRACKING)]])
    assert places_of(rois, CONFIG.rpn.stride).tolist() == [[3, row, column]]


def test_a_correlation_at_a_place_is_that_of_the_whole_map() -> None:
    torch.manual_seed(0)
    block = Correlation(8, 3).eval().requires_grad_(False)
    x, kernel = torch.randn(2, 8, 31, 31), torch.randn(2, 8, 5, 5)
    whole = block.correlate(x, kernel)
    places = [(0, 0, 0), (1, 24, 24), (1, 7, 19)]
    found = block.correlate(cut(x, torch.tensor(places), 7), kernel[[0, 1, 1]])
    wanted = torch.stack([whole[lane, :, row, column] for lane, row, column in places])
    torch.testing.assert_close(found[..., 0, 0], wanted)


@pytest.mark.parametrize("place", [(0, 0, 0), (0, 24, 24), (0, 12, 3)])
def test_windows_of_every_level_show_the_same_square(place: tuple[int, int, int]) -> None:
    """A level whose values are crop pixels shows the window's pixels, and 0 outside the crop."""
    _, row, column = place
    levels = []
    for stride, cells, first in ((2, 125, 3), (4, 63, 3), (8, 31, 7)):
        centres = stride * torch.arange(cells, dtype=torch.float32) + first
        levels.append(centres.expand(cells, cells)[None, None])
    for window, stride in zip(cut_levels(levels, torch.tensor([place])), (2, 4, 8), strict=True):
        left = (column - 4) * 8
        shown = window[0, 0].amax(0)
        expected = left + stride * torch.arange(len(shown)) + (7 if stride == 8 else 3)
        torch.testing.assert_close(shown[shown > 0], expected[shown > 0].float())
        filled = window[0, 0].amax(1) > 0
        assert bool(filled.all()) == (4 <= row <= 20)


def test_the_mask_has_the_template_s_size() -> None:
    head = RefineHead((8, 16, 32), 64)
    windows = [torch.randn(2, c, s, s) for c, s in ((8, 61), (16, 31), (32, 15))]
    assert head(torch.randn(2, 64, 1, 1), windows).shape == (
        2,
        TRACKING.exemplar,
        TRACKING.exemplar,
    )
