"""The paper's ablations (Tables 5 to 7), trained and evaluated with equal budgets, and
their table of measured scores beside the printed ones.

Every row is trained once per seed with the same recipe and pairs; rows differ in the network's
preset or, in Table 7, in the training sets. Finished work is not repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.errors import BenchError, ResultError, unknown_name
from bench.evaluation import evaluate
from bench.files import write_atomically
from bench.measures.catalogue import Layout, layout_of
from bench.measures.statistics import PairedTest, paired_test
from bench.registry import make_spec
from bench.results import open_store
from bench.results.stores import Store
from bench.runner import run_tracker
from bench.scores import TrackerScores
from bench.sequence import Dataset
from trackers.siamattn.training.config import Recipe
from trackers.siamattn.training.fit import leads, new_network, train
from trackers.siamattn.training.mixtures import open_samples
from trackers.siamattn.training.run import WEIGHTS, claim
from trackers.siamattn.training.trainer import Machine

TABLE = Path(__file__).parent / "ablation.json"
FULL = "siamattn"  # the paper's network


@dataclass(frozen=True)
class Row:
    """A row of an ablation.

    table: number of the paper's table.
    label: label of the row.
    preset: full-size preset whose components the row uses.
    printed: the paper's values on VOT2016, by measure.
    mixture: training sets of the row; None for the recipe's.
    """

    table: str
    label: str
    preset: str
    printed: Mapping[str, float]
    mixture: str | None = None

    def recipe(self, base: Recipe, seed: int) -> Recipe:
        """``base`` with the row's changes; the network keeps its size."""
        name = base.preset if self.preset == FULL else f"{base.preset}/{self.preset}"
        changes: dict[str, object] = {"preset": name, "seed": seed}
        if self.mixture is not None:
            changes["data.mixture"] = self.mixture
        return base.override(changes)

    def name(self, seed: int) -> str:
        """Folder name; identical rows of two tables share it."""
        parts = [self.preset, *([self.mixture] if self.mixture else []), f"seed-{seed}"]
        return "-".join(parts)


@dataclass(frozen=True)
class RowScores:
    """A row and its scores for each seed."""

    row: Row
    scores: tuple[TrackerScores, ...]

    def mean(self, measure: str) -> float:
        """Mean over the seeds."""
        return float(np.mean([each.measures[measure] for each in self.scores]))

    def extremes(self, measure: str) -> tuple[float, float]:
        """Minimum and maximum over the seeds."""
        values = [each.measures[measure] for each in self.scores]
        return min(values), max(values)

    def interval(self, measure: str) -> tuple[float, float]:
        """95 % interval over sequences: the mean of the seeds' bootstrap intervals."""
        low, high = np.mean([each.intervals[measure] for each in self.scores], axis=0)
        return float(low), float(high)

    def against(self, other: RowScores, measure: str) -> PairedTest:
        """Paired difference of this row and ``other`` in a per-sequence measure, seeds averaged.

        Sequences for which the measure is undefined in either row are left out.
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
        ConfigError: unknown table.
    """
    known = json.loads(TABLE.read_text(encoding="utf-8"))
    chosen = list(tables)
    for table in chosen:
        if table not in known:
            raise unknown_name("ablation table", table, known)
    return [Row(table, **row) for table in chosen for row in known[table]["rows"]]


@dataclass(frozen=True)
class Budget:
    """What every row gets alike.

    Attributes:
        recipe: network size, data and length of the training.
        seeds: each row is trained once per seed.
        machine: hardware and process settings.
        data: folder of the training sets; None for generated video.
        backbone: initial weights of the backbone; None for random ones.
    """

    recipe: Recipe
    seeds: Sequence[int]
    machine: Machine
    data: Path | None = None
    backbone: Path | None = None

    def mixtures(self, chosen: Iterable[Row]) -> set[str]:
        """Names of the mixtures that the ``chosen`` rows train on."""
        return {row.recipe(self.recipe, 0).data.mixture for row in chosen}

    def train(self, row: Row, seed: int, folder: Path) -> Path:
        """The weights of a row's training, which is started, resumed or already finished.

        Raises:
            ConfigError: the folder holds a run of another recipe.
        """
        weights = folder / WEIGHTS
        recipe = row.recipe(self.recipe, seed).on(self.machine.processes)
        claim(folder, recipe)
        if not weights.exists():
            network = new_network(recipe, backbone=self.backbone)
            samples = open_samples(recipe, self.data, folder, "--training-data")
            train(recipe, samples, folder, self.machine, network)
        return weights

    def train_all(self, chosen: Iterable[Row], runs: Path) -> dict[str, BenchError]:
        """Train all rows; the errors of those that could not be trained."""
        failed: dict[str, BenchError] = {}
        trainings = {row.name(seed): (row, seed) for row in chosen for seed in self.seeds}
        for name, (row, seed) in trainings.items():
            try:
                self.train(row, seed, runs / name)
            except BenchError as error:
                failed[name] = error
        return failed


def ablate(
    chosen: Sequence[Row], budget: Budget, folders: tuple[Path, Path], dataset: Dataset
) -> Iterator[RowScores | tuple[Row, BenchError]]:
    """Train, run and score row by row; a row that fails is returned with its error.

    Several processes train all rows before the first of them scores any, so that none waits for
    it; the others return nothing.

    Args:
        chosen: the rows.
        budget: shared by all rows.
        folders: of the training runs, and of the raw results.
        dataset: what to evaluate on, in the main experiment of its benchmark.
    """
    runs, results = folders
    store = open_store(results, dataset.benchmark)
    failed = budget.train_all(chosen, runs) if budget.machine.processes > 1 else {}
    for row in chosen if leads() else ():
        try:
            for seed in budget.seeds:
                if error := failed.get(row.name(seed)):
                    raise error
                weights = budget.train(row, seed, runs / row.name(seed))
                spec = make_spec("siamattn", {}, row.name(seed), weights=weights)
                run_tracker(dataset, spec, store)
            yield RowScores(
                row, _scores(dataset, store, [row.name(seed) for seed in budget.seeds])
            )
        except BenchError as error:
            yield row, error


def _scores(dataset: Dataset, store: Store, names: Sequence[str]) -> tuple[TrackerScores, ...]:
    """The scores of ``names``.

    Raises:
        ResultError: one of them could not be scored.
    """
    scores = evaluate(dataset, store, names)[0]
    for name in names:
        if name in scores.refused:
            raise ResultError(f"{name}: {scores.refused[name]}")
    return tuple(scores.trackers[name] for name in names)


def layout_for(benchmark: str) -> Layout:
    """The measures of a benchmark's main experiment.

    Raises:
        ConfigError: unknown benchmark.
    """
    return layout_of(get_benchmark(benchmark).experiment(), benchmark)


def frame(found: Sequence[RowScores | tuple[Row, BenchError]], layout: Layout) -> pd.DataFrame:
    """One line per row: mean and range over seeds, intervals over sequences, printed value.

    Each row is compared with the first of its table on the same sequences. That is more sensitive
    than comparing intervals, which are wide because sequences differ in difficulty. Without
    scores of the first row there is no comparison.
    """
    firsts: dict[str, RowScores | None] = {}
    lines = []
    for each in found:
        if isinstance(each, RowScores):
            lines.append(_line(each, firsts.setdefault(each.row.table, each), layout))
        else:
            row, error = each
            firsts.setdefault(row.table, None)
            lines.append({"table": row.table, "row": row.label, "seeds": 0, "note": str(error)})
    return pd.DataFrame(lines)


def describe(budget: Budget, chosen: Sequence[Row]) -> str:
    """The budget of the ``chosen`` rows, in a sentence."""
    recipe, count = budget.recipe, len(budget.seeds)
    network = recipe.preset + (" in place of the full network" if recipe.preset != FULL else "")
    pairs = recipe.schedule.pairs * recipe.schedule.epochs
    mixtures = sorted(budget.mixtures(chosen))
    same = "the same for all rows" if len(mixtures) == 1 else "equally many for every row"
    return (
        f"{network}: {pairs} pairs per seed, {count} seeds, {same} (training data: "
        f"{', '.join(mixtures)}); {_describe_initial(recipe)}; the printed values are the full "
        "network's on VOT2016 itself, so only their order is comparable"
    )


def _describe_initial(recipe: Recipe) -> str:
    if not recipe.initial:
        return "all weights initialised at random"
    return f"initial weights: the {recipe.initial}, others random"


def _line(each: RowScores, first: RowScores | None, layout: Layout) -> dict[str, Any]:
    line: dict[str, Any] = {
        "table": each.row.table,
        "row": each.row.label,
        "seeds": len(each.scores),
    }
    for measure in layout.with_interval:
        short = measure.short
        low, high = each.extremes(measure.name)
        line[short] = round(each.mean(measure.name), 3)
        line[f"{short} of seeds"] = f"{low:.3f}..{high:.3f}"
        line[f"{short} 95 %"] = "{:.3f}..{:.3f}".format(*each.interval(measure.name))
        if measure.name in each.row.printed:
            line[f"{short} printed"] = each.row.printed[measure.name]
    if first is not None and each is not first:
        for measure in layout.compared:
            test = each.against(first, measure.name)
            line[f"{measure.short} minus first's"] = round(test.difference, 3)
            line[f"{measure.short} minus first's 95 %"] = f"{test.low:.3f}..{test.high:.3f}"
    return line


def write(table: pd.DataFrame, folder: Path, notes: list[str]) -> Path:
    """Write ``ablation.csv`` to ``folder``, with the notes as comments below the table."""
    path = folder / "ablation.csv"
    text = table.to_csv(index=False) + "".join(f"# {note}\n" for note in notes)
    write_atomically(path, text.encode())
    return path
