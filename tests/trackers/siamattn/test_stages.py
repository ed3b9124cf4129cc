"""Every stage of the full-size network against the released one, with the same weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from trackers.siamattn.attention import channel_map
from trackers.siamattn.config import preset
from trackers.siamattn.deform import deform_roi_pool
from trackers.siamattn.fast import optimize
from trackers.siamattn.network import Network

Weights = dict[str, Tensor]
LEVELS = (2, 3, 4)  # of the backbone, from which proposals are made


@dataclass(frozen=True, eq=False)
class Recorded:
    """Recorded inputs and outputs of the released network.

    Attributes:
        z, x: input crops, BGR float.
        rois: regions of the refinement, ``(3, 5)``.
        values: every stage, thinned out by strides.
        facts: of every stage shape, strides, largest value and rounding noise.
    """

    z: Tensor
    x: Tensor
    rois: Tensor
    values: dict[str, np.ndarray]
    facts: dict[str, Any]


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Recorded:
    folder = shared / "golden" / "siamattn"
    with np.load(folder / "inputs.npz") as arrays:
        z, x = (torch.from_numpy(arrays[k]).float() for k in "zx")
    with np.load(folder / "stages.npz") as arrays:
        values = dict(arrays)
    facts = json.loads((folder / "stages_meta.json").read_text())
    return Recorded(z, x, torch.from_numpy(values.pop("rois")), values, facts)


def build(name: str, weights: Weights) -> Network:
    """A network of a preset that shares the memory of ``weights``."""
    with torch.device("meta"):
        network = Network(preset(name))
    known = network.state_dict()
    network.load_state_dict({key: weights[key] for key in known}, assign=True)
    return network.eval().requires_grad_(False)


def stages(network: Network, z: Tensor, x: Tensor, rois: Tensor) -> dict[str, Tensor]:
    """Every recorded stage by its recorded name."""
    template = network.template(z)
    proposals = network.search(x, template)
    features, out = proposals.features, {"cls": proposals.cls, "loc": proposals.loc}
    for branch, image in (("z", z), ("x", x)):
        levels = network.backbone(image)
        out |= {f"backbone_{branch}{k}": v for k, v in enumerate(levels)}
        necks = zip(LEVELS, network.neck(levels), strict=True)
        out |= {f"neck_{branch}{k}": v for k, v in necks}
    zs, _ = network.feature_enhance(template.terms, [out[f"neck_x{k}"] for k in LEVELS])
    for index, level in enumerate(LEVELS):
        out |= attention_stages(network, index, out[f"neck_z{level}"], out[f"neck_x{level}"])
        out |= {f"dsa_z{level}": zs[index], f"dsa_x{level}": features.attended[index]}
        out |= head_stages(network, index, zs[index], features.attended[index])
    return out | refine_stages(network, (*features.early, *features.attended), out, rois)


def attention_stages(network: Network, index: int, z: Tensor, x: Tensor) -> dict[str, Tensor]:
    """The attention's terms at one level."""
    attention, level = network.feature_enhance, LEVELS[index]
    pam, use = attention.pams[index], attention.cam_uses[index]
    m = {"z": channel_map(z, "released"), "x": channel_map(x, "released")}
    out = {}
    for name, f in (("z", z), ("x", x)):
        uses = {other: use(f, m[other]) + f for other in "zx"}
        total = pam(f) + uses["z"] + uses["x"]
        out |= {f"pam_{name}{level}": pam(f), f"cam_{name}{level}": m[name]}
        out |= {f"camuse_{name}{other}{level}": uses[other] for other in "zx"}
        out[f"dcnoff_{name}{level}"] = attention.deform_convs[index].conv_offset(total)
    return out


def head_stages(network: Network, index: int, z: Tensor, x: Tensor) -> dict[str, Tensor]:
    """The correlations at one level, before levels are combined."""
    block, level = network.rpn_head.blocks[index], LEVELS[index]
    out = {f"rpn_{k}{level}": (b := getattr(block, k))(x, b.kernel(z)) for k in ("cls", "loc")}
    xcorr = network.feature_fusion.xcorr[index]
    out[f"fuse_xcorr{level}"] = xcorr(x, xcorr.kernel(z))
    out[f"fuse_bconv{level}"] = network.feature_fusion.convs[index](out[f"fuse_xcorr{level}"])
    return out


def refine_stages(
    network: Network, levels: tuple[Tensor, ...], before: dict[str, Tensor], rois: Tensor
) -> dict[str, Tensor]:
    """Fusion and heads."""
    fusion = network.feature_fusion
    size = levels[1].shape[-2:]
    out = {
        "fused_b": sum(before[f"fuse_bconv{k}"] for k in LEVELS),
        "fused_m": fusion.mask(levels[:2], levels[2:], ()),
    }
    for k in (0, *LEVELS):
        resized = torch.nn.functional.interpolate(
            levels[k], size, mode="bilinear", align_corners=True
        )
        out[f"fuse_lat{k}"] = fusion.lateral_convs[k](resized)
    heads = (
        ("bbox", network.bbox_head, network.bbox_head.roi_pool_b, out["fused_b"]),
        ("mask", network.mask_head, network.mask_head.roi_pool_m, out["fused_m"]),
    )
    for name, head, pool, fused in heads:
        scale = fused.shape[-1] / 255
        out[f"{name}_pool0"] = deform_roi_pool(fused, rois, None, pool.bins, scale)
        out[f"{name}_roi_offset"] = pool.offset(out[f"{name}_pool0"])
        out[f"{name}_pool"] = pool(fused, rois, scale)
        out[f"{name}_refine"] = head(fused, rois, 255)
    return out | {"mask_refine": out["mask_refine"][:, None]}


@pytest.mark.parametrize("form", ["plain", "optimized"])
def test_every_stage_equals_the_release(
    recorded: Recorded, recipe_weights: Weights, form: str
) -> None:
    """Within 50 times the rounding noise of the recording, or 1e-4 of the largest value."""
    network = build("siamattn", recipe_weights)
    if form == "optimized":
        optimize(network)
    with torch.inference_mode():
        found = stages(network, recorded.z, recorded.x, recorded.rois)
    assert set(recorded.values) <= set(found)
    for name, expected in recorded.values.items():
        facts = recorded.facts[name]
        assert list(found[name].shape) == facts["shape"], name
        thinned = found[name].numpy()[tuple(slice(None, None, s) for s in facts["stride"])]
        limit = max(50 * facts["f32_vs_f64_maxabs"], 1e-4 * facts["absmax"])
        assert np.abs(thinned - expected).max() <= limit, name


def test_weights_have_the_released_names_and_shapes(shared: Path) -> None:
    listed = json.loads((shared / "golden" / "siamattn" / "state_dict.json").read_text())
    with torch.device("meta"):
        network = Network(preset("siamattn"))
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes == {key: row["shape"] for key, row in listed.items()}
