"""Training logs, read back over all starts of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lightning")

from trackers.siamattn.training.callbacks import draw, read_metrics


def write_start(folder: Path, version: int, text: str) -> None:
    """Write the loss file of one start of a run."""
    path = folder / "logs" / "csv" / f"version_{version}" / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_later_starts_override_earlier_ones(tmp_path: Path) -> None:
    write_start(tmp_path, 2, "step,train/total\n0,3.0\n1,2.0\n")
    write_start(tmp_path, 10, "step,train/total\n1,1.5\n2,1.0\n")
    assert read_metrics(tmp_path)["train/total"].to_list() == [3.0, 1.5, 1.0]


def test_a_start_without_losses_is_ignored(
    tmp_path: Path,
) -> None:
    write_start(tmp_path, 0, "")
    assert read_metrics(tmp_path).empty
    write_start(tmp_path, 1, "step,train/total\n0,3.0\n")
    assert read_metrics(tmp_path)["train/total"].to_list() == [3.0]


def test_nothing_is_drawn_before_anything_is_logged(tmp_path: Path) -> None:
    draw(read_metrics(tmp_path), tmp_path / "curves.png")
    assert not list(tmp_path.iterdir())
