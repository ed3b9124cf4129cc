"""Lightning callbacks that keep weights: averages, last, best and every epoch's checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
from lightning.pytorch.callbacks import ModelCheckpoint, WeightAveraging
from torch.optim.swa_utils import get_ema_multi_avg_fn

SUCCESS = "holdout/success"  # what the best epoch is chosen by


class MovingAverage(WeightAveraging):
    """Keeps an exponential moving average of all weights and statistics beside the network.

    Checkpoints hold both; the network ends with the average.

    Args:
        decay: weight of the old average after a step, 0 to 1.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call]

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Start the average where the network will train, not where it is now."""
        super().setup(trainer, pl_module, stage)
        if self._average_model is not None:
            self._average_model.to(trainer.strategy.root_device)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """End with the average after a finished run, too, in which no training ends."""
        self.on_train_end(trainer, pl_module)


@contextmanager
def averaged(trainer: L.Trainer, module: L.LightningModule) -> Iterator[None]:
    """The module holds its averaged weights inside this context, if the trainer averages them."""
    found = [each for each in _callbacks(trainer) if isinstance(each, MovingAverage)]
    for each in found:
        each.on_validation_epoch_start(trainer, module)
    try:
        yield
    finally:
        for each in found:
            each.on_validation_epoch_end(trainer, module)


def _callbacks(trainer: L.Trainer) -> list[L.Callback]:
    found: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return found


class SaveBetweenSteps(ModelCheckpoint):
    """Saves every few minutes, but never between the passes of a step, whose gradients are not
    saved."""

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any,
        batch_idx: int,
    ) -> None:  # fmt: skip
        """Save if it is time."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)


class KeepEpochs(L.Callback):
    """Keeps a checkpoint of every epoch, ``epoch-001.ckpt`` ..., in a ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Save the epoch."""
        trainer.save_checkpoint(self.folder / f"epoch-{trainer.current_epoch + 1:03d}.ckpt")


class KeepBest(ModelCheckpoint):
    """Keeps the checkpoint that did best on the hold-out as ``best.ckpt``.

    Args:
        folder: folder of the checkpoints.
        first: first epoch that counts, from 1.
        every: epochs between validations.
    """

    def __init__(self, folder: Path, first: int, every: int) -> None:
        super().__init__(
            folder, filename="best", monitor=SUCCESS, mode="max", save_on_train_epoch_end=True,
            enable_version_counter=False,
        )  # fmt: skip
        self.first, self.every = first, every

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save the epoch if it is the best of those that count."""
        epoch = trainer.current_epoch + 1
        if epoch >= self.first and epoch % self.every == 0:
            super().on_train_epoch_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the best score so far, also after the run folder was moved."""
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})
