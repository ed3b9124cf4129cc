"""Backbones: the residual one of section 4.2, with its last two stages dilated instead of strided,
the two lighter ones of PySOT's model zoo, and the early layers of EfficientNet-Lite0.

Modules are named as in the released checkpoints, here and throughout the package. Strided
convolutions do not pad, which centres the template's cells and the search image's on the crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trackers.siamattn.config import BackboneConfig
from trackers.siamattn.layers import draw_normal


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
    """Maps BGR images ``(B, 3, S, S)``, float 0..255, to levels ``(B, C, H, W)``.

    Attributes:
        channels: C of each level.
    """

    channels: tuple[int, ...]


class ResNet(Backbone):
    """The stem and four stages of bottlenecks, as far as they are used."""

    def __init__(self, config: BackboneConfig) -> None:
        """The default configuration is a ResNet-50."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, config.stem, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(config.stem)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        outs = (config.stem, *(config.expansion * width for width in config.widths))
        self.channels = outs[: max(config.levels) + 1]
        stages = zip(outs[:-1], config.widths, outs[1:], config.blocks, STAGES, strict=True)
        for number, stage in zip(range(1, len(self.channels)), stages, strict=False):
            self.add_module(f"layer{number}", _layer(*stage))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                draw_normal(module.weight)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Up to five levels: 61, 31, 15, 15 and 15 cells wide for S = 127; for S = 255, 125, 63,
        31, 31 and 31."""
        levels = [self.relu(self.bn1(self.conv1(image)))]
        x = self.maxpool(levels[0])
        for number in range(1, len(self.channels)):
            x = self.get_submodule(f"layer{number}")(x)
            levels.append(x)
        return tuple(levels)


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


class AlexNet(Backbone):
    """Five convolutions without padding (Krizhevsky et al., NIPS 2012), as SiamRPN uses them."""

    def __init__(self, config: BackboneConfig) -> None:
        """``width`` multiplies the channels."""
        super().__init__()
        outs = [int(config.width * channels) for channels in (96, 256, 384, 384, 256)]
        geometry = zip([3, *outs], outs, (11, 5, 3, 3, 3), (2, 1, 1, 1, 1), strict=False)
        layers: list[nn.Module] = []
        for number, (channels, out, kernel, stride) in enumerate(geometry):
            layers += [nn.Conv2d(channels, out, kernel, stride), nn.BatchNorm2d(out)]
            layers += [nn.MaxPool2d(3, stride=2)] if number < 2 else []
            layers += [nn.ReLU(inplace=True)] if number < 4 else []
        self.features = nn.Sequential(*layers)
        self.channels = (outs[-1],)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """One level, 6 cells wide for S = 127 and 26 for S = 287."""
        return (self.features(image),)


# Sandler et al., CVPR 2018, table 2, with strides exchanged for dilation: expansion, channels,
# blocks, stride, dilation of the layers after the first.
MOBILE_LAYERS = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 1, 2),
    (6, 96, 3, 1, 2),
    (6, 160, 3, 1, 4),
    (6, 320, 1, 1, 4),
)


class InvertedResidual(nn.Module):
    """1x1, depth-wise and 1x1 convolutions, around which equal shapes are added."""

    def __init__(
        self,
        channels: int,
        out: int,
        expansion: int,
        stride: int = 1,
        dilation: int = 1,
        kernel: int = 3,
        widen: bool = True,
    ) -> None:
        """``channels`` in, ``expansion`` times as many inside, ``out`` out.

        Without ``widen``, the first convolution is left out.
        """
        super().__init__()
        inner = channels * expansion
        padding = dilation * (kernel // 2) - (stride - 1)
        self.shortcut = stride == 1 and channels == out
        self.conv = nn.Sequential(
            *(_conv_norm_relu6(channels, inner, 1) if widen else ()),
            *_conv_norm_relu6(inner, inner, kernel, stride, padding, dilation, groups=inner),
            nn.Conv2d(inner, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H', W')``."""
        out: Tensor = self.conv(x)
        return x + out if self.shortcut else out


class MobileNetV2(Backbone):
    """A convolution and seven layers of inverted residuals."""

    def __init__(self, config: BackboneConfig) -> None:
        """``width`` multiplies the channels."""
        super().__init__()
        self.channels = tuple(int(config.width * row[1]) for row in ((0, 32), *MOBILE_LAYERS))
        self.layer0 = nn.Sequential(*_conv_norm_relu6(3, self.channels[0], 3, stride=2))
        before = 1  # dilation of the layer before
        for number, (expansion, _, blocks, stride, dilation) in enumerate(MOBILE_LAYERS, 1):
            channels, out = self.channels[number - 1 : number + 1]
            first = dilation if dilation == before else max(dilation // 2, 1)
            rest = (InvertedResidual(out, out, expansion, 1, dilation) for _ in range(blocks - 1))
            layer = [InvertedResidual(channels, out, expansion, stride, first), *rest]
            self.add_module(f"layer{number}", nn.Sequential(*layer))
            before = dilation

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Eight levels; from the fourth on 15 cells wide for S = 127, and 31 for S = 255."""
        levels, x = [], image
        for layer in self.children():
            x = layer(x)
            levels.append(x)
        return tuple(levels)


# Tan and Le, ICML 2019, table 1, up to its sixth row, as the Lite variant has it: without
# squeeze-and-excitation, with ReLU6. Kernel, expansion, channels, blocks, stride.
LITE_LAYERS = (
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (5, 6, 40, 2, 2),
    (3, 6, 80, 3, 2),
    (5, 6, 112, 3, 1),
)
LITE_STEM = 32  # channels
LITE_EPSILON = 1e-3  # of the batch norms
_COARSE = 3  # first level whose cells are 16 pixels apart


class EfficientNetLite(Backbone):
    """The first two thirds of EfficientNet-Lite0, with the levels of a residual network.

    The last two levels keep their stride of 16, at a quarter of the cost of dilation, and are
    enlarged to cells 8 pixels apart.
    """

    def __init__(self, config: BackboneConfig) -> None:
        """The layers up to the last of ``config.levels``."""
        super().__init__()
        self.stem = nn.Sequential(*_conv_norm_relu6(3, LITE_STEM, 3, stride=2))
        self.channels = tuple(row[2] for row in LITE_LAYERS[: max(config.levels) + 1])
        before = LITE_STEM
        for number, (kernel, expansion, out, blocks, stride) in enumerate(LITE_LAYERS):
            if number == len(self.channels):
                break
            first = InvertedResidual(
                before, out, expansion, stride, kernel=kernel, widen=expansion > 1
            )
            rest = (InvertedResidual(out, out, expansion, kernel=kernel) for _ in range(1, blocks))
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
            before = out
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = LITE_EPSILON

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Up to five levels: 63, 31, 15, 15 and 15 cells wide for S = 127; for S = 191, 95, 47,
        23, 23 and 23."""
        levels, x = [], self.stem(image)
        for number in range(len(self.channels)):
            x = self.get_submodule(f"layer{number}")(x)
            levels.append(x if number < _COARSE else _enlarged(x))
        return tuple(levels)


def _enlarged(x: Tensor) -> Tensor:
    """N cells per side to 2N + 1: those between, linearly, and the border's repeated.

    Every second cell of the finer map is the centre of an unpadded window of 3 x 3, so the N are
    the second, fourth, ... of the 2N + 1.
    """
    side = 2 * x.shape[-1] - 1
    between = F.interpolate(x, (side, side), mode="bilinear", align_corners=True)
    return F.pad(between, (1, 1, 1, 1), mode="replicate")


def _conv_norm_relu6(
    channels: int,
    out: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(channels, out, kernel, stride, padding, dilation, groups, bias=False)
    return conv, nn.BatchNorm2d(out), nn.ReLU6(inplace=True)


BACKBONES: dict[str, type[Backbone]] = {
    "resnet": ResNet,
    "mobilenetv2": MobileNetV2,
    "alexnet": AlexNet,
    "efficientnet-lite": EfficientNetLite,
}
