"""The network's algebra and interface, on a small form of every preset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from trackers.siamattn.attention import SiameseAttention, SpatialAttention, channel_map
from trackers.siamattn.config import AttentionConfig, Formula, preset, preset_names
from trackers.siamattn.fast import optimize
from trackers.siamattn.network import Network, Template
from trackers.siamattn.rpn import depthwise_correlation

SMALL = {
    "backbone.stem": 8,
    "backbone.widths": [4, 8, 8, 8],
    "backbone.blocks": [1, 1, 1, 2],
    "backbone.width": 0.25,
    "neck.channels": 16,
    "refine.box_hidden": 16,
    "refine.offset_hidden": 16,
}
ROIS = torch.tensor([[0, 80.3, 90.1, 150.2, 170.6], [1, 60.3, 50.4, 190.2, 120.1]])


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """More threads do not help small networks, and slow them on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small(name: str, **settings: Any) -> Network:
    """A small form of a preset with weights none of which is 0, so that every term counts.

    In float64: untrained attention is sharp, and would magnify the rounding of float32.
    """
    torch.manual_seed(1)
    network = Network(preset(name, SMALL | settings))
    for key, tensor in network.state_dict().items():
        if tensor.dtype == torch.float32 and not tensor.any():
            tensor.normal_(std=0.3 if key.endswith("gamma") else 0.05)
    return network.eval().requires_grad_(False).double()


def crops(lanes: int = 2, instance: int = 255) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    z, x = (torch.rand(lanes, 3, side, side, generator=generator) for side in (127, instance))
    return z.double() * 255, x.double() * 255


def answers(network: Network, z: Tensor, x: Tensor, rois: Tensor) -> dict[str, Tensor]:
    """All outputs of the network."""
    cls, loc, features = network.search(x, network.template(z))
    out = {"cls": cls, "loc": loc}
    if network.config.refine.box:
        out["box"] = network.refine_box(features, rois)
    if network.config.refine.mask:
        out["mask"] = network.refine_mask(features, rois)
    return out


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_runs_and_batch_rows_do_not_mix(name: str) -> None:
    network = small(name)
    tracking = network.config.tracking_for()
    small_crop = name in ("siamattn-nano", "siamattn-lite")
    nominal = 255 if small_crop else tracking.instance
    z, x = crops(instance=nominal)
    both = answers(network, z, x, ROIS)
    width = 21 if name == "siamrpn" else 25
    assert both["cls"].shape == (2, 10, width, width)
    assert both["loc"].shape == (2, 20, width, width)
    assert ("box" in both, "mask" in both) == (
        network.config.refine.box,
        network.config.refine.mask,
    )
    for lane in range(2):
        alone = slice(lane, lane + 1)
        roi = ROIS[alone] * torch.tensor([0, 1, 1, 1, 1])
        for key, found in answers(network, z[alone], x[alone], roi).items():
            torch.testing.assert_close(found, both[key][alone])
    side = 127 if name == "siammask" else 64
    shapes = {"box": (2, 4), "mask": (2, side, side)}
    assert all(both[key].shape == shape for key, shape in shapes.items() if key in both)


@pytest.mark.parametrize("name", ["siamattn", "siamattn-ml", "siamattn-rigid", "siamrpn++"])
def test_training_reaches_every_parameter(name: str) -> None:
    network = small(name).float().train().requires_grad_(True)
    z, x = crops()
    total = sum(
        value.square().sum() for value in answers(network, z.float(), x.float(), ROIS).values()
    )
    assert isinstance(total, Tensor)
    total.backward()
    unreached = [k for k, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert unreached == []


@contextmanager
def called(network: nn.Module) -> Iterator[list[str]]:
    """The paths of the modules that run."""
    found: list[str] = []
    hooks = [
        module.register_forward_hook(lambda *_, path=path: found.append(path))
        for path, module in network.named_modules()
    ]
    yield found
    for hook in hooks:
        hook.remove()


def test_only_what_is_needed_is_computed() -> None:
    network = small("siamattn")
    z, x = crops(1)
    template = network.template(z)
    with called(network) as during_search:
        features = network.search(x, template).features
    with called(network) as during_box:
        network.refine_box(features, ROIS[:1])
    fusing = ("feature_fusion.lateral", "feature_fusion.convs", "mask_head", "bbox_head")
    assert not [path for path in during_search if path.startswith(fusing)]
    assert not [path for path in during_box if path.startswith(("mask_head", fusing[0]))]
    # One search image: one pass through the backbone; the template's terms are reused.
    assert during_search.count("backbone") == 1
    assert during_search.count("feature_enhance.pams.0") == 1


def test_without_cross_attention_template_kernels_are_computed_once() -> None:
    x = crops(1)[1]
    for name in ("siamrpn++", "siamattn-rr", "siamattn-rr-sa"):
        network = small(name)
        template = network.template(crops(1)[0])
        assert template.kernels is not None
        with called(network) as during_search:
            network.search(x, template)
        assert not [path for path in during_search if path.endswith("conv_kernel")]
    assert small("siamattn-rr-ca").template(crops(1)[0]).kernels is None


def test_templates_are_batched_by_concatenation() -> None:
    network = small("siamattn")
    z, x = crops()

    def join(parts: list[Any]) -> Any:
        if isinstance(parts[0], Tensor):
            return torch.cat(parts)
        if isinstance(parts[0], tuple):
            return tuple(join(list(p)) for p in zip(*parts, strict=True))
        if parts[0] is None:
            return None
        names = [f.name for f in fields(parts[0])]
        return type(parts[0])(*(join([getattr(p, n) for p in parts]) for n in names))

    joined = join([network.template(z[:1]), network.template(z[1:])])
    assert isinstance(joined, Template)
    found, expected = network.search(x, joined), network.search(x, network.template(z))
    torch.testing.assert_close(found.cls, expected.cls)


def softmax(values: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(values - values.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)  # type: ignore[no-any-return]


@settings(max_examples=20)
@given(st.sampled_from(["paper", "released"]), st.integers(0, 99))
def test_spatial_attention_follows_equations_1_and_2(formula: Formula, seed: int) -> None:
    torch.manual_seed(seed)
    attention = SpatialAttention(8, 4, formula).requires_grad_(False).double()
    attention.gamma.fill_(0.7)
    f = torch.randn(1, 8, 3, 4, dtype=torch.float64)
    q, k, v, flat = (
        tensor.flatten(2)[0].numpy()
        for tensor in (attention.query_conv(f), attention.key_conv(f), attention.value_conv(f), f)
    )
    if formula == "paper":
        expected = 0.7 * v @ softmax(q.T @ k, axis=0) + flat
    else:  # rows, then the transpose
        expected = 0.7 * v @ softmax(q.T @ k, axis=1).T + flat
    np.testing.assert_allclose(attention(f)[0].flatten(1), expected, rtol=1e-10, atol=1e-10)


@settings(max_examples=20)
@given(st.sampled_from(["paper", "released"]), st.booleans(), st.booleans(), st.integers(0, 99))
def test_attention_of_both_branches_is_the_sum_of_its_terms(
    formula: Formula, own: bool, cross: bool, seed: int
) -> None:
    """Equation 4 and the sums of section 1.3, term by term in float64."""
    if not (own or cross):
        return
    torch.manual_seed(seed)
    config = AttentionConfig(own, cross, deformable_convolution=False, formula=formula)
    attention = SiameseAttention(1, 8, config).requires_grad_(False).double()
    attention.cam_uses[0].gamma.fill_(0.3)
    z, x = torch.randn(2, 8, 3, 3).double(), torch.randn(2, 8, 5, 4).double()

    def m(f: Tensor) -> Tensor:
        energy = torch.einsum("bcn,bdn->bcd", f.flatten(2), f.flatten(2))
        return (energy if formula == "paper" else energy.amax(-1, True) - energy).softmax(-1)

    def u(f: Tensor, channel: Tensor) -> Tensor:
        return 0.3 * torch.einsum("bcd,bdhw->bchw", channel, f) + f

    def total(f: Tensor, other: Tensor) -> Tensor:
        out = torch.zeros_like(f)
        if own:
            out = attention.pams[0](f) + u(f, m(f))
        return out + u(f, m(other)) if cross else out

    (z_out,), (x_out,) = attention(attention.template([z]), [x])
    conv = attention.deform_convs[0]
    torch.testing.assert_close(x_out, conv(total(x, z)))
    torch.testing.assert_close(z_out, conv(total(z, x)))


def test_the_two_formulas_prefer_opposite_channels() -> None:
    f = torch.tensor([[1.0, 0], [0.9, 0.1], [-1, 0]]).view(1, 3, 1, 2)
    first = {formula: channel_map(f, formula)[0, 0] for formula in ("paper", "released")}
    assert first["paper"].argmax() == 0
    assert first["released"].argmax() == 2


def test_at_the_start_of_training_attention_only_sums_copies() -> None:
    torch.manual_seed(0)
    attention = SiameseAttention(1, 8, AttentionConfig()).requires_grad_(False)
    z, x = torch.randn(1, 8, 7, 7), torch.randn(1, 8, 9, 9)
    terms = attention.template([z])
    for found, expected in zip(attention(terms, [x]), attention.residual(terms, [x]), strict=True):
        torch.testing.assert_close(found[0], expected[0])


def test_confidence_without_attention_equals_a_network_with_attention_off() -> None:
    network = small("siamattn")
    z, x = crops()
    without, attended = network.confidence(x, network.template(z))
    assert without.shape == attended.shape == (2, 25, 25)
    scores = network.search(x, network.template(z)).cls.view(2, 2, 5, 25, 25).softmax(1)[:, 1]
    torch.testing.assert_close(attended, scores.amax(1))
    for key, tensor in network.feature_enhance.state_dict().items():
        if key.endswith("gamma") or "offset" in key:
            tensor.zero_()
    torch.testing.assert_close(
        without, network.confidence(x, network.template(z))[1], rtol=1e-4, atol=1e-5
    )
    baseline = small("siamrpn++")
    maps = baseline.confidence(x, baseline.template(z))
    assert torch.equal(*maps)


@settings(max_examples=15)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_correlation_is_a_product_with_every_window(lanes: int, channels: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(lanes, channels, 6, 7, generator=generator)
    kernel = torch.randn(lanes, channels, 3, 2, generator=generator)
    windows = x.unfold(2, 3, 1).unfold(3, 2, 1)  # (B, C, 4, 6, 3, 2)
    expected = torch.einsum("bchwij,bcij->bchw", windows, kernel)
    torch.testing.assert_close(depthwise_correlation(x, kernel), expected)


def test_training_starts_as_the_release_does() -> None:
    network = Network(preset("siamattn-nano")).requires_grad_(False)
    tensors = dict(network.named_parameters())
    zero = ("gamma", "conv_offset.weight", "conv_offset.bias", "offset_fc.4.weight")
    assert not [k for k, t in tensors.items() if k.endswith(zero) and t.any()]
    assert float(tensors["bbox_head.tail_det_box.weight"].std()) == pytest.approx(1e-3, rel=0.2)
    conv = tensors["mask_head.convs.0.conv.weight"]
    fan_out = conv.shape[0] * 9
    assert float(conv.std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
    deform = tensors["feature_enhance.deform_convs.0.weight"]
    assert float(deform.abs().max()) == pytest.approx((deform.shape[1] * 9) ** -0.5, rel=0.01)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    network, (z, x) = small("siamattn"), crops()
    expected = answers(network, z, x, ROIS)
    torch.set_num_threads(2)
    try:
        found = answers(network, z, x, ROIS)
    finally:
        torch.set_num_threads(1)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


def test_the_network_is_one_graph_for_the_compiler() -> None:
    network, (z, x) = small("siamattn", **{"backbone.blocks": [1, 1, 1, 1]}), crops(1)
    expected = answers(network, z, x, ROIS[:1])

    def whole(z: Tensor, x: Tensor, rois: Tensor) -> dict[str, Tensor]:
        return answers(network, z, x, rois)

    compiled = torch.compile(whole, backend="eager", fullgraph=True)
    for key, value in compiled(z, x, ROIS[:1]).items():
        torch.testing.assert_close(value, expected[key])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("optimized", [False, True])
def test_a_gpu_gives_the_same(optimized: bool) -> None:
    network, (z, x) = small("siamattn"), crops()
    expected = answers(network, z, x, ROIS)
    network.cuda()
    if optimized:
        optimize(network)
    with torch.backends.cudnn.flags(allow_tf32=False):
        found = answers(network, z.cuda(), x.cuda(), ROIS.cuda())
    for key, value in expected.items():
        torch.testing.assert_close(found[key].cpu(), value, rtol=1e-3, atol=1e-3)


def test_the_papers_mask_depends_on_the_template() -> None:
    """Without attention, only the paper's fusion tells the mask head what the target is."""
    z, x = crops()
    plain = {"attention.self_attention": False, "attention.cross_attention": False}
    for name, differs in (("siamattn-paper-fusion", True), ("siamattn", False)):
        network = small(name, **plain)
        maps = []
        for each in (z, z.flip(0)):
            found = network.search(x, network.template(each)).features
            inputs = found.early, found.attended, found.kernels.fusion
            maps.append(network.feature_fusion.mask(*inputs))
        assert maps[0].shape[-2:] == (63, 63)
        assert torch.equal(*maps) != differs
