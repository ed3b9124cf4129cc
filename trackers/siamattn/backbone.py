"""Residual backbone with its last two stages dilated instead of strided (section 4.2).

Modules are named as in the released checkpoints, here and throughout the package. The stem and the
first block of the second stage do not pad, which centres the template's 15 x 15 cells and the
search image's 31 x 31 on the crop.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from trackers.siamattn.config import BackboneConfig


@dataclass(frozen=True)
class _Stage:
    """Geometry of a stage's 3x3 convolutions."""

    stride: int = 1  # of the first block
    first: int = 1  # dilation of the first block, and its padding unless strided
    rest: int = 1  # dilation and padding of the other blocks
    shortcut: int = 3  # kernel size of the first block's shortcut


STAGES = (_Stage(shortcut=1), _Stage(stride=2), _Stage(rest=2), _Stage(first=2, rest=4))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a shortcut (He et al., CVPR 2016, figure 5)."""

    def __init__(
        self,
        channels: int,
        width: int,
        out: int,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
    ) -> None:
        """``channels`` in, ``width`` inside, ``out`` out; a strided block does not pad."""
        super().__init__()
        padding = 0 if stride > 1 else dilation
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H', W')``."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out = out + (x if self.downsample is None else self.downsample(x))
        return self.relu(out)  # type: ignore[no-any-return]


class Backbone(nn.Module):
    """Five levels of features: the stem and four stages of bottlenecks."""

    def __init__(self, config: BackboneConfig) -> None:
        """The default configuration is a ResNet-50."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, config.stem, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(config.stem)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        outs = config.channels
        levels = zip(outs[:-1], config.widths, outs[1:], config.blocks, STAGES, strict=True)
        self.layer1, self.layer2, self.layer3, self.layer4 = (_layer(*level) for level in levels)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """BGR image ``(B, 3, S, S)``, float 0..255, to five levels.

        They are 61, 31, 15, 15 and 15 cells wide for S = 127; 125, 63, 31, 31, 31 for S = 255.
        """
        x0 = self.relu(self.bn1(self.conv1(image)))
        x1 = self.layer1(self.maxpool(x0))
        x2 = self.layer2(x1)
        x3 = self.layer3(x2)
        return x0, x1, x2, x3, self.layer4(x3)


def _layer(channels: int, width: int, out: int, blocks: int, stage: _Stage) -> nn.Sequential:
    """A stage of ``blocks`` bottlenecks; the first changes channels and size."""
    padding = 0 if stage.stride > 1 or stage.shortcut == 1 else stage.first
    shortcut = nn.Sequential(
        nn.Conv2d(channels, out, stage.shortcut, stage.stride, padding, stage.first, bias=False),
        nn.BatchNorm2d(out),
    )
    first = Bottleneck(channels, width, out, stage.stride, stage.first, shortcut)
    rest = (Bottleneck(out, width, out, dilation=stage.rest) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)
