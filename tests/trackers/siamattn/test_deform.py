"""The deformable operators: recorded values, plain loops, and plain operators at offset 0.

``tests/golden/siamattn/ops.npz`` was made by literal loops of the published kernels' arithmetic,
forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trackers.siamattn.deform import (
    DeformConv2d,
    DeformRoIPool,
    RoIPool,
    deform_conv2d,
    deform_roi_pool,
)

OPS = Path(__file__).parents[2] / "golden" / "siamattn" / "ops.npz"
POOLINGS = [("rp", 4), ("rp16", 16)]


@pytest.fixture(scope="module")
def ops() -> dict[str, Tensor]:
    with np.load(OPS) as arrays:
        return {name: torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}


def assert_near(found: Tensor | None, expected: Tensor) -> None:
    """Equal up to the rounding of float32 sums."""
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6 * float(expected.abs().max()))


def test_convolution_and_its_gradients_equal_the_recording(ops: dict[str, Tensor]) -> None:
    x, offset, weight = (ops[k].clone().requires_grad_() for k in ("dc_x", "dc_off", "dc_w"))
    out = deform_conv2d(x, offset, weight, padding=1)
    assert_near(out.detach(), ops["dc_out"])
    out.backward(ops["dc_gout"])
    assert_near(x.grad, ops["dc_gx"])
    assert_near(offset.grad, ops["dc_goff"])
    assert_near(weight.grad, ops["dc_gw"])


def test_strided_dilated_and_grouped_convolution_equals_the_recording(
    ops: dict[str, Tensor],
) -> None:
    out = deform_conv2d(
        ops["dc2_x"], ops["dc2_off"], ops["dc2_w"], stride=2, padding=2, dilation=2
    )
    assert_near(out, ops["dc2_out"])


@pytest.mark.parametrize(("name", "bins"), POOLINGS)
def test_pooling_and_its_gradients_equal_the_recording(
    ops: dict[str, Tensor], name: str, bins: int
) -> None:
    data, trans = (ops[f"{name}_{k}"].clone().requires_grad_() for k in ("data", "trans"))
    rois, scale = ops[f"{name}_rois"], float(ops[f"{name}_scale"])
    plain = deform_roi_pool(data.detach(), rois, None, bins, scale)
    assert_near(plain, ops[f"{name}_out_notrans"])
    out = deform_roi_pool(data, rois, trans, bins, scale)
    assert_near(out.detach(), ops[f"{name}_out"])
    out.backward(ops[f"{name}_gout"])
    assert_near(data.grad, ops[f"{name}_gdata"])
    assert_near(trans.grad, ops[f"{name}_gtrans"])


@settings(max_examples=25)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.integers(0, 99)
)
def test_without_offsets_it_equals_the_plain_convolution(
    size: int, stride: int, padding: int, dilation: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 4, 9, 8, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, 4, size, size, generator=generator, dtype=torch.float64)
    expected = F.conv2d(x, weight, None, stride, padding, dilation)
    offset = torch.zeros(2, 2 * size * size, *expected.shape[2:])
    out = deform_conv2d(x, offset, weight, stride, padding, dilation)
    torch.testing.assert_close(out, expected)


@settings(max_examples=25)
@given(st.integers(-9, 9), st.integers(-9, 9))
def test_whole_offsets_shift_the_map_and_meet_zeros_outside(dy: int, dx: int) -> None:
    x = torch.randn(1, 2, 7, 6, generator=torch.Generator().manual_seed(1))
    weight = torch.eye(2).view(2, 2, 1, 1)
    offset = torch.tensor([float(dy), float(dx)]).view(1, 2, 1, 1).expand(1, 2, 7, 6)
    padded = F.pad(x, (9, 9, 9, 9))
    out = deform_conv2d(x, offset, weight)
    torch.testing.assert_close(out, padded[..., 9 + dy : 16 + dy, 9 + dx : 15 + dx])


def test_a_tap_a_whole_cell_outside_has_no_gradient() -> None:
    """At the start of training all offsets are 0, so border taps are exactly there."""
    offset = torch.zeros(1, 18, 3, 3, requires_grad=True)
    deform_conv2d(
        torch.ones(1, 1, 3, 3), offset, torch.ones(1, 1, 3, 3), padding=1
    ).sum().backward()
    assert offset.grad is not None
    slopes = offset.grad.view(3, 3, 2, 3, 3)  # tap row, tap column, dy or dx, output
    assert not slopes[0, 1, 0, 0].any()  # the upper taps of the first row of outputs
    assert not slopes[1, 0, 1, :, 0].any()  # the left taps of the first column
    # One cell further in, the tap's floor cell is inside the map.
    assert slopes[2, 1, 0, 1].eq(-1).all()


def test_gradients_of_both_operators_equal_finite_differences() -> None:
    generator = torch.Generator().manual_seed(3)

    def values(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).double().requires_grad_()

    x, weight = values(1, 4, 5, 6), values(2, 4, 3, 3)
    offset = (values(1, 36, 5, 6) * 0.7).detach()
    assert torch.autograd.gradcheck(
        lambda x, w: deform_conv2d(x, offset, w, padding=1), (x, weight), fast_mode=True
    )
    rois = torch.tensor([[0.0, 3, 4, 40, 33], [0, -20, 5, 30, 90]])
    trans = (values(2, 2, 3, 3) * 0.5).detach()
    assert torch.autograd.gradcheck(
        lambda x: deform_roi_pool(x, rois, trans, 3, 0.125), (x,), fast_mode=True
    )


def pool_by_loops(
    x: np.ndarray, roi: np.ndarray, trans: np.ndarray, bins: int, scale: float
) -> np.ndarray:
    """Pooling of one region by its definition: ``(C, P, P)``."""

    def away(value: float) -> float:
        return float(np.copysign(np.floor(abs(value) + 0.5), value))

    channels, height, width = x.shape[1:]
    x1, y1 = away(roi[1]) * scale - 0.5, away(roi[2]) * scale - 0.5
    w = max((away(roi[3]) + 1) * scale - 0.5 - x1, 0.1)
    h = max((away(roi[4]) + 1) * scale - 0.5 - y1, 0.1)
    out = np.zeros((channels, bins, bins))
    for py, px in np.ndindex(bins, bins):
        found = []
        for iy, ix in np.ndindex(4, 4):
            sx = x1 + px * w / bins + trans[0, py, px] * 0.1 * w + ix * w / bins / 4
            sy = y1 + py * h / bins + trans[1, py, px] * 0.1 * h + iy * h / bins / 4
            if not (-0.5 <= sx <= width - 0.5 and -0.5 <= sy <= height - 0.5):
                continue
            sx, sy = min(max(sx, 0), width - 1), min(max(sy, 0), height - 1)
            left, top = int(sx), int(sy)
            right, below = int(np.ceil(sx)), int(np.ceil(sy))
            u, v = sx - left, sy - top
            m = x[int(roi[0])]
            upper = (1 - u) * m[:, top, left] + u * m[:, top, right]
            lower = (1 - u) * m[:, below, left] + u * m[:, below, right]
            found.append((1 - v) * upper + v * lower)
        if found:
            out[:, py, px] = np.mean(found, axis=0)
    return out


COORDINATE = st.floats(-150, 400, width=32)


@settings(max_examples=30)
@given(COORDINATE, COORDINATE, COORDINATE, COORDINATE, st.integers(0, 1), st.integers(0, 9))
def test_pooling_of_any_region_equals_its_definition(
    x1: float, y1: float, x2: float, y2: float, image: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, 11, 13, generator=generator)
    roi = torch.tensor([[image, x1, y1, x2, y2]])
    trans = torch.randn(1, 2, 3, 3, generator=generator)
    scale = 0.0497  # keeps samples off the border threshold, where rounding decides
    out = deform_roi_pool(x, roi, trans, 3, scale)[0]
    expected = pool_by_loops(x.numpy(), roi[0].numpy(), trans[0].numpy(), 3, scale)
    np.testing.assert_allclose(out.numpy(), expected, atol=2e-4)


def test_a_region_outside_the_map_pools_to_zero() -> None:
    out = deform_roi_pool(
        torch.ones(1, 2, 5, 5), torch.tensor([[0.0, 500, 0, 600, 9]]), None, 4, 1
    )
    assert not out.any()


def test_new_modules_equal_their_plain_forms() -> None:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(2, 6, 9, 9, generator=generator)
    conv = DeformConv2d(6)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, padding=1))
    rois = torch.tensor([[1.0, 10, 12, 60, 50], [0, 5, 5, 30, 30]])
    found = DeformRoIPool(6, 4, 8)(x, rois, 0.125)
    torch.testing.assert_close(found, RoIPool(4)(x, rois, 0.125))


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_results_do_not_depend_on_memory_layout_or_batch(
    ops: dict[str, Tensor], memory: torch.memory_format
) -> None:
    x = ops["dc_x"].contiguous(memory_format=memory)
    out = deform_conv2d(x, ops["dc_off"], ops["dc_w"], padding=1)
    single = [
        deform_conv2d(x[i : i + 1], ops["dc_off"][i : i + 1], ops["dc_w"], padding=1)
        for i in range(len(x))
    ]
    torch.testing.assert_close(out, torch.cat(single))


def operators(ops: dict[str, Tensor], device: str) -> list[tuple[Callable[..., Tensor], list]]:
    """Both operators with recorded arguments on ``device``."""
    conv = [ops[k].to(device) for k in ("dc_x", "dc_off", "dc_w")]
    pool = [ops[f"rp_{k}"].to(device) for k in ("data", "rois", "trans")]
    scale = float(ops["rp_scale"])
    return [
        (lambda x, o, w: deform_conv2d(x, o, w, padding=1), conv),
        (lambda x, r, t: deform_roi_pool(x, r, t, 4, scale), pool),
    ]


def test_both_operators_are_one_graph_for_the_compiler(ops: dict[str, Tensor]) -> None:
    for operator, arguments in operators(ops, "cpu"):
        compiled = torch.compile(operator, backend="aot_eager", fullgraph=True)
        assert_near(compiled(*arguments), operator(*arguments))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same(ops: dict[str, Tensor]) -> None:
    both = zip(operators(ops, "cpu"), operators(ops, "cuda"), strict=True)
    for (operator, arguments), (_, moved) in both:
        torch.testing.assert_close(operator(*moved).cpu(), operator(*arguments))
        half = [moved[0].half(), *moved[1:]]
        if len(moved[1].shape) == 4:
            half[2] = moved[2].half()
        torch.testing.assert_close(
            operator(*half).float().cpu(), operator(*arguments), atol=2e-2, rtol=2e-2
        )
