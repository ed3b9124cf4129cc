"""The optimised network, piece by piece against plain operators in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from trackers.siamattn import fast
from trackers.siamattn.attention import SpatialAttention
from trackers.siamattn.backbone import Bottleneck
from trackers.siamattn.config import Kernels, preset
from trackers.siamattn.deform import DeformConv2d
from trackers.siamattn.fast import (
    CHUNK,
    WIDE,
    PackedConv2d,
    PackedDeformConv2d,
    WinogradConv2d,
    fold_batch_norm,
    optimize,
)
from trackers.siamattn.network import Network


@settings(max_examples=40)
@given(
    height=st.integers(9, 20),
    width=st.integers(9, 20),
    dilation=st.integers(1, 4),
    padding=st.integers(0, 4),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_winograd_equals_the_convolution_for_any_geometry(
    height: int, width: int, dilation: int, padding: int, bias: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    conv = nn.Conv2d(5, 7, 3, padding=padding, dilation=dilation, bias=bias).requires_grad_(False)
    x = torch.randn(2, 5, height, width)
    expected = conv.double()(x.double()).float()
    found = WinogradConv2d(conv.float())(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_winograd_in_chunks_is_about_as_exact_as_the_convolution() -> None:
    """Its error is some 2.3 times that of oneDNN's own convolution, both in float32."""
    torch.manual_seed(0)
    conv = nn.Conv2d(WIDE, 2 * CHUNK, 3, padding=2, dilation=2, bias=False).requires_grad_(False)
    x = torch.randn(1, WIDE, 15, 15)
    direct, found = conv(x), WinogradConv2d(conv)(x)
    exact = conv.double()(x.double())
    assert float((found - exact).square().mean()) < 2.5**2 * float(
        (direct - exact).square().mean()
    )


@pytest.mark.parametrize(
    ("conv", "fits"),
    [
        (nn.Conv2d(WIDE, WIDE, 3, padding=1), True),
        (nn.Conv2d(WIDE, WIDE, 3, dilation=4), True),
        (nn.Conv2d(WIDE, WIDE - 1, 3), False),
        (nn.Conv2d(WIDE, WIDE, 1), False),
        (nn.Conv2d(WIDE, WIDE, 3, stride=2), False),
        (nn.Conv2d(WIDE, WIDE, 3, groups=2), False),
        (nn.Conv2d(WIDE, WIDE, 3, padding=1).bfloat16(), False),
    ],
)
def test_only_suitable_convolutions_are_replaced(conv: nn.Conv2d, fits: bool) -> None:
    assert WinogradConv2d.fits(conv) is fits


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(24, 40, 1),
        nn.Conv2d(24, 40, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(24, 24, 5, padding=4, dilation=2, groups=24),
    ],
)
def test_packed_convolutions_equal_pytorch_s(conv: nn.Conv2d) -> None:
    torch.manual_seed(0)
    conv.requires_grad_(False)
    packed = PackedConv2d(conv)
    for side in (9, 23):  # template and search image share the weights
        x = torch.randn(2, 24, side, 9).contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(packed(x), conv(x), rtol=1e-5, atol=1e-5)


def test_packed_deformable_convolutions_equal_the_plain_ones() -> None:
    torch.manual_seed(0)
    conv = DeformConv2d(16).requires_grad_(False)
    conv.conv_offset.weight.normal_(std=0.3)
    x = torch.randn(2, 16, 11, 9)
    torch.testing.assert_close(PackedDeformConv2d(conv)(x), conv(x), rtol=1e-5, atol=1e-5)


def randomised(module: nn.Module) -> nn.Module:
    """``module`` in evaluation mode with trained batch norms."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                assert tensor is not None
                tensor.data.uniform_(0.5, 1.5)
    return module.eval().requires_grad_(False)


def test_batch_norm_folds_away() -> None:
    torch.manual_seed(0)
    block = randomised(Bottleneck(16, 4, 16, dilation=2))
    x = torch.randn(2, 16, 9, 9)
    expected = block(x)
    fold_batch_norm(block)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in block.modules())
    torch.testing.assert_close(block(x), expected)


def test_attention_by_target_equals_attention() -> None:
    torch.manual_seed(0)
    network = optimize(Network(preset("siamattn-nano")))
    lanes = network.feature_enhance.pams[0]
    assert isinstance(lanes, SpatialAttention)
    q, k, v = (torch.randn(3, 20, n) for n in (4, 4, 8))
    torch.testing.assert_close(lanes.attended(q, k, v), SpatialAttention.attended(lanes, q, k, v))


@pytest.mark.parametrize(
    ("name", "kernels", "kind"),
    [
        ("siamattn-nano", "winograd", WinogradConv2d),
        ("siamrpn++", "winograd", WinogradConv2d),
        ("siamattn-nano", "direct", PackedConv2d),
    ],
)
def test_the_whole_network_gives_the_same(
    name: str, kernels: Kernels, kind: type[nn.Module]
) -> None:
    """With enough channels for the wide convolutions, and trained batch norms."""
    torch.manual_seed(0)
    narrow = {
        "backbone.widths": [8, 16, 64, 64],
        "backbone.blocks": [1, 1, 2, 1],
        "backbone.expansion": 4,
        "neck.channels": 64,
    }
    network = randomised(Network(preset(name, narrow)))
    assert isinstance(network, Network)
    z, x = torch.rand(2, 3, 127, 127) * 255, torch.rand(2, 3, 255, 255) * 255
    rois = torch.tensor([[0, 80.3, 90.1, 150.2, 170.6], [1, 60.3, 50.4, 190.2, 120.1]])

    def answers() -> list[Tensor]:
        proposals = network.search(x, network.template(z))
        found = [proposals.cls, proposals.loc]
        if network.config.refine.mask:
            found.append(network.refine_box(proposals.features, rois))
            found.append(network.refine_mask(proposals.features, rois))
        return found

    expected = answers()
    optimize(network, kernels=kernels)
    assert any(isinstance(m, kind) for m in network.modules())
    for found, wanted in zip(answers(), expected, strict=True):
        limit = 1e-4 * float(wanted.abs().max())
        torch.testing.assert_close(found, wanted, rtol=0, atol=limit)


def test_without_onednn_batch_norms_are_folded_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "_OPERATORS", ("_gone",))
    assert not fast.has_onednn()
    torch.manual_seed(0)
    network = Network(preset("siamattn-nano")).eval()
    x = torch.randn(1, 3, 127, 127)
    with torch.no_grad():
        expected = network.backbone(x)
        found = optimize(network).backbone(x)
    for here, there in zip(found, expected, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(each, PackedConv2d) for each in network.modules())
