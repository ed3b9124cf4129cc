"""``bench run`` and ``bench trackers``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options

if TYPE_CHECKING:
    from bench.runner import RunSummary

ResultName = Annotated[
    str | None, typer.Option(help="Name of the result folder; the tracker's by default.")
]
TunedOn = Annotated[
    str | None,
    typer.Option(help="Dataset whose scores chose these options; every table says so."),
]
TrackerToShow = Annotated[
    str | None,
    typer.Argument(help="Show the options of this one.", autocompletion=options.complete_tracker),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("run")(run)
    app.command("trackers")(trackers)


def run(
    benchmark: options.BenchmarkName,
    tracker: options.Tracker = "kcf",
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    name: ResultName = None,
    settings: options.Settings = None,
    weights: options.Weights = None,
    device: options.Device = None,
    experiment: options.Experiment = None,
    repetitions: options.Repetitions = None,
    lockstep: options.Lockstep = 1,
    jobs: options.Jobs = 1,
    seed: options.Seed = 0,
    timeout: options.Timeout = options.DEFAULT_TIMEOUT,
    sequences: options.Sequences = None,
    subset: options.Subset = "test",
    tuned_on: TunedOn = None,
) -> None:
    """Run a tracker over a benchmark; finished sequences are kept and never run twice.

    One-pass, and on VOT2016 and VOT2018 reset-based, unless --experiment says otherwise.
    Stop it at any moment (Ctrl-C, even kill -9) and give the same command again to go on.

    [bold]Examples[/]

      bench run otb2015 --data data/mini --results results/mini --tracker kcf

      bench run lasot --data /data/LaSOT --tracker my_module:MyTracker --jobs 4

      bench run vot2018 --data /data/VOT2018 -t my_module:MyTracker --experiment realtime

      bench run folder --data ~/clips -t opencv-mil --set seed=7 --name mil-7
    """
    from bench.datasets import open_dataset
    from bench.registry import make_spec
    from bench.results.opening import open_store
    from bench.runner import run_tracker

    store = open_store(results, benchmark, experiment)
    spec = make_spec(tracker, options.parse_settings(settings), name, device, weights)
    dataset = open_dataset(benchmark, data, subset=subset)
    for caveat in dataset.caveats:
        typer.echo(f"note: {caveat}", err=True)
    started = time.monotonic()
    with options.stoppable("finished sequences"):
        summary = run_tracker(
            dataset,
            spec,
            store,
            jobs=jobs,
            seed=seed,
            frame_timeout=timeout,
            names=options.split_names(sequences),
            repetitions=repetitions,
            lockstep=lockstep,
            tuned_on=tuned_on,
        )
    unit = "sequences" if store.experiment == "onepass" else "runs"
    _report(summary, spec.name, unit, store.folder(spec.name), time.monotonic() - started)


def _report(summary: RunSummary, name: str, unit: str, folder: Path, seconds: float) -> None:
    typer.echo(
        f"{name}: {len(summary.finished)} {unit} done in {seconds:.1f} s, "
        f"{len(summary.skipped)} were finished before, {len(summary.failures)} failed -> {folder}"
    )
    for failure in summary.failures:
        where = (
            failure.sequence
            if failure.frame is None
            else (f"{failure.sequence}, frame {failure.frame}")
        )
        typer.secho(f"failed: {where}: {failure.cause}", fg="red", err=True)
    if summary.failures:
        raise typer.Exit(1)


def trackers(tracker: TrackerToShow = None) -> None:
    """List the registered trackers, or the options of one.

    [bold]Examples[/]

      bench trackers

      bench trackers kcf
    """
    from bench.registry import registered_trackers, tracker_options

    if tracker is None:
        for registered, location in registered_trackers().items():
            typer.echo(f"{registered:18} {location}")
        return
    for option in tracker_options(tracker).values():
        kind = getattr(option.annotation, "__name__", str(option.annotation))
        default = "required" if option.default is option.empty else repr(option.default)
        typer.echo(f"{option.name:24} {kind:12} {default}")
