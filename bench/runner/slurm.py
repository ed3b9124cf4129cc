"""Batch files for Slurm: a run in shards as a job array, and a training over several nodes."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable
from collections.abc import Sequence as List
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError

_RUN = """
# Slurm warns {warning} s before the end of the time, and pre-emption sends SIGTERM: the record is
# closed, finished sequences are kept, and the task goes on where it is started again.
again=
{command} --shard "$SLURM_ARRAY_TASK_ID/{tasks}" &
run=$!
trap 'again=1; kill -TERM "$run" 2>/dev/null' USR1
trap 'kill -TERM "$run" 2>/dev/null' TERM INT
while true; do
  wait "$run"
  code=$?
  kill -0 "$run" 2>/dev/null || break
done
if [ -n "$again" ] && [ "$code" -ne 0 ]; then
  scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
"""
_TRAIN = """
# One process for each device; Lightning finds its place among them, saves at the signal, and
# has the job started again.
srun {command}
"""


@dataclass(frozen=True)
class Request:
    """What a job asks of Slurm.

    Attributes:
        name: of the job.
        tasks: shards of a run, or processes per node of a training.
        gpus: for each task.
        cpus: for each task.
        time: limit of a task, as Slurm writes it; the partition's own if empty.
        warning: seconds before the end at which a task is told.
        nodes: of a training.
        most: tasks of an array at one time; 0 for any number.
        further: further options of ``sbatch``, such as ``--partition=gpu``.
        logs: folder of what the tasks print.
    """

    name: str
    tasks: int = 1
    gpus: int = 0
    cpus: int = 2
    time: str = ""
    warning: int = 60
    nodes: int = 1
    most: int = 0
    further: tuple[str, ...] = ()
    logs: Path = Path("slurm")


def run_script(request: Request, command: List[str]) -> str:
    """An array of tasks, each of which runs one shard by ``command``.

    A task that is pre-empted, or whose node fails, is put back into the queue.
    """
    most = f"%{request.most}" if request.most else ""
    options = [
        f"--array=1-{request.tasks}{most}", "--ntasks=1", f"--cpus-per-task={request.cpus}",
        *([f"--gpus-per-task={request.gpus}"] if request.gpus else []),
        f"--signal=B:USR1@{request.warning}", f"--output={request.logs}/%x-%A_%a.out",
    ]  # fmt: skip
    body = _RUN.format(command=shlex.join(command), tasks=request.tasks, warning=request.warning)
    return _head(request, options) + body


def train_script(request: Request, command: List[str]) -> str:
    """One job over ``request.nodes`` nodes that trains by ``command``."""
    options = [
        f"--nodes={request.nodes}", f"--ntasks-per-node={request.tasks}",
        f"--cpus-per-task={request.cpus}",
        *([f"--gpus-per-task={request.gpus}"] if request.gpus else []),
        f"--signal=SIGUSR1@{request.warning}", f"--output={request.logs}/%x-%j.out",
    ]  # fmt: skip
    whole = [*command, "--devices", str(request.tasks), "--nodes", str(request.nodes)]
    return _head(request, options) + _TRAIN.format(command=shlex.join(whole))


def _head(request: Request, options: Iterable[str]) -> str:
    limit = [f"--time={request.time}"] if request.time else []
    lines = [
        f"--job-name={request.name}", *options, "--requeue", "--open-mode=append", *limit,
        *request.further,
    ]  # fmt: skip
    if broken := [line for line in lines if "\n" in line or not line.startswith("-")]:
        raise ConfigError(
            f"expected an option of sbatch, as in --partition=gpu, found {broken[0]!r}"
        )
    return "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines)


def send(script: Path) -> str:
    """Give a script to ``sbatch``; returns the number of the job.

    Raises:
        ConfigError: there is no ``sbatch``, or it refuses the script.
    """
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", str(script)], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ConfigError(
            f"sbatch cannot be run ({error.strerror}). {script} is written; send it from a "
            f"machine that has Slurm: sbatch {script}"
        ) from error
    if done.returncode:
        raise ConfigError(f"sbatch refused {script}: {done.stderr.strip()}")
    return done.stdout.strip().partition(";")[0]
