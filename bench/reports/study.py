"""What is known of one benchmark (or one experiment of it): annotation, results, scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bench.benchmarks import Benchmark, get_benchmark
from bench.evaluation.selection import no_results
from bench.measures.catalogue import Layout, layout_of
from bench.reports.stored import Stored, score_stored
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset, Sequence

Store = OnePassStore | VotStore
Status = Literal["complete", "partial", "miniature", "not scored", "missing"]


@dataclass(frozen=True, eq=False)
class Study:
    """One benchmark, or one experiment of it, as far as there is something to show.

    Attributes:
        benchmark: its row in the table of benchmarks.
        experiment: name of the experiment of the VOT challenge, None for one-pass evaluation.
        stored: its results, with scores by the official convention.
        store: where raw results lie, None where nobody looked.
        problem: why there are no scores.
    """

    benchmark: Benchmark
    experiment: str | None
    stored: Stored
    store: Store | None = None
    problem: str | None = None

    @property
    def dataset(self) -> Dataset | None:
        """Annotation, None where there is none."""
        return self.stored.dataset

    @property
    def scores(self) -> BenchmarkScores | None:
        """By the official convention, None where nothing could be scored."""
        return self.stored.scores

    @property
    def key(self) -> str:
        """Name of its page and folder: the benchmark's, with any experiment but the main one."""
        main = self.benchmark.experiments[:1]
        if self.experiment is None or self.experiment in main:
            return self.benchmark.name
        return f"{self.benchmark.name}-{self.experiment}"

    @property
    def title(self) -> str:
        """As it is printed."""
        extra = self.key != self.benchmark.name
        return f"{self.benchmark.title} {self.experiment}" if extra else self.benchmark.title

    @property
    def layout(self) -> Layout:
        """Which measures are shown, in which order."""
        return layout_of(self.experiment or "onepass")

    @property
    def first_measure(self) -> str:
        """The measure that trackers are ranked by."""
        return next(iter(self.layout.columns))

    @property
    def status(self) -> Status:
        """How far its numbers can be trusted, or why there are none."""
        if not self.has_results:
            return "missing"
        if self.scores is None or self.dataset is None:
            return "not scored"
        if self.dataset.miniature:
            return "miniature"
        return "partial" if self.scores.partial else "complete"

    @cached_property
    def has_results(self) -> bool:
        """Whether any tracker has a result."""
        return bool(self.stored.sources)

    @cached_property
    def trackers(self) -> tuple[str, ...]:
        """Names with results: the best first, then partial ones, then those without scores."""
        return tuple(sorted(self.stored.sources, key=self._place))

    def _place(self, name: str) -> tuple[bool, bool, float, str]:
        value = self.value(name, self.first_measure)
        unknown = math.isnan(value)
        return unknown, self.is_partial(name), 0.0 if unknown else -value, name.lower()

    def tracker_scores(self, name: str) -> TrackerScores | None:
        """Scores of a tracker, None where it could not be scored."""
        return self.scores.trackers.get(name) if self.scores else None

    def value(self, name: str, measure: str) -> float:
        """A tracker's measure; NaN where there is none."""
        scores = self.tracker_scores(name)
        return scores.measures.get(measure, math.nan) if scores else math.nan

    def is_partial(self, name: str) -> bool:
        """Whether a tracker was scored on fewer sequences than the dataset has."""
        scores = self.tracker_scores(name)
        return bool(scores and self.dataset and len(scores.per_sequence) < len(self.dataset))

    @cached_property
    def sequences(self) -> tuple[Sequence, ...]:
        """The sequences that have a page: all, where any tracker has a result."""
        return self.dataset.sequences if self.dataset and self.has_results else ()


def open_study(
    benchmark: str,
    experiment: str | None,
    open_data: Callable[[], Dataset],
    store: Store,
) -> Study:
    """Everything there is of a benchmark; what is missing or broken is said in ``problem``.

    Args:
        benchmark: a name of ``bench.benchmarks``.
        experiment: of the VOT challenge, None for one-pass evaluation.
        open_data: reads the annotation.
        store: where the raw results lie.
    """
    row, stored = get_benchmark(benchmark), score_stored(open_data, store, partial=True)
    return Study(row, experiment, stored, store, _problem(stored, store))


def _problem(stored: Stored, store: Store) -> str | None:
    """Why there are no scores, in one sentence where all results have the same fault."""
    if stored.scores is not None:
        return None
    reasons = set(stored.failed.values())
    if not reasons:
        return no_results(store)
    return reasons.pop() if len(reasons) == 1 else "None of these results can be scored."


def absent_study(benchmark: str) -> Study:
    """A benchmark that was not asked for: its place on the overview stays, empty."""
    row = get_benchmark(benchmark)
    experiment = row.experiments[0] if row.experiments else None
    return Study(
        row, experiment, Stored(row.name), problem="Left out of this report by --benchmarks."
    )
