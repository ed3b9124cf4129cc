"""The backbone of siamattn-lite, beside a plain reading of EfficientNet-Lite0's own file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from bench.errors import ConfigError
from trackers.siamattn.backbone import BACKBONES, Backbone
from trackers.siamattn.config import preset
from trackers.siamattn.training.warm_start import load_backbone

State = dict[str, Tensor]

# Kernel, stride, channels before, inside and after, of the first eleven blocks (from
# EfficientNet-Lite's efficientnet_lite_builder.py), and of a later one, which is left out.
BLOCKS = (
    (3, 1, 32, 32, 16),
    (3, 2, 16, 96, 24),
    (3, 1, 24, 144, 24),
    (5, 2, 24, 144, 40),
    (5, 1, 40, 240, 40),
    (3, 2, 40, 240, 80),
    (3, 1, 80, 480, 80),
    (3, 1, 80, 480, 80),
    (5, 1, 80, 480, 112),
    (5, 1, 112, 672, 112),
    (5, 1, 112, 672, 112),
    (5, 2, 112, 672, 192),
)
LEVELS = (0, 2, 4, 7, 10)  # the last block of each
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def published() -> State:
    """Random weights under the names and shapes of the package's file."""
    generator = torch.Generator().manual_seed(3)

    def norm(name: str, channels: int) -> Iterator[tuple[str, Tensor]]:
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            value = torch.rand(channels, generator=generator)
            yield f"{name}.{leaf}", value if "mean" not in leaf else value - 0.5
        yield f"{name}.num_batches_tracked", torch.tensor(7)

    def conv(name: str, *shape: int) -> Iterator[tuple[str, Tensor]]:
        count = shape[1] * shape[2] * shape[3]
        yield f"{name}.weight", torch.randn(shape, generator=generator) / count**0.5

    rows = [*conv("_conv_stem", 32, 3, 3, 3), *norm("_bn0", 32)]
    for number, (kernel, _, before, inside, after) in enumerate(BLOCKS):
        at = f"_blocks.{number}."
        if inside > before:
            rows += [*conv(f"{at}_expand_conv", inside, before, 1, 1), *norm(f"{at}_bn0", inside)]
        rows += [*conv(f"{at}_depthwise_conv", inside, 1, kernel, kernel)]
        rows += [*norm(f"{at}_bn1", inside), *conv(f"{at}_project_conv", after, inside, 1, 1)]
        rows += [*norm(f"{at}_bn2", after)]
    return {**dict(rows), "_conv_head.weight": torch.zeros(4, 4, 1, 1), "_fc.bias": torch.zeros(9)}


def plain(state: State, bgr: Tensor) -> list[Tensor]:
    """The levels of the published network, with windows centred as here, of raw pixels."""

    def norm(x: Tensor, name: str) -> Tensor:
        leaves = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(state[f"{name}.{leaf}"] for leaf in leaves), eps=1e-3)

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        groups = x.shape[1] if weight.shape[1] == 1 else 1
        padding = weight.shape[-1] // 2 - (stride - 1)
        return F.conv2d(x, weight, None, stride, padding, groups=groups)

    rgb = (bgr.flip(1) / 255 - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1)
    x, levels = F.relu6(norm(conv(rgb, "_conv_stem", 2), "_bn0")), []
    for number, (_, stride, before, inside, after) in enumerate(BLOCKS[:-1]):
        at, y = f"_blocks.{number}.", x
        if inside > before:
            y = F.relu6(norm(conv(y, f"{at}_expand_conv"), f"{at}_bn0"))
        y = F.relu6(norm(conv(y, f"{at}_depthwise_conv", stride), f"{at}_bn1"))
        y = norm(conv(y, f"{at}_project_conv"), f"{at}_bn2")
        x = x + y if stride == 1 and before == after else y
        if number in LEVELS:
            levels.append(x)
    return levels


def lite() -> Backbone:
    config = preset("siamattn-lite").backbone
    return BACKBONES[config.family](config).eval().requires_grad_(False)


def test_published_weights_give_the_published_features(tmp_path: Path) -> None:
    state = published()
    torch.save(state, tmp_path / "lite0.pth")
    backbone = lite()
    load_backbone(backbone, tmp_path / "lite0.pth")
    bgr = 255 * torch.rand(2, 3, 127, 127)
    found, wanted = backbone(bgr), plain(state, bgr)
    assert [level.shape[1:] for level in found] == [
        (16, 63, 63), (24, 31, 31), (40, 15, 15), (80, 15, 15), (112, 15, 15)
    ]  # fmt: skip
    for number, (level, expected) in enumerate(zip(found, wanted, strict=True)):
        own = level[..., 1::2, 1::2] if number > 2 else level
        torch.testing.assert_close(own, expected, atol=2e-3, rtol=1e-3)


def test_a_published_file_that_lacks_a_block_is_refused(tmp_path: Path) -> None:
    state = {key: value for key, value in published().items() if not key.startswith("_blocks.9")}
    torch.save(state, tmp_path / "lite0.pth")
    with pytest.raises(ConfigError, match=r"EfficientNet-Lite0.*missing \['layer4\.1\.conv"):
        load_backbone(lite(), tmp_path / "lite0.pth")


def test_all_levels_are_centred_on_the_crop() -> None:
    """A crop that is its own mirror image has features that are theirs, if kernels are too."""
    backbone = lite()
    for parameter in backbone.parameters():
        if parameter.ndim == 4:
            parameter.copy_((parameter + parameter.flip(-1)) / 2)
    crop = 255 * torch.rand(1, 3, 191, 191)
    levels = backbone(crop + crop.flip(-1))
    assert [level.shape[-1] for level in levels] == [95, 47, 23, 23, 23]
    for level in levels:
        torch.testing.assert_close(level, level.flip(-1), atol=1e-3, rtol=1e-4)


def test_enlarged_levels_are_linear_between_cells() -> None:
    """Of a coarse level, every second cell of the finer map, and means between two of them."""
    level = lite()(255 * torch.rand(1, 3, 191, 191))[4]
    torch.testing.assert_close(level[..., 2:-2:2], (level[..., 1:-2:2] + level[..., 3::2]) / 2)
    torch.testing.assert_close(level[..., 0], level[..., 1])
    torch.testing.assert_close(level[..., -1], level[..., -2])
