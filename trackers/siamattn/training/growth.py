"""A network that begins with the weights of another, of the same size or smaller.

What a small network has learnt is not lost when it turns out too small: a larger one can begin
with the same answers. Channels that are new are read by nobody at first, and a block that is new
adds nothing to what it gets.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from bench.errors import ConfigError
from trackers.siamattn.checkpoints import State, differences, is_counter, read
from trackers.siamattn.network import Network

_BACKBONE = "backbone."
_READERS = ("neck.downsample", "feature_fusion.lateral_convs")  # of the backbone's levels
_GAIN = ".bn3.weight"  # of a block: what it adds to its input is scaled by it


def grow(network: Network, path: Path) -> None:
    """Fill ``network`` with the weights of a file, so that it answers as the file's network does.

    Args:
        network: new. Its backbone may have more blocks in a stage, and more channels.
        path: weights of this project, or released ones.

    Raises:
        ConfigError: no such file, a damaged or hostile one, or weights of something else.
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
    network.load_state_dict({key: _begun(key, value, found) for key, value in own.items()})


def _begun(key: str, value: Tensor, found: State) -> Tensor:
    """What a tensor begins with; ``value`` is its random beginning."""
    if key not in found:
        return torch.zeros_like(value) if key.endswith(_GAIN) else value
    old, begun = found[key], value.clone()
    if begun.ndim > 1:
        begun[: len(old), old.shape[1] :] = 0
    begun[tuple(slice(length) for length in old.shape)] = old.to(begun.dtype)
    return begun


def _fits(old: tuple[int, ...], key: str, shape: tuple[int, ...]) -> bool:
    """Whether only channels were added: in the backbone, or to what reads its levels."""
    free = (0, 1) if key.startswith(_BACKBONE) else (1,) if key.startswith(_READERS) else ()
    if len(old) != len(shape):
        return False
    lengths = enumerate(zip(shape, old, strict=True))
    return all(new == known or (at in free and new > known) for at, (new, known) in lengths)


def _is_new(key: str, found: State) -> bool:
    """Whether ``key`` is of a block that is new, or a counter that older files leave out."""
    if is_counter(key):
        return True
    block = re.match(r"backbone\.layer\d\.[1-9]\d*\.", key)
    return block is not None and not any(known.startswith(block[0]) for known in found)
