"""Clips of a few grey frames, as one's own, as OTB's and as the miniature's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.loading import ROOT

Run = subprocess.CompletedProcess
BENCH = Path(sys.executable).with_name("bench")
TOYS = Path(__file__).parent
FRAMES = 4


def write_clip(folder: Path, grey: int, images: str, truth: str) -> None:
    import cv2
    import numpy as np

    (folder / images).mkdir(parents=True)
    for number in range(1, FRAMES + 1):
        image = np.full((48, 64, 3), grey, np.uint8)
        assert cv2.imwrite(str(folder / images / f"{number:04}.png"), image)
    (folder / truth).write_text("20,10,16,16\n" * FRAMES)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two clips of one's own in ``tmp_path/clips``."""
    for name, grey in (("walk", 40), ("run", 90)):
        write_clip(tmp_path / "clips" / name, grey, ".", "groundtruth.txt")
    return tmp_path


@pytest.fixture
def otb(tmp_path: Path) -> Path:
    """One sequence of OTB-2015 in ``tmp_path/data/otb2015``: a piece of a test set."""
    folder = tmp_path / "data" / "otb2015" / "Crossing"
    write_clip(folder, 60, "img", "groundtruth_rect.txt")
    for path in (folder / "img").iterdir():
        path.rename(path.with_suffix(".jpg"))
    return tmp_path


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toys in reach, here and in worker processes."""
    monkeypatch.syspath_prepend(TOYS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TOYS), ROOT]))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def bench(bench_here: Callable[..., Run]) -> Callable[..., Run]:
    """The command, in this process, where the toys are loaded."""
    return bench_here


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Start the installed command as a process of its own."""

    def popen(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
        command = [str(BENCH), *map(str, arguments)]
        return subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)

    return popen
