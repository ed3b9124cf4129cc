"""Scores raw results against annotations."""

from __future__ import annotations

from collections.abc import Iterable

from bench.benchmarks import get_benchmark
from bench.evaluation.selection import refuse_hidden, tracker_names
from bench.results.stores import Store
from bench.scores import BenchmarkScores
from bench.sequence import Dataset

__all__ = ["convention_names", "evaluate"]


def evaluate(
    dataset: Dataset,
    store: Store,
    trackers: Iterable[str] | None = None,
    conventions: Iterable[str] | None = None,
    *,
    partial: bool = False,
    ranks: bool = False,
) -> list[BenchmarkScores]:
    """Score results, one ``BenchmarkScores`` per convention.

    A tracker with broken or incomplete results, or results that a convention rejects, is
    listed in ``BenchmarkScores.refused``; the others are scored.

    Args:
        dataset: annotation of the benchmark; frames are not needed.
        store: raw results, on disk or in memory; its experiment decides how they are scored.
        trackers: names to score; every tracker with results by default.
        conventions: names of conventions; the benchmark's official one by default.
        partial: score incomplete trackers on the sequences they finished.
        ranks: also rank trackers by significance tests (VOT only).

    Raises:
        DatasetError: the ground truth is hidden on an evaluation server.
        ResultError: the store is empty.
        ConfigError: unknown tracker or convention.
    """
    refuse_hidden(dataset)
    names = tracker_names(store, trackers)
    rules = list(conventions or (get_benchmark(dataset.benchmark).rule,))
    if store.experiment == "onepass":
        from bench.evaluation import onepass

        return onepass.evaluate(dataset, store, names, rules, partial=partial)
    from bench.evaluation import vot

    return vot.evaluate(dataset, store, names, rules, partial=partial, ranks=ranks)


def convention_names(benchmark: str) -> tuple[str, ...]:
    """Names of the conventions that can score a benchmark.

    Raises:
        ConfigError: unknown benchmark.
    """
    from bench.measures import onepass as onepass_measures
    from bench.measures import vot as vot_measures

    if get_benchmark(benchmark).kind == "onepass":
        return onepass_measures.convention_names()
    return vot_measures.convention_names()
