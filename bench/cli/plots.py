"""``bench plots``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.geometry import Regions
    from bench.reports.plots.catalogue import Drawn
    from bench.reports.plots.strip import Row
    from bench.results.onepass import OnePassStore
    from bench.results.vot.store import VotStore
    from bench.scores import BenchmarkScores
    from bench.sequence import Dataset

_STRIP = "strip"
_STRIP_TRACKERS = 5  # where none were named: more hide each other

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
    from bench.reports.plots import catalogue, style

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
        most = len(PALETTE) if names else _STRIP_TRACKERS
        rows = _rows(scores, dataset, store, sequences, frames, most)
        drawn.paths[_STRIP] = _draw_strip(rows, scores, folder, endings)
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


def _rows(
    scores: BenchmarkScores,
    dataset: Dataset,
    store: OnePassStore | VotStore,
    sequences: list[str] | None,
    frames: list[str] | None,
    most: int,
) -> list[Row]:
    """The sequences of the strip with the regions of the best ``most`` trackers."""
    from bench.reports.overlay import layers
    from bench.reports.plots.ranking import entries_of, first_measure
    from bench.reports.plots.strip import Row, even_frames, telling_sequences

    drawable = [sequence.name for sequence in dataset if sequence.frames is not None]
    if not drawable:
        raise ConfigError(f"{dataset.root} holds annotation only: the strip needs images")
    chosen = options.split_names(sequences) or telling_sequences(scores, drawable)
    best = [entry.name for entry in entries_of(scores, first_measure(scores), most)][:most]
    wanted = [_number(text) for text in options.split_names(frames) or []]
    rows = []
    for name in chosen:
        clip = dataset[name]
        drawn = layers(clip, {each: _regions(store, each, name) for each in best})
        places = tuple(number - clip.first_frame for number in wanted)
        rows.append(Row(clip, drawn, places or even_frames(clip)))
    return rows


def _regions(store: OnePassStore | VotStore, tracker: str, sequence: str) -> Regions:
    """A tracker's regions; none where it has no result, so that the others keep their colours."""
    from bench.geometry import Regions

    if sequence in store.sequences(tracker):
        return store.read_run(tracker, sequence)
    return Regions.from_rows([])


def _number(text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"--frames expects numbers separated by commas, found {text!r}")
    return int(text)


def _draw_strip(
    rows: list[Row], scores: BenchmarkScores, folder: Path, endings: list[str]
) -> list[Path]:
    from bench.reports.plots.strip import strip
    from bench.reports.plots.style import heading_of, notes_of, save, styled

    with styled():
        shown, total = len(rows[0].layers) - 1, len(scores.trackers)
        limit = [f"the best {shown} of {total} trackers"] if shown < total else []
        title = f"Qualitative: {heading_of(scores)}"
        plot = strip(rows, title, notes_of(scores, *limit))
        return save(plot.figure, folder, _STRIP, tuple(endings))
