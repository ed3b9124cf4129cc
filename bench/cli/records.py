"""Verbs that take a record of options: one command-line option for each of its fields."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_origin, get_type_hints

import typer

Verb = Callable[..., None]


def takes(record: type, parameter: str, without: tuple[str, ...] = ()) -> Callable[[Verb], Verb]:
    """Decorator of a verb: options for the fields of a record, in place of one parameter.

    The parameter receives the options that were given, by name. A field's ``metadata`` has its
    ``help``, and may have ``metavar`` and ``flags`` (its names, with dashes).

    Args:
        record: a dataclass.
        parameter: of the verb.
        without: fields that get no option.
    """

    def decorate(verb: Verb) -> Verb:
        own = inspect.signature(verb, eval_str=True)
        fields = [each for each in _parameters(record) if each.name not in without]
        names = [each.name for each in fields]

        @functools.wraps(verb)
        def called(**values: Any) -> None:
            given = {name: values.pop(name) for name in names}
            given = {name: value for name, value in given.items() if value is not None}
            verb(**values, **{parameter: given})

        kept = [each for each in own.parameters.values() if each.name != parameter]
        every = [*kept, *fields]
        del called.__wrapped__  # typer would look through
        called.__signature__ = own.replace(parameters=every)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in every}
        return called

    return decorate


def _parameters(record: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(record)
    for each in dataclasses.fields(record):
        says = each.metadata
        kind = _kind(hints[each.name])
        flags = tuple(says["flags"].split()) if "flags" in says else ()
        option = typer.Option(*flags, help=says["help"], metavar=says.get("metavar"))
        yield inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind, option],
        )


def _kind(hint: Any) -> Any:
    """What the command line reads for a field; None stands for an option that is not given."""
    if hint is bool:
        return bool | None
    if get_origin(hint) is Literal:
        return hint | None
    if get_origin(hint) in (tuple, Mapping):
        return list[str] | None
    return str | None
