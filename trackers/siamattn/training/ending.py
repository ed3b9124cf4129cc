"""How a training of several processes ends when it is told to."""

from __future__ import annotations

import signal

import lightning as L  # noqa: N812
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment


class EndAtOnce(L.Callback):
    """A process that is sent SIGTERM ends; the next call goes on from the last checkpoint.

    Lightning would finish the step, and tells the other processes so by a collective call from
    its signal handler: where that interrupts another collective call, all of them wait forever.
    On SLURM, which requeues by signals, Lightning's handlers stay.
    """

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Take Lightning's handler away; it puts back what was there when the training ends."""
        environment = getattr(trainer.strategy, "cluster_environment", None)
        if not isinstance(environment, SLURMEnvironment):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
