"""The verbs of the ``bench`` command, each imported on first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bench.version import __version__

# The module of each verb, in the order of the help; it is imported when the verb is used.
_VERBS = {
    "run": "run",
    "trackers": "run",
    "submit": "submit",
    "eval": "score",
    "diff": "diff",
    "video": "video",
    "report": "report",
    "board": "board",
    "plots": "plots",
    "tables": "tables",
    "check": "datasets",
    "download": "download",
    "mini": "datasets",
    "import": "exchange",
    "export": "exchange",
    "pack": "exchange",
    "serve": "serve",
    "workspace": "serve",
    "vot": "serve",
    "convert": "weights",
    "confidence": "weights",
    "export-model": "export_model",
    "tune": "tune",
    "list": "stored",
    "remove": "stored",
    "merge": "stored",
    "doctor": "doctor",
}
# Former spellings of options and verbs, still accepted.
_ALIASES = {
    "output": "out",
    "archive": "out",
    "show": "video",
    "trackers": "tracker",
    "sequences": "sequence",
    "benchmarks": "benchmark",
}


def _spelled(name: str) -> str:
    return _ALIASES.get(name, name)


def _of_root(name: str) -> str:
    """As for verbs, but for the option that brings in benchmarks."""
    return name if name == "benchmarks" else _spelled(name)


def _speller(command: Any) -> Callable[[str], str]:
    """Former spellings of a verb's options, except those that it has an option of its own for."""
    own = {name.lstrip("-") for option in command.params for name in option.opts}
    return lambda name: name if name in own else _spelled(name)


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
        command = typer.main.get_group(verbs).commands[cmd_name]
        command.context_settings = {
            **command.context_settings, "token_normalize_func": _speller(command),
        }  # fmt: skip
        return command


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": _of_root,
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
    benchmarks: Annotated[
        list[Path] | None,
        typer.Option(
            "--benchmarks",
            metavar="FILE",
            envvar="BENCH_BENCHMARKS",
            help="Declaration of a further benchmark (.toml, .json); repeatable.",
        ),
    ] = None,
) -> None:
    """Run single-object trackers over six benchmarks and score them officially."""
    from bench.benchmarks import declare

    for path in benchmarks or ():
        declare(path)
