"""``bench run`` and ``bench trackers``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.cli import options
from bench.errors import ConfigError
from bench.runner import RunOptions

if TYPE_CHECKING:
    from bench.registry import TrackerSpec
    from bench.results.stores import Store
    from bench.runner import RunSummary
    from bench.runner.progress import Wanted
    from bench.sequence import Dataset

ResultName = Annotated[
    str | None, typer.Option(help="Name of the result folder; the tracker's by default.")
]
Images = Annotated[
    Literal["rgb", "bgr", "gray", "pil"] | None,
    typer.Option(help="What a tracker of another toolkit reads; as its toolkit does by default."),
]
FirstBox = Annotated[
    Literal["as-is", "pysot"] | None,
    typer.Option(help="For one of another toolkit: pysot moves the first box by half a pixel."),
]
Progress = Annotated[
    bool | None,
    typer.Option(
        "--progress/--no-progress",
        help="A bar on a terminal, else a line every minute; on by default.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print failures only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what the tracker prints.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check dataset and tracker, and list what would run.")
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", help="Run one sequence in this process, keep nothing, show the traceback."
    ),
]
TrackerToShow = Annotated[
    str | None,
    typer.Argument(help="Show the options of this one.", autocompletion=options.complete_tracker),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("run")(run)
    app.command("trackers")(trackers)


@options.running(before="progress")
def run(
    benchmark: options.BenchmarkName,
    tracker: options.RunTrackers = ["kcf"],  # noqa: B006  typer copies it
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    name: ResultName = None,
    settings: options.Settings = None,
    weights: options.Weights = None,
    device: options.Device = None,
    images: Images = None,
    first_box: FirstBox = None,
    experiment: options.Experiment = None,
    subset: options.Subset = "test",
    progress: Progress = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    debug: Debug = False,
    **running: Any,
) -> None:
    """Run a tracker over a benchmark; finished sequences are kept and never run twice.

    One-pass, and on VOT2016 and VOT2018 reset-based, unless --experiment says otherwise.
    Stop it at any moment (Ctrl-C, even kill -9) and give the same command again to go on. The
    traceback of a failure goes to logs/<sequence>.log beside the results.

    [bold]Examples[/]

      bench run otb2015 --data data/mini --results results/mini --tracker kcf

      bench run lasot --data /data/LaSOT --tracker my_module:MyTracker --jobs 4

      bench run vot2018 --data /data/VOT2018 -t path/file.py:MyTracker --experiment realtime

      bench run lasot --tracker siamattn --gpus auto --per-gpu 2

      bench run lasot --tracker siamattn --engine ray --ray-address auto --per-gpu 2

      bench run folder --data ~/clips -t opencv-mil --set seed=7 --name mil-7

      bench run otb2015 -t path/file.py:MyTracker --sequence Bolt --debug
    """
    from bench.datasets import open_dataset
    from bench.results import open_store

    names = options.split_names(running.pop("sequences"))
    chosen = RunOptions(**running, sequences=names)
    store = open_store(results, benchmark, experiment)
    given = options.parse_settings(settings), name, device, weights
    specs = _specs(tracker, *given, images=images, first_box=first_box)
    dataset = open_dataset(benchmark, data, subset=subset)
    for caveat in () if quiet else (*dataset.caveats, *_traps()):
        typer.echo(f"note: {caveat}", err=True)
    if debug:
        _debug(dataset, specs, store, chosen)
    elif dry_run:
        _plan(dataset, specs, store, chosen)
    else:
        shown: Wanted = False if quiet or progress is False else "lines"
        _run(dataset, specs, store, chosen, shown, quiet=quiet, verbose=verbose)


def _traps() -> list[str]:
    """The known traps of this installation, which `bench doctor` explains, in one line."""
    from bench.cli.doctor import traps

    return [f"known traps (bench doctor): {' '.join(found)}"] if (found := traps()) else []


def _specs(
    trackers: list[str], settings: dict[str, str], name: str | None, *given: Any, **foreign: Any
) -> list[TrackerSpec]:
    """The trackers to run, each with the options given; see ``make_spec``."""
    from bench.registry import make_spec

    targets = options.split_names(trackers) or []
    if name is not None and len(targets) > 1:
        raise ConfigError(f"--name {name}: expected one --tracker, found {len(targets)}")
    return [make_spec(each, settings, name, *given, **foreign) for each in targets]


def _run(
    dataset: Dataset,
    specs: list[TrackerSpec],
    store: Store,
    chosen: RunOptions,
    shown: Wanted,
    *,
    quiet: bool,
    verbose: bool,
) -> None:
    """Run one tracker after the other; exit with 1 if a sequence of any could not be finished."""
    from bench.runner import run_tracker

    failed = False
    for spec in specs:
        started = time.monotonic()
        with options.stoppable("finished sequences"):
            summary = run_tracker(dataset, spec, store, chosen, progress=shown, verbose=verbose)
        single = store.experiment == "onepass" and (chosen.repetitions or 1) == 1
        unit = "sequence" if single else "run"
        _report(summary, spec.name, unit, store, time.monotonic() - started, quiet)
        failed = failed or bool(summary.failures)
    if failed:
        raise typer.Exit(1)


def _report(
    summary: RunSummary, name: str, unit: str, store: Store, seconds: float, quiet: bool
) -> None:
    before = len(summary.skipped)
    if not quiet:
        typer.echo(
            f"{name}: {options.counted(len(summary.finished), unit)} done in {seconds:.1f} s, "
            f"{before} {'was' if before == 1 else 'were'} finished before, "
            f"{len(summary.failures)} failed -> {store.folder(name)}"
        )
        if summary.adapter:
            typer.echo(f"note: {name}: {summary.adapter}", err=True)
    for failure in summary.failures:
        where = (
            failure.sequence
            if failure.frame is None
            else (f"{failure.sequence}, frame {failure.frame}")
        )
        log = summary.logs.get(failure.sequence)
        more = f" (traceback: {log})" if log else ""
        typer.secho(f"failed: {where}: {failure.cause}{more}", fg="red", err=True)


def _plan(dataset: Dataset, specs: list[TrackerSpec], store: Store, chosen: RunOptions) -> None:
    """Say what would run; nothing is run or written."""
    from bench.runner import plan_run
    from bench.runner.unit import build_tracker

    unit = "sequence" if store.experiment == "onepass" else "run"
    for spec in specs:
        plan = plan_run(dataset, spec, store, chosen)
        with options.stoppable("finished sequences"):
            build_tracker(spec.on(dataset.benchmark), chosen.seed)
        typer.echo(
            f"{spec.name}: {options.counted(len(plan.to_do), unit)} to run, "
            f"{len(plan.done)} done, {len(plan.left_out)} cannot run -> {store.folder(spec.name)}"
        )
        for heading, names in (("to run", plan.to_do), ("done", plan.done)):
            if names:
                typer.echo(f"  {heading}: {', '.join(names)}")
        for sequence, why in plan.left_out.items():
            typer.secho(f"  cannot run: {sequence}: {why}", fg="red")


def _debug(dataset: Dataset, specs: list[TrackerSpec], store: Store, chosen: RunOptions) -> None:
    """Run one sequence in this process, keep nothing, and show the traceback of a failure."""
    from bench.benchmarks import get_experiment
    from bench.errors import traceback_of
    from bench.runner import run_here
    from bench.runner.session import with_paths
    from bench.runner.unit import Finished, Unit

    sequence = dataset[chosen.sequences[0]] if chosen.sequences else dataset[0]
    unit = Unit(with_paths(sequence), chosen.seed, experiment=get_experiment(store.experiment))
    for spec in specs:
        try:
            told = spec.on(dataset.benchmark)
            outcomes = list(run_here([unit], told, chosen.seed, raise_errors=True))
        except (Exception, SystemExit) as error:
            typer.echo(traceback_of(error), err=True)
            raise typer.Exit(1) from None
        for outcome in outcomes:
            if isinstance(outcome, Finished):
                typer.echo(
                    f"{spec.name}: {sequence.name}: {outcome.answer.trajectory!r}; not kept"
                )


def trackers(tracker: TrackerToShow = None) -> None:
    """List the registered trackers, or the options of one.

    [bold]Examples[/]

      bench trackers

      bench trackers kcf
    """
    from bench.registry import registered_trackers, spelled, tracker_options

    if tracker is None:
        for registered, location in registered_trackers().items():
            typer.echo(f"{registered:18} {location}")
        return
    for option in tracker_options(tracker).values():
        kind = getattr(option.annotation, "__name__", str(option.annotation))
        default = "required" if option.default is option.empty else repr(option.default)
        typer.echo(f"{spelled(option.name):24} {kind:12} {default}")
