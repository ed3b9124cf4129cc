"""``bench submit``: what it writes and refuses, and what the written file does with signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.loading import ROOT
from tests.conftest import Miniature

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="batch files of POSIX systems")


def submit(
    folder: Path, *words: str, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": ROOT}
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "bench", "submit", "slurm", *words], cwd=folder, text=True,
        env=environment, capture_output=True, check=False,
    )  # fmt: skip


def test_a_run_is_an_array_of_shards(tmp_path: Path) -> None:
    done = submit(
        tmp_path, "--tasks", "20", "--gpus-per-task", "1", "--time", "4:00:00",
        "--sbatch=--partition=gpu", "--at-once", "5", "--", "otb2015", "-t", "a b.py:X",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "bench.sbatch").read_text()
    options = set(re.findall(r"^#SBATCH (.*)$", text, re.MULTILINE))
    assert {
        "--array=1-20%5", "--gpus-per-task=1", "--requeue", "--signal=B:USR1@60",
        "--time=4:00:00", "--partition=gpu", "--ntasks=1",
    } <= options  # fmt: skip
    assert "run otb2015 -t 'a b.py:X' --gpus auto --shard \"$SLURM_ARRAY_TASK_ID/20\"" in text
    subprocess.run(["bash", "-n", tmp_path / "bench.sbatch"], check=True)
    assert (tmp_path / "slurm").is_dir()


def test_a_training_is_one_job_over_nodes(tmp_path: Path) -> None:
    done = submit(tmp_path, "--train", "--nodes", "2", "--tasks", "8", "--", "runs/paper")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "bench.sbatch").read_text()
    assert "#SBATCH --ntasks-per-node=8\n" in text
    assert "#SBATCH --signal=SIGUSR1@60\n" in text
    assert text.endswith("training fit runs/paper --devices 8 --nodes 2\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "after --"),
        (("--", "otb2015", "--trcker", "kcf"), "--trcker"),
        (("--", "otb2016"), "otb2016"),
        (("--", "otb2015", "--shard", "1/2"), "--shard cannot be submitted"),
        (("--", "otb2015", "--debug"), "--debug cannot be submitted"),
        (("--nodes", "2", "--", "otb2015"), "--nodes 2"),
        (("--sbatch", "x\n#SBATCH --uid=0", "--", "otb2015"), "expected an option of sbatch"),
    ],
)
def test_what_tasks_would_refuse_is_refused_at_once(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = submit(tmp_path, *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "bench.sbatch").exists()


def command(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/bash\n{body}\n")
    (folder / name).chmod(0o755)


def test_now_sends_it_and_says_the_job(tmp_path: Path) -> None:
    command(tmp_path, "sbatch", 'echo "77;cluster"; cp "$2" sent')
    done = submit(tmp_path, "--now", "--", "otb2015", path=tmp_path)
    assert "sent: job 77;" in done.stdout
    assert (tmp_path / "sent").read_text() == (tmp_path / "bench.sbatch").read_text()
    command(tmp_path, "sbatch", 'echo "no partition" >&2; exit 1')
    done = submit(tmp_path, "--now", "--", "otb2015", path=tmp_path)
    assert done.returncode == 1
    assert "sbatch refused bench.sbatch: no partition" in done.stderr


@pytest.mark.parametrize(("sent", "again"), [(signal.SIGUSR1, True), (signal.SIGTERM, False)])
def test_a_warned_task_stops_and_asks_to_be_started_again(
    sent: signal.Signals, again: bool, miniature: Miniature, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nfrom bench.tracker import Prediction\n\nclass Slow:\n"
        "    def init(self, image, region):\n        open('begun', 'w').close()\n"
        "        self.region = region\n\n"
        "    def update(self, image):\n        time.sleep(0.5)\n"
        "        return Prediction(self.region)\n"
    )
    environment = {
        **os.environ, "PYTHONPATH": ROOT, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "7",
    }  # fmt: skip
    miniature.into(tmp_path / "data", "otb2015")
    command(tmp_path, "scontrol", 'echo "$@" > asked')
    assert submit(tmp_path, "--", "otb2015", "-t", "slow.py:Slow").returncode == 0
    task = subprocess.Popen(
        ["bash", "bench.sbatch"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    task.send_signal(sent)
    output, _ = task.communicate(timeout=60)
    assert task.returncode == 130, output
    assert "finished sequences are kept" in output
    assert (tmp_path / "asked").exists() == again
    if again:
        assert (tmp_path / "asked").read_text() == "requeue 7_1\n"
    folder = tmp_path / "results" / "otb2015" / "Slow"
    assert '"ended": "' in (folder / "run.json").read_text()
    assert not list(folder.glob("run-*.json"))
