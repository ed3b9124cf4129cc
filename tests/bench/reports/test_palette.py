"""Looks of trackers: decided by name, different where they can be, stable."""

from __future__ import annotations

import random

import pytest

from bench.reports.palette import DASHES, PALETTE, looks


def test_order_and_repetition_of_names_do_not_matter() -> None:
    names = [f"tracker-{i}" for i in range(20)]
    shuffled = random.Random(0).sample(names, len(names))
    assert looks(shuffled + names) == looks(names)
    assert looks([]) == {}


@pytest.mark.parametrize(("count", "parts"), [(7, "colour"), (35, "colour dash"),
                                              (84, "colour marker")])  # fmt: skip
def test_looks_differ(count: int, parts: str) -> None:
    chosen = looks(f"tracker-{i}" for i in range(count)).values()
    assert len({tuple(getattr(look, part) for part in parts.split()) for look in chosen}) == count


def test_one_more_tracker_changes_few_looks() -> None:
    rng = random.Random(1)
    changed = 0
    for _ in range(200):
        names = [f"name {rng.random()}" for _ in range(6)]
        before, after = looks(names[:5]), looks(names)
        changed += sum(before[name] != after[name] for name in before)
    assert changed < 0.2 * 200 * 5


def test_any_name_has_a_look() -> None:
    assert len(looks(["", "跟踪器", "\udcff", "a\nb"])) == 4


def test_the_tables_are_complete() -> None:
    assert set(DASHES) == {"solid", "dash", "dot", "dashdot", "longdash"}
    assert len(set(PALETTE)) == 7
