"""Weights files: released ``.pth`` files, and safetensors with a record of their origin.

A ``.pth`` file is a pickle, which may contain code. It is read with ``weights_only=True``, which
builds tensors and plain containers and rejects everything else, so no code is executed.
"""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bench.errors import ConfigError
from bench.files import sha256, write_atomically
from trackers.siamattn.config import Config, preset, preset_names
from trackers.siamattn.network import Network
from trackers.siamattn.pickled import RefusedError, check_pickle
from trackers.weight_files import LARGEST, check_file

State = dict[str, Tensor]

COUNTER = ".num_batches_tracked"  # of batch norms; unused, and omitted by older files
_OWN_STATE = "pytorch-lightning_version"  # key of the state of a training run
PREFIX = "module."  # key prefix added by multi-device training
ALIGNMENT = 64  # bytes, of memory allocated by PyTorch
HEADER = 8 << 20  # bytes of the longest header of a safetensors file
SHOWN = 3  # keys listed in an error


@dataclass(frozen=True)
class Difference:
    """Differences between weights and those a network needs.

    Attributes:
        missing: keys that only the network has.
        surplus: keys that only the file has.
        other: keys of another shape or type, with both shapes.
    """

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    other: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.missing) + len(self.surplus) + len(self.other)

    def __str__(self) -> str:
        kinds = {
            "missing": self.missing,
            "too many": self.surplus,
            "of another shape or type": self.other,
        }
        return "; ".join(f"{len(k)} {kind}: {_first(k)}" for kind, k in kinds.items() if k)


def load_network(path: Path, name: str | None = None) -> Network:
    """A network with the weights of a file, in evaluation mode.

    Args:
        path: ``.safetensors``, or a released ``.pth``.
        name: preset; by default the one in the file's record, else the one the keys match.

    Raises:
        ConfigError: unknown preset, or the file is missing, damaged, unsafe or of another network.
    """
    state, record = read(path)
    config = choose(state, name or record.get("preset"), path)
    check_network(record, config, path)
    with torch.device("meta"):  # allocates no weights, since the file's replace them
        network = Network(config)
    network.load_state_dict(complete(state, config), assign=True)
    return network.eval()


def check_network(record: Mapping[str, str], config: Config, path: Path) -> None:
    """Refuse weights whose preset has changed since training, even if the shapes are the same.

    Raises:
        ConfigError: the recorded architecture differs.
    """
    trained = record.get("network")
    if trained is not None and not config.serves(trained):
        raise ConfigError(
            f"{path}: expected weights of preset {config.name!r} as it is now, "
            f"{config.architecture()}, found those of {trained}. Use the version of this project "
            "that trained them, or continue training from them with --initial"
        )


def convert(source: Path, target: Path, name: str | None = None) -> dict[str, str]:
    """Write the weights of ``source`` as safetensors, with a record of their origin.

    Args:
        source: a released ``.pth`` file.
        target: ``.safetensors`` file to write or replace.
        name: preset; by default the one the keys match.

    Returns:
        The record: preset, name and SHA-256 of the source, conversion date.

    Raises:
        ConfigError: as ``load_network``, or the target cannot be written.
    """
    if target.suffix != ".safetensors" or target.is_dir():
        raise ConfigError(f"{target}: expected a file name that ends in .safetensors")
    state, record = read(source)
    config = choose(state, name or record.get("preset"), source)
    made = {
        "preset": config.name,
        "source": source.name,
        "source_sha256": sha256([source]),
        "converted": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    write(complete(state, config), target, made)
    return made


def write(state: State, target: Path, record: Mapping[str, str]) -> None:
    """Write tensors and their record as safetensors, atomically.

    Raises:
        ConfigError: the target cannot be written.
    """
    try:
        write_atomically(target, save(state, metadata={"format": "pt", **record}))
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{target}: cannot be written ({error})") from error


def read(path: Path) -> tuple[State, dict[str, str]]:
    """The tensors of a file by key, and its record, which is empty for a ``.pth``.

    Raises:
        ConfigError: the file is missing, damaged, unsafe, or holds no weights.
    """
    check_file(path, "weights (.pth or .safetensors)")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return _unwrap(_read_pickle(path), path), {}


def choose(state: State, name: str | None, path: Path) -> Config:
    """The configuration whose network has exactly these weights.

    Args:
        state: tensors by key.
        name: preset to compare with, or None for any.
        path: origin of the weights, for messages.

    Raises:
        ConfigError: unknown preset, or other weights; gives the number of differing keys and some
            of them.
    """
    names = preset_names() if name is None else [name]
    differences = {}
    for candidate in names:
        config = preset(candidate)
        differences[candidate] = compare(state, config)
        if not differences[candidate]:
            return config
    nearest = min(differences, key=lambda candidate: len(differences[candidate]))
    wanted = f"preset {name!r}" if name else f"any preset ({', '.join(names)})"
    raise ConfigError(
        f"{path}: not the weights of {wanted}. "
        f"Of the {len(shapes(preset(nearest)))} tensors of {nearest!r}: {differences[nearest]}."
    )


def compare(state: State, config: Config) -> Difference:
    """Compare ``state`` with the weights of ``config``; counters may be missing."""
    return differences(state, shapes(config), same_shape, is_counter)


def differences(
    state: State,
    expected: Mapping[str, tuple[int, ...]],
    fits: Callable[[tuple[int, ...], str, tuple[int, ...]], bool],
    optional: Callable[[str], bool],
) -> Difference:
    """Compare ``state`` with tensors of the ``expected`` shapes.

    Args:
        state: tensors by key.
        expected: shapes by key.
        fits: whether a tensor of the first shape can serve the following key and shape.
        optional: whether a key may be missing.
    """
    missing = [key for key in expected if key not in state and not optional(key)]
    other = [
        f"{key} {tuple(tensor.shape)} {tensor.dtype}, expected {expected[key]}"
        for key, tensor in state.items()
        if key in expected
        and not (_right_type(key, tensor) and fits(tuple(tensor.shape), key, expected[key]))
    ]
    surplus = [k for k in state if k not in expected]
    return Difference(tuple(missing), tuple(surplus), tuple(other))


def same_shape(found: tuple[int, ...], key: str, shape: tuple[int, ...]) -> bool:
    """Whether ``found`` equals ``shape``."""
    return found == shape


def is_counter(key: str) -> bool:
    """Whether ``key`` is a batch norm's counter, which older files omit."""
    return key.endswith(COUNTER)


def _right_type(key: str, tensor: Tensor) -> bool:
    return is_counter(key) or tensor.is_floating_point()


def complete(state: State, config: Config) -> State:
    """``state`` as float32, in the network's order, with missing counters added."""
    full = {}
    for key in shapes(config):
        kind = torch.int64 if is_counter(key) else torch.float32
        full[key] = _aligned(state.get(key, torch.zeros(())).detach().to(kind).contiguous())
    return full


def _aligned(tensor: Tensor) -> Tensor:
    """The same values in aligned memory; products of unaligned tensors, as safetensors maps them,
    round differently."""
    return tensor if tensor.data_ptr() % ALIGNMENT == 0 else tensor.clone()


@lru_cache(maxsize=32)
def shapes(config: Config) -> Mapping[str, tuple[int, ...]]:
    """The shape of every tensor of a network of ``config``, by key."""
    with torch.device("meta"):
        network = Network(config)
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def _read_safetensors(path: Path) -> tuple[State, dict[str, str]]:
    try:
        with path.open("rb") as stream:
            header = int.from_bytes(stream.read(8), "little")
        if HEADER < header < path.stat().st_size:
            raise SafetensorError(f"its header has more than {HEADER >> 20} MB")
        with safe_open(path, framework="pt") as file:
            keys = file.keys()
            return {key: file.get_tensor(key) for key in keys}, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ConfigError(
            f"{path}: damaged, or not a safetensors file ({error}). Convert or download it again."
        ) from error


def _read_pickle(path: Path) -> Any:
    scalar: Any = np.float64().__reduce__()[0]
    # The released training scripts' optimisers store learning rates as NumPy scalars.
    harmless: list[Any] = [
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8")),
    ]
    try:
        check_pickle(path)
        with torch.serialization.safe_globals(harmless), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unusual pickles, which are rejected anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except RefusedError as error:
        raise ConfigError(f"{path}: {error}. No code in it was executed.") from error
    except Exception as error:  # reading a damaged pickle may raise anything
        raise ConfigError(
            f"{path}: {_complaint(error)}. No code in it was executed. Download it again."
        ) from error


def _complaint(error: Exception) -> str:
    """What is wrong with a pickle, from its reader's error."""
    text = str(error).partition("WeightsUnpickler error: ")[2] or str(error)
    code = re.search(r"GLOBAL (\S+)", text)
    if code:
        return f"contains {code[1]!r}, but weights are tensors"
    reason = text.strip().partition("\n")[0].partition(". ")[0] or type(error).__name__
    return f"damaged, truncated, or not a weights file ({_shorten(reason)})"


def _unwrap(content: Any, path: Path) -> State:
    """Tensors by key, from a bare dictionary or a training state that contains one."""
    if isinstance(content, Mapping) and _OWN_STATE in content:
        raise ConfigError(
            f"{path}: the state of a training run, not weights. Export the weights of its run "
            "folder with `python -m trackers.siamattn.training export RUN FILE.safetensors`, and "
            "give that file"
        )
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        empty = " that is empty" if isinstance(content, Mapping) else ""
        raise ConfigError(
            f"{path}: expected tensors by key, or a dictionary with 'state_dict', found "
            f"{type(content).__name__}{empty}"
        )
    alien = [key for key, value in content.items() if not isinstance(value, Tensor)]
    if alien:
        raise ConfigError(
            f"{path}: expected tensors by key, found {len(alien)} other entries: {_first(alien)}"
        )
    sparse = [key for key, tensor in content.items() if tensor.layout != torch.strided]
    size = sum(tensor.numel() * tensor.element_size() for tensor in content.values())
    if sparse or size > LARGEST:
        raise ConfigError(
            f"{path}: expected dense tensors of at most {LARGEST >> 30} GB together, found "
            f"{len(sparse)} sparse ones and {size / (1 << 30):.1f} GB"
        )
    return {str(key).removeprefix(PREFIX): tensor for key, tensor in content.items()}


def _first(items: Iterable[object]) -> str:
    names = [_shorten(str(item)) for item in items]
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
