"""Network optimisation for CPU inference, with the same outputs up to rounding.

Batch norms are folded into the preceding convolutions, memory is channels-last, oneDNN computes
all convolutions and large products, with weights in its own layout, and the wide 3x3 convolutions,
two thirds of all arithmetic, use 4 multiplications per output instead of 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from trackers.siamattn.attention import SpatialAttention
from trackers.siamattn.config import Kernels, Precision
from trackers.siamattn.deform import DeformConv2d, deformed_columns
from trackers.siamattn.network import Network
from trackers.siamattn.precision import KINDS, LowPrecision

# Lavin and Gray, CVPR 2016, equation 8: transforms a row of 3 taps to 4 factors.
KERNEL_TRANSFORM = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))

WIDE = 256  # least number of channels for which Winograd is faster
CHUNK = 512  # output channels computed at a time, so that products stay in cache
CELLS = 31  # per side of the maps for which weights are packed; any other size works
_ONEDNN: Any = torch.ops.mkldnn
_OPERATORS = (
    "_convolution_pointwise", "_linear_pointwise", "_reorder_convolution_weight",
    "_reorder_linear_weight",
)  # fmt: skip


def optimize(
    network: Network, precision: Precision = "float32", kernels: Kernels = "winograd"
) -> Network:
    """Optimise ``network`` for inference, in place, and return it.

    It can no longer be trained or saved, since keys and weights change. Move the network to its
    device first; on a GPU, whose libraries have fast convolutions, or without `has_onednn`, only
    batch norms are folded.

    Args:
        network: in float32.
        precision: of the backbone.
        kernels: of wide float32 3x3 convolutions on a CPU: ``winograd``, or ``direct`` as oneDNN
            has them. Results differ by rounding.
    """
    network.eval().requires_grad_(False)
    fold_batch_norm(network)
    if precision in KINDS:
        network.backbone = LowPrecision(network.backbone, KINDS[precision])
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if network.device.type == "cpu" and has_onednn():
        _replace(network, kernels)
    return network


def has_onednn() -> bool:
    """Whether this PyTorch has oneDNN, and its operators used here, none of which is public."""
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and all(hasattr(_ONEDNN, name) for name in _OPERATORS)


def fold_batch_norm(module: nn.Module) -> None:
    """Fold every batch norm into the convolution registered directly before it, in place."""
    for parent in list(module.modules()):
        for (name, conv), (after, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, after, nn.Identity())


def _replace(network: Network, kernels: Kernels) -> None:
    """Replace every convolution, and the attention's products; Winograd is not for the small maps
    of templates and of the mask head."""
    for path, parent in list(network.named_modules()):
        large = not path.startswith("mask_head.convs") and "conv_kernel" not in path
        for name, module in list(parent.named_children()):
            if isinstance(module, DeformConv2d):
                setattr(parent, name, PackedDeformConv2d(module))
            elif isinstance(module, nn.Conv2d):
                fits = kernels == "winograd" and large and WinogradConv2d.fits(module)
                setattr(parent, name, (WinogradConv2d if fits else PackedConv2d)(module))
        if isinstance(parent, SpatialAttention):
            parent.attended = _attended_by_lane  # type: ignore[method-assign]


def _attended_by_lane(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """``SpatialAttention.attended``, one target at a time, with the softmax in place."""
    lanes = []
    for queries, keys, values in zip(q, k, v, strict=True):
        a = _product(queries, keys)
        lanes.append(_product(torch.softmax(a, -1, out=a), values.T))
    return torch.stack(lanes)


def _product(rows: Tensor, columns: Tensor) -> Tensor:
    """``(M, C)`` by ``(C', C)``, which may be packed, to ``(M, C')``, by oneDNN.

    PyTorch would take its BLAS, which is half as fast on AMD's processors.
    """
    found: Tensor = _ONEDNN._linear_pointwise(rows, columns, None, "none", [], "")
    return found


def _packed(columns: Tensor) -> Tensor:
    """``(C', C)`` in the layout in which oneDNN multiplies."""
    packed: Tensor = _ONEDNN._reorder_linear_weight(columns.contiguous())
    return packed


class PackedConv2d(nn.Module):
    """A convolution by oneDNN with its weights in oneDNN's layout.

    PyTorch would bring them into it on every call, or take its BLAS on one thread.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        """``conv`` is not modified."""
        super().__init__()
        self.geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        size = (1, conv.in_channels, CELLS, CELLS)
        self.weight = _ONEDNN._reorder_convolution_weight(conv.weight, *self.geometry, size)
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H', W')``, channels last in memory."""
        plain: Any = ("none", [], "")  # nothing after it
        found: Tensor = _ONEDNN._convolution_pointwise(
            x, self.weight, self.bias, *self.geometry, *plain
        )
        return found


class PackedDeformConv2d(DeformConv2d):
    """A deformable convolution with packed weights."""

    def __init__(self, conv: DeformConv2d) -> None:
        """``conv`` is not modified."""
        nn.Module.__init__(self)
        self.weight = conv.weight
        self.conv_offset: nn.Module = PackedConv2d(conv.conv_offset)  # type: ignore[assignment]
        self.packed = _packed(conv.weight.permute(0, 2, 3, 1).flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        """As ``DeformConv2d``."""
        offset = self.conv_offset(x)
        columns = deformed_columns(x, offset, self.weight.shape[-1], padding=1)
        out = _product(columns, self.packed)
        return out.view(len(x), *offset.shape[-2:], -1).permute(0, 3, 1, 2)


class WinogradConv2d(nn.Module):
    """A 3x3 convolution computed as F(2x2, 3x3) of Lavin and Gray, section 4.1.

    Each 2 x 2 block of outputs comes from a 4 x 4 tile of inputs. Tiles and outputs are
    transformed by sums, with 16 matrix products over all tiles in between. A dilated convolution
    is an undilated one on each of its d x d interleaved maps.
    """

    bias: Tensor

    @staticmethod
    def fits(conv: nn.Conv2d) -> bool:
        """Whether this class can compute ``conv``, and faster."""
        square = conv.kernel_size == (3, 3) and conv.stride == (1, 1) and conv.groups == 1
        exact = conv.weight.dtype == torch.float32
        return exact and square and min(conv.in_channels, conv.out_channels) >= WIDE

    def __init__(self, conv: nn.Conv2d) -> None:
        """``conv`` is not modified."""
        super().__init__()
        g = torch.tensor(KERNEL_TRANSFORM, dtype=conv.weight.dtype)
        kernel = torch.einsum("ai,bj,ocij->aboc", g, g, conv.weight.detach()).flatten(0, 1)
        parts = kernel.chunk(max(1, conv.out_channels // CHUNK), dim=1)
        self.kernels = [[_packed(each) for each in part] for part in parts]  # 16 of (C', C)
        bias = torch.zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()
        self.register_buffer("bias", bias)
        self.padding, self.dilation = int(conv.padding[0]), conv.dilation[0]

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H', W')``, channels last in memory."""
        batch, channels, height, width = x.shape
        d, p = self.dilation, self.padding
        out_h, out_w = height + 2 * p - 2 * d, width + 2 * p - 2 * d
        h, w = -(-out_h // (2 * d)), -(-out_w // (2 * d))  # tiles of each interleaved map
        below, right = 2 * d * (h + 1) - height - p, 2 * d * (w + 1) - width - p
        maps = F.pad(x.permute(0, 2, 3, 1), (0, 0, p, right, p, below))
        maps = maps.view(batch, 2 * h + 2, d, 2 * w + 2, d, channels)
        rows = maps.new_empty(4, batch, h, d, 2 * w + 2, d, channels)
        tiles = maps.new_empty(4, 4, batch, h, d, w, d, channels)
        _into_tiles(maps, 1, rows)
        _into_tiles(rows, 4, tiles.transpose(0, 1))
        out = maps.new_empty(batch, h, 2, d, w, 2, d, len(self.bias))
        parts = out.chunk(len(self.kernels), dim=-1)
        values = tiles.view(16, -1, channels)
        for kernels, part in zip(self.kernels, parts, strict=True):
            products = [_product(*pair) for pair in zip(values, kernels, strict=True)]
            pairs = [_out_of_tiles(products[column::4]) for column in range(4)]
            for row in range(2):
                for column, found in enumerate(_out_of_tiles([pair[row] for pair in pairs])):
                    part[:, :, row, :, :, column] = found.view(batch, h, d, w, d, -1)
        out = out.view(batch, 2 * h * d, 2 * w * d, -1)[:, :out_h, :out_w]
        return (out + self.bias).permute(0, 3, 1, 2)


def _into_tiles(x: Tensor, dim: int, out: Tensor) -> None:
    """Overlapping fours along ``dim`` (2n + 2 long), transformed to ``out`` (4, ..., n, ...)."""
    n = x.shape[dim] // 2 - 1
    even, odd = x.view(*x.shape[:dim], n + 1, 2, *x.shape[dim + 1 :]).unbind(dim + 1)
    first, third = even.narrow(dim, 0, n), even.narrow(dim, 1, n)
    second, fourth = odd.narrow(dim, 0, n), odd.narrow(dim, 1, n)
    torch.sub(first, third, out=out[0])
    torch.add(second, third, out=out[1])
    torch.sub(third, second, out=out[2])
    torch.sub(second, fourth, out=out[3])


def _out_of_tiles(m: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Four products to a pair of outputs."""
    return (m[0] + m[1]).add_(m[2]), (m[1] - m[2]).sub_(m[3])
