"""Scores raw results against annotations, and tests two trackers against each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, unknown_name
from bench.evaluation.presence import Told, extended
from bench.evaluation.score_cache import ScoreCache, outcome_of, with_outcomes
from bench.evaluation.selection import candidates, refuse_hidden, tracker_names
from bench.measures.catalogue import layout_of
from bench.measures.statistics import PairedTest, paired_test
from bench.results.stores import Store
from bench.scores import BenchmarkScores
from bench.sequence import Dataset

__all__ = ["compare", "evaluate"]


def evaluate(
    dataset: Dataset,
    store: Store,
    trackers: Iterable[str] | None = None,
    conventions: Iterable[str] | None = None,
    *,
    partial: bool = False,
    ranks: bool = False,
    cache: bool = True,
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
        ranks: also rank trackers by significance tests (VOT only), which needs all runs.
        cache: keep scores of results on disk beside them, and use those of which nothing has
            changed (``score_cache``). Without, or with ranks, all are computed.

    Raises:
        DatasetError: the ground truth is hidden on an evaluation server.
        ResultError: the store is empty.
        ConfigError: unknown tracker or convention.
    """
    refuse_hidden(dataset)
    names = tracker_names(store, trackers)
    rules = list(conventions or (get_benchmark(dataset.benchmark).rule,))
    kept = ScoreCache(dataset, store, names if cache and not ranks else (), rules, partial=partial)
    known = {name: one for name in names if (one := kept.read(name)) is not None}
    fresh = [name for name in names if name not in known]
    chosen = candidates(dataset, store, fresh, kept.contents)
    told: dict[str, Told] = {}
    if store.experiment == "onepass":
        from bench.evaluation import onepass

        found, told = onepass.evaluate(dataset, store, chosen, rules, partial=partial)
    else:
        from bench.evaluation import vot

        found = vot.evaluate(dataset, store, chosen, rules, partial=partial, ranks=ranks)
    for name in fresh:
        kept.write(name, outcome_of(name, found, told))
    told |= {name: one.told for name, one in known.items() if one.told is not None}
    joined = (with_outcomes(one, names, known, index) for index, one in enumerate(found))
    return [extended(scores, told) for scores in joined]


def compare(scores: BenchmarkScores, a: str, b: str) -> dict[str, PairedTest]:
    """Test tracker ``a`` against ``b``, by measure.

    Raises:
        ConfigError: one is not scored, both are the same, or they share no sequence.
    """
    for name in (a, b):
        if name not in scores.trackers:
            raise unknown_name("scored tracker", name, scores.trackers)
    first, second = scores.trackers[a].per_sequence, scores.trackers[b].per_sequence
    common = [sequence for sequence in first if sequence in second]
    if a == b or not common:
        found = "one and the same" if a == b else "without a sequence in common"
        raise ConfigError(f"cannot compare {a!r} with {b!r}: they are {found}")
    return {
        measure.name: paired_test(
            np.array([first[sequence][measure.name] for sequence in common]),
            np.array([second[sequence][measure.name] for sequence in common]),
        )
        for measure in layout_of(scores.experiment, scores.benchmark).compared
        if measure.name in first[common[0]]
    }
