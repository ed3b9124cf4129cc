"""The ``bench`` command: finds the verbs and turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bench.errors import BenchError
from bench.version import __version__

# The module of each verb, in the order of the help; it is imported when the verb is used.
_VERBS = {
    "run": "run",
    "trackers": "run",
    "eval": "score",
    "video": "video",
    "report": "report",
    "plots": "plots",
    "tables": "tables",
    "check": "datasets",
    "mini": "datasets",
    "import": "exchange",
    "export": "exchange",
    "pack": "exchange",
    "serve": "serve",
    "workspace": "serve",
    "vot": "serve",
    "convert": "convert",
    "confidence": "confidence",
    "tune": "tune",
    "doctor": "doctor",
}
# Former spellings of options and verbs, still accepted.
_ALIASES = {"output": "out", "archive": "out", "show": "video"}


def _spelled(name: str) -> str:
    return _ALIASES.get(name, name)


class _Verbs(TyperGroup):
    """The verbs, each imported on first use."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = dict.fromkeys(_VERBS)  # the names, for "did you mean"

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _VERBS:
            return None
        verbs = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)
        importlib.import_module(f"bench.cli.{_VERBS[cmd_name]}").register(verbs)
        return typer.main.get_group(verbs).commands[cmd_name]


app = typer.Typer(
    cls=_Verbs,
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


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Print the version."
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
