"""What is searched: an option of a tracker, and the values it may take.

A value travels as the text a person would type after ``--set``, so that a trial builds its
tracker through the same checks as any run.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, unknown_name
from bench.registry import parse_value, tracker_options

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Drawn = int | float | str


@dataclass(frozen=True)
class Range:
    """A numeric option between two values, both included.

    Attributes:
        name: of the option.
        low: smallest value; whole where the option is an int.
        high: largest value.
        log: whether it is drawn evenly by its logarithm.
    """

    name: str
    low: int | float
    high: int | float
    log: bool = False

    @property
    def first(self) -> Drawn:
        """A value that the option may take."""
        return self.low

    def distribution(self) -> BaseDistribution:
        """The range as optuna has it."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def place(self, value: Any) -> Drawn | None:
        """``value`` of a run record as a drawn one, None where the range does not hold it."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if number and self.low <= value <= self.high else None

    def __str__(self) -> str:
        return f"{self.name}={self.low}:{self.high}{':log' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """An option that takes one of some values.

    Attributes:
        name: of the option.
        values: each by its text, as tables and ``--set`` have it.
        parsed: the same as the tracker gets them.
    """

    name: str
    values: tuple[str, ...]
    parsed: tuple[Any, ...]

    @property
    def first(self) -> Drawn:
        """A value that the option may take."""
        return self.values[0]

    def distribution(self) -> BaseDistribution:
        """The choice as optuna has it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def place(self, value: Any) -> Drawn | None:
        """``value`` of a run record as a drawn one, None where it is no choice."""
        same = (text for text, each in zip(self.values, self.parsed, strict=True) if each == value)
        return next(same, None)

    def __str__(self) -> str:
        return f"{self.name}={','.join(self.values)}"


Dimension = Range | Choice


def parse_space(items: Iterable[str], target: str, fixed: Mapping[str, str]) -> list[Dimension]:
    """The dimensions that ``--search`` names, checked against the options of a tracker.

    Args:
        items: each ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log`` or ``NAME=A,B,C``.
        target: registered name or ``module:Class``.
        fixed: options given by ``--set``, which cannot be searched too.

    Raises:
        ConfigError: no item, an unknown or repeated option, or values that make no sense.
    """
    known = tracker_options(target)
    space: dict[str, Dimension] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not (name and equals and text):
            raise ConfigError(f"--search expects NAME=LOW:HIGH or NAME=A,B,C, found {item!r}")
        if name not in known:
            raise unknown_name(f"option of tracker {target!r}", name, known)
        if name in space or name in fixed:
            raise ConfigError(f"option {name!r} is given twice: search it once, or --set it")
        space[name] = _dimension(name, text, known[name].annotation)
    if not space:
        raise ConfigError(
            "nothing to search: name an option and its values, e.g. --search NAME=LOW:HIGH. "
            f"Options of {target!r}: {', '.join(known) or 'none'}."
        )
    return list(space.values())


def _dimension(name: str, text: str, annotation: Any) -> Dimension:
    where = f"--search {name}={text}"
    if ":" in text and _number(annotation):
        return _range(name, text.split(":"), annotation, where)
    values = tuple(part.strip() for part in text.split(","))
    parsed = tuple(parse_value(part, annotation, where) for part in values)
    if len(values) < 2 or len(set(map(repr, parsed))) < len(parsed):
        raise ConfigError(f"{where}: expected LOW:HIGH of a number, or several different values")
    return Choice(name, values, parsed)


def _number(annotation: Any) -> bool:
    return bool({annotation, *typing.get_args(annotation)} & {int, float})


def _range(name: str, parts: list[str], annotation: Any, where: str) -> Range:
    log = parts[2:] == ["log"]
    if len(parts) != 2 + log:
        raise ConfigError(f"{where}: expected LOW:HIGH or LOW:HIGH:log")
    low, high = (parse_value(part, annotation, where) for part in parts[:2])
    if not (_finite(low) and _finite(high) and low < high):
        raise ConfigError(f"{where}: expected two finite numbers, the smaller first")
    if log and low <= 0:
        raise ConfigError(f"{where}: a logarithmic range starts above 0")
    return Range(name, low, high, log)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
