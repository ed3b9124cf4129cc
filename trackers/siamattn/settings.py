"""Settings in frozen dataclasses, changed by dotted name, and named rows of changes in JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from bench.errors import ConfigError, unknown_name
from bench.files import read_json, read_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Record = TypeVar("Record")
_hints_of = cache(get_type_hints)


@lru_cache(maxsize=8)
def load_table(path: Path) -> dict[str, dict[str, Any]]:
    """The rows of a JSON file by name; cached, so callers must not modify them."""
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def named(kind: str, name: str, path: Path) -> dict[str, Any]:
    """A copy of the row ``name`` of the table ``path``; messages call it a ``kind``.

    A row with ``"like": OTHER`` is the row OTHER with changes.

    Raises:
        ConfigError: unknown row.
    """
    known = load_table(path)
    if name not in known:
        raise unknown_name(kind, name, known)
    row = dict(known[name])
    like = row.pop("like", None)
    return {**named(kind, like, path), **row} if like else row


def is_file_name(name: str) -> bool:
    """Whether a name is that of a file with settings, not of a row of a table."""
    return Path(name).suffix in (".json", ".toml")


def read_table(path: Path) -> dict[str, Any]:
    """The settings in a ``.json`` or ``.toml`` file of a user.

    Raises:
        ConfigError: the file is missing, cannot be read, or holds no table.
    """
    if path.suffix == ".json":
        found = read_json(path, error=ConfigError)
    else:
        try:
            found = tomllib.loads(read_whole(path, ConfigError).decode())
        except ValueError as error:
            raise ConfigError(f"{path}: expected TOML ({error})") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: expected settings by name, found {type(found).__name__}")
    return found


def overridden(record: Record, settings: Mapping[str, Any], where: str = "") -> Record:
    """A copy of ``record`` with ``settings`` (dotted name -> value) changed.

    Raises:
        ConfigError: unknown setting, or a value of the wrong type.
    """
    for name, value in settings.items():
        record = changed(record, name, value, where)
    return record


def changed(record: Record, name: str, value: Any, where: str = "") -> Record:
    """A copy of ``record`` with one setting changed.

    Args:
        record: a frozen dataclass, whose fields may be frozen dataclasses.
        name: dotted name of the setting, e.g. ``"attention.formula"``; a star stands for every
            field, as in ``"tracking.*.lr"``.
        value: of the setting's type; lists are accepted for tuples, integers for floats.
        where: dotted name of ``record`` itself, for messages.

    Raises:
        ConfigError: unknown setting, or a value of the wrong type.
    """
    head, _, rest = name.partition(".")
    full = f"{where}.{head}" if where else head
    known = [f.name for f in fields(record)]  # type: ignore[arg-type]
    if head == "*":
        return overridden(record, {f"{each}.{rest}": value for each in known}, where)
    if head not in known:
        raise unknown_name("setting", full, [f"{where}.{k}" if where else k for k in known])
    old = getattr(record, head)
    if rest and not is_dataclass(old):
        raise ConfigError(f"setting {full} is a single value: it has no {rest!r}")
    new = changed(old, rest, value, full) if rest else _checked(value, old, full)
    hint = _hints_of(type(record))[head]  # type: ignore[arg-type]
    if get_origin(hint) is Literal and new not in get_args(hint):
        raise unknown_name(f"value of setting {full}", new, get_args(hint))
    return replace(record, **{head: new})  # type: ignore[type-var]


def _checked(value: Any, old: Any, name: str) -> Any:
    """``value`` converted to the type of ``old``."""
    if isinstance(old, tuple) and isinstance(value, list | tuple):
        return tuple(_checked(v, old[0], name) for v in value)
    if type(old) is float and type(value) is int:
        value = float(value)
    if type(value) is not type(old):
        raise ConfigError(
            f"setting {name}: expected {type(old).__name__} such as {old!r}, found {value!r}"
        )
    return value


def check_ranges(
    record: Any, where: str, shares: Sequence[str], minimums: Mapping[str, float]
) -> None:
    """Refuse ``shares`` outside 0..1, and numbers below their minimum.

    Raises:
        ConfigError: names the setting and its range.
    """
    for name in shares:
        if not 0 <= getattr(record, name) <= 1:
            raise ConfigError(
                f"{where}: expected {name} from 0 to 1, found {getattr(record, name)}"
            )
    for name, bound in minimums.items():
        if not getattr(record, name) >= bound:
            raise ConfigError(
                f"{where}: expected {name} of {bound} or more, found {getattr(record, name)}"
            )
