"""``bench download``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

What = Annotated[
    str | None, typer.Argument(help="What to fetch; all there is by default, listed.")
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder to write; data/<name> by default.")
]
Mirror = Annotated[
    str | None, typer.Option(metavar="URL", help="A copy to fetch from, checked alike.")
]


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("download")(download)


def download(what: What = None, out: Out = None, mirror: Mirror = None) -> None:
    """Fetch what may be fetched, checked by its hash; or list that, with its licence.

    Only files with an open licence and a known hash are fetched. A download that was stopped goes
    on where it ended.

    [bold]Examples[/]

      bench download

      bench download lasot --out data/lasot
    """
    from bench.downloads import by_hand, downloads, fetch

    if what is None:
        for name, each in downloads().items():
            size = sum(size for _, size, _ in each.files) / 1e6
            typer.echo(f"{name}: {each.what}; {len(each.files)} files, {size:.0f} MB")
            typer.echo(f"  {each.licence}, from {each.address}")
        for other in by_hand():
            typer.echo(f"by hand: {other.what}\n  {other.licence}, from {other.address}")
        typer.echo("the benchmarks themselves: `bench check` names their sites where they lack")
        return

    def progress(done: int, files: int) -> None:
        if done % 100 == 0 or done == files:
            typer.echo(f"{done} of {files} files", err=True)

    row = downloads().get(what)
    fetched = fetch(what, out, mirror, progress)
    if row is not None:
        typer.echo(f"{fetched} files fetched -> {out or row.folder} ({row.licence})")
