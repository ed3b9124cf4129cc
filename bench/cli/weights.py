"""``bench convert`` and ``bench confidence``: a tracker's weights, and what they attend to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import options
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.arrays import Image
    from bench.sequence import Sequence


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("convert")(convert)
    app.command("confidence")(confidence)


def convert(
    source: Annotated[Path, typer.Argument(help="Released file of weights, e.g. model.pth.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="By default beside it, with the ending .safetensors."),
    ] = None,
    tracker: Annotated[
        str, typer.Option("--tracker", "-t", help="Whose weights; siamattn reads PySOT's too.")
    ] = "siamattn",
    preset: Annotated[
        str | None, typer.Option(help="Architecture; found out from the names in the file.")
    ] = None,
) -> None:
    """Turn released weights into safetensors, with a record of where they are from.

    The file is checked tensor by tensor; nothing in it is executed.

    [bold]Examples[/]

      bench convert checkpoint_vot2018.pth

      bench convert siamrpn_r50_l234_dwxcorr/model.pth --out siamrpn++.safetensors
    """
    from bench.registry import find_tracker

    converter = getattr(find_tracker(tracker), "convert", None)
    if converter is None:
        raise ConfigError(f"tracker {tracker!r} has no weights to convert")
    target = out or source.with_suffix(".safetensors")
    for name, value in converter(source, target, preset).items():
        typer.echo(f"{name + ':':15} {value}")
    typer.echo(f"{'written:':15} {target}")


def confidence(
    benchmark: options.BenchmarkName,
    sequence: Annotated[str, typer.Argument(help="Name of the sequence.")],
    frame: Annotated[int, typer.Option("--frame", "-f", min=2, help="Which frame, from 2.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Write .png, .pdf or .svg.")],
    tracker: options.Tracker = "siamattn",
    weights: options.Weights = None,
    settings: options.Settings = None,
    start: Annotated[int, typer.Option(min=1, help="Start on this frame's annotation.")] = 1,
    device: options.Device = None,
    data: options.Data = options.DEFAULT_DATA,
    subset: options.Subset = "test",
) -> None:
    """Draw a frame's search image and confidence, without and with attention (paper, figure 4).

    The tracker follows the target up to the frame before.

    [bold]Examples[/]

      bench confidence otb2015 Crossing --frame 60 --weights siamattn.safetensors -o crossing.png
    """
    from bench.datasets import open_dataset
    from bench.processes import few_threads
    from bench.protocols.onepass import check_frames
    from bench.registry import make_spec

    dataset = open_dataset(benchmark, data, subset=subset)
    clip = dataset[sequence]
    check_frames(clip)
    if start > len(clip.regions):
        raise ConfigError(f"--start {start}: {sequence} has no annotation on that frame")
    if not start < frame <= len(clip):
        raise ConfigError(
            f"--frame {frame}: expected {start + 1} to {len(clip)}, a frame of {sequence} after "
            f"the one it starts on ({start})"
        )
    given = options.parse_settings(settings)
    follower = make_spec(tracker, given, device=device, weights=weights).build()
    if not hasattr(follower, "confidence_maps"):
        raise ConfigError(f"tracker {tracker!r} has no attention to look at")
    with few_threads():
        maps = _maps(follower, clip, start, frame)
    maps.save(out)
    typer.echo(f"{out}: frame {frame} of {sequence}")


def _maps(tracker: Any, clip: Sequence, start: int, frame: int) -> Any:
    """The confidence maps of ``frame``, for a target followed from frame ``start`` on."""
    import numpy as np

    from bench.protocols.onepass import check_frames
    from bench.protocols.steps import Follow, Start, Steps, drive
    from bench.protocols.vot import as_region, starting_region
    from bench.tracker import starts_on

    frames = check_frames(clip)

    def image(number: int) -> Image:
        return np.array(frames[number - 1])

    def steps() -> Steps[Any]:
        truth = as_region(clip.regions, start - 1, clip.index_base)
        yield Start(start, image(start), starting_region(truth, starts_on(tracker)))
        for number in range(start + 1, frame):
            yield Follow(number, image(number))

    drive(tracker, steps())
    return tracker.confidence_maps(image(frame))
