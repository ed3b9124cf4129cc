"""Raw results and annotation into scores: the arrow between the stores and the measures."""

from __future__ import annotations

from collections.abc import Iterable

from bench.evaluation import onepass
from bench.evaluation import vot as experiments
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.scores import BenchmarkScores
from bench.sequence import Dataset

__all__ = ["evaluate"]


def evaluate(
    dataset: Dataset,
    store: OnePassStore | VotStore,
    trackers: Iterable[str] | None = None,
    conventions: Iterable[str] | None = None,
    *,
    partial: bool = False,
    ranks: bool = False,
) -> list[BenchmarkScores]:
    """Score stored results, one ``BenchmarkScores`` per convention.

    Args:
        dataset: annotation of the benchmark; frames are not needed.
        store: where the raw results lie; its kind says whether they are one-pass or of an
            experiment of the VOT challenge.
        trackers: names to score; every tracker with results by default.
        conventions: names of conventions; the benchmark's official one by default.
        partial: score trackers on the sequences they finished instead of refusing.
        ranks: also rank by significance tests (experiments only).

    Raises:
        DatasetError: the ground truth is hidden on an evaluation server.
        ResultError: results are missing or malformed, or the convention refuses them while no
            other convention was asked for.
        ConfigError: an unknown tracker or convention.
    """
    if isinstance(store, VotStore):
        return experiments.evaluate(
            dataset, store, trackers, conventions, partial=partial, ranks=ranks
        )
    return onepass.evaluate(dataset, store, trackers, conventions, partial=partial)
