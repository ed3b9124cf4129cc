"""Deformable convolution and deformable RoI pooling (Dai et al., ICCV 2017), differentiable.

Both sample a feature map bilinearly at predicted positions and sum the weighted samples. The sum
is one ``embedding_bag`` over the map's cells as rows, so no sample is stored separately: fast on
any device, with gradients for map and positions.

Sampling follows the CUDA kernels of the method's authors, with which the released weights were
trained. Positions are in cells, with the centre of the first cell at 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

TRANS_STD = 0.1  # offsets of bins are in tenths of the region's size
SAMPLES = 4  # samples per side of a bin


def deform_conv2d(
    x: Tensor,
    offset: Tensor,
    weight: Tensor,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    """Convolution whose taps are moved by ``offset`` (equation 2).

    A tap more than one cell outside the map contributes 0; for other taps, neighbouring cells
    outside the map are 0.

    Args:
        x: map ``(B, C, H, W)``.
        offset: ``(B, G * k * k * 2, H', W')`` in cells: for each of G channel groups and each tap
            in row order, dy then dx.
        weight: ``(C', C, k, k)``.
        stride: cells between neighbouring outputs.
        padding: cells of zeros around the map.
        dilation: cells between neighbouring taps.

    Returns:
        ``(B, C', H', W')``, channels last in memory.
    """
    columns = deformed_columns(x, offset, weight.shape[-1], stride, padding, dilation)
    kernel = weight.permute(0, 2, 3, 1).reshape(len(weight), -1)  # (C', taps * C)
    out = F.linear(columns, kernel)
    return out.view(len(x), *offset.shape[-2:], -1).permute(0, 3, 1, 2)


def deformed_columns(
    x: Tensor, offset: Tensor, size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """What the taps of each output see, ``(B * H' * W', k * k * C)``; k is ``size``.

    Other arguments are those of ``deform_conv2d``.
    """
    batch, channels = x.shape[:2]
    taps = size**2
    groups = offset.shape[1] // (2 * taps)
    places = _tap_positions(offset, size, stride, padding, dilation)
    lower = places.floor()
    share = (places - lower) * (places > -1)  # no gradient for taps a whole cell outside
    # Pad with a border of zeros for taps outside; cells are counted from its corner.
    framed = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # (B, H + 2, W + 2, C)
    index, part = _four_cells(lower + 1, lower + 2, share, framed.shape[1:3])
    image = _steps(x, batch, framed[0, ..., 0].numel()).view(-1, 1, 1, 1, 1)
    index = (index + image) * groups + _steps(x, groups)
    columns = _weighted_rows(framed.reshape(-1, channels // groups), index, part)
    return columns.view(-1, taps * channels)


def _tap_positions(offset: Tensor, size: int, stride: int, padding: int, dilation: int) -> Tensor:
    """y and x of every tap, ``(2, B, H', W', taps, G)``, in the order of im2col columns."""
    batch, _, height, width = offset.shape
    taps = _steps(offset, size, dilation) - padding
    y, x = (_steps(offset, n, stride).view(-1, 1) + taps for n in (height, width))
    shape = (height, width, size, size)
    y, x = y.view(height, 1, size, 1).expand(shape), x.view(width, 1, size).expand(shape)
    moved = _exact(offset).view(batch, -1, size * size, 2, height, width)
    return moved.permute(3, 0, 4, 5, 2, 1) + torch.stack([y, x]).view(2, 1, height, width, -1, 1)


def deform_roi_pool(
    x: Tensor, rois: Tensor, offset: Tensor | None, bins: int, scale: float
) -> Tensor:
    """Average of 4 x 4 samples in each of P x P bins per region, bins moved by ``offset``.

    Samples more than half a cell outside the map are left out; others outside take the border's
    value; a bin without samples is 0.

    Args:
        x: map ``(B, C, H, W)``.
        rois: ``(K, 5)``: image index, then x1, y1, x2, y2 in pixels of the crop, inclusive.
        offset: ``(K, 2, P, P)``, dx then dy in tenths of the region's size, or None for 0.
        bins: P, bins per side.
        scale: cells per pixel of the crop.

    Returns:
        ``(K, C, P, P)``, channels last in memory.
    """
    height, width = x.shape[-2:]
    v, u = _sample_positions(_exact(rois), offset, bins, scale)
    kept = (v >= -0.5) & (v <= height - 0.5) & (u >= -0.5) & (u <= width - 0.5)
    places = torch.stack([v.clamp(0, height - 1), u.clamp(0, width - 1)])
    lower = places.floor()
    index, part = _four_cells(lower, places.ceil(), places - lower, (height, width))
    index = index + rois[:, 0].int().view(-1, 1, 1) * (height * width)
    part = part * (kept / kept.sum(0).clamp(min=1))
    rows = x.permute(0, 2, 3, 1).flatten(0, 2).contiguous()  # (B * H * W, C)
    out = _weighted_rows(rows, index.flatten(0, 1), part.flatten(0, 1))
    return out.view(len(rois), bins, bins, -1).permute(0, 3, 1, 2)


def _sample_positions(rois: Tensor, offset: Tensor | None, bins: int, scale: float) -> Tensor:
    """y and x of every sample in cells, ``(2, 16, K, P, P)``; sampling starts at a bin's edge."""
    x1, y1, x2, y2 = _round_half_away(rois[:, 1:]).unbind(1)
    start = torch.stack([y1, x1])[..., None, None] * scale - 0.5  # (2, K, 1, 1)
    end = (torch.stack([y2, x2])[..., None, None] + 1) * scale - 0.5
    extent = (end - start).clamp(min=0.1)
    edge = start + _grid(rois, bins).view(2, 1, bins, bins) * (extent / bins)
    if offset is not None:
        edge = edge + _exact(offset).transpose(0, 1).flip(0) * TRANS_STD * extent
    inner = _grid(rois, SAMPLES).view(2, -1, 1, 1, 1) * (extent / bins / SAMPLES)[:, None]
    return edge[:, None] + inner


def _grid(like: Tensor, side: int) -> Tensor:
    """Row and column of every cell of a square, ``(2, side * side)``."""
    steps = _steps(like, side)
    return torch.stack([steps.repeat_interleave(side), steps.repeat(side)])


def _steps(like: Tensor, number: int, step: int = 1) -> Tensor:
    """0, ``step``, ..., ``(number,)`` int32 on the device of ``like``."""
    return torch.arange(0, number * step, step, dtype=torch.int32, device=like.device)


def _exact(positions: Tensor) -> Tensor:
    """At least float32: half precision cannot resolve neighbouring positions."""
    return positions.to(torch.promote_types(positions.dtype, torch.float32))


def _round_half_away(x: Tensor) -> Tensor:
    return torch.where(x < 0, (x - 0.5).ceil(), (x + 0.5).floor())


def _four_cells(
    lower: Tensor, upper: Tensor, share: Tensor, size: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """The four cells around positions in an H x W map, and their bilinear weights.

    Args:
        lower: row and column of the preceding cell, ``(2, ...)``; clamped to the map, NaN too.
        upper: likewise of the following cell.
        share: weight of the following cell along each axis, 0..1.
        size: H, W.

    Returns:
        Index row * W + column as int32, and weight, ``(4, ...)`` each.
    """
    rows, columns = torch.stack([lower, upper], 1).int()
    rows, columns = rows.clamp(0, size[0] - 1), columns.clamp(0, size[1] - 1)
    of_rows, of_columns = torch.stack([1 - share, share], 1)
    index = (rows * size[1])[:, None] + columns
    return index.flatten(0, 1), (of_rows[:, None] * of_columns).flatten(0, 1)


def _in_other_runtimes() -> bool:
    """Whether the network is being exported, to runtimes that have gathers but no bags."""
    return torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export()


def _weighted_rows(rows: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Sums over J of rows ``(R, C)`` at index ``(J, ...)`` times weight ``(J, ...)``: (M, C)."""
    if _in_other_runtimes():
        return (rows[index.long()] * weight.to(rows.dtype)[..., None]).sum(0).flatten(0, -2)
    bags, shares = (each.flatten(1).T.contiguous() for each in (index, weight.to(rows.dtype)))
    return F.embedding_bag(bags, rows, mode="sum", per_sample_weights=shares)


class DeformConv2d(nn.Module):
    """A 3 x 3 deformable convolution that predicts its own offsets (section 2.1).

    It has no bias and no normalisation, as in the release. Offsets start at 0, which is a plain
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
        """``(B, C, H, W)`` to the same shape."""
        return deform_conv2d(x, self.conv_offset(x), self.weight, padding=1)


class DeformRoIPool(nn.Module):
    """RoI pooling with offsets predicted from plainly pooled features (section 2.2)."""

    def __init__(self, channels: int, bins: int, hidden: int) -> None:
        """``hidden`` is the width of the two layers that predict the offsets."""
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
        """Offsets ``(K, 2, P, P)`` from regions pooled without offsets, ``(K, C, P, P)``."""
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
