"""Functions that show the fields of a record as parameters of their own, and lists in texts."""

from __future__ import annotations

import csv
import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def showing(
    parameters: Iterable[Parameter], before: str | None = None
) -> Callable[[Function], Function]:
    """Let a function show parameters, by keyword only, where it takes ``**others``.

    Args:
        parameters: to show.
        before: its own parameter that they come before; by default they come last.
    """

    def decorate(function: Function) -> Function:
        whole = inspect.signature(function, eval_str=True)
        own = [p for p in whole.parameters.values() if p.kind is not p.VAR_KEYWORD]
        place = len(own) if before is None else [each.name for each in own].index(before)
        after = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own[place:]]
        together = [*own[:place], *parameters, *after]
        function.__signature__ = whole.replace(parameters=together)  # type: ignore[attr-defined]
        return function

    return decorate


def separated(texts: Iterable[str]) -> list[str]:
    """Names given one by one, or separated by commas or lines; in quotes one may hold commas.

    >>> separated(["a, b", '"c,d"'])
    ['a', 'b', 'c,d']
    """
    lines = (line for text in texts for line in text.splitlines())
    rows = csv.reader(lines, skipinitialspace=True)
    return [name.strip() for row in rows for name in row if name.strip()]
