"""Lightning callbacks: averaged weights, hold-out validation, loss curves, skipped data, and
SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import lightning as L  # noqa: N812
import numpy as np
import pandas as pd
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_warn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from bench.arrays import FloatArray, Image
from bench.processes import few_threads
from trackers.siamattn.training.data import PairSource
from trackers.siamattn.training.holdout import Score, Video, track_videos, videos
from trackers.siamattn.training.mixtures import skips_of
from trackers.siamattn.training.module import TrainingModule

_TRUTH, _FOUND = (255, 255, 255), (230, 80, 0)  # RGB
_TIMES = (5, 15, 25, 40)  # frames shown on the contact sheet
LOSSES = ("total", "cls", "loc", "box", "mask")
_SMOOTH = 25  # steps in a running mean
_COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito


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


class TrackHoldOut(L.Callback):
    """Tracks the hold-out after an epoch, and logs and draws the result.

    Args:
        folder: folder of the pictures.
        every: epochs between validations.
    """

    def __init__(self, folder: Path, every: int = 1) -> None:
        self.folder, self.every = folder, every

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Track, log and draw."""
        assert isinstance(module, TrainingModule)
        if not trainer.is_global_zero or (trainer.current_epoch + 1) % self.every:
            return
        chosen = videos()
        # Few threads, which also starts no workers of OpenCV next to those of the data.
        with few_threads(), averaged(trainer, module):
            score = track_videos(module.network, chosen)
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


def contact_sheet(chosen: tuple[Video, ...], score: Score) -> Image:
    """A row of frames for each video: ground truth in white, predictions in orange."""
    rows = [
        np.hstack([_drawn(video, found, time) for time in _TIMES])
        for video, found in zip(chosen, score.boxes, strict=True)
    ]
    half = len(rows) // 2
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half : 2 * half])])


def _drawn(video: Video, found: FloatArray, time: int) -> Image:
    image = video.images[time].copy()
    for box, colour in ((video.boxes[time], _TRUTH), (found[time], _FOUND)):
        if np.isfinite(box).all():
            corners = np.concatenate([box[:2], box[:2] + box[2:]]).round().astype(int)
            cv2.rectangle(image, corners[:2].tolist(), corners[2:].tolist(), colour, 2)
    return image[::2, ::2]


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
    if "holdout/success" in metrics:
        success = metrics["holdout/success"].dropna()
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
