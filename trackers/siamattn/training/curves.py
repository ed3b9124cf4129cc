"""The losses of a run so far, and the hold-out's scores, as one picture."""

from __future__ import annotations

from pathlib import Path

import lightning as L  # noqa: N812
import pandas as pd

LOSSES = ("total", "cls", "loc", "box", "mask")
_SMOOTH = 25  # steps in a running mean
_COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito


class DrawCurves(L.Callback):
    """Draws ``curves.png`` in the folder of the run after every epoch."""

    def __init__(self, folder: Path) -> None:
        """``folder`` of the run."""
        self.folder = folder

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Draw what is written down so far."""
        if trainer.is_global_zero:
            for logger in trainer.loggers:
                logger.save()
            draw(read_metrics(self.folder), self.folder / "curves.png")


def read_metrics(folder: Path) -> pd.DataFrame:
    """What all starts of a run logged, by step; where two did, what the later one did."""
    paths = (folder / "logs" / "csv").glob("version_*/metrics.csv")
    ordered = sorted(paths, key=lambda path: int(path.parent.name.partition("_")[2]))
    # A start killed before it wrote its first losses leaves an empty file.
    begun = [path for path in ordered if path.stat().st_size]
    if not begun:
        return pd.DataFrame()
    merged = pd.concat([pd.read_csv(path) for path in begun])
    return merged.groupby("step").last().sort_index()


def draw(metrics: pd.DataFrame, path: Path) -> None:
    """Losses above, the hold-out below; nothing where nothing is logged yet."""
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
    above.set(ylabel="loss, before its weight", ylim=(0, None))
    above.legend(ncols=len(LOSSES), frameon=False)
    if "holdout/success" in metrics:
        success = metrics["holdout/success"].dropna()
        below.plot(success.index, success, color=_COLOURS[1], marker="o")
    below.set(xlabel="step", ylabel="hold-out success (AUC)", ylim=(0, 1))
    figure.savefig(path, dpi=110)
