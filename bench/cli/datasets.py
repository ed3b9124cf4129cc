"""``bench check`` and ``bench mini``."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError, DatasetError


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("check")(check)
    app.command("mini")(mini)


def check(
    benchmark: options.BenchmarkName,
    data: options.Data = options.DEFAULT_DATA,
    subset: options.Subset = "test",
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode every frame, not only its header and end.")
    ] = False,
) -> None:
    """Name every missing, surplus or damaged sequence, frame and row of a dataset, with the fix.

    [bold]Examples[/]

      bench check otb2015 --data /data/OTB2015

      bench check lasot --data /data/LaSOT --subset train

      bench check vot2018 --data /data/VOT2018 --deep
    """
    from bench.datasets import open_dataset
    from bench.datasets.check import check_dataset, counted, runnable, summary

    findings = check_dataset(benchmark, data, subset=subset, deep=deep)
    for finding in findings:
        where = f"{finding.sequence}: " if finding.sequence else ""
        typer.echo(f"{where}{finding.problem}\n    fix: {finding.fix}")
    if findings:
        with contextlib.suppress(DatasetError):
            dataset = open_dataset(benchmark, data, subset=subset)
            if not runnable(dataset)[0]:
                typer.echo(summary(dataset))
        typer.secho(f"{counted(len(findings), 'finding')} in {data}", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(summary(open_dataset(benchmark, data, subset=subset)))


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
