"""A training from beginning to end: Lightning's loop around the module, its data and its logs.

A run has a folder:

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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from bench.errors import ConfigError
from trackers.siamattn.checkpoints import sha256, write
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.config import Recipe, read_recipe
from trackers.siamattn.training.curves import DrawCurves
from trackers.siamattn.training.data import Samples, Steps, make_loader
from trackers.siamattn.training.ending import EndAtOnce
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.growth import grow
from trackers.siamattn.training.imagenet import load_backbone
from trackers.siamattn.training.module import TrainingModule, plain_state
from trackers.siamattn.training.watch import FollowHoldOut, TellSkips

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Machine:
    """Where and how a training runs; none of it changes what is learned, but for rounding.

    Attributes:
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        devices: processes on each node.
        nodes: of a cluster.
        precision: Lightning's name, e.g. ``32-true``, ``16-mixed`` or ``bf16-mixed``.
        workers: processes that make pairs, for each training process.
        save_minutes: a checkpoint is written after so many minutes, and at the end of an epoch.
        validate_every: epochs between two looks at the hold-out; 0 for none.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Any = "32-true"
    workers: int = 1
    save_minutes: float = 5.0
    validate_every: int = 1


class PairData(L.LightningDataModule):
    """The pairs of a training, from the step where it is."""

    def __init__(self, samples: Dataset[Batch], recipe: Recipe, workers: int) -> None:
        """``workers`` processes read the ``samples`` of the steps of ``recipe``."""
        super().__init__()
        self.samples, self.recipe, self.workers = samples, recipe, workers

    def train_dataloader(self) -> DataLoader[Batch]:
        """The steps that are left of the epoch, this process's share of each."""
        trainer = self.trainer
        assert trainer is not None
        world = trainer.world_size
        if self.recipe.schedule.batch % world:
            raise ConfigError(
                f"schedule.batch: expected a multiple of the {world} processes, found "
                f"{self.recipe.schedule.batch}"
            )
        steps = Steps(self.recipe, lambda: trainer.global_step, trainer.global_rank, world)
        return make_loader(self.samples, steps, self.workers)


def train(
    recipe: Recipe,
    samples: Dataset[Batch],
    folder: Path,
    machine: Machine | None = None,
    network: Network | None = None,
) -> Network:
    """Train, from the last checkpoint in ``folder`` if there is one.

    Args:
        recipe: how.
        samples: pair by pair, see ``data.Samples``.
        folder: of the run; see above.
        machine: where.
        network: with its initial weights; by default new ones.

    Raises:
        ConfigError: the folder holds a training of another recipe.
        BenchError: a loss is not finite.
    """
    machine = machine or Machine()
    network = network or new_network(recipe)
    claim(folder, recipe)
    L.seed_everything(recipe.seed, workers=False, verbose=False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = TrainingModule(network, recipe, folder)
    tellers = [TellSkips(samples.source)] if isinstance(samples, Samples) else []
    trainer = make_trainer(recipe, folder, machine, tellers)
    last = folder / "checkpoints" / "last.ckpt"
    trainer.fit(
        module,
        PairData(samples, recipe, machine.workers),
        ckpt_path=str(last) if last.exists() else None,
        weights_only=True,
    )
    if trainer.is_global_zero:
        export(network, folder / WEIGHTS, describe(recipe, trainer.global_step))
    return network


def new_network(
    recipe: Recipe, initial: Path | None = None, backbone: Path | None = None
) -> Network:
    """A network to train, its random weights drawn with the recipe's seed.

    Args:
        recipe: ``preset`` and ``seed`` are used.
        initial: weights of the same network, or of a smaller one, to begin with.
        backbone: torchvision's ResNet-50 to begin with.

    Raises:
        ConfigError: a file is missing, damaged or of another architecture.
    """
    L.seed_everything(recipe.seed, workers=False, verbose=False)
    network = Network(preset(recipe.preset))
    if backbone is not None:
        load_backbone(network.backbone, backbone)
    if initial is not None:
        grow(network, initial)
    return network


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


def load_run(folder: Path) -> tuple[Recipe, Network, int]:
    """The recipe of a run, the network of its last checkpoint, and the steps behind it.

    Raises:
        ConfigError: the folder holds no training, none that has been saved yet, or a damaged one.
    """
    last = folder / "checkpoints" / "last.ckpt"
    if not last.exists():
        raise ConfigError(f"{folder}: expected a training with {last.relative_to(folder)}")
    recipe = read_recipe(folder / "recipe.json")
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


def make_trainer(
    recipe: Recipe, folder: Path, machine: Machine, tellers: Sequence[L.Callback] = ()
) -> L.Trainer:
    """Lightning's trainer with the logs, checkpoints and validation of a run.

    Raises:
        ConfigError: the machine is not there, or not known to Lightning.
    """
    try:
        return _trainer(recipe, folder, machine, tellers)
    except (MisconfigurationException, ValueError) as error:
        raise ConfigError(
            f"accelerator {machine.accelerator!r}, {machine.devices} devices, precision "
            f"{machine.precision!r}: {error}"
        ) from error


def _trainer(
    recipe: Recipe, folder: Path, machine: Machine, tellers: Sequence[L.Callback]
) -> L.Trainer:
    logs = folder / "logs"
    several = machine.devices * machine.nodes > 1
    return L.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy="ddp_find_unused_parameters_true" if several else "auto",
        precision=machine.precision,
        max_epochs=recipe.schedule.epochs,
        gradient_clip_val=recipe.schedule.clip,
        logger=[
            CSVLogger(logs, name="csv", flush_logs_every_n_steps=10),
            TensorBoardLogger(logs, name="tensorboard"),
        ],
        callbacks=[
            *_savers(folder / "checkpoints", machine),
            *_watchers(folder, machine),
            *tellers,
            EndAtOnce(),
        ],
        use_distributed_sampler=False,
        log_every_n_steps=1,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=folder,
    )


def _savers(folder: Path, machine: Machine) -> list[L.Callback]:
    """After every epoch, and every few minutes of a long one; always the newest, as last.ckpt."""
    during = ModelCheckpoint(
        folder,
        filename="last",
        train_time_interval=datetime.timedelta(minutes=machine.save_minutes),
        enable_version_counter=False,
    )
    after = ModelCheckpoint(
        folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    return [during, after]


def _watchers(folder: Path, machine: Machine) -> list[L.Callback]:
    watchers: list[L.Callback] = [DrawCurves(folder)]
    if machine.validate_every:  # before the curves, which show it
        watchers.insert(0, FollowHoldOut(folder / "hold-out", machine.validate_every))
    return watchers


def claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe down in the folder of its run, and the network that it trains.

    A setting that a recipe written earlier does not have yet is held to have its default.

    Raises:
        ConfigError: another recipe has begun there, or its preset was another network then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network, built = folder / "network.json", preset(recipe.preset).architecture()
    if network.exists() and network.read_text(encoding="utf-8") != built:
        raise ConfigError(
            f"{network}: expected {built}, found another: preset {recipe.preset!r} has changed "
            "since. Name another folder, and begin with --initial and the weights of this one"
        )
    network.write_text(built, encoding="utf-8")
    path, text = folder / "recipe.json", json.dumps(recipe.to_dict(), indent=2) + "\n"
    if path.exists() and read_recipe(path) != recipe:
        raise ConfigError(
            f"{path}: expected the recipe {recipe.name!r} with the settings of this call, found "
            "another. Go on with the settings it began with, or name another folder"
        )
    path.write_text(text, encoding="utf-8")


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
