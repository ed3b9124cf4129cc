"""Lightning's trainer of a run: its processes, loggers, checkpoints and validation."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from bench.errors import ConfigError, install_extra
from trackers.siamattn.training.callbacks import DrawCurves, ExitOnSigterm, TrackHoldOut
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.holdout import Video
from trackers.siamattn.training.keeping import (
    KeepBest,
    KeepEpochs,
    MovingAverage,
    SaveBetweenSteps,
)
from trackers.siamattn.training.run import CHECKPOINTS, WholeCheckpoints


@dataclass(frozen=True)
class Machine:
    """Hardware and process settings; they change results only by rounding.

    Attributes:
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        devices: processes per node.
        nodes: number of nodes.
        precision: Lightning's name, e.g. ``32-true``, ``16-mixed`` or ``bf16-mixed``.
        workers: data loading processes per training process.
        save_minutes: minutes between checkpoints within an epoch.
        validate_every: epochs between validations on the hold-out; 0 for none.
        keep_epochs: keep a checkpoint of every epoch.
        compile: backend of ``torch.compile``, e.g. ``inductor``; empty for none.
        wandb: project of Weights & Biases that logs go to as well; empty for none.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Any = "32-true"
    workers: int = 1
    save_minutes: float = 5.0
    validate_every: int = 1
    keep_epochs: bool = False
    compile: str = ""
    wandb: str = ""

    @property
    def processes(self) -> int:
        """Training processes on all nodes."""
        return self.devices * self.nodes


def make_trainer(
    recipe: Recipe,
    folder: Path,
    machine: Machine,
    callbacks: Sequence[L.Callback] = (),
    keep: bool = True,
) -> L.Trainer:
    """Lightning's trainer with a run's logs, checkpoints and ``callbacks``.

    With ``keep``, the last checkpoint is whole, and becomes the previous one.

    Raises:
        ConfigError: the machine is unavailable, or unknown to Lightning.
    """
    try:
        return _trainer(recipe, folder, machine, callbacks, keep)
    except (MisconfigurationException, ValueError) as error:
        raise ConfigError(
            f"accelerator {machine.accelerator!r}, {machine.devices} devices, precision "
            f"{machine.precision!r}: {error}"
        ) from error


def _trainer(
    recipe: Recipe, folder: Path, machine: Machine, callbacks: Sequence[L.Callback], keep: bool
) -> L.Trainer:
    schedule = recipe.schedule
    return L.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy="ddp_find_unused_parameters_true" if machine.processes > 1 else "auto",
        plugins=[WholeCheckpoints(keep=keep)],
        precision=machine.precision,
        max_epochs=schedule.epochs,
        accumulate_grad_batches=schedule.accumulate,
        gradient_clip_val=schedule.clip,
        logger=loggers(recipe, folder, machine.wandb),
        callbacks=[*callbacks, *_savers(folder / CHECKPOINTS, machine), ExitOnSigterm()],
        use_distributed_sampler=False,
        log_every_n_steps=1,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def loggers(recipe: Recipe, folder: Path, wandb: str) -> list[Logger]:
    """CSV, TensorBoard and, for a project of Weights & Biases, a run that later starts go on with.

    Raises:
        ConfigError: the package ``wandb`` is not installed.
    """
    logs = folder / "logs"
    found: list[Logger] = [
        CSVLogger(logs, name="csv", flush_logs_every_n_steps=10),
        TensorBoardLogger(logs, name="tensorboard"),
    ]
    if wandb:
        if find_spec("wandb") is None:
            raise ConfigError(
                "--wandb needs the package wandb, which is not installed: "
                f"{install_extra('wandb')}, or leave --wandb out"
            )
        settings = json.dumps([str(folder.resolve()), recipe.to_dict()])
        key = hashlib.sha256(settings.encode()).hexdigest()[:16]
        found.append(
            WandbLogger(
                project=wandb,
                name=folder.name,
                id=key,
                resume="allow",
                save_dir=logs,
                config=recipe.to_dict(),
            )
        )
    return found


def _savers(folder: Path, machine: Machine) -> list[L.Callback]:
    """Checkpoints every few minutes and after every epoch; last.ckpt is the latest."""
    during = SaveBetweenSteps(
        folder,
        filename="last",
        train_time_interval=datetime.timedelta(minutes=machine.save_minutes),
        enable_version_counter=False,
    )
    after = ModelCheckpoint(
        folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    return [during, after]


def watchers(
    recipe: Recipe, folder: Path, machine: Machine, validation: Sequence[Video] = ()
) -> list[L.Callback]:
    """What averages, validates and keeps the weights of an epoch, and draws the curves.

    Their order counts: the best is kept by the score of this epoch, and before the last
    checkpoint, which remembers it.
    """
    schedule, every = recipe.schedule, machine.validate_every
    found: list[L.Callback] = []
    if schedule.average:
        found.append(MovingAverage(schedule.average))
    if every:
        found.append(TrackHoldOut(folder / "hold-out", every, validation))
        found.append(KeepBest(folder / CHECKPOINTS, recipe.validation.first, every))
    if machine.keep_epochs:
        found.append(KeepEpochs(folder / CHECKPOINTS))
    return [*found, DrawCurves(folder)]
