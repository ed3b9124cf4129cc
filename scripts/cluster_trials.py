"""What ``cluster_slurm`` and ``cluster_ray`` share: a small run, and what it lost."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRACKER = """
import time
from bench.tracker import Prediction

class Slow:
    deterministic = True

    def __init__(self, pause: float = 0.01) -> None:
        self.pause = pause

    def init(self, image, region):
        self.region = region

    def update(self, image):
        time.sleep(self.pause)
        self.region = self.region + (image.mean() / 1000 - 0.1)
        return Prediction(self.region)
"""


def hashes(results: Path) -> dict[str, str]:
    """The results by name; times differ from run to run."""
    found = [*results.glob("*/*/*.txt"), *results.glob("*/*/scores/*.txt")]
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
    }


def prepare(folder: Path, pause: float) -> list[str]:
    """A small dataset and a slow tracker; returns the arguments of its run."""
    (folder / "slow.py").write_text(TRACKER)
    bench = [sys.executable, "-m", "bench"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for line in (
        ["mini", "data", "--benchmark", "otb2015"],
        ["run", "otb2015", "-t", "slow.py:Slow", "-r", "alone", "--no-progress"],
    ):
        subprocess.run([*bench, *line], cwd=folder, env=environment, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    return ["otb2015", "-t", "slow.py:Slow", "--name", "Slow", "--set", f"pause={pause}"]


def faults_of(folder: Path, name: str) -> list[str]:
    """What a run lost, doubled or changed."""
    found = hashes(folder / name)
    expected = hashes(folder / "alone")
    faults = [f"{path} is missing" for path in expected.keys() - found.keys()]
    faults += [f"{path} is too much" for path in found.keys() - expected.keys()]
    faults += [f"{p} differs" for p in expected.keys() & found.keys() if expected[p] != found[p]]
    tracker = folder / name / "otb2015" / "Slow"
    faults += [f"{path.name} is left" for path in tracker.glob("run-*.json")]
    faults += [f"{path} is left" for path in tracker.rglob("*.tmp")]
    return faults
