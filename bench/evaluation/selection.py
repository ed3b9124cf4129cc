"""Which trackers and sequences can be scored, and what is missing or surplus."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from bench.errors import DatasetError, ResultError, unknown_name
from bench.results.record import read_record
from bench.sequence import Dataset


class Store(Protocol):
    """What either store of results (one-pass, or of an experiment) can tell."""

    @property
    def root(self) -> Path: ...

    @property
    def benchmark(self) -> str: ...

    def folder(self, tracker: str) -> Path: ...

    def record_path(self, tracker: str) -> Path: ...

    def trackers(self) -> list[str]: ...

    def sequences(self, tracker: str) -> frozenset[str]: ...


def refuse_hidden(dataset: Dataset) -> None:
    """Check that the ground truth of every frame is public.

    Raises:
        DatasetError: sequences have a box for their first frame only.
    """
    hidden = [sequence.name for sequence in dataset if sequence.hidden]
    if hidden and dataset.benchmark == "folder":
        raise DatasetError(
            f"{dataset.root}: {first_few(hidden)} has a box for the first frame only, so nothing "
            "can be scored. Give a box for every frame, or look at the result with `bench show`."
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
    """What to say where a benchmark has no results at all, and what to do."""
    return (
        f"no results to score: looked for {store.folder('<tracker>')}. Make some "
        f"with `bench run {store.benchmark} ...` or bring some in with "
        f"`bench import {store.benchmark} ...`."
    )


def missing_sequences(
    dataset: Dataset, store: Store, name: str, available: frozenset[str]
) -> list[str]:
    """Sequences of the dataset that a tracker has no result of.

    Raises:
        ResultError: it has none of any.
    """
    missing = [sequence.name for sequence in dataset if sequence.name not in available]
    if len(missing) == len(dataset):
        raise ResultError(
            f"{name}: no result in {store.folder(name)} is of a sequence in {dataset.root}"
        )
    return missing


def partial_note(dataset: Dataset, missing: list[str]) -> str:
    """The note on scores that lack sequences."""
    return f"partial: {len(dataset) - len(missing)} of {len(dataset)} sequences"


def refusal(dataset: Dataset, missing: list[str]) -> str:
    """Why a tracker without results of some sequences is not scored, and what to do."""
    return (
        f"no result for {len(missing)} of {len(dataset)} sequences ({first_few(missing)}). Finish "
        "the run with `bench run`, or score what is there with --partial."
    )


def notes_on(dataset: Dataset, store: Store, name: str, available: frozenset[str]) -> list[str]:
    """What must be said of a tracker's results whatever they score."""
    return tuning_note(dataset, store, name) + _surplus_note(dataset, available)


def _surplus_note(dataset: Dataset, available: frozenset[str]) -> list[str]:
    """A note on results of sequences that the dataset does not have, if there are any."""
    surplus = sorted(available - {sequence.name for sequence in dataset})
    if not surplus:
        return []
    return [
        f"{len(surplus)} results of sequences that are not in the dataset: {first_few(surplus)}"
    ]


def label_of(dataset: Dataset) -> str:
    """The benchmark's name, which says so where the dataset is only its miniature."""
    return f"{dataset.benchmark} (miniature)" if dataset.miniature else dataset.benchmark


def tuning_note(dataset: Dataset, store: Store, name: str) -> list[str]:
    """A note on options that were chosen by scores, where the run record says so."""
    try:
        record = read_record(store.record_path(name))
    except ResultError:
        return ["run.json cannot be read, so what made these results is not known"]
    if record is None or record.tuned_on is None:
        return []
    here = record.tuned_on == label_of(dataset)
    return [f"hyper-parameters tuned on {'this benchmark' if here else record.tuned_on}"]


def first_few(names: list[str]) -> str:
    """The first few names, for a message."""
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
