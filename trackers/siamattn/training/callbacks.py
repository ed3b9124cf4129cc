"""Lightning callbacks: hold-out validation, loss curves, skipped data, and SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import cv2
import lightning as L  # noqa: N812
import numpy as np
import pandas as pd
import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_warn

from bench.arrays import FloatArray, Image
from bench.processes import few_threads
from trackers.siamattn.training.data import PairSource
from trackers.siamattn.training.holdout import Video, track_videos, videos
from trackers.siamattn.training.keeping import SUCCESS, averaged
from trackers.siamattn.training.mixtures import skips_of
from trackers.siamattn.training.module import TrainingModule

_TRUTH, _FOUND = (255, 255, 255), (230, 80, 0)  # RGB
_TIMES = (5, 15, 25, 40)  # frames shown on the contact sheet
_SHOWN, _FIELD = 12, (160, 120)  # videos on it, and width and height of each picture
LOSSES = ("total", "cls", "loc", "box", "mask")
_SMOOTH = 25  # steps in a running mean
_COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito


class TrackHoldOut(L.Callback):
    """Tracks the hold-out after an epoch, and logs and draws the result.

    Processes share the videos; the picture shows those of the first.

    Args:
        folder: folder of the pictures.
        every: epochs between validations.
        chosen: the videos; by default generated ones.
    """

    def __init__(self, folder: Path, every: int = 1, chosen: Sequence[Video] = ()) -> None:
        self.folder, self.every, self.chosen = folder, every, chosen

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Track, log and draw."""
        assert isinstance(module, TrainingModule)
        if (trainer.current_epoch + 1) % self.every:
            return
        own = (self.chosen or videos())[trainer.global_rank :: trainer.world_size]
        # Few threads, which also starts no workers of OpenCV next to those of the data.
        with few_threads(), averaged(trainer, module):
            score = track_videos(module.network, own)
        kept, frames = (score.overlaps > 0.5).sum(), len(score.overlaps)
        sums = [score.successes.sum(), len(score.successes), kept, frames]
        total = torch.tensor(sums, dtype=torch.float32, device=module.device)
        total = trainer.strategy.reduce(total, reduce_op="sum")
        module.log(SUCCESS, total[0] / total[1], sync_dist=True)
        module.log("holdout/kept", total[2] / total[3], sync_dist=True)
        if trainer.is_global_zero:
            self._show(trainer, contact_sheet(own, score.boxes))

    def _show(self, trainer: L.Trainer, picture: Image) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"epoch-{trainer.current_epoch + 1:03d}.jpg"
        cv2.imwrite(str(path), picture[..., ::-1])
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(
                    "holdout", picture, trainer.global_step, dataformats="HWC"
                )
            elif isinstance(logger, WandbLogger):
                logger.log_image("holdout", [picture], trainer.global_step)


def contact_sheet(chosen: Sequence[Video], boxes: Sequence[FloatArray]) -> Image:
    """Frames of up to twelve videos, two a row: ground truth in white, predictions in orange."""
    shown = list(zip(chosen, boxes, strict=True))[:_SHOWN]
    rows = [
        np.hstack([_drawn(video, found, min(time, len(video) - 1)) for time in _TIMES])
        for video, found in shown
    ]
    if len(rows) % 2:
        rows.append(np.zeros_like(rows[0]))
    half = len(rows) // 2
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])


def _drawn(video: Video, found: FloatArray, time: int) -> Image:
    """A frame, fitted into a field of the contact sheet."""
    image = video.images[time].copy()
    for box, colour in ((video.boxes[time], _TRUTH), (found[time], _FOUND)):
        if np.isfinite(box).all():
            corners = np.concatenate([box[:2], box[:2] + box[2:]]).round().astype(int)
            thick = max(2, image.shape[1] // 160)
            cv2.rectangle(image, corners[:2].tolist(), corners[2:].tolist(), colour, thick)
    scale = min(_FIELD[0] / image.shape[1], _FIELD[1] / image.shape[0])
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    field = np.zeros((_FIELD[1], _FIELD[0], 3), np.uint8)
    field[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return field


class ReportSkipped(L.Callback):
    """Reports unreadable training data after every epoch."""

    def __init__(self, source: PairSource) -> None:
        """``source`` of the pairs; generated ones skip nothing."""
        self.source = source

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Report what was skipped."""
        if trainer.is_global_zero:
            for skips in skips_of(self.source):
                rank_zero_warn(f"skipped so far: {skips}")


class DrawCurves(L.Callback):
    """Draws ``curves.png`` in the run folder after every epoch."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is the run folder."""
        self.folder = folder

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Redraw the curves."""
        if trainer.is_global_zero:
            for logger in trainer.loggers:
                logger.save()
            draw(read_metrics(self.folder), self.folder / "curves.png")


def read_metrics(folder: Path) -> pd.DataFrame:
    """Logged values of all starts of a run, by step; later starts override earlier ones."""
    paths = (folder / "logs" / "csv").glob("version_*/metrics.csv")
    ordered = sorted(paths, key=lambda path: int(path.parent.name.partition("_")[2]))
    # A start killed before its first logged losses leaves an empty file.
    written = [path for path in ordered if path.stat().st_size]
    if not written:
        return pd.DataFrame()
    merged = pd.concat([pd.read_csv(path) for path in written])
    return merged.groupby("step").last().sort_index()


def draw(metrics: pd.DataFrame, path: Path) -> None:
    """Plot losses above hold-out success; write nothing if no loss is logged yet."""
    from matplotlib.figure import Figure

    if f"train/{LOSSES[0]}" not in metrics:
        return
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for name, colour in zip(LOSSES, _COLOURS, strict=True):
        values = metrics[f"train/{name}"].dropna()
        above.plot(values.index, values, color=colour, alpha=0.2, linewidth=0.7)
        smooth = values.rolling(_SMOOTH, min_periods=1).mean()
        above.plot(smooth.index, smooth, color=colour, label=name)
    above.set(ylabel="unweighted loss", ylim=(0, None))
    above.legend(ncols=len(LOSSES), frameon=False)
    if SUCCESS in metrics:
        success = metrics[SUCCESS].dropna()
        below.plot(success.index, success, color=_COLOURS[1], marker="o")
    below.set(xlabel="step", ylabel="hold-out success (AUC)", ylim=(0, 1))
    figure.savefig(path, dpi=110)


class ExitOnSigterm(L.Callback):
    """Makes SIGTERM end the process at once; the next start resumes from the last checkpoint.

    Lightning's handler would finish the step and notify the other processes by a collective call;
    if that interrupts another collective call, all processes deadlock. Under SLURM, which
    requeues jobs by signal, Lightning's handlers stay in place.
    """

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Reset the handler; Lightning restores the original one when training ends."""
        environment = getattr(trainer.strategy, "cluster_environment", None)
        if not isinstance(environment, SLURMEnvironment):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
