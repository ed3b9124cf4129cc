"""SiamMask's masks (Wang et al., CVPR 2019, section 3.3 and appendix): each in a window of the
template's size, from the correlation at the window's position and the backbone's first levels.

*Places* ``(K, 3)`` int64 are batch rows, each with row and column of a position of the score map.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

MAP = 63  # side of the coarse mask of every position, which tracking does not use
_MARGIN = 4  # positions by which the first window begins before the crop


class RefineHead(nn.Module):
    """Enlarges the correlation at a place to a mask, guided by three levels of the backbone."""

    def __init__(self, early: Sequence[int], channels: int) -> None:
        """``early`` are the channels of the levels, ``channels`` those of the correlation."""
        super().__init__()
        widths = (4, 16, 32)
        for level, (wide, width) in enumerate(zip(early, widths, strict=True)):
            self.add_module(f"v{level}", _pair(wide, wide // 4, width))
            self.add_module(f"h{level}", _pair(width, width, width))
        self.deconv = nn.ConvTranspose2d(channels, widths[-1], 15, 15)
        for step, (width, out) in enumerate(pairwise((*widths[::-1], 1))):
            self.add_module(f"post{step}", nn.Conv2d(width, out, 3, padding=1))

    def forward(self, correlation: Tensor, windows: Sequence[Tensor]) -> Tensor:
        """Correlations ``(K, C, 1, 1)`` and the windows of each level to logits ``(K, 127, 127)``.

        The windows are ``(K, C', S, S)`` with S = 61, 31, 15.
        """
        x = self.deconv(correlation)
        for step, (level, side) in enumerate(((2, 31), (1, 61), (0, 127))):
            post, h, v = (
                self.get_submodule(f"{k}") for k in (f"post{step}", f"h{level}", f"v{level}")
            )
            x = post(F.interpolate(h(x) + v(windows[level]), size=(side, side)))
        return x[:, 0]  # type: ignore[no-any-return]


def places_of(rois: Tensor, stride: int) -> Tensor:
    """The places ``(K, 3)`` of windows ``(K, 5)``: batch row, then x1, y1, x2, y2 in pixels of the
    crop."""
    corners = (rois[:, [2, 1]] / stride).round() + _MARGIN
    return torch.cat([rois[:, :1], corners], 1).long()


def cut_levels(levels: Sequence[Tensor], places: Tensor) -> list[Tensor]:
    """The windows of the backbone's first levels, 0 outside the crop; see ``RefineHead``."""
    geometry = zip(levels, (61, 31, 15), (4, 2, 1), strict=True)
    return [cut(level, places, side, step, _MARGIN * step) for level, side, step in geometry]


def cut(level: Tensor, places: Tensor, side: int, step: int = 1, margin: int = 0) -> Tensor:
    """Squares of ``side`` cells, ``(K, C, side, side)``.

    Args:
        level: ``(B, C, H, W)``.
        places: of the K squares.
        side: of a square in cells.
        step: cells between neighbouring positions.
        margin: cells before the level's first cell at which the first square begins.
    """
    padded = F.pad(level, (margin,) * 4).permute(0, 2, 3, 1)
    cells = torch.arange(side, device=level.device)
    lane, row, column = places[:, :, None, None].unbind(1)
    squares = padded[lane, step * row + cells[:, None], step * column + cells]
    return squares.permute(0, 3, 1, 2).contiguous()


def _pair(channels: int, inner: int, out: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with a ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, inner, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(inner, out, 3, padding=1),
        nn.ReLU(inplace=True),
    )
