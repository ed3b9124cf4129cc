"""A real Ray cluster and a real Slurm of two nodes each, one killed whole: the proofs, once.

``scripts/cluster_ray.py`` and ``scripts/cluster_slurm.py`` do it many times, at random moments.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_run_starts_ray_on_this_machine(tmp_path: Path) -> None:
    bench = [sys.executable, "-m", "bench"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*bench, *words], cwd=tmp_path, env=environment, text=True, capture_output=True,
            timeout=300, check=False,
        )  # fmt: skip

    call("mini", "data", "--benchmark", "otb2015")
    done = call("run", "otb2015", "-t", "static", "--engine", "ray", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    call("run", "otb2015", "-t", "static", "--name", "here")
    stored = {
        name: {
            path.name: path.read_bytes()
            for path in (tmp_path / "results/otb2015" / name).glob("*.txt")
        }
        for name in ("static", "here")
    }
    assert stored["static"] == stored["here"]
    assert stored["here"]
    refused = call(
        "run", "otb2015", "-t", "static", "--name", "gpu", "--engine", "ray", "--per-gpu", "2"
    )
    assert refused.returncode == 1
    assert "no node of the cluster offers a GPU" in refused.stderr


@pytest.mark.skipif(bool(why_no_slurm()), reason=why_no_slurm() or "Slurm is here")
def test_a_run_under_slurm_survives_a_killed_node() -> None:
    assert "nothing lost" in proof("cluster_slurm.py", "--after", "2")
