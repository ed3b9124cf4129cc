"""The command line of training, run as a user would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils.data import Dataset

from bench.errors import DatasetError
from trackers.siamattn.training.cli import main, without_traceback
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.data import Steps, make_loader
from trackers.siamattn.training.graph import Batch

pytest.importorskip("lightning")
ROOT = Path(__file__).parents[4]


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trackers.siamattn.training", *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}  # more would compete with other processes
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


class Broken(Dataset[Batch]):
    """Pairs that cannot be read."""

    def __getitem__(self, index: int) -> Batch:
        raise DatasetError(f"sets/coco: nothing could be read\nGive another folder ({index})")


def test_a_workers_error_is_shown_without_its_traceback() -> None:
    steps = Steps(recipe("nano"), lambda: 0)
    with pytest.raises(DatasetError, match="Traceback") as caught:
        next(iter(make_loader(Broken(), steps, workers=1)))
    assert (
        without_traceback(caught.value)
        == "sets/coco: nothing could be read\nGive another folder (0)"
    )
    assert (
        without_traceback(DatasetError("DatasetError of one's own")) == "DatasetError of one's own"
    )


def test_smoke(tmp_path: Path) -> None:
    """`make train-smoke` reduces the loss and puts boxes on their targets."""
    found = call("smoke", tmp_path / "run")
    assert found.returncode == 0, found.stderr[-2000:]
    factor, overlap = map(
        float, re.findall(r"factor of ([\d.]+).*targets ([\d.]+)", found.stdout)[0]
    )
    assert factor > 4
    assert overlap > 0.8
    assert (tmp_path / "run" / "weights.safetensors").exists()


@pytest.mark.filterwarnings("ignore")  # Lightning's and PyTorch's about each other
def test_smoke_fails_if_nothing_was_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = ("--set", "schedule.pairs=4", "--set", "schedule.epochs=1")
    assert error(monkeypatch, "smoke", tmp_path / "run", *brief).startswith(
        "error: the pairs were not learned"
    )


def error(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> str:
    """The message with which the command ends."""
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    assert isinstance(left.value.code, str)
    return left.value.code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "nono"], "error: unknown recipe 'nono'"),
        (["--set", "schedule.epoch=3"], "schedule.epochs"),
        (["--set", "schedule"], "expected NAME=VALUE"),
        (["--initial", "none.safetensors"], "none.safetensors: cannot be read"),
        (["--initial", "a.pth", "--backbone", "b.pth"], "found both"),
        (["--seed", "-1"], "seed -1: expected a number from 0"),
        (["--data", "sets"], "--data sets: "),
        (["--recipe", "mine.json"], "mine.json: cannot be read"),
        (["--recipe", "paper", "--data", "sets"], "recipe 'paper' keeps the backbone still"),
        (["--recipe", "paper", "--backbone", "none"], "trains on the mixture 'paper'"),
        (["--backbone", "none", "--validation-data", "clips"], "is validated on generated video"),
        (["--set", "validation.dataset=folder"], "is validated on folder: give its folder"),
        (["--devices", "32"], "with a pair of each for every one of the 32 processes, found 16"),
    ],
)
def test_user_errors_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = error(monkeypatch, "fit", tmp_path / "run", *arguments)
    assert message in said
    assert said.startswith("error: ")
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
