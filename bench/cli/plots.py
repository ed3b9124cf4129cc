"""``bench plots``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.benchmarks import get_benchmark
from bench.cli import options
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.reports.plots.catalogue import Drawn
    from bench.scores import BenchmarkScores
    from bench.sequence import Dataset

_STRIP = "strip"

Out = Annotated[
    Path, typer.Option("--out", "-o", help="Folder to write to, as <benchmark>/<plot>.pdf.")
]
Convention = Annotated[str | None, typer.Option(help="As for `bench eval`, official by default.")]
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
    typer.Option(
        "--sequence", help="Sequences of the strip; by default those where trackers differ most."
    ),
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
    out: Out = Path("reports/plots"),
    only: Only = None,
    trackers: options.Trackers = None,
    convention: Convention = None,
    experiment: options.Experiment = None,
    partial: options.Partial = False,
    formats: Formats = None,
    sequences: Sequences = None,
    frames: Frames = None,
    subset: options.Subset = "test",
) -> None:
    """Draw scores as figures for a paper: PDF, SVG and PNG at the width of one column.

    Trackers whose results are broken or unfinished are left out and named; the exit code is
    then 1.
    The strip (frames with regions) needs the dataset's images, the other plots do not.

    [bold]Examples[/]

      bench plots otb2015 --data data/mini --results results/mini

      bench plots vot2018 --data /data/VOT2018 --only ar,expected_overlap --tracker ECO,LADCF

      bench plots otb2015 --data /data/OTB2015 --only strip --sequence Crossing --frames 20,60
    """
    from bench.datasets import open_dataset
    from bench.evaluation import evaluate
    from bench.locks import locked_beside
    from bench.reports.palette import PALETTE, looks
    from bench.reports.plots import catalogue, style
    from bench.reports.plots.strip import TRACKERS, qualitative
    from bench.results import known_trackers, open_store

    wanted = options.split_names(only)
    catalogue.check_names(wanted or [], (*catalogue.PLOTS, _STRIP))
    endings = options.split_names(formats) or list(style.FORMATS)
    catalogue.check_names(endings, style.FORMATS)
    numbers = [_number(text) for text in options.split_names(frames) or []]
    store = open_store(results, benchmark, experiment)
    dataset = open_dataset(benchmark, data, subset=subset)
    names = options.split_names(trackers)
    rules = None if convention is None else [convention]
    (scores,) = evaluate(dataset, store, names, rules, partial=partial)
    if not scores.trackers:
        options.exit_on_refusals(scores.refused)
    folder, dressed = out / _folder_name(scores), looks(known_trackers(results))
    of_scores = None if wanted is None else [name for name in wanted if name != _STRIP]
    with locked_beside(folder):
        drawn = catalogue.draw_plots(scores, folder, of_scores, endings, dressed)
        if _wants_strip(wanted, dataset, drawn.skipped):
            most = len(PALETTE) if names else TRACKERS
            plot = qualitative(
                scores, dataset, store, sequences=options.split_names(sequences),
                numbers=numbers, trackers=most, looks=dressed,
            )  # fmt: skip
            drawn.paths[_STRIP] = style.save(plot, folder, _STRIP, endings)
            drawn.notes[_STRIP] = plot.notes
        captions = catalogue.write_captions(scores, folder, drawn.notes)
    _report(drawn, captions, scores)
    options.exit_on_refusals(scores.refused)


def _folder_name(scores: BenchmarkScores) -> str:
    """The benchmark, and the experiment if it is not the main one."""
    main = scores.experiment == get_benchmark(scores.benchmark).experiments[0]
    return scores.benchmark if main else f"{scores.benchmark}-{scores.experiment}"


def _report(drawn: Drawn, captions: Path, scores: BenchmarkScores) -> None:
    """Print what was written, and what was not and why."""
    for name, paths in drawn.paths.items():
        typer.echo(f"{name}: {', '.join(map(str, paths))}")
    typer.echo(f"captions: {captions}")
    for name, why in drawn.skipped.items():
        typer.echo(f"note: no {name} plot: {why}", err=True)
    for caveat in scores.caveats:
        typer.echo(f"note: {caveat}", err=True)


def _wants_strip(wanted: list[str] | None, dataset: Dataset, skipped: dict[str, str]) -> bool:
    """Whether to draw the strip: if it was requested, else if there are images."""
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
