"""A real Ray cluster and a real Slurm of two nodes each, one killed whole: the proofs, once.

``scripts/cluster_ray.py`` and ``scripts/cluster_slurm.py`` do it many times, at random moments.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"


def why_no_slurm() -> str:
    specification = importlib.util.spec_from_file_location(
        "cluster_slurm", SCRIPTS / "cluster_slurm.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(SCRIPTS))
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return str(module.why_not())


def proof(script: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, SCRIPTS / script, "--kills", "1", *words], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_run_on_ray_survives_a_killed_node() -> None:
    printed = proof("cluster_ray.py", "--after", "3")
    assert "nothing lost" in printed
    assert "beyond the loopback address: nothing" in printed


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    return subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=folder, env=environment, text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip


def boxes_of(folder: Path, name: str) -> dict[str, bytes]:
    found = (folder / "results/otb2015" / name).glob("*.txt")
    return {path.name: path.read_bytes() for path in found}


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_run_starts_ray_on_this_machine(tmp_path: Path) -> None:
    call(tmp_path, "mini", "data", "--benchmark", "otb2015")
    run = ("run", "otb2015", "-t", "static")
    done = call(tmp_path, *run, "--engine", "ray", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    call(tmp_path, *run, "--name", "here")
    assert boxes_of(tmp_path, "static") == boxes_of(tmp_path, "here")
    assert boxes_of(tmp_path, "here")
    refused = call(tmp_path, *run, "--name", "gpu", "--engine", "ray", "--per-gpu", "2")
    assert refused.returncode == 1
    assert "no node of the cluster offers a GPU" in refused.stderr


LOOKING = """
from bench.tracker import Prediction

class Looking:
    deterministic = True

    def __init__(self, weights: Path | None = None) -> None:
        self.step = float(weights.read_text()) if weights else 0.0

    def init(self, image, region):
        self.region = region

    def update(self, image):
        self.region = self.region + [image.mean() / 1000, self.step, 0, 0]
        return Prediction(self.region)
"""


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_nodes_read_data_and_weights_where_the_map_says(tmp_path: Path) -> None:
    """Images here are black, and those elsewhere are not: the boxes tell which were read."""
    (tmp_path / "looking.py").write_text(f"from pathlib import Path\n{LOOKING}")
    call(tmp_path, "mini", "elsewhere", "--benchmark", "otb2015")
    (tmp_path / "elsewhere/step").write_text("0.25")
    shutil.copytree(tmp_path / "elsewhere", tmp_path / "data")
    for path in (tmp_path / "data").rglob("*.jpg"):
        image = cv2.imread(str(path))
        assert image is not None
        cv2.imwrite(str(path), np.zeros_like(image))
    run = ("run", "otb2015", "-t", "looking.py:Looking")
    weights = ("--weights", "data/step")
    ray = ("--engine", "ray", "--jobs", "1", "--data-map", f"data={tmp_path / 'elsewhere'}")
    for words in (
        (*weights, "--name", "mapped", *ray),
        (*weights, "--name", "black"),
        ("--weights", "elsewhere/step", "--data", "elsewhere", "--name", "true"),
    ):
        done = call(tmp_path, *run, *words)
        assert done.returncode == 0, done.stderr
    assert boxes_of(tmp_path, "mapped") == boxes_of(tmp_path, "true")
    assert boxes_of(tmp_path, "mapped") != boxes_of(tmp_path, "black")
    # Weights elsewhere are compared with those here before any frame is read.
    (tmp_path / "elsewhere/step").write_text("0.5")
    other = call(tmp_path, *run, *weights, "--name", "other", *ray)
    assert other.returncode == 1
    assert "weights" in other.stdout + other.stderr
    assert not boxes_of(tmp_path, "other")


@pytest.mark.skipif(bool(why_no_slurm()), reason=why_no_slurm() or "Slurm is here")
def test_a_run_under_slurm_survives_a_killed_node() -> None:
    assert "nothing lost" in proof("cluster_slurm.py", "--after", "2")
