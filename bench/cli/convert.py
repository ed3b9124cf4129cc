"""``bench convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("convert")(convert)


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
