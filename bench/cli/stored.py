"""``bench list``, ``bench remove`` and ``bench merge``: results that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError, ResultError, printable

if TYPE_CHECKING:
    from bench.results.stores import Store

_HEADINGS = ("Benchmark", "Experiment", "Tracker", "Sequences", "When", "Where", "Size")


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("list")(list_results)
    app.command("remove")(remove)
    app.command("merge")(merge)


Benchmarks = Annotated[
    list[str] | None,
    typer.Option("--benchmark", "-b", help="Only these; repeatable or with commas."),
]
Names = Annotated[list[str], typer.Argument(metavar="TRACKER...", help="Names of results.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FOLDER...]", help="Folders of results, <benchmark>/<tracker>/."),
]


def list_results(
    results: options.Results = options.DEFAULT_RESULTS,
    benchmark: Benchmarks = None,
    tracker: options.Trackers = None,
) -> None:
    """List the results that are here: how many sequences, when and where made, and their size.

    [bold]Examples[/]

      bench list

      bench list --results results/mini --benchmark otb2015,vot2018
    """
    from bench.benchmarks import get_benchmark
    from bench.runner.merging import stores_in

    wanted = {get_benchmark(name).name for name in options.split_names(benchmark) or []}
    names = options.split_names(tracker)
    rows = [
        _row(store, name)
        for store in stores_in(results)
        if not wanted or store.benchmark in wanted
        for name in store.trackers()
        if names is None or name in names
    ]
    if not rows:
        typer.echo(f"{results}: no results")
        return
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    for row in (_HEADINGS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _row(store: Store, tracker: str) -> tuple[str, ...]:
    from bench.benchmarks import get_benchmark
    from bench.runner.merging import size_of

    total = get_benchmark(store.benchmark).expected_sequences
    count = len(store.sequences(tracker))
    when, where = _origin(store, tracker)
    size = size_of(store.folder(tracker))
    return (
        store.benchmark,
        store.experiment,
        printable(tracker),
        str(count) if total is None else f"{count} of {total}",
        when,
        where,
        f"{size / 1e6:.1f} MB",
    )


def _origin(store: Store, tracker: str) -> tuple[str, str]:
    """When and where results were made."""
    from bench.results.record import read_record

    try:
        record = read_record(store.record_path(tracker))
    except ResultError:
        return "unknown", "(run.json is damaged)"
    if record is None:
        return "unknown", "(no run.json)"
    if record.kind != "run":
        return str(record.provenance.get("date", "unknown")), f"({record.kind})"
    if not record.sessions:
        return "unknown", "unknown"
    latest = record.sessions[-1]
    made = [place for each in record.sessions for place in each.get("places") or [each]]
    hosts = dict.fromkeys(str(place.get("host") or "unknown") for place in made)
    when = str(latest.get("ended") or latest.get("started") or "unknown")[:16].replace("T", " ")
    return when, printable(", ".join(hosts))


def remove(
    benchmark: options.BenchmarkName,
    trackers: Names,
    results: options.Results = options.DEFAULT_RESULTS,
    experiment: options.Experiment = None,
    yes: Yes = False,
) -> None:
    """Remove results of trackers; on VOT of all experiments, unless --experiment names one.

    [bold]Examples[/]

      bench remove otb2015 kcf

      bench remove vot2018 kcf static --experiment realtime --yes
    """
    from bench.runner.merging import removable, remove_results

    stores = list(_stores(results, benchmark, experiment))
    chosen = [(store, name) for name in trackers for store in stores if name in store.trackers()]
    for name in trackers:
        if not any(name == each for _, each in chosen):
            removable(stores[0], name)  # names those that are there
    folders = [removable(store, name) for store, name in chosen]
    if not yes:
        for folder in folders:
            typer.echo(f"  {folder}")
        try:
            agreed = typer.confirm(f"Remove {options.counted(len(folders), 'folder')}?")
        except typer.Abort:
            raise ConfigError("nothing was removed: nobody answered. Give --yes.") from None
        if not agreed:
            typer.echo("nothing was removed")
            return
    for (store, name), folder in zip(chosen, folders, strict=True):
        remove_results(store, name)
        typer.echo(f"removed: {folder}")


def _stores(results: Path, benchmark: str, experiment: str | None) -> Iterator[Store]:
    from bench.benchmarks import get_benchmark
    from bench.results import open_store
    from bench.runner.merging import sweep_removed

    row = get_benchmark(benchmark)
    for name in row.experiments if experiment is None else [experiment]:
        store = open_store(results, row.name, name)
        sweep_removed(store)
        yield store


def merge(
    folders: Folders = None,
    results: options.Results = options.DEFAULT_RESULTS,
) -> None:
    """Bring results of several machines into one folder, and close the records of shards.

    Results of one name must have been made in the same way (run.json says how), and a run that is
    in two places must be the same in both; otherwise nothing is merged. What is there stays. Stop
    it at any moment and give the same command again to go on. Without a folder, it only takes in
    what killed shards of `bench run --shard` left of their part of the record.

    [bold]Examples[/]

      bench merge /mnt/one/results /mnt/two/results --results results

      bench merge ~/from_cluster
    """
    from bench.runner.merging import merge_results, stores_in
    from bench.runner.shards import close_records

    with options.stoppable("merged results"):
        done = merge_results(folders or [], results)
        closed = close_records(stores_in(results))
    for each in done:
        typer.echo(
            f"{each.store.benchmark}, {each.store.experiment}, {printable(each.tracker)}: "
            f"{options.counted(len(each.runs), 'run')} from {each.source.root} -> "
            f"{each.store.folder(each.tracker)}"
        )
    for store, tracker, count in closed:
        where = store.folder(tracker)
        typer.echo(f"{options.counted(count, 'part')} of the record taken in -> {where}")
    if not (done or closed):
        typer.echo(f"{results}: nothing to merge; every record is closed")
