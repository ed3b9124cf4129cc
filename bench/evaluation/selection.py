"""Selects the trackers and sequences to score; notes missing and extra results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bench.benchmarks import get_benchmark
from bench.errors import DatasetError, ResultError, unknown_name
from bench.results.checksums import Contents
from bench.results.record import read_record, remedy_for_missing
from bench.results.stores import Store
from bench.sequence import Dataset


@dataclass(eq=False)
class Candidate:
    """A tracker to score.

    Attributes:
        name: of the tracker.
        runs: stored repetitions of each sequence with a result.
        missing: sequences of the dataset without a result.
        notes: remarks that hold under every convention.
        refused: why no convention can score it, or None.
        remedy: what to do about the missing sequences.
    """

    name: str
    runs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    refused: str | None = None
    remedy: str = "Finish the run with `bench run`"

    def refuse(self, reason: str) -> None:
        """Refuse the tracker; the first reason stays."""
        self.refused = self.refused or reason


def candidates(
    dataset: Dataset,
    store: Store,
    names: Iterable[str],
    contents: Mapping[str, Contents | None] | None = None,
) -> list[Candidate]:
    """The trackers to score; those without a result on the dataset are refused.

    Args:
        dataset: the annotation.
        store: the results.
        names: of the trackers.
        contents: of their files, as far as they are known.
    """
    known = contents or {}
    return [_candidate(dataset, store, name, known.get(name)) for name in names]


def _candidate(dataset: Dataset, store: Store, name: str, contents: Contents | None) -> Candidate:
    try:
        runs = store.runs(name)
        changed = store.changed_files(name, contents)
    except ResultError as error:
        return Candidate(name, refused=str(error))
    missing = tuple(s.name for s in dataset if s.name not in runs)
    found = Candidate(name, runs, missing)
    if len(missing) == len(dataset):
        folder = store.folder(name)
        found.refuse(f"{folder}: no result matches a sequence of {dataset.root}")
        return found
    found.remedy = remedy_for_missing(store.record_path(name))
    found.notes += [*record_notes(dataset, store, name), *_surplus_note(dataset, runs)]
    if changed:
        found.notes.append(
            f"changed since they were written: {len(changed)} files ({first_few(changed)})"
        )
    return found


def refuse_hidden(dataset: Dataset) -> None:
    """Check that the ground truth of every frame is public.

    Raises:
        DatasetError: some sequences have ground truth for their first frame only.
    """
    hidden = [sequence.name for sequence in dataset if sequence.hidden]
    benchmark = get_benchmark(dataset.benchmark)
    if hidden and benchmark.server is None:
        raise DatasetError(
            f"{dataset.root}: cannot score {first_few(hidden)}: expected a box for every frame, "
            "found one for the first frame only. Annotate every frame, or inspect the result "
            "with `bench video`."
        )
    if hidden:
        raise DatasetError(
            f"{dataset.root}: cannot score {len(hidden)} sequences ({hidden[0]}, ...): only the "
            "ground truth of their first frame is public. Pack the results for the evaluation "
            f"server with `bench pack {benchmark.name}`, or score {benchmark.alternative}."
        )


def tracker_names(store: Store, wanted: Iterable[str] | None) -> list[str]:
    """The requested trackers; all with results by default.

    Raises:
        ConfigError: a requested tracker has no results.
        ResultError: the store is empty.
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
    """The message for an empty store."""
    return (
        f"no results to score: looked for {store.folder('<tracker>')}. Run a tracker with "
        f"`bench run {store.benchmark} ...`, or import results with "
        f"`bench import {store.benchmark} ...`."
    )


def refusal(dataset: Dataset, one: Candidate) -> str:
    """Why an incomplete tracker is refused, and the remedy."""
    return (
        f"no result for {len(one.missing)} of {len(dataset)} sequences "
        f"({first_few(one.missing)}). {one.remedy}, or score the finished sequences with "
        "--partial."
    )


def partial_note(dataset: Dataset, missing: tuple[str, ...]) -> str:
    """The note on scores of an incomplete tracker."""
    return f"partial: {len(dataset) - len(missing)} of {len(dataset)} sequences"


def _surplus_note(dataset: Dataset, stored: Iterable[str]) -> list[str]:
    """A note on results of sequences outside the dataset."""
    surplus = sorted({*stored} - {sequence.name for sequence in dataset})
    if not surplus:
        return []
    count, names = len(surplus), first_few(surplus)
    return [f"results of {count} sequences outside the dataset ignored: {names}"]


def label_of(dataset: Dataset) -> str:
    """The benchmark's name, marked if the dataset is its miniature."""
    return f"{dataset.benchmark} (miniature)" if dataset.miniature else dataset.benchmark


def record_notes(dataset: Dataset, store: Store, name: str) -> list[str]:
    """What the run record says: options tuned on scores or per benchmark, several devices."""
    try:
        record = read_record(store.record_path(name))
    except ResultError:
        return ["run.json cannot be read, the provenance of these results is unknown"]
    if record is None:
        return []
    notes = [str(each["tuned"]) for each in record.sessions if each.get("tuned")]
    if record.tuned_on is not None:
        here = record.tuned_on == label_of(dataset)
        notes.append(f"hyper-parameters tuned on {'this benchmark' if here else record.tuned_on}")
    devices = record.devices()
    if len(devices) > 1:
        kind = "kinds of device" if "cpu" in devices else "GPU models"
        notes.append(f"made on {len(devices)} {kind}: {', '.join(devices)}")
    return list(dict.fromkeys(notes))


def first_few(names: Iterable[str]) -> str:
    """The first five names, comma-separated."""
    listed = list(names)
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")
