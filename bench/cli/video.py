"""``bench video``, also known as ``bench show``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from bench.arrays import Image
    from bench.results.stores import Store


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("video")(video)


def video(
    benchmark: options.BenchmarkName,
    sequence: Annotated[str, typer.Argument(help="Name of the sequence.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write .mp4, .webm or .avi; without it, a window, if OpenCV has any.",
        ),
    ] = None,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    trackers: options.Trackers = None,
    experiment: options.Experiment = None,
    fps: Annotated[float, typer.Option(min=0.1, max=240, help="Frames per second.")] = 25.0,
    hold: Annotated[
        float, typer.Option(min=0, max=10, help="Seconds to hold the frame of a failure.")
    ] = 0.6,
    subset: options.Subset = "test",
) -> None:
    """Write a video of a sequence with ground truth and trackers' regions, or play it.

    In an experiment of VOT the first repetition is shown. A failure is marked by a cross and a
    border in the tracker's colour, the frame is held for a moment, and the legend counts. A
    crossed circle marks that a tracker says the target is not visible. Masks are drawn where they
    are kept (bench run --masks).

    [bold]Examples[/]

      bench video otb2015 Crossing --data data/mini --results results/mini --out crossing.mp4

      bench video vot2018 bag -t SiamRPN,ECO --data /data/VOT2018 --out bag.mp4
    """
    from bench.datasets import open_dataset
    from bench.reports import overlay
    from bench.reports.legend_strip import annotated_frames
    from bench.reports.notes import counted
    from bench.reports.palette import looks
    from bench.reports.video import write_video
    from bench.results import known_trackers, open_store

    dataset = open_dataset(benchmark, data, subset=subset)
    clip = dataset[sequence]
    store = open_store(results, benchmark, experiment)
    names = _shown(store, sequence, options.split_names(trackers))
    regions = {name: store.read_run(name, sequence) for name in names}
    masks = {name: store.read_masks(name, sequence) for name in names}
    drawn = overlay.layers(clip, regions, looks(known_trackers(results)), masks)
    held = round(hold * fps)
    frames = annotated_frames(clip, drawn, hold=held)
    for caveat in dataset.caveats:
        typer.echo(f"note: {caveat}", err=True)
    if out is None:
        overlay.play(iter(frames), f"{sequence} ({benchmark})", fps)
        return
    count = write_video(_tracked(frames, len(frames)), out, fps)
    shown = ", ".join(names) or "no tracker"
    typer.echo(f"{out}: {counted(count, 'frame')}, ground truth and {shown}")


def _shown(store: Store, sequence: str, wanted: list[str] | None) -> list[str]:
    """Trackers to draw: those asked for, or all that have a result of the sequence.

    Raises:
        ConfigError: one has no results, or none of this sequence.
    """
    known = store.trackers()
    for name in wanted or []:
        if name not in known:
            raise unknown_name("tracker with results", name, known)
        if sequence not in store.sequences(name):
            raise ConfigError(
                f"{name} has no result of {sequence} in {store.folder(name)}. Make one with "
                "`bench run`, or leave the tracker out of --tracker."
            )
    return wanted or [name for name in known if sequence in store.sequences(name)]


def _tracked(frames: Iterable[Image], total: int) -> Iterator[Image]:
    """The same frames, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        frames, "drawing", total, console=console, transient=True, disable=not console.is_terminal
    )
