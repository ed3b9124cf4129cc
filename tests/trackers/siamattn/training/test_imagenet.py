"""Torchvision's weights give, in this backbone, what they give in torchvision's network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.errors import ConfigError
from trackers.siamattn.backbone import Backbone
from trackers.siamattn.config import BackboneConfig, preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.imagenet import load_backbone


def resnet50(seed: int = 0) -> dict[str, Tensor]:
    """Random weights under torchvision's names and shapes."""
    torch.manual_seed(seed)
    state = Backbone(BackboneConfig()).state_dict()
    for key, value in state.items():
        if "downsample.0" in key and value.shape[-1] == 3:
            value = value[:, :, 1:2, 1:2]
        if "running_mean" in key:
            value = torch.randn_like(value) * 0.1
        state[key] = value.clone()
    state["fc.weight"], state["fc.bias"] = torch.zeros(1000, 2048), torch.zeros(1000)
    return dict(state)


def save(state: dict[str, Tensor], folder: Path) -> Path:
    path = folder / "resnet50.pth"
    torch.save(state, path)
    return path


def test_pixels_of_0_to_255_are_what_normalised_ones_were(tmp_path: Path) -> None:
    state = resnet50()
    backbone = Backbone(BackboneConfig()).eval()
    load_backbone(backbone, save(state, tmp_path))
    rgb = torch.rand(1, 3, 63, 63)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (rgb - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    wanted = F.conv2d(normal, state["conv1.weight"], stride=2)
    wanted = F.batch_norm(
        wanted,
        state["bn1.running_mean"],
        state["bn1.running_var"],
        state["bn1.weight"],
        state["bn1.bias"],
    ).relu()
    found = backbone(rgb.flip(1) * 255)[0]
    assert torch.allclose(found, wanted, atol=1e-5)


def test_shortcuts_see_the_same_cells(tmp_path: Path) -> None:
    """A 1x1 shortcut with stride 2 reads the middle of the 3x3 one's windows."""
    state = resnet50()
    backbone = Backbone(BackboneConfig()).eval()
    load_backbone(backbone, save(state, tmp_path))
    shortcut = backbone.get_submodule("layer2.0.downsample.0")
    assert isinstance(shortcut, nn.Conv2d)
    x = torch.randn(1, 256, 31, 31)
    wanted = F.conv2d(x[..., 1:-1, 1:-1], state["layer2.0.downsample.0.weight"], stride=2)
    assert torch.allclose(shortcut(x), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("layer3.5.conv2.weight"), "1 keys missing.*layer3.5.conv2.weight"),
        (lambda s: s.update({"layer5.x": torch.zeros(1)}), "1 too many.*layer5.x"),
        (lambda s: s.update({"bn1.bias": torch.zeros(3)}), "of another shape.*bn1.bias"),
    ],
)
def test_another_network_is_refused(change: object, said: str, tmp_path: Path) -> None:
    state = resnet50()
    change(state)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=said):
        load_backbone(Backbone(BackboneConfig()), save(state, tmp_path))


def test_the_backbone_of_other_weights_of_this_project(tmp_path: Path) -> None:
    network = Network(preset("siamattn-nano/siamrpn++"))
    save_file(network.state_dict(), tmp_path / "n.safetensors")
    other = Network(preset("siamattn-nano"))
    load_backbone(other.backbone, tmp_path / "n.safetensors")
    for key, value in network.backbone.state_dict().items():
        assert torch.equal(value, other.backbone.state_dict()[key]), key
    with pytest.raises(ConfigError, match="of the same size"):
        load_backbone(Backbone(BackboneConfig()), tmp_path / "n.safetensors")
