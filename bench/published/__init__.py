"""Figures that papers print, and what others measured, each with its source."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bench.tracker import registered_trackers

_FOLDER = Path(__file__).parent
_NAMES = ("tracker", "benchmark", "experiment", "kind", "source")


@dataclass(frozen=True)
class Expectation:
    """What a tracker is known to score on a benchmark.

    Attributes:
        tracker: its name in lower case; results whose name begins with it are meant.
        benchmark, experiment: what was run.
        kind: ``"printed"`` in a paper, or ``"re-run"`` by somebody else.
        measures: value by name of the measure, as fractions of 1.
        source: where it stands.
    """

    tracker: str
    benchmark: str
    experiment: str
    kind: str
    measures: dict[str, float]
    source: str


@lru_cache(maxsize=1)
def expectations() -> tuple[Expectation, ...]:
    """Every known expectation."""
    with (_FOLDER / "expectations.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(_expectation(row) for row in csv.DictReader(stream))


def _expectation(row: dict[str, str]) -> Expectation:
    measures = {name: float(text) for name, text in row.items() if text and name not in _NAMES}
    return Expectation(measures=measures, **{name: row[name] for name in _NAMES})


def expected_of(tracker: str, benchmark: str, experiment: str) -> list[Expectation]:
    """What is known of a tracker, by the name of its results.

    A registered tracker that only begins with the name, such as a smaller variant, is another.
    """
    name = tracker.lower()
    others = registered_trackers().keys() - {each.tracker for each in expectations()}
    if any(name.startswith(other) for other in others):
        return []
    return [
        each
        for each in expectations()
        if name.startswith(each.tracker)
        and (each.benchmark, each.experiment) == (benchmark, experiment)
    ]
