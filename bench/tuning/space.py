"""The search space: options of a tracker as optuna's distributions.

A drawn value is passed on as the text that a person would type after ``--set``, so a trial
builds its tracker through the same checks as any run.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from optuna import distributions

from bench.errors import ConfigError, unknown_name
from bench.registry import parse_value, tracker_options

Space: TypeAlias = dict[str, distributions.BaseDistribution]
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
    space: Space = {}
    for item in items:
        name, _, text = item.partition("=")
        if not (name and text):
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


def _distribution(text: str, annotation: Any, where: str) -> distributions.BaseDistribution:
    if ":" not in text or not {annotation, *typing.get_args(annotation)} & {int, float}:
        values = tuple(part.strip() for part in text.split(","))
        parsed = {repr(parse_value(value, annotation, where)) for value in values}
        if len(values) < 2 or len(parsed) < len(values):
            raise ConfigError(
                f"{where}: expected LOW:HIGH of a number, or several different values"
            )
        return distributions.CategoricalDistribution(values)
    ends, log = text.removesuffix(":log").split(":"), text.endswith(":log")
    if len(ends) != 2:
        raise ConfigError(f"{where}: expected LOW:HIGH or LOW:HIGH:log")
    low, high = (parse_value(end, annotation, where) for end in ends)
    numbers = all(isinstance(each, int | float) and math.isfinite(each) for each in (low, high))
    if not numbers or low >= high or (log and low <= 0):
        above = ", and both above 0 with :log" if log else ""
        raise ConfigError(f"{where}: expected two finite numbers, the smaller first{above}")
    integers = isinstance(low, int) and isinstance(high, int)
    kind = distributions.IntDistribution if integers else distributions.FloatDistribution
    return kind(low, high, log=log)


def describe(name: str, values: Any) -> str:
    """The text after ``--search`` that gives a distribution."""
    if isinstance(values, distributions.CategoricalDistribution):
        return f"{name}={','.join(map(str, values.choices))}"
    return f"{name}={values.low}:{values.high}{':log' if values.log else ''}"


def drawn_value(value: Any, values: Any, annotation: Any) -> Any:
    """The value of an option in a run record as a trial draws it: a choice by its text."""
    choices = getattr(values, "choices", ())
    return next((text for text in choices if parse_value(text, annotation, "") == value), value)
