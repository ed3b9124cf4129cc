"""``bench confidence``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import options
from bench.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("confidence")(confidence)


def confidence(
    benchmark: options.BenchmarkName,
    sequence: Annotated[str, typer.Argument(help="Name of the sequence.")],
    frame: Annotated[int, typer.Option("--frame", "-f", min=2, help="Which frame, from 2.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write .png, .pdf or .svg.")],
    tracker: Annotated[
        str, typer.Option("--tracker", "-t", help="Registered name or module:Class.")
    ] = "siamattn",
    weights: Annotated[Path | None, typer.Option(help="File of the tracker's weights.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Tracker option.")
    ] = None,
    start: Annotated[int, typer.Option(min=1, help="Start on this frame's annotation.")] = 1,
    device: Annotated[str | None, typer.Option(help="cpu, cuda:0, ...")] = None,
    data: options.Data = options.DEFAULT_DATA,
    subset: options.Subset = "test",
) -> None:
    """Draw a frame's search image and confidence, without and with attention (paper, figure 4).

    The tracker follows the target up to the frame before.

    [bold]Examples[/]

      bench confidence otb2015 Crossing --frame 60 --weights siamattn.safetensors -o crossing.png
    """
    from bench.datasets import open_dataset
    from bench.protocols.onepass import check_frames
    from bench.sequence import to_tracker
    from bench.tracker import make_spec

    dataset = open_dataset(benchmark, options.data_root(data, benchmark), subset=subset)
    clip = dataset[sequence]
    frames = check_frames(clip)
    if not start < frame <= len(clip):
        raise ConfigError(
            f"--frame {frame}: expected {start + 1} to {len(clip)}, a frame of {sequence} after "
            f"the one it starts on ({start})"
        )
    spec = make_spec(
        tracker, options.parse_settings(settings or []), device=device, weights=weights
    )
    follower = spec.build()
    maps_of = getattr(follower, "confidence_maps", None)
    if maps_of is None:
        raise ConfigError(f"tracker {tracker!r} has no attention to look at")
    follower.init(frames[start - 1], to_tracker(clip.ground_truth[start - 1], clip.origin))
    for index in range(start, frame - 1):
        follower.update(frames[index])
    maps_of(frames[frame - 1]).save(output)
    typer.echo(f"{output}: frame {frame} of {sequence}")
