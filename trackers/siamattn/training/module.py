"""The Lightning module: losses of a step, learning rates, and what is frozen."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, AdamW, Optimizer

from bench.errors import BenchError
from trackers.siamattn.network import Network
from trackers.siamattn.training.config import Recipe, Schedule
from trackers.siamattn.training.graph import Batch, training_pass

_FROZEN = ("conv1", "bn1", "stem", "layer0", "layer1")  # of the backbone: keep their weights


class TrainingModule(L.LightningModule):
    """A network in training.

    Args:
        network: initialised network.
        recipe: settings of the training.
        folder: where the batch of a failed step is saved.
    """

    def __init__(self, network: Network, recipe: Recipe, folder: Path) -> None:
        super().__init__()
        self.network, self.recipe, self.folder = network, recipe, folder

    def configure_optimizers(self) -> Optimizer:
        """Two parameter groups: the backbone and the rest."""
        schedule = self.recipe.schedule
        inner = list(self.network.backbone.parameters())
        known = {id(parameter) for parameter in inner}
        outer = [p for p in self.network.parameters() if id(p) not in known]
        groups = [
            {"params": outer, "share": 1.0},
            {"params": inner, "share": schedule.backbone},
        ]
        if schedule.optimizer == "adamw":
            return AdamW(groups, lr=schedule.first, weight_decay=schedule.weight_decay)
        return SGD(
            groups,
            lr=schedule.first,
            momentum=schedule.momentum,
            weight_decay=schedule.weight_decay,
        )

    def on_train_start(self) -> None:
        """Set up the current epoch, which may be resumed in the middle."""
        self.on_train_epoch_start()

    def on_train_epoch_start(self) -> None:
        """Freeze what stays fixed in this epoch, and set its learning rates."""
        freeze(self.network, self.recipe.schedule, self.current_epoch)
        rate = self.recipe.schedule.rate(self.current_epoch)
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, Optimizer)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """The batch on the network's device."""
        return batch.to(device)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of a step.

        Raises:
            BenchError: the loss is not finite; the batch is saved.
        """
        weights = self.recipe.weights
        if self.current_epoch < self.recipe.schedule.unmasked:
            weights = replace(weights, mask=0.0)
        found = training_pass(self.network, batch, self.recipe.labels, weights)
        losses = found.numbers()
        self._last = batch, losses
        if not torch.isfinite(found.total):
            raise self._broken("loss")
        numbers = {f"train/{name}": value for name, value in losses.items()}
        rate = self.recipe.schedule.rate(self.current_epoch)
        self.log_dict({**numbers, "rate": rate}, batch_size=len(batch), prog_bar=False)
        self.log("loss", found.total.detach(), batch_size=len(batch), prog_bar=True, logger=False)
        return found.total

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of all gradients; a limit of 0 means none.

        Raises:
            BenchError: the norm is not finite although the loss is; the batch is saved. With
                16-bit mixed precision, the gradient scaler skips such steps instead.
        """
        norm = clip_grad_norm_(self.network.parameters(), gradient_clip_val or math.inf)
        if not torch.isfinite(norm) and self.trainer.precision != "16-mixed":
            raise self._broken("gradient")

    def _broken(self, what: str) -> BenchError:
        batch, numbers = self._last
        path = self.folder / f"broken-batch-{self.global_step}-{self.global_rank}.pt"
        weights = {key: value.cpu() for key, value in self.network.state_dict().items()}
        torch.save({"batch": vars(batch.to("cpu")), "weights": weights}, path)
        shown = ", ".join(f"{name} {value.item():g}" for name, value in numbers.items())
        return BenchError(
            f"step {self.global_step}: the {what} is not finite ({shown}). The pairs and weights "
            f"of this step are saved in {path}. Try a lower rate (schedule.peak) or a smaller "
            "schedule.clip; the last checkpoint is intact"
        )


def freeze(network: Network, schedule: Schedule, epoch: int) -> None:
    """Set which parameters train, and which batch norms update their statistics.

    The backbone is frozen for ``schedule.frozen`` epochs; then its last three stages train, with
    their norms' statistics as they are if ``schedule.still``.
    """
    network.train()
    for name, part in network.backbone.named_children():
        trains = schedule.whole or name not in _FROZEN
        trains = trains and epoch >= schedule.frozen
        part.train(trains and not schedule.still)
        _set_requires_grad(part, trains)


def _set_requires_grad(part: nn.Module, gradients: bool) -> None:
    for parameter in part.parameters():
        parameter.requires_grad_(gradients)


def plain_state(network: nn.Module) -> dict[str, Any]:
    """Weights by key, on the CPU and contiguous."""
    return {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
