"""``bench show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import options
from bench.errors import unknown_name


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("show")(show)


def show(
    benchmark: options.BenchmarkName,
    sequence: Annotated[str, typer.Argument(help="Name of the sequence.")],
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    trackers: options.Trackers = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write .mp4, .webm or .avi instead of playing."),
    ] = None,
    experiment: options.Experiment = None,
    fps: Annotated[float, typer.Option(min=1, help="Frames per second.")] = 25.0,
    subset: options.Subset = "test",
) -> None:
    """Play or write a video with ground truth and any trackers' regions drawn.

    Of an experiment of VOT the first repetition is shown, failures and restarts named.

    [bold]Examples[/]

      bench show otb2015 Crossing --data data/mini --results results/mini --output crossing.mp4
    """
    from bench.datasets import open_dataset
    from bench.reports import overlay
    from bench.reports.legend_strip import annotated_frames
    from bench.reports.video import write_video

    dataset = open_dataset(benchmark, options.data_root(data, benchmark), subset=subset)
    clip = dataset[sequence]
    store = options.result_store(results, benchmark, options.experiment_of(benchmark, experiment))
    known = store.trackers()
    names = options.split_names(trackers) or [
        name for name in known if sequence in store.sequences(name)
    ]
    for name in names:
        if name not in known:
            raise unknown_name("tracker with results", name, known)
    regions = {name: store.read_run(name, sequence) for name in names}
    drawn = overlay.layers(clip, regions)
    frames = annotated_frames(clip, drawn)
    if output is None:
        overlay.play(frames, f"{sequence} ({benchmark})", fps)
        return
    count = write_video(frames, output, fps)
    typer.echo(f"{output}: {count} frames, ground truth and {', '.join(names) or 'no tracker'}")
