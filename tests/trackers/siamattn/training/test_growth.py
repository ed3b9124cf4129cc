"""Networks that begin with the weights of others: the same answers, or a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import ConfigError
from trackers.siamattn.checkpoints import COUNTER
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.growth import grow

SMALL = {
    "backbone.stem": 8,
    "backbone.widths": [4, 8, 8, 8],
    "backbone.blocks": [1, 1, 1, 2],
    "backbone.expansion": 2,
    "neck.channels": 16,
    "refine.box_hidden": 16,
    "refine.offset_hidden": 16,
}
ROIS = torch.tensor([[0, 60.0, 70, 120, 110], [1, 50, 40, 140, 100]])


def network(**settings: Any) -> Network:
    return Network(preset("siamattn-nano", SMALL | settings)).eval().requires_grad_(False)


def trained(tmp_path: Path) -> tuple[Network, Path]:
    """A network none of whose weights is 0, batch norms included, and its file."""
    torch.manual_seed(3)
    small = network()
    for tensor in small.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 0.3) if tensor.ndim == 1 else tensor.normal_(std=0.1)
    path = tmp_path / "small.safetensors"
    save_file(small.state_dict(), path)
    return small, path


def answers(of: Network) -> list[Tensor]:
    generator = torch.Generator().manual_seed(4)
    z, x = (torch.rand(2, 3, side, side, generator=generator) * 255 for side in (127, 191))
    found = of.search(x, of.template(z))
    boxes, masks = of.refine_box(found.features, ROIS), of.refine_mask(found.features, ROIS)
    return [found.cls, found.loc, boxes, masks]


@pytest.mark.parametrize(
    "larger",
    [
        {},
        {"backbone.blocks": [2, 3, 2, 4]},
        {"backbone.widths": [8, 16, 16, 16], "backbone.expansion": 1},
        {"backbone.stem": 12, "backbone.widths": [6, 10, 9, 16], "backbone.blocks": [1, 2, 3, 2]},
    ],
    ids=["as large", "deeper", "wider within", "wider, deeper"],
)
def test_a_larger_network_answers_as_the_smaller_did(larger: Any, tmp_path: Path) -> None:
    small, path = trained(tmp_path)
    expected = answers(small)
    torch.manual_seed(5)
    large = network(**larger)
    assert not torch.allclose(answers(large)[0], expected[0], rtol=1e-3)
    grow(large, path)
    for found, wanted in zip(answers(large), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_what_was_added_learns(tmp_path: Path) -> None:
    _, path = trained(tmp_path)
    large = network(**{"backbone.blocks": [1, 1, 2, 2], "backbone.widths": [4, 8, 8, 12]})
    grow(large, path)
    large.requires_grad_(True)
    sum(answer.square().mean() for answer in answers(large)).backward()  # type: ignore[union-attr]
    gradients = {key: p.grad for key, p in large.backbone.named_parameters()}
    gain, wider = gradients["layer3.1.bn3.weight"], gradients["layer4.1.conv3.weight"]
    assert gain is not None
    assert gain.any()
    assert wider is not None
    assert wider[:, 8:].any()


def test_files_without_counters_begin_as_well(tmp_path: Path) -> None:
    small, path = trained(tmp_path)
    kept = {k: v for k, v in small.state_dict().items() if not k.endswith(COUNTER)}
    save_file(kept, path)
    large = network()
    grow(large, path)
    torch.testing.assert_close(answers(large)[0], answers(small)[0])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"backbone.blocks": [1, 1, 1, 1]}, "too many.*layer4.1"),
        ({"backbone.widths": [4, 8, 8, 4]}, "of another shape.*layer4"),
        ({"neck.channels": 24}, "of another shape"),
        ({"refine.box_hidden": 32}, "of another shape.*bbox_head"),
        ({"refine.mask": False}, "too many.*feature_fusion.lateral_convs"),
    ],
)
def test_weights_of_no_smaller_network_are_refused(
    settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    _, path = trained(tmp_path)
    with pytest.raises(ConfigError, match=f"expected weights of preset 'siamattn-nano'.*{said}"):
        grow(network(**settings), path)


def test_a_network_without_what_the_larger_needs_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(6)
    plain = network(**{"refine.mask": False})
    path = tmp_path / "plain.safetensors"
    save_file(plain.state_dict(), path)
    with pytest.raises(ConfigError, match=r"missing: feature_fusion\.lateral_convs"):
        grow(network(), path)
