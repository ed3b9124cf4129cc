"""``bench doctor``: versions, devices and known traps."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("doctor")(doctor)


def doctor() -> None:
    """Print versions and devices, and warn of known traps; exit code 1 if one is found.

    [bold]Examples[/]

      bench doctor
    """
    from bench.diagnosis import environment, traps

    for name, value in environment().items():
        typer.echo(f"{name:24} {value}")
    found = traps()
    for trap in found:
        typer.secho(f"trap: {trap}", fg="yellow")
    if found:
        raise typer.Exit(1)
    typer.secho("no known trap found", fg="green")
