"""A search as a record: its data, tracker, options and measure, and where it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from optuna.trial import FrozenTrial, Trial

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError, TrackerError, unknown_name
from bench.evaluation import evaluate
from bench.evaluation.selection import first_few, label_of, refuse_hidden
from bench.measures.catalogue import get_measure, layout_of
from bench.registry import TrackerSpec, make_spec
from bench.results import open_store
from bench.results.stores import Store
from bench.runner import run_tracker
from bench.runner.options import DEFAULTS, RunOptions
from bench.runner.provenance import make_record
from bench.sequence import Dataset
from bench.tuning.space import Space, describe


@dataclass(frozen=True, eq=False)
class Plan:
    """A search of options.

    Attributes:
        dataset: the data to score on.
        target: registered name, ``module:Class`` or ``path/file.py:Class`` of the tracker.
        space: the options to search, with their values.
        measure: name of the measure to improve.
        study: the journal file of the trials; a folder beside it keeps their results.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
        settings: other options of the tracker, as text.
        weights, device: values of the tracker's options of those names.
        running: how trials are run; its seed is that of the search too.
    """

    dataset: Dataset
    target: str
    space: Space
    measure: str
    study: Path
    experiment: str = "onepass"
    settings: Mapping[str, str] = field(default_factory=dict)
    weights: Path | None = None
    device: str | None = None
    running: RunOptions = DEFAULTS

    @property
    def name(self) -> str:
        """The tracker's name; those of the trials add a number."""
        return self.target.rpartition(":")[2]

    @property
    def folder(self) -> Path:
        """The folder for raw results of the trials."""
        return self.study.with_name(f"{self.study.stem}-trials")

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """``"minimize"`` if a lower value of the measure is better."""
        return "minimize" if get_measure(self.measure).lower_is_better else "maximize"

    def label(self, trial: Trial | FrozenTrial) -> str:
        """The name of a trial's results; a run that was stored before keeps its own."""
        return str(trial.user_attrs.get("label") or f"{self.name}-{trial.number:04d}")

    def spec(self, drawn: Mapping[str, Any], label: str | None = None) -> TrackerSpec:
        """The tracker with drawn values of the searched options.

        Raises:
            ConfigError: an option is unknown, missing, or has a value of the wrong type.
        """
        settings = {**self.settings, **{name: str(value) for name, value in drawn.items()}}
        return make_spec(self.target, settings, label or self.name, self.device, self.weights)

    def facts(self) -> dict[str, Any]:
        """What makes trials comparable, as JSON values: their provenance and the search."""
        space: Mapping[str, Any] = self.space
        some = {n: v.choices[0] if hasattr(v, "choices") else v.low for n, v in space.items()}
        record = make_record(
            self.dataset, self.spec(some), seed=self.running.seed, jobs=1,
            protocol=self.experiment, lockstep=self.running.lockstep,
        )  # fmt: skip
        facts = record.provenance
        return {
            **{name: fact for name, fact in facts.items() if name != "tracker"},
            "options": {name: v for name, v in facts["options"].items() if name not in space},
            "search": [describe(name, values) for name, values in space.items()],
            "measure": self.measure,
            "repetitions": self.running.repetitions,
            "sequences": [sequence.name for sequence in self.dataset],
        }

    def run(self, trial: Trial) -> float:
        """Run and score a trial; sequences with a result are not run again.

        Raises:
            TrackerError: the tracker failed on a sequence, or its score is not a number.
            BenchError: as ``run_tracker`` and ``evaluate`` raise.
        """
        label, running = self.label(trial), replace(self.running, tuned_on=label_of(self.dataset))
        store = open_store(self.folder, self.dataset.benchmark, self.experiment)
        spec = self.spec(trial.params, label)
        failed = run_tracker(self.dataset, spec, store, running, progress=False).failures
        if failed:
            raise TrackerError(
                f"{len(failed)} of {len(self.dataset)} failed, first {failed[0].sequence}: "
                f"{failed[0].cause}"
            )
        return self.score(store, label)

    def score(self, store: Store, label: str) -> float:
        """The measure of stored results.

        Raises:
            TrackerError: it is not a number.
            ResultError: the results cannot be scored.
        """
        (scores,) = evaluate(self.dataset, store, [label], cache=False)
        if label in scores.refused:
            raise ResultError(scores.refused[label])
        value = scores.trackers[label].measures.get(self.measure, math.nan)
        if not math.isfinite(value):
            raise TrackerError(f"{self.measure} of {label} is not a number on these sequences")
        return value


def choose_measure(experiment: str, wanted: str | None, benchmark: str = "") -> str:
    """The measure asked for; by default the one that ranks trackers in tables.

    Raises:
        ConfigError: the experiment has no such measure.
    """
    known = [measure.name for measure in layout_of(experiment, benchmark).columns]
    if wanted is not None and wanted not in known:
        raise unknown_name(f"measure of {experiment}", wanted, known)
    return wanted or known[0]


def check_data(dataset: Dataset, *, on_test_set: bool = False) -> None:
    """Check that options may be chosen by scores on a dataset.

    The miniature and own clips are in no test set. Of a benchmark without video for training, or
    whose list is not known, every sequence is.

    Raises:
        ConfigError: sequences are in a benchmark's test set, and ``on_test_set`` is False.
        DatasetError: the ground truth is hidden.
    """
    benchmark = get_benchmark(dataset.benchmark)
    tests = [sequence.name for sequence in dataset]
    if benchmark.training and (listed := benchmark.listed("test")):
        tests = [name for name in tests if name in listed]
    if tests and not (on_test_set or dataset.miniature or benchmark.open):
        raise ConfigError(
            f"{label_of(dataset)}: {len(tests)} of {len(dataset)} sequences are in the test set "
            f"({first_few(tests)}). Options chosen on the test set of {benchmark.title} make its "
            "score meaningless for other video. Search on the miniature (`bench mini`), your own "
            "clips (BENCHMARK folder) or a training split; or give --on-test-set, and every "
            "result is marked as tuned."
        )
    refuse_hidden(dataset)
