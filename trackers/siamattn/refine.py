"""Region refinement (section 3.3): fused features, deformable RoI pooling, box and mask heads.

Regions are rows ``(K, 5)``: batch row, then x1, y1, x2, y2 in pixels of the search crop. Pooling
assumes that maps cover the whole crop, as in the release; ``box_registered`` instead pools the box
head's map at the true position of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trackers.siamattn.config import RefineConfig
from trackers.siamattn.deform import DeformRoIPool, RoIPool
from trackers.siamattn.layers import ConvNorm, draw_normal, init_conv, members
from trackers.siamattn.rpn import Correlation


class Fusion(nn.Module):
    """Features of all levels, aligned and summed to one map per head."""

    def __init__(self, levels: Sequence[int], channels: int, config: RefineConfig) -> None:
        """``levels`` are the channels of the backbone's first two levels and the attention's.

        Both maps have ``channels`` channels.
        """
        super().__init__()
        attended = len(levels[2:])
        self.correlated_mask = config.correlated_mask
        correlated = attended if config.box or config.correlated_mask else 0
        self.lateral_convs = nn.ModuleList(
            ConvNorm(width, channels, 1) for width in levels if config.mask
        )
        self.xcorr = nn.ModuleList(Correlation(channels, channels) for _ in range(correlated))
        self.convs = nn.ModuleList(
            ConvNorm(channels, channels, 1) for _ in range(attended if config.box else 0)
        )

    def kernels(self, zs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Template features ``(B, C, 7, 7)`` of each level to kernels ``(B, C, 5, 5)``."""
        blocks = members(self.xcorr, Correlation)
        return tuple(block.kernel(z) for block, z in zip(blocks, zs, strict=True))

    def box(self, xs: Sequence[Tensor], kernels: Sequence[Tensor]) -> Tensor:
        """The box head's map ``(B, C, 25, 25)``: the sum of each level's correlation."""
        maps = self._correlations(xs, kernels)
        aligned: list[Tensor] = [c(m) for c, m in zip(self.convs, maps, strict=True)]
        return reduce(torch.add, aligned)

    def _correlations(self, xs: Sequence[Tensor], kernels: Sequence[Tensor]) -> list[Tensor]:
        return [b(x, kernel) for b, x, kernel in zip(self.xcorr, xs, kernels, strict=True)]

    def mask(
        self, early: Sequence[Tensor], xs: Sequence[Tensor], kernels: Sequence[Tensor]
    ) -> Tensor:
        """The mask head's map ``(B, C, 63, 63)``, of the second level's size.

        Args:
            early: the backbone's first two levels of the search image.
            xs: X' of each level.
            kernels: of each level, for the paper's fusion.
        """
        size = early[1].shape[-2:]
        convs = members(self.lateral_convs, ConvNorm)
        if self.correlated_mask:
            maps = self._correlations(xs, kernels)
            pairs = zip(convs[2:], maps, strict=True)
            late = [_placed(conv(found), size) for conv, found in pairs]
        else:
            late = [_lateral(conv, x, size) for conv, x in zip(convs[2:], xs, strict=True)]
        pairs = zip(convs[:2], early, strict=True)
        return reduce(torch.add, [*(_lateral(conv, x, size) for conv, x in pairs), *late])


class BoxHead(nn.Module):
    """Deformable pooling at 4 x 4 and three fully connected layers."""

    def __init__(self, channels: int, config: RefineConfig, stride: int) -> None:
        """``channels`` of the fused map, whose cells are ``stride`` crop pixels apart."""
        super().__init__()
        bins, hidden = config.box_pool, config.box_hidden
        self.stride = stride if config.box_registered else None
        self.roi_pool_b = _pool(channels, bins, config)
        self.tail_det = nn.Sequential(
            nn.Linear(channels * bins * bins, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.tail_det_box = nn.Linear(hidden, 4)
        for layer in self.tail_det:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        draw_normal(self.tail_det_box.weight, 0.001)
        nn.init.zeros_(self.tail_det_box.bias)

    def forward(self, x: Tensor, rois: Tensor, crop: int) -> Tensor:
        """Map ``(B, C, 25, 25)`` of a ``crop`` pixels wide crop and K regions to t, ``(K, 4)``."""
        pooled = self.roi_pool_b(x, *self._registered(rois, x.shape[-1], crop))
        out: Tensor = self.tail_det_box(self.tail_det(pooled.flatten(1)))
        return out

    def _registered(self, rois: Tensor, cells: int, crop: int) -> tuple[Tensor, float]:
        """Regions in pixels of a map with ``cells`` per side, and its cells per pixel."""
        if self.stride is None:
            return rois, cells / crop
        margin = (crop - cells * self.stride) // 2
        return torch.cat([rois[:, :1], rois[:, 1:] - margin], 1), 1 / self.stride


class MaskHead(nn.Module):
    """Deformable pooling at 16 x 16, four convolutions and a deconvolution to 64 x 64."""

    def __init__(self, channels: int, config: RefineConfig) -> None:
        """``channels`` of the fused map."""
        super().__init__()
        self.roi_pool_m = _pool(channels, config.mask_pool, config)
        self.convs = nn.Sequential(*(ConvNorm(channels, channels, 3) for _ in range(4)))
        self.upsample = nn.ConvTranspose2d(channels, channels, 4, stride=4)
        self.conv_logits = nn.Conv2d(channels, 1, 1)
        init_conv(self.conv_logits)

    def forward(self, x: Tensor, rois: Tensor, crop: int) -> Tensor:
        """Map ``(B, C, 63, 63)`` and K regions to logits ``(K, 64, 64)``."""
        pooled = self.roi_pool_m(x, rois, x.shape[-1] / crop)
        out: Tensor = self.conv_logits(self.upsample(self.convs(pooled)).relu_())
        return out[:, 0]


def _pool(channels: int, bins: int, config: RefineConfig) -> DeformRoIPool | RoIPool:
    if config.deformable_pooling:
        return DeformRoIPool(channels, bins, config.offset_hidden)
    return RoIPool(bins)


def _lateral(conv: ConvNorm, level: Tensor, size: torch.Size) -> Tensor:
    """``level`` resized to ``size`` and reduced by ``conv``.

    In evaluation mode, resizing commutes with everything except the ReLU; small levels are then
    resized last, at a quarter of the cost.
    """
    if conv.training or level.shape[-1] >= size[-1]:
        out: Tensor = conv(_resized(level, size))
        return out
    return _resized(conv.linear(level), size).relu_()


def _placed(x: Tensor, size: torch.Size) -> Tensor:
    """A map among cells of half its stride, with zeros where the map ends before the crop."""
    side = 2 * x.shape[-1] - 1
    before = (size[-1] - side) // 2
    after = size[-1] - side - before
    return F.pad(_resized(x, torch.Size((side, side))), (before, after, before, after))


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=True)
