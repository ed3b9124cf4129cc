"""A whole training run, started or resumed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import lightning as L  # noqa: N812
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch.utils.data import DataLoader, Dataset

from bench.errors import unknown_name
from bench.locks import locked
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training.callbacks import ReportSkipped
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.data import Samples, Steps, make_loader
from trackers.siamattn.training.graph import Batch
from trackers.siamattn.training.holdout import Video
from trackers.siamattn.training.keeping import KeepBest
from trackers.siamattn.training.module import TrainingModule
from trackers.siamattn.training.run import (
    BEST_WEIGHTS,
    LAST,
    WEIGHTS,
    claim,
    describe,
    export,
    find_checkpoint,
    load_run,
)
from trackers.siamattn.training.trainer import Machine, make_trainer, watchers
from trackers.siamattn.training.warm_start import load_backbone, warm_start

_READERS_END = 10.0  # seconds


class PairData(L.LightningDataModule):
    """The training pairs, starting from the current step."""

    def __init__(self, samples: Dataset[Batch], recipe: Recipe, workers: int) -> None:
        """``workers`` processes load the ``samples`` of the steps of ``recipe``."""
        super().__init__()
        self.samples, self.recipe, self.workers = samples, recipe, workers

    def train_dataloader(self) -> DataLoader[Batch]:
        """This process's share of the remaining steps of each epoch."""
        trainer = self.trainer
        assert trainer is not None
        if self.workers:  # which inherit it; in a worker that was forked, setting it may hang
            cv2.setNumThreads(1)
        place = trainer.global_rank, trainer.world_size
        steps = Steps(self.recipe, lambda: trainer.global_step, *place)
        return make_loader(self.samples, steps, self.workers)


def train(
    recipe: Recipe,
    samples: Dataset[Batch],
    folder: Path,
    machine: Machine | None = None,
    network: Network | None = None,
    validation: Sequence[Video] = (),
) -> Network:
    """Train, resuming from the last whole checkpoint in ``folder`` if there is one.

    Args:
        recipe: settings of the training.
        samples: training samples, see ``data.Samples``.
        folder: run folder, see ``run``.
        machine: hardware and process settings.
        network: initialised network; by default a new one.
        validation: the hold-out; by default generated video.

    Raises:
        ConfigError: the folder holds a run of another recipe, or only damaged checkpoints; or the
            recipe cannot be shared by the machine's processes.
        ResultError: a checkpoint cannot be written, or another process trains in the folder.
        BenchError: a loss is not finite.
    """
    machine = machine or Machine()
    recipe = recipe.on(machine.processes)
    network = network or new_network(recipe)
    # A training that was killed has readers for a few seconds more, and with them its lock.
    with locked(folder, wait=_READERS_END) if leads() else nullcontext():
        return _train(recipe, samples, folder, machine, network, validation)


def leads() -> bool:
    """Whether this is the first of a training's processes, on whatever machines they are."""
    ranks = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
    return all(os.environ.get(rank, "0") == "0" for rank in ranks)


def _train(
    recipe: Recipe,
    samples: Dataset[Batch],
    folder: Path,
    machine: Machine,
    network: Network,
    validation: Sequence[Video],
) -> Network:
    claim(folder, recipe)
    L.seed_everything(recipe.seed, workers=False, verbose=False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    compile_parts(network, machine.compile)
    callbacks = watchers(recipe, folder, machine, validation)
    if isinstance(samples, Samples):
        callbacks.append(ReportSkipped(samples.source))
    last = _last_whole(folder, network)
    whole = last is None or last == folder / LAST
    trainer = make_trainer(recipe, folder, machine, callbacks, keep=whole)
    trainer.fit(
        TrainingModule(network, recipe, folder),
        PairData(samples, recipe, machine.workers),
        ckpt_path=None if last is None else str(last),
        weights_only=True,
    )
    if trainer.is_global_zero:
        export(network, folder / WEIGHTS, describe(recipe, trainer.global_step))
        _export_best(folder, trainer)
    return network


def compile_parts(network: Network, backend: str) -> None:
    """Compile the parts of the network in place, by a backend of ``torch.compile`` if any.

    Raises:
        ConfigError: unknown backend.
    """
    if not backend:
        return
    known = torch.compiler.list_backends(exclude_tags=())
    if backend not in known:
        raise unknown_name("backend of torch.compile", backend, known)
    for part in network.children():
        part.compile(backend=backend)


def _export_best(folder: Path, trainer: L.Trainer) -> None:
    """Write the weights that did best on the hold-out, with their score, if there are any."""
    for each in trainer.checkpoint_callbacks:
        if isinstance(each, KeepBest) and each.best_model_score is not None:
            recipe, network, steps = load_run(folder, "best")
            record = describe(recipe, steps)
            record |= {"holdout": recipe.validation.dataset or "generated"}
            record |= {"success": f"{each.best_model_score:.6f}"}
            export(network, folder / BEST_WEIGHTS, record)


def _last_whole(folder: Path, network: Network) -> Path | None:
    """The checkpoint to go on from; None for a new run."""
    found = find_checkpoint(folder, lambda state: _check_state(state, network))
    if found is not None and found.note:
        rank_zero_warn(found.note)
    return None if found is None else found.path


def _check_state(state: dict[str, Any], network: Network) -> None:
    """Raise for a checkpoint that a run of ``network`` cannot go on from."""
    weights = {key: value.shape for key, value in state["state_dict"].items()}
    own = {f"network.{key}": value.shape for key, value in network.state_dict().items()}
    if weights != own:
        raise ValueError(f"{len(set(weights.items()) ^ set(own.items())) // 2} tensors differ")
    for key in ("epoch", "global_step", "loops", "optimizer_states"):
        state[key]


def new_network(
    recipe: Recipe, initial: Path | None = None, backbone: Path | None = None
) -> Network:
    """A network to train; its random weights depend on the recipe's seed.

    Args:
        recipe: ``preset`` and ``seed`` are used.
        initial: initial weights of the same or a smaller network.
        backbone: initial weights of the backbone, see ``warm_start.load_backbone``.

    Raises:
        ConfigError: a file is missing, damaged or of another architecture.
    """
    L.seed_everything(recipe.seed, workers=False, verbose=False)
    network = Network(preset(recipe.preset))
    if backbone is not None:
        load_backbone(network.backbone, backbone)
    if initial is not None:
        warm_start(network, initial)
    return network
