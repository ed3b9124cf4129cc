"""Types for ``tables/experiments.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bench.benchmarks.record import TABLES
from bench.errors import unknown_name


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: identifier, also the name of its result folder.
        protocol: how the tracker is driven.
        repetitions: maximum number of runs per sequence.
        skip: frames from a failure to the next initialisation.
        fps: frame rate that a tracker must keep up with in real time.
        grace: frames after an initialisation that may take longer.
        source: files of the official code that define it.
    """

    name: str
    protocol: Literal["onepass", "reset", "unsupervised", "realtime"]
    repetitions: int
    skip: int
    fps: float | None
    grace: int | None
    source: str


@lru_cache(maxsize=1)
def experiments() -> dict[str, Experiment]:
    """All experiments by name."""
    table = json.loads((TABLES / "experiments.json").read_text(encoding="utf-8"))
    return {name: Experiment(name=name, **row) for name, row in table.items()}


def get_experiment(name: str) -> Experiment:
    """The experiment called ``name``.

    Raises:
        ConfigError: unknown experiment.
    """
    try:
        return experiments()[name]
    except KeyError:
        raise unknown_name("experiment", name, experiments()) from None
