"""Initial weights from files, and averages of weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.errors import ConfigError
from trackers.siamattn.backbone import ResNet
from trackers.siamattn.checkpoints import COUNTER, load_network
from trackers.siamattn.config import BackboneConfig, preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.cli import main
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.run import describe, export
from trackers.siamattn.training.warm_start import average, load_backbone, warm_start

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
    """A network without zero weights, including batch norms, and its file."""
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
def test_a_larger_network_has_the_smaller_ones_outputs(larger: Any, tmp_path: Path) -> None:
    small, path = trained(tmp_path)
    expected = answers(small)
    torch.manual_seed(5)
    large = network(**larger)
    assert not torch.allclose(answers(large)[0], expected[0], rtol=1e-3)
    warm_start(large, path)
    for found, wanted in zip(answers(large), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_added_blocks_and_channels_learn(tmp_path: Path) -> None:
    _, path = trained(tmp_path)
    large = network(**{"backbone.blocks": [1, 1, 2, 2], "backbone.widths": [4, 8, 8, 12]})
    warm_start(large, path)
    large.requires_grad_(True)
    sum(answer.square().mean() for answer in answers(large)).backward()  # type: ignore[union-attr]
    gradients = {key: p.grad for key, p in large.backbone.named_parameters()}
    gain, wider = gradients["layer3.1.bn3.weight"], gradients["layer4.1.conv3.weight"]
    assert gain is not None
    assert gain.any()
    assert wider is not None
    assert wider[:, 8:].any()


def test_files_without_counters_are_accepted(tmp_path: Path) -> None:
    small, path = trained(tmp_path)
    kept = {k: v for k, v in small.state_dict().items() if not k.endswith(COUNTER)}
    save_file(kept, path)
    large = network()
    warm_start(large, path)
    torch.testing.assert_close(answers(large)[0], answers(small)[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone.blocks": [1, 1, 1, 1]}, "too many.*layer4.1"),
        ({"backbone.widths": [4, 8, 8, 4]}, "of another shape.*layer4"),
        ({"neck.channels": 24}, "of another shape"),
        ({"refine.box_hidden": 32}, "of another shape.*bbox_head"),
        ({"refine.mask": False}, "too many.*feature_fusion.lateral_convs"),
    ],
)
def test_weights_of_other_networks_are_refused(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    _, path = trained(tmp_path)
    with pytest.raises(
        ConfigError, match=f"expected weights of preset 'siamattn-nano'.*{message}"
    ):
        warm_start(network(**settings), path)


def test_weights_without_a_needed_head_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(6)
    plain = network(**{"refine.mask": False})
    path = tmp_path / "plain.safetensors"
    save_file(plain.state_dict(), path)
    with pytest.raises(ConfigError, match=r"missing: feature_fusion\.lateral_convs"):
        warm_start(network(), path)


def resnet50(seed: int = 0) -> dict[str, Tensor]:
    """Random weights under torchvision's names and shapes."""
    torch.manual_seed(seed)
    state = ResNet(BackboneConfig()).state_dict()
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


def test_raw_pixels_give_the_features_of_normalised_ones(tmp_path: Path) -> None:
    state = resnet50()
    backbone = ResNet(BackboneConfig()).eval()
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
    """A 1x1 shortcut with stride 2 reads the centres of the 3x3 one's windows."""
    state = resnet50()
    backbone = ResNet(BackboneConfig()).eval()
    load_backbone(backbone, save(state, tmp_path))
    shortcut = backbone.get_submodule("layer2.0.downsample.0")
    assert isinstance(shortcut, nn.Conv2d)
    x = torch.randn(1, 256, 31, 31)
    wanted = F.conv2d(x[..., 1:-1, 1:-1], state["layer2.0.downsample.0.weight"], stride=2)
    assert torch.allclose(shortcut(x), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layer3.5.conv2.weight"), "1 keys missing.*layer3.5.conv2.weight"),
        (lambda s: s.update({"layer5.x": torch.zeros(1)}), "1 too many.*layer5.x"),
        (lambda s: s.update({"bn1.bias": torch.zeros(3)}), "of another shape.*bn1.bias"),
    ],
)
def test_another_network_is_refused(change: object, message: str, tmp_path: Path) -> None:
    state = resnet50()
    change(state)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=message):
        load_backbone(ResNet(BackboneConfig()), save(state, tmp_path))


def test_the_backbone_of_other_weights_of_this_project(tmp_path: Path) -> None:
    network = Network(preset("siamattn-nano/siamrpn++"))
    save_file(network.state_dict(), tmp_path / "n.safetensors")
    other = Network(preset("siamattn-nano"))
    load_backbone(other.backbone, tmp_path / "n.safetensors")
    for key, value in network.backbone.state_dict().items():
        assert torch.equal(value, other.backbone.state_dict()[key]), key
    with pytest.raises(ConfigError, match="of the same size"):
        load_backbone(ResNet(BackboneConfig()), tmp_path / "n.safetensors")


def weights(folder: Path, name: str, seed: int) -> Path:
    torch.manual_seed(seed)
    path = folder / name
    export(Network(preset("siamattn-nano")), path, describe(recipe("nano", {"seed": seed}), seed))
    return path


def test_averaged_weights_are_the_weighted_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = weights(tmp_path, "a.safetensors", 1), weights(tmp_path, "b.safetensors", 2)
    target = tmp_path / "c.safetensors"
    arguments = ["training", "average", str(first), str(second), str(target), "--share", "0.25"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert "0.75 of a.safetensors, 0.25 of b.safetensors" in capsys.readouterr().out
    a, b, c = (load_file(path) for path in (first, second, target))
    key = "backbone.conv1.weight"
    torch.testing.assert_close(c[key], (0.75 * a[key].float() + 0.25 * b[key].float()).half())
    assert c.keys() == b.keys()
    load_network(target)
    with safe_open(target, "pt") as file:
        record = file.metadata()
    assert record["averaged"].startswith("0.75 of a.safetensors (SHA-256 ")
    assert (record["seed"], record["steps"]) == ("2", "2")


@pytest.mark.parametrize(("share", "copied"), [(0.0, "a"), (1.0, "b")])
def test_a_share_of_0_or_1_copies_one_of_them(tmp_path: Path, share: float, copied: str) -> None:
    paths = {name: weights(tmp_path, f"{name}.safetensors", ord(name)) for name in "ab"}
    average(paths["a"], paths["b"], tmp_path / "c.safetensors", share)
    found, expected = load_file(tmp_path / "c.safetensors"), load_file(paths[copied])
    for key, value in expected.items():
        if value.is_floating_point():
            assert torch.equal(found[key], value)


def test_weights_that_do_not_match_are_not_averaged(tmp_path: Path, nano_file: Path) -> None:
    first, target = weights(tmp_path, "a.safetensors", 1), tmp_path / "c.safetensors"
    with pytest.raises(ConfigError, match=r"share from 0 to 1, found 1\.5"):
        average(first, first, target, 1.5)
    with pytest.raises(ConfigError, match=r"none\.safetensors: no such file"):
        average(tmp_path / "none.safetensors", first, target, 0.5)
    other = tmp_path / "rr.safetensors"
    network = Network(preset("siamattn-nano/siamattn-rr"))
    export(network, other, {"preset": "siamattn-nano/siamattn-rr"})
    with pytest.raises(ConfigError, match=r"rr\.safetensors: not the weights of preset"):
        average(other, first, target, 0.5)
    older = describe(recipe("nano"), 1)
    older["network"] = preset("siamattn-nano", {"neck.surround": 1.0}).architecture()
    export(Network(preset("siamattn-nano")), other, older)
    with pytest.raises(ConfigError, match=r"rr\.safetensors: expected .*'siamattn-nano' as it is"):
        average(first, other, target, 0.5)
    assert not target.exists()
