"""``bench check`` and ``bench mini``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("check")(check)
    app.command("mini")(mini)


def check(
    benchmark: options.BenchmarkName,
    data: options.Data = options.DEFAULT_DATA,
    subset: options.Subset = "test",
) -> None:
    """Name every missing or surplus sequence, frame and row of a dataset, with the fix.

    [bold]Examples[/]

      bench check otb2015 --data /data/OTB2015

      bench check lasot --data /data/LaSOT --subset train
    """
    from bench.benchmarks import get_benchmark
    from bench.datasets import open_dataset
    from bench.datasets.check import check_dataset

    findings = check_dataset(benchmark, data, subset=subset)
    for finding in findings:
        where = f"{finding.sequence}: " if finding.sequence else ""
        typer.echo(f"{where}{finding.problem}\n    fix: {finding.fix}")
    if findings:
        typer.secho(f"{len(findings)} findings in {data}", fg="red", err=True)
        raise typer.Exit(1)
    dataset = open_dataset(benchmark, data, subset=subset)
    frames = sum(len(sequence) for sequence in dataset)
    title = get_benchmark(benchmark).title
    notes = "".join(f" ({caveat})" for caveat in dataset.caveats)
    typer.echo(f"{title}: {len(dataset)} sequences, {frames} frames, nothing missing{notes}")


def mini(
    root: Annotated[Path, typer.Argument(help="Folder to write <benchmark>/ into.")] = Path(
        "data/mini"
    ),
    seed: Annotated[int, typer.Option(help="Another seed makes other videos.")] = 0,
    benchmarks: Annotated[
        list[str] | None,
        typer.Option("--benchmark", help="Only these; repeatable or with commas."),
    ] = None,
    sequences: Annotated[
        int, typer.Option(help="Of each benchmark, where that is more than the 4 to 6 planned.")
    ] = 0,
    jobs: options.Jobs = 2,
) -> None:
    """Write the built-in miniature: generated video in each benchmark's own layout.

    The same seed gives the same bytes. Whatever is scored on it is labelled "miniature".

    [bold]Examples[/]

      bench mini

      bench mini /tmp/mini --seed 3 --benchmark otb2015

      bench mini data/mini-30 --sequences 30
    """
    from bench.mini import write_miniature

    started = time.monotonic()
    names = options.split_names(benchmarks)
    try:
        write_miniature(root, seed=seed, benchmarks=names, sequences=sequences, jobs=jobs)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or root}: cannot be written ({error.strerror})"
        ) from error
    typer.echo(f"miniature written to {root} in {time.monotonic() - started:.1f} s")
