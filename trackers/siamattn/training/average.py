"""The mean of two weights of one network, the second trained on from the first.

What training on wins and what it forgets often lie apart: between the two, a network may keep the
most of both (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from bench.errors import ConfigError
from trackers.siamattn.checkpoints import check_network, choose, complete, is_counter, read
from trackers.siamattn.network import Network
from trackers.siamattn.training.run import begun_from, export


def average(first: Path, second: Path, target: Path, share: float) -> None:
    """Write weights between two others.

    Args:
        first, second: weights of the same shapes; the network is the second's.
        target: ``.safetensors`` file to write, with the record of ``second`` and of the averaging.
        share: of ``second``, from 0 to 1.

    Raises:
        ConfigError: a file cannot be read or written, weights of other shapes, or another share.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"expected a share from 0 to 1, found {share}")
    (before, _), (after, record) = read(first), read(second)
    config = choose(after, record.get("preset"), second)
    check_network(record, config, second)
    choose(before, config.name, first)
    old, new = complete(before, config), complete(after, config)
    network = Network(config)
    network.load_state_dict({key: _between(key, old[key], new[key], share) for key in new})
    told = f"{1 - share:g} of {begun_from(first)}, {share:g} of {begun_from(second)}"
    export(network, target, {**record, "averaged": told})


def _between(key: str, old: Tensor, new: Tensor, share: float) -> Tensor:
    return new if is_counter(key) else (1 - share) * old + share * new
