"""Everything a benchmark's stored results give: scores, where they come from, what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.errors import DatasetError
from bench.reports.gather import NothingScoredError, gather
from bench.reports.table import Kind, State
from bench.results.onepass import OnePassStore
from bench.results.provenance import origin_of
from bench.results.vot.store import VotStore
from bench.scores import BenchmarkScores
from bench.sequence import Dataset


@dataclass(frozen=True)
class Source:
    """Where a tracker's results come from, with what must be said where that is not certain."""

    kind: Kind
    note: str = ""


@dataclass(frozen=True)
class Stored:
    """The results of one benchmark.

    Attributes:
        benchmark: its identifier.
        sources: every tracker with results.
        dataset: annotation; None where it was not read.
        scores: of those that can be scored; None where none can.
        failed: why a tracker has no scores, by tracker.
        state: what its cells are then: ``"broken"``, or ``"unscored"`` where the dataset is to
            blame.
    """

    benchmark: str
    sources: Mapping[str, Source] = field(default_factory=dict)
    dataset: Dataset | None = None
    scores: BenchmarkScores | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    state: State = "broken"

    @property
    def miniature(self) -> bool:
        """Whether the dataset is the generated stand-in."""
        return self.dataset is not None and self.dataset.miniature


def score_stored(
    open_dataset: Callable[[], Dataset],
    store: OnePassStore | VotStore,
    *,
    partial: bool = False,
) -> Stored:
    """Score whatever lies in a store; what cannot be scored is named with the reason.

    Args:
        open_dataset: reads the annotation; called only where there are results.
        store: where the raw results lie.
        partial: score trackers on the sequences they finished instead of refusing.
    """
    names = store.trackers()
    if not names:
        return Stored(store.benchmark)
    sources = {name: _source(store, name) for name in names}
    dataset = None
    try:
        dataset = open_dataset()
        scores = gather(dataset, store, partial=partial)
    except DatasetError as error:
        reason = dict.fromkeys(names, str(error))
        return Stored(store.benchmark, sources, dataset, failed=reason, state="unscored")
    except NothingScoredError as error:
        return Stored(store.benchmark, sources, dataset, failed=error.reasons)
    return Stored(store.benchmark, sources, dataset, scores, scores.refused)


def _source(store: OnePassStore | VotStore, name: str) -> Source:
    """What the run record says; results without one were made elsewhere as far as is known."""
    found = origin_of(store.record_path(name))
    if found.kind == "measured":
        return Source("measured")
    if found.kind == "unknown":
        return Source("imported", "no readable run record, so what made these is not known")
    return Source("imported")
