"""Scores of every tracker that can be scored, and why the others cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from bench.errors import ResultError
from bench.evaluation import evaluate
from bench.evaluation.selection import tracker_names
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.scores import BenchmarkScores
from bench.sequence import Dataset


class NothingScoredError(ResultError):
    """No tracker can be scored.

    Attributes:
        reasons: why, by tracker; the message is the first one's.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """``reasons`` of at least one tracker."""
        super().__init__(next(iter(reasons.values())))
        self.reasons = reasons


def gather(
    dataset: Dataset,
    store: OnePassStore | VotStore,
    trackers: Iterable[str] | None = None,
    convention: str | None = None,
    *,
    partial: bool = False,
) -> BenchmarkScores:
    """Scores under one convention; a tracker whose results are broken is named as refused.

    ``bench.evaluation.evaluate`` stops at the first broken result, as a table of numbers should;
    a picture of twenty trackers is drawn of the nineteen others.

    Args:
        dataset: annotation of the benchmark.
        store: where the raw results lie.
        trackers: names to score; every tracker with results by default.
        convention: the benchmark's official one by default.
        partial: score trackers on the sequences they finished instead of refusing.

    Raises:
        DatasetError: the ground truth is hidden on an evaluation server.
        NothingScoredError: no tracker can be scored; the message is the first one's.
        ConfigError: an unknown tracker or convention.
    """
    names = tracker_names(store, trackers)
    rules = None if convention is None else [convention]
    try:
        return evaluate(dataset, store, names, rules, partial=partial)[0]
    except ResultError as error:
        if len(names) == 1:
            raise NothingScoredError({names[0]: str(error)}) from error
    scored: list[BenchmarkScores] = []
    refused: dict[str, str] = {}
    for name in names:
        try:
            scored += evaluate(dataset, store, [name], rules, partial=partial)
        except ResultError as error:
            refused[name] = str(error)
    if not scored:
        raise NothingScoredError(refused)
    return _merged(scored, refused)


def _merged(scored: list[BenchmarkScores], refused: dict[str, str]) -> BenchmarkScores:
    """Scores of single trackers as scores of them all; what is missing makes them partial."""
    return dataclasses.replace(
        scored[0],
        partial=True,
        trackers={name: one.trackers[name] for one in scored for name in one.trackers},
        refused={**{k: v for one in scored for k, v in one.refused.items()}, **refused},
    )
