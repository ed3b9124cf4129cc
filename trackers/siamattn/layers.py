"""Building blocks shared by several parts of the network."""

from __future__ import annotations

from typing import TypeVar, cast

from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


class ConvNorm(nn.Module):
    """Convolution without bias, batch norm and ReLU, named as in the released checkpoints."""

    def __init__(self, channels: int, out: int, kernel: int) -> None:
        """``kernel`` is odd; the map keeps its size."""
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
        self.BN256 = nn.BatchNorm2d(out)
        init_conv(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H, W)``."""
        return self.linear(x).relu_()

    def linear(self, x: Tensor) -> Tensor:
        """The same without the ReLU."""
        out: Tensor = self.BN256(self.conv(x))
        return out


def init_conv(conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Initialise weights with normal variance 2 / fan-out (He et al., ICCV 2015), bias with 0."""
    draw_normal(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def draw_normal(weight: Tensor, deviation: float | None = None) -> None:
    """Draw weights of a standard deviation; by default of variance 2 / fan-out, as He et al.

    On the meta device there is nothing to draw, but PyTorch would import its compiler to do so,
    which takes a second.
    """
    if weight.is_meta:
        return
    if deviation is None:
        nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
    else:
        nn.init.normal_(weight, std=deviation)


def members(modules: nn.ModuleList, kind: type[Module]) -> list[Module]:
    """The members of ``modules``, all of type ``kind``, typed as such."""
    return [cast(Module, module) for module in modules]
