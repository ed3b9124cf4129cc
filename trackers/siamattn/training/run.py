"""The folder of a training, and what is written in it.

recipe.json       every setting
network.json      the network that its preset names
checkpoints/      last.ckpt, all of the state: a killed training goes on from it
logs/             CSV and TensorBoard, one version for each start
hold-out/         what the network found, as pictures
curves.png        the losses, and the hold-out's scores
weights.safetensors   the last weights, in half precision, with their record
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import torch

from bench.errors import ConfigError
from trackers.siamattn.checkpoints import sha256, write
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.config import Recipe, read_recipe
from trackers.siamattn.training.module import plain_state

CHECKPOINTS = "checkpoints"
LAST = f"{CHECKPOINTS}/last.ckpt"
NETWORK = "network.json"
WEIGHTS = "weights.safetensors"


def claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe down in the folder of its run, and the network that it trains.

    A setting that a recipe written earlier does not have yet is held to have its default.

    Raises:
        ConfigError: another recipe has begun there, or its preset was another network then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check_network(folder, recipe)
    path, text = folder / "recipe.json", json.dumps(recipe.to_dict(), indent=2) + "\n"
    if path.exists() and read_recipe(path) != recipe:
        raise ConfigError(
            f"{path}: expected the recipe {recipe.name!r} with the settings of this call, found "
            "another. Go on with the settings it began with, or name another folder"
        )
    (folder / NETWORK).write_text(preset(recipe.preset).architecture(), encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def _check_network(folder: Path, recipe: Recipe) -> None:
    """Refuse a run whose preset was another network then, even one of the same shapes."""
    path, config = folder / NETWORK, preset(recipe.preset)
    if path.exists() and not config.serves(path.read_text(encoding="utf-8")):
        raise ConfigError(
            f"{path}: expected {config.architecture()}, found another: preset "
            f"{recipe.preset!r} has changed since. Export its weights with the version that "
            "trained them; to train on from those, name another folder, and begin with --initial"
        )


def load_run(folder: Path) -> tuple[Recipe, Network, int]:
    """The recipe of a run, the network of its last checkpoint, and the steps behind it.

    Raises:
        ConfigError: the folder holds no training, none that has been saved yet, or a damaged one,
            or its preset was another network then.
    """
    last = folder / LAST
    if not last.exists():
        raise ConfigError(f"{folder}: expected a training with {LAST}")
    recipe = read_recipe(folder / "recipe.json")
    _check_network(folder, recipe)
    network = Network(preset(recipe.preset))
    try:
        saved = torch.load(last, map_location="cpu", weights_only=True)
        state = {key.removeprefix("network."): value for key, value in saved["state_dict"].items()}
        network.load_state_dict(state)
    except Exception as error:  # a damaged pickle makes its reader raise anything
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"{last}: damaged, or of another network than preset {recipe.preset!r} is now "
            f"({reason})"
        ) from error
    return recipe, network.eval(), int(saved["global_step"])


def begun_from(initial: Path | None = None, backbone: Path | None = None) -> str:
    """What a training begins with, for its record: one of the files, or nothing.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = initial or backbone
    try:
        told = f"{path.name} (SHA-256 {sha256(path)})" if path else ""
        return told if path is initial else f"backbone of {told}"
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read ({error.strerror})") from error


def describe(recipe: Recipe, steps: int) -> dict[str, str]:
    """The record that goes into a weights file; steps and pairs are those of this training."""
    initial = {"initial": recipe.initial} if recipe.initial else {}
    return {
        **initial,
        "preset": recipe.preset,
        "network": preset(recipe.preset).architecture(),
        "recipe": recipe.name,
        "data": recipe.data.mixture,
        "seed": str(recipe.seed),
        "steps": str(steps),
        "pairs": str(steps * recipe.schedule.batch),
        "trained": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "torch": torch.__version__,
    }


def export(network: Network, path: Path, record: dict[str, str]) -> None:
    """Write weights as safetensors, in half precision, with their record.

    Raises:
        ConfigError: the file cannot be written.
    """
    state = plain_state(network)
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    write(half, path, record)
    path.chmod(0o644)  # safetensors writes for its owner alone
