"""SiamAttn as the trainer sees it: losses of a step, rates of an epoch, what is frozen."""

from __future__ import annotations

import math
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

_NEVER = ("conv1", "bn1", "layer1")  # of the backbone: stay as they were in ImageNet training


class TrainingModule(L.LightningModule):
    """A network in training.

    Args:
        network: with its initial weights.
        recipe: how it is trained.
        folder: where the batch of a failed step is saved.
    """

    def __init__(self, network: Network, recipe: Recipe, folder: Path) -> None:
        super().__init__()
        self.network, self.recipe, self.folder = network, recipe, folder

    def configure_optimizers(self) -> Optimizer:
        """One group for the backbone, one for all else."""
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
        """A training that goes on in the middle of an epoch finds it as it was at its start."""
        self.on_train_epoch_start()

    def on_train_epoch_start(self) -> None:
        """Freeze what the epoch leaves as it is, and set its rates."""
        freeze(self.network, self.recipe.schedule, self.current_epoch)
        rate = self.recipe.schedule.rate(self.current_epoch)
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, Optimizer)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """A batch on the network's device."""
        return batch.to(device)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of a step.

        Raises:
            BenchError: it is not finite; the batch is saved.
        """
        found = training_pass(self.network, batch, self.recipe.labels, self.recipe.weights)
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
        """Clip the norm of all gradients, at no length if the largest allowed is 0.

        Raises:
            BenchError: it is not finite, though the loss is; the batch is saved. Half precision
                goes on: its scaler leaves such a step out, and scales less from then on.
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
            f"step {self.global_step}: the {what} is not finite ({shown}). The pairs and the "
            f"weights of this step are in {path}. A lower rate (schedule.peak) or a smaller "
            "schedule.clip usually helps; the last checkpoint is unharmed"
        )


def freeze(network: Network, schedule: Schedule, epoch: int) -> None:
    """Set which parameters move, and which batch norms keep their statistics.

    The backbone is still for ``schedule.frozen`` epochs; then its last three stages move.
    """
    network.train()
    for name, part in network.backbone.named_children():
        moves = schedule.whole or name not in _NEVER
        moves = moves and epoch >= schedule.frozen
        part.train(moves)
        _require(part, moves)


def _require(part: nn.Module, gradients: bool) -> None:
    for parameter in part.parameters():
        parameter.requires_grad_(gradients)


def plain_state(network: nn.Module) -> dict[str, Any]:
    """Weights by key, on the CPU, contiguous."""
    return {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
