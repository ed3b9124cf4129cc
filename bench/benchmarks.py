"""Types for ``tables/benchmarks.json`` and ``tables/experiments.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError, unknown_name

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes:
        name: identifier used in commands and folders, e.g. ``"otb2015"``.
        title: display name, e.g. ``"OTB-2015"``.
        reader: module of ``bench.datasets`` that reads its folders.
        sequences: number of sequences in the full test set; None for user clips.
        frames: number of annotated frames in the full test set; None for user clips.
        index_base: coordinate of the first pixel in its files (0 or 1).
        rule: name of the official convention.
        site: official download page; None for user clips.
        notes: remarks to print with every score of this benchmark.
        measure_notes: remarks to print with scores of one measure, by measure.
        layout: the folder layout its reader expects, in one line.
        experiments: its experiments, the main one first: ``"onepass"``, or those of VOT.
        interval: sequence lengths (both included) that the published EAO averages over.
        aliases: other names that `get_benchmark` accepts, whatever their spelling.
        boxless: how its files write a row without a box: ``"nan"``, or a ``"size"`` that is not
            positive; where a row is neither allowed here nor flagged as absent, it is doubtful.
        numbers_only: True where the official rule has no value for a row of NaN.
        variants: sets cut from the same video, with every ``step``-th frame.
        dataset_name: what repositories of the lib/test family call it
            (``lib/test/evaluation/datasets.py``), where that is not ``name``.
    """

    name: str
    title: str
    reader: str
    sequences: int | None
    frames: int | None
    index_base: float
    rule: str
    site: str | None
    layout: str
    notes: tuple[str, ...] = ()
    measure_notes: Mapping[str, str] = field(default_factory=dict)
    experiments: tuple[str, ...] = ("onepass",)
    interval: tuple[int, int] | None = None
    aliases: tuple[str, ...] = ()
    boxless: tuple[str, ...] = ()
    numbers_only: bool = False
    variants: tuple[Mapping[str, Any], ...] = ()
    dataset_name: str | None = None

    def length_hint(self, expected: int, found: int) -> str:
        """What a file of ``found`` rows may be where ``expected`` are right; empty if unknown.

        >>> get_benchmark("uav123").length_hint(3085, 1029)
        'As many rows as UAV123@10fps has, which keeps one frame in 3: another benchmark.'
        """
        for variant in self.variants:
            if found == -(-expected // int(variant["step"])):
                return (
                    f"As many rows as {variant['name']} has, which keeps one frame in "
                    f"{variant['step']}: another benchmark."
                )
        return ""

    @property
    def kind(self) -> Literal["onepass", "vot"]:
        """One-pass evaluation, or the experiments of the VOT challenge."""
        return "onepass" if self.experiments == ("onepass",) else "vot"

    def experiment(self, wanted: str | None = None) -> str:
        """The requested experiment; the main one by default.

        Raises:
            ConfigError: the benchmark has no such experiment.
        """
        if wanted is None:
            return self.experiments[0]
        if wanted not in self.experiments and self.kind == "onepass":
            raise ConfigError(
                f"experiment {wanted!r}: {self.name} supports one-pass evaluation only. Omit "
                "the option, or choose a VOT benchmark."
            )
        if wanted not in self.experiments:
            raise unknown_name(f"experiment of {self.name}", wanted, self.experiments)
        return wanted


@lru_cache(maxsize=1)
def benchmarks() -> dict[str, Benchmark]:
    """All benchmarks by name, in the order of the paper's tables."""
    table = json.loads((TABLES / "benchmarks.json").read_text(encoding="utf-8"))
    return {name: _benchmark(name, row) for name, row in table.items()}


def _benchmark(name: str, row: Mapping[str, Any]) -> Benchmark:
    fixed: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Benchmark(name=name, **fixed)


def get_benchmark(name: str) -> Benchmark:
    """The benchmark called ``name``, or that ``name`` is another spelling or alias of.

    >>> get_benchmark("OTB-100").name
    'otb2015'

    Raises:
        ConfigError: unknown benchmark; the message lists the known ones.
    """
    known = benchmarks()
    if name not in known:
        name = _spellings().get(_squeezed(name), name)
    if name not in known:
        raise unknown_name("benchmark", name, known)
    return known[name]


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Names of benchmarks by name, title and alias without case and punctuation."""
    return {
        _squeezed(spelling): name
        for name, row in benchmarks().items()
        for spelling in (name, row.title, *row.aliases)
    }


def _squeezed(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


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
