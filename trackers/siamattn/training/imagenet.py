"""A backbone that begins with trained weights: torchvision's, or those of another network here.

Torchvision's ResNet-50 and this one differ in three ways, none of which loses anything:
torchvision's takes RGB from 0 to 1, normalised, this one BGR from 0 to 255; where it strides or
dilates, this one's shortcuts are 3x3 instead of 1x1; and this one has no classifier.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from bench.errors import ConfigError
from trackers.siamattn.backbone import Backbone
from trackers.siamattn.checkpoints import State, read

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # RGB, of torchvision's training
_CLASSIFIER = "fc."
_OWN = "backbone."  # before the backbone's keys in the weights of a whole network


def load_backbone(backbone: Backbone, path: Path) -> None:
    """Fill ``backbone`` with the weights of torchvision's ``resnet50-*.pth``.

    Args:
        backbone: to fill.
        path: torchvision's file, or weights of this project whose backbone has the same size.

    Raises:
        ConfigError: no such file, a damaged or hostile one, or the weights of another network.
    """
    found, _ = read(path)
    own_kind = any(key.startswith(_OWN) for key in found)
    state = _of_own_network(found) if own_kind else _of_torchvision(found)
    own = backbone.state_dict()
    fitted = {key: _fitted(value, own[key]) for key, value in state.items() if key in own}
    wrong = sorted(key for key, value in fitted.items() if value.shape != own[key].shape)
    missing = sorted(key for key in own if key not in state and "num_batches" not in key)
    surplus = sorted(set(state) - set(own))
    if wrong or missing or surplus:
        raise ConfigError(
            f"{path}: expected the ResNet-50 of torchvision, or weights of this project with a "
            f"backbone of the same size; {len(missing)} keys missing "
            f"{missing[:3]}, {len(surplus)} too many {surplus[:3]}, {len(wrong)} of another "
            f"shape {wrong[:3]}"
        )
    backbone.load_state_dict({**own, **fitted})


def _of_own_network(found: State) -> State:
    return {k.removeprefix(_OWN): v for k, v in found.items() if k.startswith(_OWN)}


def _of_torchvision(found: State) -> State:
    state = {key: value for key, value in found.items() if not key.startswith(_CLASSIFIER)}
    if "conv1.weight" in state and "bn1.running_mean" in state:
        state["conv1.weight"], state["bn1.running_mean"] = _for_raw_pixels(
            state["conv1.weight"], state["bn1.running_mean"]
        )
    return state


def _for_raw_pixels(weight: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """The first convolution and its norm's mean, for BGR pixels of 0..255.

    W (x / 255 - m) / s = (W / 255 s) x - sum(W m / s); the stem does not pad, so the last term is
    a constant of each channel, which the norm's mean takes up.
    """
    scale = weight.new_tensor(_STD).view(1, 3, 1, 1)
    shift = (weight * weight.new_tensor(_MEAN).view(1, 3, 1, 1) / scale).sum((1, 2, 3))
    return (weight / (255 * scale)).flip(1).contiguous(), mean + shift


def _fitted(value: Tensor, own: Tensor) -> Tensor:
    """A 1x1 shortcut as the middle of a 3x3 one."""
    if value.ndim == 4 and value.shape[2:] == (1, 1) and own.shape[2:] == (3, 3):
        return F.pad(value, (1, 1, 1, 1))
    return value.to(torch.int64) if own.dtype == torch.int64 else value
