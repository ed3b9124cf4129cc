"""``bench export-model``: a tracker's network for other runtimes, checked frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.cli import options
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.arrays import FloatArray, Image

SHARE = 1e-3  # of an output's largest value


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("export-model")(export_model)


def export_model(
    tracker: Annotated[str, typer.Argument(autocompletion=options.complete_tracker)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the graphs.")],
    form: Annotated[
        Literal["onnx", "torchscript", "exported-program"],
        typer.Option("--format", "-f", help="Of the graphs."),
    ] = "onnx",
    weights: options.Weights = None,
    settings: options.Settings = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Check on its --sequence instead of a generated one.")
    ] = None,
    sequence: Annotated[str | None, typer.Option(help="Check on this sequence.")] = None,
    data: options.Data = options.DEFAULT_DATA,
    frames: Annotated[int, typer.Option(min=2, help="How many to check on.")] = 5,
    tolerance: Annotated[float, typer.Option(min=0, help="Pixels that boxes may differ.")] = 0.01,
) -> None:
    """Write a tracker's network as graphs for other runtimes, and check what they compute.

    One graph for the template, one for the search image, one for each head; model.json names
    their inputs and outputs. Both forms then track the same frames. If boxes differ by more than
    the tolerance, or an output by more than a thousandth of its largest value, the exit code is 1.

    [bold]Examples[/]

      bench export-model siamattn-lite --out lite-onnx

      bench export-model siamattn --weights siamattn.safetensors --format torchscript --out graphs
    """
    from bench.processes import few_threads
    from bench.registry import make_spec

    if (benchmark is None) != (sequence is None):
        raise ConfigError("expected --benchmark and --sequence together, found one of them")
    spec = make_spec(tracker, options.parse_settings(settings), weights=weights)
    if not hasattr(spec.builder, "export_model"):
        raise ConfigError(f"tracker {tracker!r} has no network that can be exported")
    if benchmark is None or sequence is None:
        images, region, shown = *generated_frames(frames), "a generated sequence"
    else:
        images, region = _stored(benchmark, sequence, data, frames)
        shown = f"{sequence} of {benchmark}"
    follower: Any = spec.build()
    with few_threads():
        drift = follower.export_model(out, form, images, region)
    typer.echo(f"{out}: {form}, checked on {len(images)} frames of {shown}")
    _print(drift.deviations)
    typer.echo(f"boxes differ by {drift.pixels:.1e} px at most (tolerance {tolerance:g} px)")
    wrong = [each.name for each in drift.deviations if not each.share <= SHARE]
    if wrong or not drift.pixels <= tolerance:
        more = f"; beyond {SHARE:g} of their largest value: {', '.join(wrong)}" if wrong else ""
        typer.echo(f"the exported form does not compute the same{more}", err=True)
        raise typer.Exit(1)


def generated_frames(frames: int) -> tuple[list[Image], FloatArray]:
    """The first frames of the miniature's first OTB sequence, and the target's box."""
    from bench.geometry import mask_to_box
    from bench.mini.clip import draw_video
    from bench.mini.plan import get_plan
    from bench.mini.render import render_frame

    scene = draw_video("otb2015", get_plan("otb2015").videos[0], seed=0)
    shown = [render_frame(scene, time) for time in range(min(frames, scene.scenario.frames))]
    return [frame.image for frame in shown], mask_to_box(shown[0].targets[0].full)


def _stored(
    benchmark: str, sequence: str, data: Path, frames: int
) -> tuple[list[Image], FloatArray]:
    """The first frames of a sequence, and the region on its first."""
    import numpy as np

    from bench.datasets import open_dataset
    from bench.protocols.onepass import check_frames
    from bench.protocols.vot import as_region

    clip = open_dataset(benchmark, data)[sequence]
    found = check_frames(clip)
    images = [np.array(found[number]) for number in range(min(frames, len(clip)))]
    return images, as_region(clip.regions, 0, clip.index_base)


def _print(deviations: Any) -> None:
    """A row for each output."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from bench.reports.terminal import report_console

    table = Table(box=SIMPLE_HEAD)
    table.add_column("Output")
    for heading in ("largest difference", "of its largest value"):
        table.add_column(heading, justify="right")
    for each in deviations:
        table.add_row(each.name, f"{each.difference:.1e}", f"{each.share:.1e}")
    report_console().print(table)
