"""Plain values of a file as a typed record, or one clear error."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from bench.errors import ConfigError, unknown_name

Record = TypeVar("Record")
_WORDS = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def typed(kind: type[Record], values: object, where: str, *, csv: bool = False) -> Record:
    """A dataclass from a mapping.

    Args:
        kind: the dataclass.
        values: a mapping of its fields; None counts as left out.
        where: what messages put before a field's name.
        csv: values are texts of a table: empty ones count as left out, lists have ``|`` between
            their items, and ``yes`` is true.

    Raises:
        ConfigError: no mapping, an unknown or missing field, or a value of another type.
    """
    if not isinstance(values, Mapping):
        raise wrong(where, "a table of names and values", values)
    hints = _hints(typing.cast(type, kind))
    for key in values:
        if key not in hints:
            raise unknown_name(f"key in {where}:", str(key), hints)
    given = {
        key: value
        for key, value in values.items()
        if value not in (("", None) if csv else (None,))
    }
    converted = {
        key: _value(hints[key], value, f"{where}: {key}", csv) for key, value in given.items()
    }
    for each in dataclasses.fields(kind):  # type: ignore[arg-type]
        required = each.default is each.default_factory is dataclasses.MISSING
        if required and each.name not in converted:
            raise ConfigError(f"{where}: expected the key {each.name!r}, found none. Add it.")
    return kind(**converted)


def wrong(where: str, expected: str, found: object) -> ConfigError:
    """The error for a value that is something else."""
    text = repr(found)
    return ConfigError(
        f"{where}: expected {expected}, found {text[:60]}{'...' if len(text) > 60 else ''}. "
        "Correct it; docs/benchmarks.md describes the keys of a benchmark, docs/board.md those of "
        "a contribution."
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, value: Any, where: str, csv: bool) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(inner[0], value, where, csv)
    if origin is typing.Literal:
        if value not in inner:
            raise wrong(where, " or ".join(map(repr, inner)), value)
        return value
    if origin in (tuple, frozenset):
        return _items(origin, inner, value, where, csv)
    if dataclasses.is_dataclass(hint):
        return typed(typing.cast(type, hint), value, where, csv=csv)
    if origin is not None:  # a mapping
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise wrong(where, "a table of names and values", value)
        return {key: _value(inner[1], item, f"{where}.{key}", csv) for key, item in value.items()}
    return value if hint is Any else _plain(hint, value, where, csv)


def _items(kind: Any, inner: tuple[Any, ...], value: Any, where: str, csv: bool) -> Any:
    items = value.split("|") if csv and isinstance(value, str) else value
    fixed = None if kind is frozenset or inner[-1] is Ellipsis else len(inner)
    if not isinstance(items, list | tuple) or fixed not in (None, len(items)):
        raise wrong(where, f"a list of {fixed}" if fixed else "a list", value)
    number = enumerate(items, start=1)
    return kind(_value(inner[0], item, f"{where}: item {n}", csv) for n, item in number)


def _plain(hint: Any, value: Any, where: str, csv: bool) -> Any:
    if csv and hint is not str:
        value = {"yes": True, "no": False}.get(value, value)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
    fits = isinstance(value, (int, float) if hint is float else hint)
    if not fits or (isinstance(value, bool) and hint is not bool):
        raise wrong(where, _WORDS[hint], value)
    return value
