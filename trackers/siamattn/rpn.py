"""Siamese region proposals: depth-wise cross-correlation and its heads (section 3.2; Li et al.,
SiamRPN++, CVPR 2019, figure 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trackers.siamattn.config import RPNConfig

_FIRST = 2  # number of the first of several levels in PySOT's names of modules


def depthwise_correlation(x: Tensor, kernel: Tensor) -> Tensor:
    """Correlate each target's template with its own search features, channel by channel.

    Args:
        x: ``(B, C, H, W)``.
        kernel: ``(B, C, h, w)``.

    Returns:
        ``(B, C, H - h + 1, W - w + 1)``.
    """
    batch, channels, height, width = kernel.shape
    lanes = x.reshape(1, batch * channels, *x.shape[2:])  # batch rows become groups of one image
    kernel = kernel.reshape(batch * channels, 1, height, width)
    out = F.conv2d(lanes, kernel, groups=batch * channels)
    return out.view(batch, channels, *out.shape[2:])


class Correlation(nn.Module):
    """A convolution per branch, their depth-wise correlation, and a 1x1 head."""

    def __init__(self, channels: int, out: int) -> None:
        """``channels`` of both branches, ``out`` of the head."""
        super().__init__()
        self.conv_kernel = _conv_norm_relu(channels, channels, 3)
        self.conv_search = _conv_norm_relu(channels, channels, 3)
        self.head = nn.Sequential(
            *_conv_norm_relu(channels, channels, 1), nn.Conv2d(channels, out, 1)
        )

    def kernel(self, z: Tensor) -> Tensor:
        """The template side: ``(B, C, 7, 7)`` to ``(B, C, 5, 5)``."""
        out: Tensor = self.conv_kernel(z)
        return out

    def correlate(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Search features ``(B, C, 31, 31)`` and a kernel to ``(B, C, 25, 25)``."""
        return depthwise_correlation(self.conv_search(x), kernel)

    def forward(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Search features ``(B, C, 31, 31)`` and a kernel to ``(B, out, 25, 25)``."""
        out: Tensor = self.head(self.correlate(x, kernel))
        return out


Kernels = tuple[tuple[Tensor, Tensor], ...]
"""The template side of every block: (cls, loc) kernels ``(B, C, 5, 5)`` for each level."""


class Proposer(nn.Module):
    """Siamese RPN blocks, one for each level, whose outputs are averaged."""

    @property
    def blocks(self) -> tuple[RPN, ...]:
        """The block of each level."""
        raise NotImplementedError

    def kernels(self, zs: Sequence[Tensor]) -> Kernels:
        """Template features ``(B, C, 7, 7)`` of each level to kernels."""
        pairs = zip(self.blocks, zs, strict=True)
        return tuple((block.cls.kernel(z), block.loc.kernel(z)) for block, z in pairs)

    def forward(self, xs: Sequence[Tensor], kernels: Kernels) -> tuple[Tensor, Tensor]:
        """Search features ``(B, C, 31, 31)`` of each level and kernels to two maps.

        Returns:
            cls ``(B, 2A, 25, 25)``, background of the A anchors first, then foreground; loc
            ``(B, 4A, 25, 25)``, dx of all anchors, then dy, dw and dh.
        """
        levels = list(zip(self.blocks, xs, kernels, strict=True))
        cls = torch.stack([block.cls(x, kernel[0]) for block, x, kernel in levels])
        loc = torch.stack([block.loc(x, kernel[1]) for block, x, kernel in levels])
        return self.combined(cls, loc)

    def combined(self, cls: Tensor, loc: Tensor) -> tuple[Tensor, Tensor]:
        """The maps of all levels, ``(L, B, ...)``, to one of each."""
        return cls.mean(0), loc.mean(0)


class RPN(Proposer):
    """The block of one level: scores and regressions of the anchors."""

    def __init__(self, channels: int, anchors: int) -> None:
        """``anchors`` per position, with 2 scores and 4 regressions each."""
        super().__init__()
        self.cls = Correlation(channels, 2 * anchors)
        self.loc = Correlation(channels, 4 * anchors)

    @property
    def blocks(self) -> tuple[RPN, ...]:
        """The block itself."""
        return (self,)


class MultiRPN(Proposer):
    """Several blocks, combined by a weighted sum or their mean."""

    def __init__(self, levels: int, channels: int, config: RPNConfig) -> None:
        """``channels`` of each of the ``levels``."""
        super().__init__()
        self.names = numbered("rpn", levels)
        for name in self.names:
            self.add_module(name, RPN(channels, config.anchors))
        self.weighted = config.weighted
        if config.weighted:
            self.cls_weight = nn.Parameter(torch.ones(levels))
            self.loc_weight = nn.Parameter(torch.ones(levels))

    @property
    def blocks(self) -> tuple[RPN, ...]:
        """The block of each level."""
        return tuple(cast(RPN, self.get_submodule(name)) for name in self.names)

    def combined(self, cls: Tensor, loc: Tensor) -> tuple[Tensor, Tensor]:
        """The sum by learned weights, if there are any."""
        if not self.weighted:
            return super().combined(cls, loc)
        shape = (-1, 1, 1, 1, 1)
        cls = (cls * self.cls_weight.softmax(0).view(shape)).sum(0)
        return cls, (loc * self.loc_weight.softmax(0).view(shape)).sum(0)


def proposer(levels: int, channels: int, config: RPNConfig) -> Proposer:
    """The head for ``levels`` of ``channels`` each, named as in PySOT."""
    if levels == 1:
        return RPN(channels, config.anchors)
    return MultiRPN(levels, channels, config)


def numbered(name: str, levels: int) -> list[str]:
    """PySOT's names of the modules of several levels, e.g. ``rpn2``; of a single one, ``rpn``."""
    return [f"{name}{_FIRST + level}" for level in range(levels)] if levels > 1 else [name]


def _conv_norm_relu(channels: int, out: int, kernel: int) -> nn.Sequential:
    """Convolution without padding or bias, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )
