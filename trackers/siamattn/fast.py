"""Network optimisation for CPU inference, with the same outputs up to rounding.

Batch norms are folded into the preceding convolutions, memory is channels-last, and the large 3x3
convolutions, two thirds of all arithmetic, use 4 multiplications per output instead of 9.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from trackers.siamattn.attention import SpatialAttention
from trackers.siamattn.network import Network
from trackers.siamattn.precision import KINDS, LowPrecision, Precision

# Lavin and Gray, CVPR 2016, equation 8: transforms a row of 3 taps to 4 factors.
KERNEL_TRANSFORM = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))
Kernels = Literal["winograd", "direct"]

WIDE = 256  # least number of channels for which Winograd is faster
CHUNK = 512  # output channels computed at a time, so that products stay in cache


def optimize(
    network: Network, precision: Precision = "float32", kernels: Kernels = "winograd"
) -> Network:
    """Optimise ``network`` for inference, in place, and return it.

    It can no longer be trained or saved, since keys and weights change. Move the network to its
    device first; on a GPU, whose libraries have fast convolutions, only batch norms are folded.

    Args:
        network: in float32.
        precision: of the backbone.
        kernels: of float32 convolutions on a CPU: ``winograd`` multiplies matrices by PyTorch's
            BLAS, ``direct`` leaves everything to oneDNN. Results differ by rounding.
    """
    network.eval().requires_grad_(False)
    fold_batch_norm(network)
    if precision in KINDS:
        network.backbone = LowPrecision(network.backbone, KINDS[precision])
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if next(network.parameters()).device.type == "cpu":
        _replace(network, *_KINDS[kernels])
        for module in network.modules():
            if isinstance(module, SpatialAttention):
                module.attended = _attended_by_lane  # type: ignore[method-assign]
    return network


def fold_batch_norm(module: nn.Module) -> None:
    """Fold every batch norm into the convolution registered directly before it, in place."""
    for parent in list(module.modules()):
        for (name, conv), (after, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, after, nn.Identity())


def _replace(
    network: Network, fits: Callable[[nn.Conv2d], bool], kind: Callable[[nn.Conv2d], nn.Module]
) -> None:
    """Replace float32 convolutions of search images, but for the mask head's small maps; those of
    templates run only once."""
    for path, parent in list(network.named_modules()):
        if path.startswith("mask_head.convs") or "conv_kernel" in path:
            continue
        for name, conv in list(parent.named_children()):
            if isinstance(conv, nn.Conv2d) and conv.weight.dtype == torch.float32 and fits(conv):
                setattr(parent, name, kind(conv))


def _attended_by_lane(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """``SpatialAttention.attended`` in place, one target at a time.

    Batched products can be slow, and the N x N map is large: a single pass over it saves as much
    time as the products take.
    """
    out = v.new_empty(v.shape)
    for queries, keys, values, lane in zip(q, k, v, out, strict=True):
        a = queries @ keys.T
        torch.mm(torch.softmax(a, -1, out=a), values, out=lane)
    return out


class WinogradConv2d(nn.Module):
    """A 3x3 convolution computed as F(2x2, 3x3) of Lavin and Gray, section 4.1.

    Each 2 x 2 block of outputs comes from a 4 x 4 tile of inputs. Tiles and outputs are
    transformed by sums, with 16 matrix products over all tiles in between. A dilated convolution
    is an undilated one on each of its d x d interleaved maps.
    """

    kernel: Tensor
    bias: Tensor

    @staticmethod
    def fits(conv: nn.Conv2d) -> bool:
        """Whether this class can compute ``conv``, and faster."""
        square = conv.kernel_size == (3, 3) and conv.stride == (1, 1) and conv.groups == 1
        return square and min(conv.in_channels, conv.out_channels) >= WIDE

    def __init__(self, conv: nn.Conv2d) -> None:
        """``conv`` is not modified."""
        super().__init__()
        g = torch.tensor(KERNEL_TRANSFORM, dtype=conv.weight.dtype, device=conv.weight.device)
        kernel = torch.einsum("ai,bj,ocij->abco", g, g, conv.weight.detach()).flatten(0, 1)
        chunks = max(1, conv.out_channels // CHUNK)
        kernel = torch.stack(kernel.chunk(chunks, dim=-1)).contiguous()
        self.register_buffer("kernel", kernel)  # (chunks, 16, C, C' / chunks)
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
        parts = out.chunk(len(self.kernel), dim=-1)
        for kernel, part in zip(self.kernel, parts, strict=True):
            products = _products(tiles.view(16, -1, channels), kernel)
            products = products.view(4, 4, batch, h, d, w, d, -1)
            rows = products.new_empty(2, *products.shape[1:])
            _out_of_tiles(products, rows)
            _out_of_tiles(rows.transpose(0, 1), part.permute(5, 2, 0, 1, 3, 4, 6, 7))
        out = out.view(batch, 2 * h * d, 2 * w * d, -1)[:, :out_h, :out_w]
        return (out + self.bias).permute(0, 3, 1, 2)


class DirectConv2d(nn.Module):
    """A 1x1 convolution by oneDNN; on one thread PyTorch would take its BLAS instead."""

    @staticmethod
    def fits(conv: nn.Conv2d) -> bool:
        """Whether PyTorch would choose otherwise."""
        return conv.kernel_size == (1, 1) and conv.stride == (1, 1)

    def __init__(self, conv: nn.Conv2d) -> None:
        """``conv`` is kept."""
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H', W')``."""
        conv = self.conv
        geometry: Any = (conv.padding, conv.stride, conv.dilation, conv.groups)
        found: Tensor = torch.mkldnn_convolution(x, conv.weight, conv.bias, *geometry)
        return found


_KINDS: dict[Kernels, tuple[Callable[[nn.Conv2d], bool], Callable[[nn.Conv2d], nn.Module]]] = {
    "winograd": (WinogradConv2d.fits, WinogradConv2d),
    "direct": (DirectConv2d.fits, DirectConv2d),
}


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


def _products(tiles: Tensor, kernel: Tensor) -> Tensor:
    """``(16, M, C)`` by ``(16, C, C')``, one product at a time, since batched ones can be slow."""
    out = tiles.new_empty(*tiles.shape[:2], kernel.shape[-1])
    for values, weights, product in zip(tiles, kernel, out, strict=True):
        torch.mm(values, weights, out=product)
    return out


def _out_of_tiles(m: Tensor, out: Tensor) -> None:
    """Products (4, ...) to pairs of outputs (2, ...)."""
    torch.add(m[0], m[1], out=out[0]).add_(m[2])
    torch.sub(m[1], m[2], out=out[1]).sub_(m[3])
