"""How verbs end alike: stopped by the user, or with a file that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from bench.errors import ConfigError

STOPPED = 130  # exit code after Ctrl-C, as shells have it


@contextmanager
def stoppable(kept: str) -> Iterator[None]:
    """Ctrl-C within is no failure: tell what is kept, e.g. ``"trials"``, and exit with 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; {kept} are kept, the same command goes on", err=True)
        raise typer.Exit(STOPPED) from None


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    from bench.files import write_atomically

    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
