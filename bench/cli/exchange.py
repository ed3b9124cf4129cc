"""``bench import``, ``bench export`` and ``bench pack``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.benchmarks import get_benchmark
from bench.cli import options

_FORMATS = "pysot, got10k, pytracking, lasot, otb-mat, otb-json, trackingnet or vot"
SourceFormat = Annotated[
    str | None, typer.Option("--format", help=f"{_FORMATS}; detected by default.")
]
TargetFormat = Annotated[str, typer.Option("--format", help=f"{_FORMATS}.")]
Origin = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="What the files call the first pixel, 0 or 1."),
]
Boxes = Annotated[
    str | None,
    typer.Option(
        help="How the files write a box: xywh, corners, corners-inclusive, centres, yx, "
        "yx-corners, yx-centres, xyhw, yxwh, short or long; checked against the first boxes "
        "by default."
    ),
]
TrackerName = Annotated[str, typer.Option("--tracker", "-t", help="Name of a result folder.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("import")(import_)
    app.command("export")(export)
    app.command("pack")(pack)


def import_(
    benchmark: options.BenchmarkName,
    source: Annotated[
        Path, typer.Argument(help="Folder or zip of raw results, or a folder in a zip.")
    ],
    name: Annotated[str, typer.Option("--name", "-n", help="Name to store them under.")],
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    format_: SourceFormat = None,
    origin: Origin = None,
    boxes: Boxes = None,
    partial: options.Partial = False,
    subset: options.Subset = "test",
) -> None:
    """Import raw results made elsewhere; names, delimiters and row counts are checked.

    [bold]Examples[/]

      bench import otb2015 ~/raw/SiamFC --name SiamFC --data /data/OTB2015

      bench import otb2015 ~/raw/SRDCF_mat --name SRDCF --format otb-mat --data /data/OTB2015
    """
    from bench.datasets import open_dataset
    from bench.results.importing import import_results
    from bench.results.onepass import OnePassStore

    dataset = open_dataset(benchmark, data, subset=subset)
    store = OnePassStore(results, benchmark)
    report = import_results(
        source,
        store,
        name,
        dataset,
        format=format_,
        index_base=origin,
        partial=partial,
        boxes=boxes,
    )
    for note in report.notes:
        typer.echo(f"note: {note}")
    whole = dataset.expected or len(dataset)
    runs = f", {report.repetitions} runs each" if report.repetitions > 1 else ""
    typer.echo(f"{len(report.imported)} of {whole} sequences{runs} -> {store.folder(name)}")


def export(
    benchmark: options.BenchmarkName,
    destination: Annotated[Path, typer.Argument(help="Folder to write into.")],
    tracker: TrackerName,
    format_: TargetFormat,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    origin: Origin = None,
    subset: options.Subset = "test",
) -> None:
    """Write results in another toolkit's format, with its names and delimiters.

    [bold]Examples[/]

      bench export otb2015 ~/got10k/results --tracker kcf --format got10k --data /data/OTB2015
    """
    from bench.datasets import open_dataset
    from bench.results.exporting import export_results
    from bench.results.onepass import OnePassStore

    dataset = open_dataset(benchmark, data, subset=subset)
    store = OnePassStore(results, benchmark)
    count = export_results(store, tracker, dataset, format_, destination, index_base=origin)
    typer.echo(f"{count} of {len(dataset)} sequences of {tracker} -> {destination} ({format_})")
    if format_ != "vot" and (store.folder(tracker) / "masks").is_dir():
        typer.echo(f"note: masks left out: the format {format_} has none", err=True)


def pack(
    benchmark: options.BenchmarkName,
    tracker: TrackerName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The .zip to write.")],
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    partial: options.Partial = False,
    subset: options.Subset = "test",
) -> None:
    """Make the archive that the server of TrackingNet or GOT-10k takes, and validate it.

    [bold]Examples[/]

      bench pack trackingnet --tracker kcf --out kcf.zip --data /data/TrackingNet
    """
    from bench.datasets import open_dataset
    from bench.results.onepass import OnePassStore
    from bench.results.pack import pack_submission, server_of

    server = server_of(get_benchmark(benchmark))
    dataset = open_dataset(benchmark, data, subset=subset)
    pack_submission(OnePassStore(results, benchmark), tracker, dataset, out, partial=partial)
    typer.echo(f"{out}: {len(dataset)} sequences, valid")
    if not partial:
        typer.echo(server.submit)
