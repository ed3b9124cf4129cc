"""The folder of a training run and its files.

recipe.json       every setting
network.json      architecture of the preset
checkpoints/      last.ckpt, the full state, from which a run resumes, and previous.ckpt;
                  best.ckpt by the hold-out; epoch-001.ckpt ... on request
logs/             CSV and TensorBoard, one version per start
hold-out/         tracking on the hold-out, as pictures
curves.png        losses and hold-out scores
weights.safetensors   final weights in half precision, with their record
best.safetensors      those of best.ckpt

At every moment the folder holds a whole checkpoint: a new one is written into the same folder,
flushed to the disk, and only then takes the name of the last.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.utilities import rank_zero_warn

from bench.errors import ConfigError, ResultError, unknown_name
from bench.files import sha256, write_atomically
from trackers.siamattn.checkpoints import write
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.config import Recipe, read_recipe
from trackers.siamattn.training.module import plain_state

NETWORK = "network.json"
WEIGHTS = "weights.safetensors"
CHECKPOINTS = "checkpoints"
LAST = f"{CHECKPOINTS}/last.ckpt"
PREVIOUS = f"{CHECKPOINTS}/previous.ckpt"
BEST_WEIGHTS = "best.safetensors"


def claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe and its network's architecture to a new run folder.

    Settings missing from an older stored recipe take their default.

    Raises:
        ConfigError: the folder holds a run of another recipe, cannot be written, or the preset
            has changed since.
    """
    _check_network(folder, recipe)
    path, text = folder / "recipe.json", json.dumps(recipe.to_dict(), indent=2) + "\n"
    if path.exists() and read_recipe(path) != recipe:
        raise ConfigError(
            f"{path}: expected the recipe {recipe.name!r} with the settings of this call, found "
            "another. Use the settings the run started with, or another folder"
        )
    contents = {folder / NETWORK: preset(recipe.preset).architecture(), path: text}
    for place, content in contents.items():
        if place.exists():  # what stands is never written again
            continue
        try:
            write_atomically(place, content.encode())
        except OSError as error:
            raise ConfigError(f"{place}: cannot be written ({error.strerror})") from error


def _check_network(folder: Path, recipe: Recipe) -> None:
    """Refuse a run whose preset has changed since, even if the shapes are the same."""
    path, config = folder / NETWORK, preset(recipe.preset)
    if path.exists() and not config.serves(path.read_text(encoding="utf-8")):
        raise ConfigError(
            f"{path}: expected {config.architecture()}, found another: preset "
            f"{recipe.preset!r} has changed since. Export the weights with the version that "
            "trained them; to continue from them, start in another folder with --initial"
        )


def load_run(folder: Path, name: str = "last") -> tuple[Recipe, Network, int]:
    """The recipe of a run, the network of a checkpoint, and its number of steps.

    Args:
        folder: the run folder.
        name: name of the checkpoint; ``last`` is the last whole one.

    Raises:
        ConfigError: the folder holds no run, no such checkpoint or only damaged ones, or the
            preset has changed since.
    """
    if not (folder / "recipe.json").exists():
        raise ConfigError(f"{folder}: expected a training run with {LAST}")
    recipe = read_recipe(folder / "recipe.json")
    _check_network(folder, recipe)
    network = Network(preset(recipe.preset))

    def load(saved: dict[str, Any]) -> None:
        state = {key.removeprefix("network."): value for key, value in saved["state_dict"].items()}
        network.load_state_dict(state)
        int(saved["global_step"])

    path = f"{CHECKPOINTS}/{name}.ckpt"
    if name != "last" and not (folder / path).exists():
        known = [each.stem for each in (folder / CHECKPOINTS).glob("*.ckpt")]
        raise unknown_name(f"checkpoint of {folder}", name, known)
    found = find_checkpoint(folder, load, (LAST, PREVIOUS) if name == "last" else (path,))
    if found is None:
        raise ConfigError(f"{folder}: expected a training run with {path}")
    if found.note:
        rank_zero_warn(found.note)
    return recipe, network.eval(), int(found.state["global_step"])


def describe_initial(initial: Path | None = None, backbone: Path | None = None) -> str:
    """Describe the initial weights for a record: file name and SHA-256; empty without a file.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = initial or backbone
    try:
        described = f"{path.name} (SHA-256 {sha256([path])})" if path else ""
        return described if path is initial else f"backbone of {described}"
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read ({error.strerror})") from error


def describe(recipe: Recipe, steps: int) -> dict[str, str]:
    """The record stored in a weights file; steps and pairs are those of this run."""
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
    """Write weights as half-precision safetensors, with their record.

    Raises:
        ConfigError: the file cannot be written.
    """
    state = plain_state(network)
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    write(half, path, record)


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's way to write checkpoints, replaced.

    Lightning writes into a folder for temporary files; where that is on another file system, the
    last checkpoint is emptied and filled again.

    Args:
        keep: whether the last checkpoint is whole, so that it becomes the previous one.
    """

    def __init__(self, keep: bool = True) -> None:
        super().__init__()
        self.keep = keep

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint in place of ``path``; the last one is kept as ``previous.ckpt``.

        Raises:
            ResultError: it cannot be written; the last checkpoint is intact.
        """
        path = Path(path)
        partial = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                torch.save(checkpoint, stream)
                stream.flush()
                os.fsync(stream.fileno())
            is_last = path.name == Path(LAST).name
            if is_last and self.keep and path.exists():
                _keep_previous(path, path.with_name(Path(PREVIOUS).name))
            partial.replace(path)
            self.keep |= is_last
            _sync_folder(path.parent)
        except (OSError, RuntimeError) as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise ResultError(
                f"{path}: the checkpoint cannot be written ({error}). The one before is intact; "
                "make room, and give the same command again"
            ) from error


def _keep_previous(path: Path, previous: Path) -> None:
    """Give a file a second name; a file system without second names gets it renamed."""
    link = previous.with_name(f".{previous.name}.partial")
    try:
        link.unlink(missing_ok=True)
        os.link(path, link)
    except OSError:
        path.replace(previous)
    else:
        link.replace(previous)
        link.unlink(missing_ok=True)  # which stays where both are names of the same file


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not on every file system
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A whole checkpoint of a run.

    Attributes:
        path: its file.
        state: its content, on the CPU.
        note: why it is not the last one; None if it is.
    """

    path: Path
    state: dict[str, Any]
    note: str | None = None


def find_checkpoint(
    folder: Path,
    fits: Callable[[dict[str, Any]], None] = lambda state: None,
    names: Sequence[str] = (LAST, PREVIOUS),
) -> Checkpoint | None:
    """The first checkpoint of a run folder that is whole; None if there is none at all.

    Args:
        folder: the run folder.
        fits: raises for a state that is of no use.
        names: files in the folder to look for, the preferred one first.

    Raises:
        ConfigError: there are checkpoints, and each is damaged.
    """
    faults: list[str] = []
    for name in names:
        path = folder / name
        if not path.exists():
            continue
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            fits(state)
        except Exception as error:  # reading a damaged pickle may raise anything
            reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            faults.append(f"{path}: damaged, or of another network ({reason})")
            continue
        lost = faults[0] if faults else f"{folder / names[0]}: missing"
        return Checkpoint(path, state, None if name == names[0] else f"{lost}; using {path}")
    if faults:
        raise ConfigError(
            f"{'; '.join(faults)}. Restore one of them from a copy, or delete the folder "
            f"{folder / CHECKPOINTS} to begin again"
        )
    return None
