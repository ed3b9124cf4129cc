"""Which trackers and sequences can be scored, and what is missing or surplus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.errors import DatasetError, ResultError, unknown_name
from bench.results.record import read_record
from bench.results.stores import Store
from bench.sequence import Dataset


@dataclass(eq=False)
class Candidate:
    """A tracker to score, and what keeps it from being scored.

    Attributes:
        name: of the tracker.
        available: sequences it has a result of.
        missing: sequences of the dataset it has no result of.
        notes: remarks that hold under every convention.
        refused: why it cannot be scored under any convention; None if it can.
    """

    name: str
    available: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    refused: str | None = None

    def refuse(self, reason: str) -> None:
        """Refuse it; an earlier reason stays."""
        self.refused = self.refused or reason


def candidates(dataset: Dataset, store: Store, names: Iterable[str]) -> list[Candidate]:
    """The trackers to score; one without any result of the dataset's sequences is refused."""
    return [_candidate(dataset, store, name) for name in names]


def _candidate(dataset: Dataset, store: Store, name: str) -> Candidate:
    available = store.sequences(name)
    missing = tuple(s.name for s in dataset if s.name not in available)
    found = Candidate(name, available, missing)
    if len(missing) == len(dataset):
        folder = store.folder(name)
        found.refuse(f"{folder}: none of its results is of a sequence in {dataset.root}")
        return found
    found.notes += [*tuning_note(dataset, store, name), *_surplus_note(dataset, available)]
    return found


def refuse_hidden(dataset: Dataset) -> None:
    """Check that the ground truth of every frame is public.

    Raises:
        DatasetError: sequences have a box for their first frame only.
    """
    hidden = [sequence.name for sequence in dataset if sequence.hidden]
    if hidden and dataset.benchmark == "folder":
        raise DatasetError(
            f"{dataset.root}: {first_few(hidden)} has a box for the first frame only, so it "
            "cannot be scored. Give a box for every frame, or look at the result with `bench "
            "video`."
        )
    if hidden:
        raise DatasetError(
            f"{dataset.root}: the ground truth of {len(hidden)} sequences ({hidden[0]} ...) has "
            "only its first frame, so they cannot be scored here. Make the archive for the "
            "evaluation server with `bench pack trackingnet`, or score a split with full "
            "annotation (--subset TRAIN_0)."
        )


def tracker_names(store: Store, wanted: Iterable[str] | None) -> list[str]:
    """The trackers asked for, by default all that have results.

    Raises:
        ConfigError: one has no results.
        ResultError: none has.
    """
    known, folder = store.trackers(), store.root / store.benchmark
    names = list(dict.fromkeys(wanted or known))
    for name in names:
        if name not in known:
            raise unknown_name(f"tracker with results in {folder}", name, known)
    if not names:
        raise ResultError(no_results(store))
    return names


def no_results(store: Store) -> str:
    """The message for a benchmark without any results."""
    return (
        f"no results to score: looked for {store.folder('<tracker>')}. Make some "
        f"with `bench run {store.benchmark} ...` or bring some in with "
        f"`bench import {store.benchmark} ...`."
    )


def refusal(dataset: Dataset, missing: tuple[str, ...]) -> str:
    """Why a tracker without results of some sequences is not scored, and the remedy."""
    return (
        f"no result for {len(missing)} of {len(dataset)} sequences ({first_few(missing)}). "
        "Finish the run with `bench run`, or score what is there with --partial."
    )


def partial_note(dataset: Dataset, missing: tuple[str, ...]) -> str:
    """The note on scores that lack sequences."""
    return f"partial: {len(dataset) - len(missing)} of {len(dataset)} sequences"


def _surplus_note(dataset: Dataset, available: frozenset[str]) -> list[str]:
    """A note on results of sequences that the dataset does not have."""
    surplus = sorted(available - {sequence.name for sequence in dataset})
    if not surplus:
        return []
    count, names = len(surplus), first_few(surplus)
    return [f"results of {count} sequences that are not in the dataset: {names}"]


def label_of(dataset: Dataset) -> str:
    """The benchmark's name; for its miniature it says so."""
    return f"{dataset.benchmark} (miniature)" if dataset.miniature else dataset.benchmark


def tuning_note(dataset: Dataset, store: Store, name: str) -> list[str]:
    """A note if the run record says that the options were chosen by scores."""
    try:
        record = read_record(store.record_path(name))
    except ResultError:
        return ["run.json cannot be read, so the provenance of these results is unknown"]
    if record is None or record.tuned_on is None:
        return []
    here = record.tuned_on == label_of(dataset)
    return [f"hyper-parameters tuned on {'this benchmark' if here else record.tuned_on}"]


def first_few(names: Iterable[str]) -> str:
    """The first five names, for a message."""
    listed = list(names)
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")
