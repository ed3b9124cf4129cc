"""A search as a record: on what, of what, by which measure, and where it is kept."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError, TrackerError, unknown_name
from bench.evaluation import evaluate
from bench.evaluation.selection import label_of
from bench.measures.catalogue import layout_of
from bench.registry import TrackerSpec, make_spec
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.runner import run_tracker
from bench.runner.provenance import make_record
from bench.sequence import Dataset
from bench.tuning.space import Dimension, Drawn

LOWER_IS_BETTER = ("robustness", "failures")
Store = OnePassStore | VotStore


@dataclass(frozen=True, eq=False)
class Plan:
    """A search of options.

    Attributes:
        dataset: whose scores decide.
        target: registered name or ``module:Class`` of the tracker.
        space: the options to search, with their values.
        measure: name of the measure; robustness and failures are minimised, others maximised.
        study: the journal file that holds the trials; their results lie beside it.
        experiment: of the VOT challenge; None for one pass.
        settings: other options of the tracker, as text.
        weights: file for the tracker's option of that name.
        device: for the tracker's option of that name.
        seed: of the search and of every run.
        running: further arguments of ``run_tracker``, which move no box but with ``lockstep``.
    """

    dataset: Dataset
    target: str
    space: List[Dimension]
    measure: str
    study: Path
    experiment: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    weights: Path | None = None
    device: str | None = None
    seed: int = 0
    running: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the tracker is called; trials are numbered after it."""
        return self.target.rpartition(":")[2]

    @property
    def folder(self) -> Path:
        """Where the raw results of the trials lie."""
        return self.study.with_name(f"{self.study.stem}-trials")

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """``"maximize"`` or ``"minimize"``."""
        return "minimize" if self.measure in LOWER_IS_BETTER else "maximize"

    def label(self, number: int) -> str:
        """Name under which the results of a trial are stored."""
        return f"{self.name}-{number:04d}"

    def store(self, root: Path | None = None) -> Store:
        """The results of the trials, or those under another folder."""
        root, benchmark = root or self.folder, self.dataset.benchmark
        if self.experiment is None:
            return OnePassStore(root, benchmark)
        return VotStore(root, benchmark, self.experiment)

    def spec(self, drawn: Mapping[str, Drawn], label: str | None = None) -> TrackerSpec:
        """The tracker with drawn values of the searched options.

        Raises:
            ConfigError: an option is unknown or missing, or has a value of the wrong type.
        """
        settings = {**self.settings, **{name: str(value) for name, value in drawn.items()}}
        return make_spec(self.target, settings, label or self.name, self.device, self.weights)

    def provenance(self) -> dict[str, Any]:
        """What a run record would state of every trial alike."""
        first = {each.name: each.first for each in self.space}
        record = make_record(
            self.dataset, self.spec(first), seed=self.seed, jobs=1,
            protocol=self.experiment or "one-pass", lockstep=self.running.get("lockstep", 1),
        )  # fmt: skip
        shared = {key: value for key, value in record.provenance.items() if key != "tracker"}
        options = shared["options"].items()
        return {**shared, "options": {k: v for k, v in options if k not in first}}

    def facts(self) -> dict[str, Any]:
        """Everything that has to be the same for two trials to be comparable, as JSON has it."""
        facts = {
            **self.provenance(),
            "search": [str(each) for each in self.space],
            "measure": self.measure,
            "repetitions": self.running.get("repetitions"),
            "sequences": [sequence.name for sequence in self.dataset],
        }
        plain: dict[str, Any] = json.loads(json.dumps(facts))
        return plain

    def run(self, number: int, drawn: Mapping[str, Drawn]) -> float:
        """Run the tracker with drawn options, as far as it has not yet run, and score it.

        Raises:
            TrackerError: it failed on a sequence, or its score is not a number.
            BenchError: as ``run_tracker`` and ``evaluate`` raise.
        """
        label = self.label(number)
        summary = run_tracker(
            self.dataset, self.spec(drawn, label), self.store(), seed=self.seed,
            tuned_on=label_of(self.dataset), **self.running,
        )  # fmt: skip
        if summary.failures:
            first = summary.failures[0]
            raise TrackerError(
                f"{len(summary.failures)} of {len(self.dataset)} failed, first {first.sequence}: "
                f"{first.cause}"
            )
        return self.score(self.store(), label)

    def score(self, store: Store, label: str) -> float:
        """The measure of stored results.

        Raises:
            TrackerError: it is not a number.
            ResultError: results are missing or malformed.
        """
        scores = evaluate(self.dataset, store, [label])[0].trackers[label]
        value = scores.measures.get(self.measure, math.nan)
        if not math.isfinite(value):
            raise TrackerError(f"{self.measure} of {label} is not a number on these sequences")
        return value


def choose_measure(experiment: str | None, wanted: str | None) -> str:
    """The measure asked for, by default the one that tables rank by.

    Raises:
        ConfigError: the experiment has no such measure.
    """
    known = list(layout_of(experiment or "onepass").columns)
    if wanted is not None and wanted not in known:
        raise unknown_name(f"measure of {experiment or 'one-pass evaluation'}", wanted, known)
    return wanted or known[0]


def only(dataset: Dataset, names: List[str] | None) -> Dataset:
    """The dataset with these sequences only; it then says that it is partial.

    Raises:
        ConfigError: one is not in it.
    """
    if names is None:
        return dataset
    chosen = tuple(dataset[name] for name in dict.fromkeys(names))
    return dataclasses.replace(dataset, sequences=chosen)


def check_study(path: Path) -> None:
    """Check that a study can be kept in ``path``.

    Raises:
        ConfigError: the path is a folder.
    """
    if path.is_dir():
        raise ConfigError(f"--study {path}: expected a file to keep the trials in, found a folder")
