"""The experiments of the VOT challenge as data: protocol, repetitions, restarts, frame rate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bench.benchmarks import TABLES
from bench.errors import unknown_name


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: identifier, also of its result folder.
        protocol: how the tracker is driven.
        repetitions: at most so many runs of each sequence.
        skip: frames from a failure to the next initialisation.
        fps: frames a second that a real-time tracker has to keep up with.
        grace: frames after an initialisation that may take longer.
        source: where the official code says so.
    """

    name: str
    protocol: Literal["reset", "unsupervised", "realtime"]
    repetitions: int
    skip: int
    fps: float | None
    grace: int | None
    source: str


@lru_cache(maxsize=1)
def experiments() -> dict[str, Experiment]:
    """Every experiment by name."""
    table = json.loads((TABLES / "experiments.json").read_text(encoding="utf-8"))
    return {name: Experiment(name=name, **row) for name, row in table.items()}


def get_experiment(name: str) -> Experiment:
    """The experiment called ``name``.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return experiments()[name]
    except KeyError:
        raise unknown_name("experiment", name, experiments()) from None
