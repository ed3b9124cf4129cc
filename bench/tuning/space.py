"""The search space: options of a tracker as optuna's distributions.

A drawn value is passed on as the text that a person would type after ``--set``, so a trial
builds its tracker through the same checks as any run.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from bench.errors import ConfigError, unknown_name
from bench.registry import parse_value, tracker_options

Drawn: TypeAlias = int | float | str
Space: TypeAlias = Mapping[str, BaseDistribution]
"""The values of each searched option; choices by their text."""


def parse_space(items: Iterable[str], target: str, fixed: Mapping[str, str]) -> Space:
    """The space that ``--search`` describes, checked against the options of a tracker.

    Args:
        items: each ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log`` or ``NAME=A,B,C``.
        target: names the tracker.
        fixed: options given by ``--set``, which cannot be searched as well.

    Raises:
        ConfigError: no item, an unknown or repeated option, or invalid values.
    """
    known = tracker_options(target)
    space: dict[str, BaseDistribution] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not (name and equals and text):
            raise ConfigError(f"--search expects NAME=LOW:HIGH or NAME=A,B,C, found {item!r}")
        if name not in known:
            raise unknown_name(f"option of tracker {target!r}", name, known)
        if name in space or name in fixed:
            raise ConfigError(f"option {name!r} is given twice: search it once, or --set it")
        space[name] = _distribution(text, known[name].annotation, f"--search {name}={text}")
    if not space:
        raise ConfigError(
            "nothing to search: name an option and its values, e.g. --search NAME=LOW:HIGH. "
            f"Options of {target!r}: {', '.join(known) or 'none'}."
        )
    return space


def _distribution(text: str, annotation: Any, where: str) -> BaseDistribution:
    if ":" in text and {annotation, *typing.get_args(annotation)} & {int, float}:
        return _range(text.split(":"), annotation, where)
    values = tuple(part.strip() for part in text.split(","))
    parsed = {repr(parse_value(value, annotation, where)) for value in values}
    if len(values) < 2 or len(parsed) < len(values):
        raise ConfigError(f"{where}: expected LOW:HIGH of a number, or several different values")
    return CategoricalDistribution(values)


def _range(parts: list[str], annotation: Any, where: str) -> BaseDistribution:
    log = parts[2:] == ["log"]
    if len(parts) != 2 + log:
        raise ConfigError(f"{where}: expected LOW:HIGH or LOW:HIGH:log")
    low, high = (parse_value(part, annotation, where) for part in parts[:2])
    numbers = all(isinstance(each, int | float) and math.isfinite(each) for each in (low, high))
    if not (numbers and low < high):
        raise ConfigError(f"{where}: expected two finite numbers, the smaller first")
    if log and low <= 0:
        raise ConfigError(f"{where}: a logarithmic range starts above 0")
    whole = isinstance(low, int) and isinstance(high, int)
    return (IntDistribution if whole else FloatDistribution)(low, high, log=log)


def describe(name: str, values: Any) -> str:
    """The text after ``--search`` that gives a distribution."""
    if isinstance(values, CategoricalDistribution):
        return f"{name}={','.join(map(str, values.choices))}"
    return f"{name}={values.low}:{values.high}{':log' if values.log else ''}"


def drawn_value(value: Any, values: Any, annotation: Any) -> Drawn | None:
    """The value of a run record as a drawn one; None if the distribution does not contain it."""
    if isinstance(values, CategoricalDistribution):
        texts = (str(choice) for choice in values.choices)
        return next((text for text in texts if parse_value(text, annotation, "") == value), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if values.low <= value <= values.high else None
