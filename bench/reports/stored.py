"""Everything a benchmark's stored results give: scores, where they come from, what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.errors import DatasetError, ResultError
from bench.reports.gather import gather
from bench.reports.origin import origin_of
from bench.reports.table import Kind, State
from bench.results.experiments import ExperimentStore
from bench.results.store import ResultStore
from bench.scores import BenchmarkScores
from bench.sequence import Dataset


@dataclass(frozen=True)
class Origin:
    """Where a tracker's results come from, with what must be said where that is not certain."""

    kind: Kind
    note: str = ""


@dataclass(frozen=True)
class Stored:
    """The results of one benchmark.

    Attributes:
        benchmark: its identifier.
        origins: every tracker with results.
        dataset: annotation; None where it was not read.
        scores: of those that can be scored; None where none can.
        failed: why a tracker has no scores, by tracker.
        state: what its cells are then: ``"broken"``, or ``"unscored"`` where the dataset is to
            blame.
    """

    benchmark: str
    origins: Mapping[str, Origin] = field(default_factory=dict)
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
    store: ResultStore | ExperimentStore,
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
    origins = {name: _origin(store, name) for name in names}
    dataset = None
    try:
        dataset = open_dataset()
        scores = gather(dataset, store, partial=partial)
    except DatasetError as error:
        reason = dict.fromkeys(names, str(error))
        return Stored(store.benchmark, origins, dataset, failed=reason, state="unscored")
    except ResultError as error:
        assert dataset is not None  # results are read after it
        failed = _each_reason(dataset, store, names, str(error), partial=partial)
        return Stored(store.benchmark, origins, dataset, failed=failed)
    return Stored(store.benchmark, origins, dataset, scores, scores.refused)


def _each_reason(
    dataset: Dataset,
    store: ResultStore | ExperimentStore,
    names: list[str],
    first: str,
    *,
    partial: bool,
) -> dict[str, str]:
    """Why every single tracker cannot be scored."""
    reasons = {names[0]: first}
    for name in names[1:]:
        try:
            gather(dataset, store, [name], partial=partial)
        except ResultError as error:
            reasons[name] = str(error)
    return reasons


def _origin(store: ResultStore | ExperimentStore, name: str) -> Origin:
    """What the run record says; results without one were made elsewhere as far as is known."""
    found = origin_of(store.record_path(name))
    if found.kind == "measured":
        return Origin("measured")
    if found.kind == "unknown":
        return Origin("imported", "no readable run record, so what made these is not known")
    return Origin("imported")
