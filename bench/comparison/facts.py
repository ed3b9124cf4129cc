"""What the records of two runs state differently, ranked by what each fact can do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from bench.benchmarks import TABLES
from bench.comparison.causes import Cause
from bench.results.record import RunRecord, flatten

_CAUSE = 0.5  # from this weight on, a fact alone is called a cause


@dataclass(frozen=True)
class Fact:
    """One fact that two records state differently.

    Attributes:
        name: dotted name in the record.
        title: in words.
        cause: name of the cause that it is; empty where it cannot change a box by itself.
        weight: what it can do, from 0 to 1 (``tables/record_facts.json``).
        a, b: as each record states it; None where it does not.
    """

    name: str
    title: str
    cause: str
    weight: float
    a: Any
    b: Any

    def __str__(self) -> str:
        return f"{self.title} ({self.name}): {_short(self.a)} and {_short(self.b)}"


def _short(value: Any) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text[:60]


def differing_facts(a: RunRecord | None, b: RunRecord | None) -> list[Fact]:
    """Facts that both records know and state differently, the most powerful first."""
    if a is None or b is None:
        return []
    first, second = _known(a), _known(b)
    found = []
    for name in sorted(first | second):
        row = _row(name)
        if row is None or first.get(name) == second.get(name):
            continue
        if (name not in first or name not in second) and not name.startswith("options."):
            continue
        found.append(
            Fact(name, row["title"], row["cause"], row["weight"], first.get(name),
                 second.get(name))
        )  # fmt: skip
    return sorted(found, key=lambda fact: -fact.weight)


def _known(record: RunRecord) -> dict[str, Any]:
    """The facts of a record, and those of its latest session, by dotted name."""
    session: Mapping[str, Any] = record.sessions[-1] if record.sessions else {}
    facts = {**flatten(record.provenance), **flatten(session, "session.")}
    return {name: value for name, value in facts.items() if value is not None}


@lru_cache(maxsize=1)
def _table() -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = json.loads(
        (TABLES / "record_facts.json").read_text(encoding="utf-8")
    )
    return table


def _row(name: str) -> dict[str, Any] | None:
    return next((row for row in _table() if fnmatchcase(name, row["fact"])), None)


def stated_causes(facts: list[Fact]) -> list[Cause]:
    """Facts that can change boxes, as causes; those of one name together."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.cause and fact.weight >= _CAUSE:
            found.setdefault(fact.cause, []).append(fact)
    return [
        Cause(
            name, f"other {', '.join(dict.fromkeys(fact.title for fact in group))}",
            f"the records differ: {'; '.join(map(str, group[:6]))}", weight=group[0].weight,
        )
        for name, group in found.items()
    ]  # fmt: skip


def only_seeds(facts: list[Fact]) -> bool:
    """True if the records differ in the seed alone."""
    return any("seed" in fact.name for fact in facts) and not any(fact.cause for fact in facts)
