"""The paper's ablations (Tables 5 to 7), trained and evaluated with equal budgets.

Every row is trained once for each seed, by the same recipe and on the same pairs; the rows differ
in the network's preset, or in Table 7 in the training sets. What is finished is not done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.errors import BenchError, ResultError, unknown_name
from bench.evaluation import evaluate
from bench.measures.statistics import PairedTest, paired_test
from bench.registry import make_spec
from bench.results.vot.store import VotStore
from bench.runner import run_tracker
from bench.scores import TrackerScores
from bench.sequence import Dataset
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.fit import Machine, new_network, train
from trackers.siamattn.training.run import WEIGHTS, claim
from trackers.siamattn.training.sourcing import open_samples

TABLE = Path(__file__).parent / "ablation.json"
MEASURES = ("accuracy", "robustness", "eao")
FULL = "siamattn"  # the paper's network


@dataclass(frozen=True)
class Row:
    """A row of an ablation.

    Attributes:
        table: number of the paper's table.
        label: of the row.
        preset: of the full-size network whose parts the row has.
        printed: what the paper prints for it on VOT2016, by measure.
        mixture: training sets of the row; None for those of the recipe.
    """

    table: str
    label: str
    preset: str
    printed: Mapping[str, float]
    mixture: str | None = None

    def recipe(self, base: Recipe, seed: int) -> Recipe:
        """``base`` with what the row changes: its size stays, its parts are the row's."""
        name = base.preset if self.preset == FULL else f"{base.preset}/{self.preset}"
        changes: dict[str, object] = {"preset": name, "seed": seed}
        if self.mixture is not None:
            changes["data.mixture"] = self.mixture
        return base.override(changes)

    def name(self, seed: int) -> str:
        """Of its folders: rows of two tables that are the same share them."""
        parts = [self.preset, *([self.mixture] if self.mixture else []), f"seed-{seed}"]
        return "-".join(parts)


@dataclass(frozen=True)
class Finding:
    """A row, and its scores for each seed."""

    row: Row
    scores: tuple[TrackerScores, ...]

    def mean(self, measure: str) -> float:
        """Over the seeds."""
        return float(np.mean([each.measures[measure] for each in self.scores]))

    def extremes(self, measure: str) -> tuple[float, float]:
        """The lowest and highest of the seeds."""
        values = [each.measures[measure] for each in self.scores]
        return min(values), max(values)

    def interval(self, measure: str) -> tuple[float, float]:
        """95 % over sequences, the mean of the seeds' bootstrap intervals."""
        low, high = np.mean([each.intervals[measure] for each in self.scores], axis=0)
        return float(low), float(high)

    def against(self, other: Finding, measure: str) -> PairedTest:
        """This row minus ``other`` by a measure of single sequences, of seeds' means.

        Sequences are left out in which the measure of either row is not defined.
        """
        runs = (*self.scores, *other.scores)
        common = sorted(set.intersection(*(set(each.per_sequence) for each in runs)))
        return paired_test(self._values(measure, common), other._values(measure, common))

    def _values(self, measure: str, names: Sequence[str]) -> FloatArray:
        rows = [[each.per_sequence[name][measure] for name in names] for each in self.scores]
        means: FloatArray = np.mean(rows, axis=0, dtype=np.float64)
        return means


def rows(tables: Iterable[str]) -> list[Row]:
    """The rows of the paper's tables ``"5"``, ``"6"`` and ``"7"``.

    Raises:
        ConfigError: no such table.
    """
    known = json.loads(TABLE.read_text(encoding="utf-8"))
    chosen = list(tables)
    for table in chosen:
        if table not in known:
            raise unknown_name("ablation table", table, known)
    return [Row(table, **row) for table in chosen for row in known[table]["rows"]]


@dataclass(frozen=True)
class Budget:
    """What every row is given alike.

    Attributes:
        recipe: size, data and length of its training.
        seeds: a row is trained once with each.
        machine: where to train.
        data: folder of the training sets; None for generated video.
        backbone: weights that the backbone begins with; None for random ones.
    """

    recipe: Recipe
    seeds: Sequence[int]
    machine: Machine
    data: Path | None = None
    backbone: Path | None = None

    def mixtures(self, chosen: Iterable[Row]) -> set[str]:
        """Names of what the ``chosen`` rows train on."""
        return {row.recipe(self.recipe, 0).data.mixture for row in chosen}

    def train(self, row: Row, seed: int, folder: Path) -> Path:
        """The weights of a training, which is begun, gone on with, or was finished before.

        Raises:
            ConfigError: what lies there was trained by another recipe.
        """
        weights, recipe = folder / WEIGHTS, row.recipe(self.recipe, seed)
        claim(folder, recipe)
        if not weights.exists():
            network = new_network(recipe, backbone=self.backbone)
            samples = open_samples(recipe, self.data, folder)
            train(recipe, samples, folder, self.machine, network)
        return weights


def ablate(
    chosen: Sequence[Row], budget: Budget, folders: tuple[Path, Path], dataset: Dataset
) -> Iterator[Finding | tuple[Row, BenchError]]:
    """Train, run and score row by row; a row of which that cannot be done says why.

    Args:
        chosen: rows.
        budget: of all of them.
        folders: for the trainings, and for the raw results.
        dataset: of the VOT challenge, to evaluate on.
    """
    runs, results = folders
    store = VotStore(results, dataset.benchmark, "baseline")
    for row in chosen:
        try:
            for seed in budget.seeds:
                weights = budget.train(row, seed, runs / row.name(seed))
                spec = make_spec("siamattn", {}, row.name(seed), weights=weights)
                run_tracker(dataset, spec, store)
            yield Finding(row, _scores(dataset, store, [row.name(seed) for seed in budget.seeds]))
        except BenchError as error:
            yield row, error


def _scores(dataset: Dataset, store: VotStore, names: Sequence[str]) -> tuple[TrackerScores, ...]:
    """Of all ``names``; one that could not be finished is an error."""
    scores = evaluate(dataset, store, names)[0]
    for name in names:
        if name in scores.refused:
            raise ResultError(f"{name}: {scores.refused[name]}")
    return tuple(scores.trackers[name] for name in names)
