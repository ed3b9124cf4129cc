"""``bench plots``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.reports.plots.catalogue import Drawn
    from bench.scores import BenchmarkScores
    from bench.sequence import Dataset

_STRIP = "strip"

Only = Annotated[
    list[str] | None,
    typer.Option(
        help="success, precision, normalized_precision, expected_overlap, ar, ranking, speed, "
        "radar, attributes, sequences, strip; all that can be drawn by default."
    ),
]
Formats = Annotated[
    list[str] | None, typer.Option("--format", help="pdf, svg, png; all by default.")
]
Sequences = Annotated[
    list[str] | None,
    typer.Option(help="Sequences of the strip; by default those where trackers differ most."),
]
Frames = Annotated[
    list[str] | None, typer.Option(help="Frames of the strip; four spread evenly by default.")
]


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("plots")(plots)


def plots(
    benchmark: options.BenchmarkName,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write to, as <benchmark>/<plot>.pdf.")
    ] = Path("reports/plots"),
    only: Only = None,
    trackers: options.Trackers = None,
    convention: Annotated[
        str | None, typer.Option(help="As for `bench eval`, official by default.")
    ] = None,
    experiment: options.Experiment = None,
    partial: options.Partial = False,
    formats: Formats = None,
    sequences: Sequences = None,
    frames: Frames = None,
    subset: options.Subset = "test",
) -> None:
    """Draw scores as figures for a paper: PDF, SVG and PNG at the width of one column.

    Trackers whose results are broken or missing are named in the footnote and left out.
    The strip (frames with regions) needs the dataset's images, the other plots do not.

    [bold]Examples[/]

      bench plots otb2015 --data data/mini --results results/mini

      bench plots vot2018 --data /data/VOT2018 --only ar,expected_overlap --trackers ECO,LADCF

      bench plots otb2015 --data /data/OTB2015 --only strip --sequences Crossing --frames 20,60
    """
    from bench.datasets import open_dataset
    from bench.reports.gather import gather
    from bench.reports.palette import PALETTE
    from bench.reports.plots import catalogue, strip, style

    wanted = options.split_names(only)
    catalogue.check_names(wanted or [], (*catalogue.PLOTS, _STRIP))
    endings = options.split_names(formats) or list(style.FORMATS)
    catalogue.check_names(endings, style.FORMATS)
    dataset = open_dataset(benchmark, options.data_root(data, benchmark), subset=subset)
    store = options.result_store(results, benchmark, options.experiment_of(benchmark, experiment))
    names = options.split_names(trackers)
    scores = gather(dataset, store, names, convention, partial=partial)
    folder = out / _folder_name(scores)
    of_scores = None if wanted is None else [name for name in wanted if name != _STRIP]
    drawn = catalogue.draw_plots(scores, folder, of_scores, endings)
    if _wants_strip(wanted, dataset, drawn.skipped):
        plot = strip.qualitative(
            scores, dataset, store,
            sequences=options.split_names(sequences),
            numbers=[_number(text) for text in options.split_names(frames) or []],
            trackers=len(PALETTE) if names else strip.TRACKERS,
        )  # fmt: skip
        drawn.paths[_STRIP] = style.save(plot, folder, _STRIP, endings)
        drawn.notes[_STRIP] = plot.notes
    captions = catalogue.write_captions(scores, folder, drawn.notes)
    _tell(drawn, captions, scores)


def _folder_name(scores: BenchmarkScores) -> str:
    """The benchmark, with the experiment where it is not the main one."""
    main = scores.experiment in ("onepass", "baseline")
    return scores.benchmark if main else f"{scores.benchmark}-{scores.experiment}"


def _tell(drawn: Drawn, captions: Path, scores: BenchmarkScores) -> None:
    """What was written, and what was not and why."""
    for name, paths in drawn.paths.items():
        typer.echo(f"{name}: {', '.join(map(str, paths))}")
    typer.echo(f"captions: {captions}")
    for name, why in drawn.skipped.items():
        typer.echo(f"note: no {name} plot: {why}", err=True)
    for name, why in scores.refused.items():
        typer.echo(f"warning: {name} is not drawn: {why}", err=True)
    for caveat in scores.caveats:
        typer.echo(f"note: {caveat}", err=True)


def _wants_strip(wanted: list[str] | None, dataset: Dataset, skipped: dict[str, str]) -> bool:
    """Whether to draw the strip: where it was asked for, or else where there are images."""
    if wanted is not None:
        return _STRIP in wanted
    if any(sequence.frames is not None for sequence in dataset):
        return True
    skipped[_STRIP] = f"{dataset.root} holds annotation only, no images"
    return False


def _number(text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"--frames expects numbers separated by commas, found {text!r}")
    return int(text)
