"""Deformable convolution and deformable RoI pooling (Dai et al., ICCV 2017), differentiable.

Both sample a feature map bilinearly at predicted positions and sum the weighted samples. That
sum is one ``embedding_bag`` over the map's cells taken as rows, so that no sample is ever held
for itself: fast on any device, with gradients to map and positions.

Sampling rules are those of the CUDA kernels of the method's authors, which the released weights
were trained with. Positions are in cells, the centre of the first cell at 0.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

TRANS_STD = 0.1  # offsets of bins are in tenths of the region's size
SAMPLES = 4  # samples per side of a bin

Pair = tuple[Tensor, Tensor]


def deform_conv2d(
    x: Tensor,
    offset: Tensor,
    weight: Tensor,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    """Convolution whose taps are moved by ``offset`` (equation 2).

    A tap more than one cell outside the map counts 0; of the four cells around any other, those
    outside the map count 0.

    Args:
        x: map ``(B, C, H, W)``.
        offset: ``(B, G * k * k * 2, H', W')`` in cells: for each of G groups of channels and each
            tap in row order, first dy, then dx.
        weight: ``(C', C, k, k)``.
        stride: cells between neighbouring outputs.
        padding: cells of zeros around the map.
        dilation: cells between neighbouring taps.

    Returns:
        ``(B, C', H', W')``, channels last in memory.
    """
    batch, channels, height, width = x.shape
    taps = weight.shape[-1] ** 2
    groups = offset.shape[1] // (2 * taps)
    h, w = _tap_positions(offset, weight.shape[-1], stride, padding, dilation)
    index, share = _bilinear(h, w, h.floor() + 1, w.floor() + 1, (height, width))
    # One row per image, cell and group of channels: (B * H * W * G, C / G).
    rows = x.permute(0, 2, 3, 1).reshape(-1, channels // groups).contiguous()
    image = torch.arange(batch, device=x.device, dtype=torch.int32).view(-1, 1, 1, 1, 1, 1)
    group = torch.arange(groups, device=x.device, dtype=torch.int32).view(-1, 1)
    index = (index + image * (height * width)) * groups + group
    columns = _weighted_rows(rows, index, share)
    kernel = weight.permute(0, 2, 3, 1).reshape(len(weight), -1)  # (C', taps * C)
    out = F.linear(columns.view(-1, taps * channels), kernel)
    return out.view(batch, *offset.shape[-2:], -1).permute(0, 3, 1, 2)


def _tap_positions(
    offset: Tensor, size: int, stride: int, padding: int, dilation: int
) -> tuple[Tensor, Tensor]:
    """y and x of every tap, ``(B, H', W', taps, G)``: the order of a convolution's columns."""
    batch, _, height, width = offset.shape
    moved = _exact(offset).view(batch, -1, size * size, 2, height, width)
    dy, dx = moved.permute(0, 4, 5, 2, 1, 3).unbind(-1)
    steps = torch.arange(max(height, width, size), device=offset.device)
    top = (steps[:height] * stride - padding).view(-1, 1, 1, 1)
    left = (steps[:width] * stride - padding).view(-1, 1, 1)
    taps = steps[:size] * dilation
    y, x = taps.repeat_interleave(size).view(-1, 1), taps.repeat(size).view(-1, 1)
    return top + y + dy, left + x + dx


def deform_roi_pool(
    x: Tensor, rois: Tensor, offset: Tensor | None, bins: int, scale: float
) -> Tensor:
    """Average of 4 x 4 samples in each of P x P bins of every region, bins moved by ``offset``.

    Samples more than half a cell outside the map are left out of the average, others outside
    take the border's value; a bin without samples is 0.

    Args:
        x: map ``(B, C, H, W)``.
        rois: ``(K, 5)``: index of the image, then x1, y1, x2, y2 in pixels of the crop, inclusive.
        offset: ``(K, 2, P, P)``, dx then dy in tenths of the region's size, or None for 0.
        bins: P, bins per side.
        scale: cells per pixel of the crop.

    Returns:
        ``(K, C, P, P)``, channels last in memory.
    """
    height, width = x.shape[-2:]
    h, w = _sample_positions(_exact(rois), offset, bins, scale)
    kept = (w >= -0.5) & (w <= width - 0.5) & (h >= -0.5) & (h <= height - 0.5)
    part = kept / kept.sum((-1, -2), keepdim=True).clamp(min=1)
    h, w = h.clamp(0, height - 1), w.clamp(0, width - 1)
    index, share = _bilinear(h, w, h.ceil(), w.ceil(), (height, width))
    image = rois[:, 0].int().view(-1, 1, 1, 1, 1, 1)
    rows = x.permute(0, 2, 3, 1).flatten(0, 2).contiguous()  # (B * H * W, C)
    index, share = index + image * (height * width), share * part[..., None]
    out = _weighted_rows(rows, index.flatten(3), share.flatten(3))
    return out.view(len(rois), bins, bins, -1).permute(0, 3, 1, 2)


def _sample_positions(
    rois: Tensor, offset: Tensor | None, bins: int, scale: float
) -> tuple[Tensor, Tensor]:
    """y and x of every sample in cells, ``(K, P, P, 4, 4)``; samples start at a bin's edge."""
    first, last = _round_half_away(rois[:, 1:3]), _round_half_away(rois[:, 3:5])
    start = first * scale - 0.5  # (K, 2): x, y
    extent = ((last + 1) * scale - 0.5 - start).clamp(min=0.1)
    step = extent / bins
    steps = torch.arange(max(bins, SAMPLES), device=rois.device)
    edges = steps[:bins] * step[..., None] + start[..., None]  # (K, 2, P)
    left, top = edges[:, 0, None, :], edges[:, 1, :, None]
    if offset is not None:
        moved = _exact(offset) * TRANS_STD * extent[..., None, None]  # (K, 2, P, P)
        left, top = left + moved[:, 0], top + moved[:, 1]
    inner = steps[:SAMPLES] * (step / SAMPLES)[..., None]  # (K, 2, 4)
    x = left[..., None, None] + inner[:, 0].view(-1, 1, 1, 1, SAMPLES)
    y = top[..., None, None] + inner[:, 1].view(-1, 1, 1, SAMPLES, 1)
    shape = (len(rois), bins, bins, SAMPLES, SAMPLES)
    return y.expand(shape), x.expand(shape)


def _exact(positions: Tensor) -> Tensor:
    """In float32 at least: half precision would not tell neighbouring positions apart."""
    return positions.to(torch.promote_types(positions.dtype, torch.float32))


def _round_half_away(x: Tensor) -> Tensor:
    return torch.where(x < 0, (x - 0.5).ceil(), (x + 0.5).floor())


def _bilinear(
    y: Tensor, x: Tensor, y1: Tensor, x1: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """The cells (floor y | y1) x (floor x | x1) of an H x W map and their bilinear weights.

    Returns:
        Index y * W + x as int32, and weight, ``(..., 4)`` each; cells outside the map weigh 0.
    """
    rows, row_weights = _linear(y, y1, size[0])
    columns, column_weights = _linear(x, x1, size[1])
    index = torch.stack([row * size[1] + column for row in rows for column in columns], -1)
    weight = torch.stack([a * b for a in row_weights for b in column_weights], -1)
    return index, weight


def _linear(x: Tensor, upper: Tensor, size: int) -> tuple[Pair, Pair]:
    """The cells (floor x, upper) along one axis, and their linear weights.

    A position a whole cell outside reaches none: neither value nor slope.
    """
    lower = x.floor()
    u = x - lower  # floor has slope 0: gradients are those within the cell
    last = size - 1
    cells = lower.clamp(0, last).int(), upper.clamp(0, last).int()
    near = (1 - u) * ((lower >= 0) & (lower <= last))
    return cells, (near, u * ((x > -1) & (upper <= last)))


def _weighted_rows(rows: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Sums over J of rows ``(R, C)`` at index ``(..., J)`` times weight ``(..., J)``: (M, C)."""
    samples = index.shape[-1]
    weight = weight.reshape(-1, samples).to(rows.dtype)
    return F.embedding_bag(index.view(-1, samples), rows, mode="sum", per_sample_weights=weight)


class DeformConv2d(nn.Module):
    """A 3 x 3 deformable convolution that predicts its own offsets (section 2.1).

    Neither bias nor normalisation follows, as in the release. Offsets start at 0: a plain
    convolution.
    """

    def __init__(self, channels: int) -> None:
        """``channels`` in and out."""
        super().__init__()
        bound = 1 / math.sqrt(channels * 9)
        self.weight = nn.Parameter(torch.empty(channels, channels, 3, 3).uniform_(-bound, bound))
        self.conv_offset = nn.Conv2d(channels, 2 * 9, 3, padding=1)
        for parameter in self.conv_offset.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same."""
        return deform_conv2d(x, self.conv_offset(x), self.weight, padding=1)


class DeformRoIPool(nn.Module):
    """RoI pooling with offsets predicted from what plain pooling found (section 2.2)."""

    def __init__(self, channels: int, bins: int, hidden: int) -> None:
        """``hidden``: width of the two layers that predict the offsets."""
        super().__init__()
        self.bins = bins
        self.offset_fc = nn.Sequential(
            nn.Linear(channels * bins * bins, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * bins * bins),
        )
        for parameter in self.offset_fc[-1].parameters():
            nn.init.zeros_(parameter)

    def offset(self, pooled: Tensor) -> Tensor:
        """Offsets ``(K, 2, P, P)`` for regions pooled without any, ``(K, C, P, P)``."""
        out: Tensor = self.offset_fc(pooled.flatten(1))
        return out.view(-1, 2, self.bins, self.bins)

    def forward(self, x: Tensor, rois: Tensor, scale: float) -> Tensor:
        """Map ``(B, C, H, W)``, rois ``(K, 5)`` and cells per pixel to ``(K, C, P, P)``."""
        pooled = deform_roi_pool(x, rois, None, self.bins, scale)
        return deform_roi_pool(x, rois, self.offset(pooled), self.bins, scale)


class RoIPool(nn.Module):
    """The same pooling without offsets (Table 6)."""

    def __init__(self, bins: int) -> None:
        """``bins`` per side."""
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor, rois: Tensor, scale: float) -> Tensor:
        """Map ``(B, C, H, W)``, rois ``(K, 5)`` and cells per pixel to ``(K, C, P, P)``."""
        return deform_roi_pool(x, rois, None, self.bins, scale)
