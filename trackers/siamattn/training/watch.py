"""What a training tells while it goes on: the hold-out, and what could not be read."""

from __future__ import annotations

from pathlib import Path

import cv2
import lightning as L  # noqa: N812
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_warn

from bench.arrays import FloatArray, Image
from trackers.siamattn.training.data import PairSource
from trackers.siamattn.training.holdout import Film, Score, films, follow
from trackers.siamattn.training.mixture import Mixture
from trackers.siamattn.training.module import TrainingModule

_TRUTH, _FOUND = (255, 255, 255), (230, 80, 0)  # RGB
_TIMES = (5, 15, 25, 40)  # frames that are shown


class FollowHoldOut(L.Callback):
    """Follows the hold-out's films after an epoch, and writes down how well.

    Args:
        folder: for the pictures.
        every: epochs between two times.
    """

    def __init__(self, folder: Path, every: int = 1) -> None:
        self.folder, self.every = folder, every

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Follow, log and draw."""
        assert isinstance(module, TrainingModule)
        if not trainer.is_global_zero or (trainer.current_epoch + 1) % self.every:
            return
        chosen = films()
        score = follow(module.network, chosen)
        module.log("holdout/success", score.success, rank_zero_only=True)
        module.log("holdout/kept", score.kept, rank_zero_only=True)
        picture = contact_sheet(chosen, score)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"epoch-{trainer.current_epoch + 1:03d}.jpg"
        cv2.imwrite(str(path), picture[..., ::-1])
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(
                    "holdout", picture, trainer.global_step, dataformats="HWC"
                )


def contact_sheet(chosen: tuple[Film, ...], score: Score) -> Image:
    """A row of frames for each film: white what is true, orange what was found."""
    rows = [
        np.hstack([_drawn(film, found, time) for time in _TIMES])
        for film, found in zip(chosen, score.boxes, strict=True)
    ]
    half = len(rows) // 2
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half : 2 * half])])


def _drawn(film: Film, found: FloatArray, time: int) -> Image:
    image = film.images[time].copy()
    for box, colour in ((film.boxes[time], _TRUTH), (found[time], _FOUND)):
        if np.isfinite(box).all():
            corners = np.concatenate([box[:2], box[:2] + box[2:]]).round().astype(int)
            cv2.rectangle(image, corners[:2].tolist(), corners[2:].tolist(), colour, 2)
    return image[::2, ::2]


class TellSkips(L.Callback):
    """Says at the end of every epoch what of the training sets could not be read."""

    def __init__(self, source: PairSource) -> None:
        """``source`` of the pairs; generated ones skip nothing."""
        self.source = source

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Count and name it."""
        if trainer.is_global_zero and isinstance(self.source, Mixture):
            for skips in self.source.skips():
                rank_zero_warn(f"skipped so far, {skips}")
