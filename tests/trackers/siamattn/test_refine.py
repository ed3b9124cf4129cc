"""Geometry of the refinement: where a region is pooled in its map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from trackers.siamattn.config import RefineConfig
from trackers.siamattn.refine import BoxHead, _placed


def middles(stride: int, cells: int, crop: int) -> Tensor:
    """A map whose cells contain their position in the crop, x and y in pixels."""
    places = crop / 2 - 0.5 + (torch.arange(cells) - (cells - 1) / 2) * stride
    return torch.stack(torch.meshgrid(places, places, indexing="xy"))[None]


@pytest.mark.parametrize("crop", [191, 255])
@pytest.mark.parametrize("shift", [-24.0, 0.0, 24.0])
def test_a_registered_box_head_pools_the_true_region(crop: int, shift: float) -> None:
    """The bins' mean is at the region's centre; pooled as released, it is shifted."""
    side = (crop - 127) // 8 + 9
    place, half = crop / 2 - 0.5 + shift, 20.0
    roi = torch.tensor([[0, *[place - half] * 2, *[place + half] * 2]])
    found = {}
    for registered in (False, True):
        config = RefineConfig(box_registered=registered, deformable_pooling=False)
        head = BoxHead(2, config, stride=8)
        head.tail_det, head.tail_det_box = nn.Sequential(), nn.Linear(32, 2, bias=False)
        nn.init.zeros_(head.tail_det_box.weight)
        head.tail_det_box.weight.data[0, :16] = head.tail_det_box.weight.data[1, 16:] = 1 / 16
        found[registered] = head(middles(8, side, crop), roi, crop)[0]  # means of x and y
    early = (
        2 * half / 4 / 8
    )  # sampling starts at a bin's edge, so the mean is shifted by an eighth
    lost = shift * (1 - 8 * side / crop)
    for registered, off in ((True, 0.0), (False, lost)):
        expected = torch.full((2,), place - off)
        torch.testing.assert_close(found[registered] + early, expected, rtol=0, atol=1.5)


@pytest.mark.parametrize(("cells", "side"), [(25, 63), (17, 47)])
def test_a_correlation_map_lies_where_its_cells_are(cells: int, side: int) -> None:
    """Among the cells of the backbone's second level, which are half as far apart."""
    crop = 255 if cells == 25 else 191
    coarse, fine = middles(8, cells, crop), middles(4, side, crop)
    found = _placed(coarse, fine.shape[-2:])
    inside = found != 0
    torch.testing.assert_close(found[inside], fine[inside])
    assert inside[0, 0].sum() == (2 * cells - 1) ** 2
