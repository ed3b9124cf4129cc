"""The ``bench`` command: gathers the verbs and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bench import __version__
from bench.cli import (
    confidence,
    convert,
    datasets,
    doctor,
    exchange,
    plots,
    report,
    run,
    score,
    serve,
    tables,
    tune,
    video,
)
from bench.errors import BenchError

# Former spellings of options and verbs, still accepted.
_ALIASES = {"output": "out", "archive": "out", "show": "video"}


def _spelled(name: str) -> str:
    return _ALIASES.get(name, name)


app = typer.Typer(
    no_args_is_help=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": _spelled,
    },
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Run single-object trackers over six benchmarks and score them officially.",
    epilog="Start with [bold]bench mini[/] and [bold]bench run otb2015 --data data/mini[/]; "
    "every verb has its own --help with examples.",
)
run.register(app)
score.register(app)
video.register(app)
report.register(app)
plots.register(app)
tables.register(app)
datasets.register(app)
exchange.register(app)
serve.register(app)
convert.register(app)
confidence.register(app)
tune.register(app)
doctor.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Run single-object trackers over six benchmarks and score them officially."""


def main() -> None:
    """Entry point of the console command: a known error is one message, never a traceback."""
    try:
        app()
    except BenchError as error:
        typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(str(error), err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
