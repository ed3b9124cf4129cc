"""``bench check`` and ``bench mini``."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from bench.sequence import Dataset


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
    fingerprint: Annotated[
        bool,
        typer.Option(
            "--fingerprint", help="Print hashes of annotation and frames (--deep: of every frame)."
        ),
    ] = False,
) -> None:
    """Name every missing, surplus or damaged sequence, frame and row of a dataset, with the fix.

    [bold]Examples[/]

      bench check otb2015 --data /data/OTB2015

      bench check lasot --data /data/LaSOT --subset train

      bench check vot2018 --data /data/VOT2018 --deep

      bench check otb2015 --data /data/OTB2015 --fingerprint
    """
    from bench.datasets import open_dataset
    from bench.datasets.check import check_dataset, counted, runnable, summary

    if fingerprint:
        _print_fingerprint(open_dataset(benchmark, data, subset=subset), deep=deep)
        return
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


def _print_fingerprint(dataset: Dataset, *, deep: bool) -> None:
    """The hashes of a dataset, and which sequences are annotated otherwise than published."""
    from bench.datasets.fingerprint import fingerprint

    found = fingerprint(dataset, deep=deep)
    typer.echo(f"annotation of {len(dataset)} sequences: sha256 {found.annotation}")
    if found.frames is None:
        typer.echo("frames: none")
    else:
        which = "all" if deep else "first, middle and last of each"
        typer.echo(f"frames, {which} ({found.images} files): sha256 {found.frames}")
    if not found.known:
        typer.echo("published annotation: not recorded for these sequences")
    elif found.other:
        names = ", ".join(found.other)
        typer.echo(f"differs from the published annotation in {len(found.other)} of {found.known} "
                   f"sequences: {names}")  # fmt: skip
    else:
        typer.echo(f"equals the published annotation in all of {found.known} sequences")


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
