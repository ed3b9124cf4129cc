"""Verbs that take a record of options: one command-line option for each of its fields."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_origin, get_type_hints

import typer

from bench.signatures import Function, showing


def takes(record: type, without: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Let a verb have options for the fields of a record where it takes ``**given``.

    A field's ``metadata`` has its ``help``, and may have ``metavar`` and ``flags`` (its names,
    with dashes). What is not given is None.

    Args:
        record: a dataclass.
        without: fields that get no option.
    """

    return showing(each for each in _parameters(record) if each.name not in without)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _parameters(record: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(record)
    for each in dataclasses.fields(record):
        says = each.metadata
        flags = tuple(says["flags"].split()) if "flags" in says else ()
        option = typer.Option(*flags, help=says["help"], metavar=says.get("metavar"))
        yield inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[_kind(hints[each.name]), option],
        )


def _kind(hint: Any) -> Any:
    """What the command line reads for a field; None stands for an option that is not given."""
    if hint is bool:
        return bool | None
    if get_origin(hint) is Literal:
        return hint | None
    return list[str] | None if get_origin(hint) in (tuple, Mapping) else str | None
