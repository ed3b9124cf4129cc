"""``bench tune``."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import options
from bench.runner.options import RunOptions

if TYPE_CHECKING:
    from bench.sequence import Dataset
    from bench.tuning.plan import Plan

StudyFile = Annotated[
    Path, typer.Option(help="File that keeps the trials; give it again to continue.")
]
Search = Annotated[
    list[str],
    typer.Option(
        metavar="NAME=VALUES",
        help="Option to search: NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C; repeatable.",
    ),
]
Measure = Annotated[
    str | None, typer.Option(help="Measure to improve; success by default, or eao on VOT.")
]
Trials = Annotated[int, typer.Option(min=1, help="Total number of trials.")]
AmongStored = Annotated[
    bool, typer.Option("--stored", help="Compare the runs in --results; run nothing.")
]
OnTestSet = Annotated[
    bool, typer.Option("--on-test-set", help="Allow a test set; every result says so.")
]
OutcomeFile = Annotated[
    Path | None, typer.Option("--json", help="File for the outcome; beside the study by default.")
]
Top = Annotated[int, typer.Option(min=1, help="Number of trials to print.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="NAME=VALUE", help="Option of every trial; repeatable."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the search and of every run.")]


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("tune")(tune)


@options.running("repetitions", "lockstep", "jobs", "timeout", before="sequences")
def tune(
    benchmark: options.BenchmarkName,
    study: StudyFile,
    search: Search,
    tracker: options.Tracker = "kcf",
    trials: Trials = 50,
    measure: Measure = None,
    stored: AmongStored = False,
    on_test_set: OnTestSet = False,
    json_file: OutcomeFile = None,
    top: Top = 10,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    settings: Settings = None,
    weights: options.Weights = None,
    device: options.Device = None,
    experiment: options.Experiment = None,
    seed: Seed = 0,
    sequences: options.Sequences = None,
    subset: options.Subset = "test",
    **running: Any,
) -> None:
    """Search a tracker's options for the best score, on data that is not a test set.

    Each trial is a run of its own, kept beside the study. Stop it at any moment (Ctrl-C, even
    kill -9) and give the same command again to continue. The test sets of the six benchmarks are
    refused unless --on-test-set is given; every table with a tuned result says so.

    [bold]Examples[/]

      bench tune otb2015 --data data/mini --study tuning/kcf.journal --tracker kcf
      --search learning_rate=0.005:0.1:log --search padding=1.0:3.0 --trials 50

      bench tune folder --data ~/clips --study tuning/siamattn.journal -t siamattn --weights w.pth
      --search penalty_k=0:0.3 --search window_influence=0.1:0.5 --search lr=0.2:0.7

      bench tune folder --data ~/clips --study tuning/kcf.journal --search scales=1,3,5 --stored
    """
    from bench.benchmarks import get_benchmark
    from bench.results import open_store
    from bench.tuning.plan import Plan, choose_measure
    from bench.tuning.search import outcome
    from bench.tuning.search import search as search_options
    from bench.tuning.space import parse_space

    experiment = get_benchmark(benchmark).experiment(experiment)
    fixed = options.parse_settings(settings)
    plan = Plan(
        _dataset(benchmark, data, subset, options.split_names(sequences)), tracker,
        parse_space(search, tracker, fixed), choose_measure(experiment, measure, benchmark), study,
        experiment, fixed, weights, device, RunOptions(**running, seed=seed),
    )  # fmt: skip
    with options.stoppable("trials"):
        among = open_store(results, benchmark, experiment) if stored else None
        found = outcome(
            plan, search_options(plan, typer.echo, trials, among, on_test_set=on_test_set)
        )
    command = _command(plan, found["best"]["options"], data, subset)
    _report(plan, {"command": command, **found}, top, json_file)


def _dataset(benchmark: str, data: Path, subset: str, names: list[str] | None) -> Dataset:
    """The whole dataset, or the sequences of these names."""
    from bench.datasets import open_dataset

    dataset = open_dataset(benchmark, data, subset=subset)
    if names is None:
        return dataset
    chosen = tuple(dataset[name] for name in dict.fromkeys(names))
    return dataclasses.replace(dataset, sequences=chosen)


def _command(plan: Plan, best: dict[str, Any], data: Path, subset: str) -> str:
    """The command that runs the tracker with the best options, marked as tuned."""
    from bench.evaluation.selection import label_of

    settings, running = {**plan.settings, **best}, plan.running
    options = [
        ("--data", data),
        ("--tracker", plan.target),
        *(("--set", f"{name}={value}") for name, value in settings.items()),
        ("--weights", plan.weights),
        ("--device", plan.device),
        ("--experiment", plan.experiment if plan.experiment != "onepass" else None),
        ("--repetitions", running.repetitions),
        ("--lockstep", running.lockstep if running.lockstep != 1 else None),
        ("--seed", running.seed or None),
        ("--subset", subset if subset != "test" else None),
        ("--name", f"{plan.name}-tuned"),
        ("--tuned-on", label_of(plan.dataset)),
    ]
    words = [str(word) for option in options if option[1] is not None for word in option]
    return shlex.join(["bench", "run", plan.dataset.benchmark, *words])


def _report(plan: Plan, found: dict[str, Any], top: int, json_file: Path | None) -> None:
    path = json_file or plan.study.with_name(f"{plan.study.stem}-best.json")
    content = json.dumps(found, indent=1, allow_nan=False)
    options.write_file(path, f"{content}\n")
    _print_trials(plan, [row for row in found["trials"] if row["value"] is not None][:top])
    for note in found["notes"]:
        typer.echo(f"* {note}")
    typer.echo(f"best options, all trials -> {path}")
    typer.echo(f"use them: {found['command']}")


def _print_trials(plan: Plan, rows: list[dict[str, Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from bench.evaluation.selection import label_of
    from bench.reports.terminal import report_console

    title = f"{label_of(plan.dataset)}, {plan.name}: hyper-parameters tuned on this benchmark"
    typer.echo(title)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Trial", overflow="fold")
    for heading in (plan.measure, *plan.space):
        table.add_column(heading, justify="right")
    for row in rows:
        drawn = (row["options"][name] for name in plan.space)
        values = (f"{v:.4g}" if isinstance(v, float) else str(v) for v in drawn)
        table.add_row(escape(row["label"]), f"{row['value']:.4f}", *map(escape, values))
    report_console().print(table)
