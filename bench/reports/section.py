"""Everything stored of one benchmark or experiment: annotation, results, scores, provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from bench.benchmarks import Benchmark, get_benchmark, get_experiment
from bench.errors import DatasetError
from bench.evaluation import evaluate
from bench.measures.catalogue import Measure, layout_of
from bench.reports.escaping import without_folders
from bench.reports.notes import counted, shareable
from bench.reports.score_table import ranked, ranking_measure
from bench.results.provenance import Provenance, provenance_of
from bench.results.stores import Store
from bench.scores import BenchmarkScores
from bench.sequence import Dataset, Sequence

Status = Literal["complete", "partial", "miniature", "not scored", "missing"]


@dataclass(frozen=True, eq=False)
class ReportSection:
    """One benchmark, or one experiment of it.

    Attributes:
        benchmark: its row in the table of benchmarks.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
        store: the raw results; None if they were not opened.
        provenance: where results come from, of every tracker that has any.
        dataset: the annotation; None if it cannot be read.
        scores: under the official convention; None if no tracker can be scored.
        scored: the same results under this and further conventions, the official one first.
        refused: reason by tracker why it has no scores.
        problem: why there are no scores at all.
    """

    benchmark: Benchmark
    experiment: str
    store: Store | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    dataset: Dataset | None = None
    scores: BenchmarkScores | None = None
    scored: tuple[BenchmarkScores, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def key(self) -> str:
        """Name of its page and folder: the benchmark, and the experiment if not the main one."""
        name = self.benchmark.name
        return name if self.is_main else f"{name}-{self.experiment}"

    @property
    def is_main(self) -> bool:
        """Whether this is the benchmark's main experiment."""
        return self.experiment == self.benchmark.experiments[0]

    @property
    def title(self) -> str:
        """As printed."""
        title = self.benchmark.title
        return title if self.is_main else f"{title} {self.experiment}"

    @property
    def miniature(self) -> bool:
        """Whether the dataset is the generated stand-in."""
        return self.dataset is not None and self.dataset.miniature

    @property
    def resets(self) -> bool:
        """Whether trackers are restarted after failures."""
        return get_experiment(self.experiment).protocol in ("reset", "realtime")

    @property
    def scorable(self) -> bool:
        """Whether the annotation is there, every frame of it."""
        return self.dataset is not None and not any(s.hidden for s in self.dataset)

    @property
    def measure(self) -> Measure:
        """The measure that trackers are ranked by."""
        if self.scores is not None:
            return ranking_measure(self.scores)
        return layout_of(self.experiment, self.benchmark.name).columns[0]

    @property
    def status(self) -> Status:
        """How complete its numbers are, or why there are none."""
        if not self.provenance:
            return "missing"
        if self.scores is None:
            return "not scored"
        if self.miniature:
            return "miniature"
        return "partial" if self.scores.partial else "complete"

    @property
    def incomplete(self) -> str:
        """How many scored trackers lack sequences, in words; empty if none does."""
        scored = self.scores.trackers.values() if self.scores else ()
        lacking = sum(tracker.partial for tracker in scored)
        return f"{counted(lacking, 'tracker')} with missing sequences" if lacking else ""

    @cached_property
    def trackers(self) -> tuple[str, ...]:
        """Names with results: best first, then partial ones, then those without scores."""
        scored = ranked(self.scores) if self.scores else []
        return tuple(dict.fromkeys((*scored, *self.provenance)))

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        """The sequences of the dataset, if any tracker has results."""
        return self.dataset.sequences if self.dataset and self.provenance else ()


def open_section(
    open_dataset: Callable[[], Dataset],
    store: Store,
    *,
    partial: bool = True,
    conventions: Iterable[str] = (),
    trackers: Iterable[str] | None = None,
    cache: bool = True,
) -> ReportSection:
    """Score a store and collect what is missing or broken instead of raising.

    Args:
        open_dataset: reads the annotation; called only if there are results.
        store: the raw results.
        partial: score trackers on the sequences they finished.
        conventions: to score by besides the official one.
        trackers: names to score; all with results by default.
        cache: use and keep scores beside the results.
    """
    names = store.trackers() if trackers is None else trackers
    provenance = {name: provenance_of(store.record_path(name)) for name in names}
    benchmark = get_benchmark(store.benchmark)
    section = ReportSection(benchmark, store.experiment, store, provenance)
    if not provenance:
        return replace(section, problem=_no_results(section))
    dataset = None
    try:
        dataset = open_dataset()
        rules = dict.fromkeys((benchmark.rule, *conventions))
        scored = evaluate(dataset, store, provenance, rules, partial=partial, cache=cache)
    except DatasetError as error:
        refused = dict.fromkeys(provenance, str(error))
        return replace(section, dataset=dataset, refused=refused, problem=str(error))
    scores = scored[0]
    section = replace(section, dataset=dataset, refused=scores.refused)
    if scores.trackers:
        return replace(section, scores=scores, scored=tuple(scored))
    reasons = set(scores.refused.values())
    problem = reasons.pop() if len(reasons) == 1 else "None of these results can be scored."
    return replace(section, problem=problem)


def _no_results(section: ReportSection) -> str:
    """What a page says of a benchmark without results; it names no folder of this machine."""
    name = section.benchmark.name
    return (
        f"no results here. Run a tracker with `bench run {name} ...`, or import results with "
        f"`bench import {name} ...`."
    )


def shareable_section(section: ReportSection) -> ReportSection:
    """The same section for a page that is passed on: nothing in it names a folder."""
    return replace(
        section,
        provenance={name: _without(each) for name, each in section.provenance.items()},
        scores=shareable(section.scores) if section.scores else None,
        scored=tuple(map(shareable, section.scored)),
        refused={name: without_folders(why) for name, why in section.refused.items()},
        problem=without_folders(section.problem) if section.problem else section.problem,
    )


def _without(origin: Provenance) -> Provenance:
    failures = tuple(map(without_folders, origin.failures))
    return replace(origin, details=without_folders(origin.details), failures=failures)


def absent_section(benchmark: str) -> ReportSection:
    """The empty section of a benchmark left out of the report."""
    row = get_benchmark(benchmark)
    problem = "Left out of this report by --benchmark."
    return ReportSection(row, row.experiments[0], problem=problem)
