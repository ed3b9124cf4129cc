"""Reads the tables of conventions; ``onepass`` and ``vot`` give their rows a type."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bench.benchmarks import TABLES
from bench.errors import unknown_name

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PHRASES = "convention_phrases.json"


@lru_cache(maxsize=8)
def read_table(name: str) -> dict[str, dict[str, Any]]:
    """A JSON table of ``bench/tables``."""
    table: dict[str, dict[str, Any]] = json.loads((TABLES / name).read_text(encoding="utf-8"))
    return table


def find_row(table: str, name: str) -> dict[str, Any]:
    """A copy of the row called ``name``.

    Raises:
        ConfigError: unknown convention.
    """
    rows = read_table(table)
    if name not in rows:
        raise unknown_name("convention", name, rows)
    return {"name": name, **rows[name]}


def phrase(kind: str, rule: str, value: str) -> str:
    """Describe the value of a rule; ``kind`` is ``"onepass"`` or ``"vot"``."""
    words: str = read_table(_PHRASES)[kind][rule][value]
    return words


def differences(
    kind: str, convention: DataclassInstance, official: DataclassInstance
) -> list[str]:
    """Rules in which ``convention`` deviates from ``official``, one phrase each."""
    mine, theirs = asdict(convention), asdict(official)
    return [
        phrases[mine[rule]]
        for rule, phrases in read_table(_PHRASES)[kind].items()
        if mine[rule] != theirs[rule] and mine[rule] in phrases
    ]
