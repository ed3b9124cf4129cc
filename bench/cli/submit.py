"""``bench submit``: a run in shards, or a training, as a job of a cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bench.cli import options
from bench.errors import ConfigError

_OURS = {"shard": "every task has its own", "debug": "a task keeps results", "dry_run": "no task"}
Scheduler = Annotated[Literal["slurm"], typer.Argument(help="The scheduler.")]
Command = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- ARGUMENTS...",
        help="Those of `bench run`, or with --train of the training's `fit`.",
    ),
]
Tasks = Annotated[
    int, typer.Option(min=1, help="Shards of the run; with --train, processes per node.")
]
GpusPerTask = Annotated[int, typer.Option("--gpus-per-task", min=0, help="GPUs of a task.")]
CpusPerTask = Annotated[int, typer.Option("--cpus-per-task", min=1, help="Cores of a task.")]
AtOnce = Annotated[int, typer.Option("--at-once", min=0, help="Tasks at one time; 0 for all.")]
TimeLimit = Annotated[str, typer.Option("--time", help="Limit of a task, as in 4:00:00.")]
Warning = Annotated[int, typer.Option(min=1, help="Seconds before the limit to stop at.")]
Nodes = Annotated[int, typer.Option(min=1, help="Nodes of a training.")]
Sbatch = Annotated[
    list[str] | None,
    typer.Option("--sbatch", help="A further option, as in --sbatch=--partition=gpu; repeatable."),
]
Train = Annotated[bool, typer.Option("--train", help="Train SiamAttn in place of a run.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="The batch file to write.")]
Now = Annotated[bool, typer.Option("--now", help="Send it as well.")]


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("submit")(submit)


def submit(
    scheduler: Scheduler,
    command: Command = None,
    tasks: Tasks = 1,
    gpus_per_task: GpusPerTask = 0,
    cpus_per_task: CpusPerTask = 2,
    at_once: AtOnce = 0,
    time: TimeLimit = "",
    warning: Warning = 60,
    nodes: Nodes = 1,
    sbatch: Sbatch = None,
    train: Train = False,
    out: Out = Path("bench.sbatch"),
    now: Now = False,
) -> None:
    """Write a batch file for Slurm, and send it with --now.

    A run becomes an array of tasks that share one folder of results. A task that is pre-empted or
    runs out of time loses the sequence in hand at most, and goes on when Slurm starts it again.

    [bold]Examples[/]

      bench submit slurm --tasks 20 --gpus-per-task 1 --time 4:00:00 -- lasot -t siamattn

      bench submit slurm --train --nodes 2 --tasks 8 --gpus-per-task 1 -- runs/paper
    """
    from bench.runner.slurm import Request, run_script, send, train_script

    arguments = command or []
    if not arguments:
        raise ConfigError("expected the arguments of the run after --, as in -- lasot -t siamattn")
    if nodes > 1 and not train:
        raise ConfigError(f"--nodes {nodes}: a run has --tasks, which Slurm places itself")
    name = f"bench-{'train' if train else arguments[0]}"
    request = Request(
        name, tasks, gpus_per_task, cpus_per_task, time, warning, nodes, at_once,
        tuple(sbatch or ()),
    )  # fmt: skip
    if train:
        call = [sys.executable, "-m", "trackers.siamattn.training", "fit", *arguments]
        text = train_script(request, call)
    else:
        given = _checked(arguments)
        if gpus_per_task and given["gpus"] is None:
            arguments = [*arguments, "--gpus", "auto"]
        text = run_script(request, [sys.executable, "-m", "bench", "run", *arguments])
    options.write_file(out, text)
    typer.echo(f"written: {out}")
    request.logs.mkdir(exist_ok=True)  # Slurm does not, and a task without it fails unseen
    if now:
        typer.echo(f"sent: job {send(out)}; squeue shows it, {request.logs}/ what it prints")


def _checked(arguments: list[str]) -> dict[str, Any]:
    """The arguments as ``bench run`` understands them: a wrong one is told now, not by each task.

    Raises:
        ConfigError: one belongs to the task, not to the run as a whole.
    """
    from typer.main import get_command

    from bench.cli.verbs import app

    group: Any = get_command(app)
    verb = group.get_command(None, "run")
    given: dict[str, Any] = verb.make_context("bench run", list(arguments)).params
    for name, why in _OURS.items():
        if given[name]:
            raise ConfigError(f"--{name.replace('_', '-')} cannot be submitted: {why}")
    return given
