"""Brings results of several machines into one folder, and takes results away.

Results of one name share one provenance, so results with another are refused, and so are two
different results of one run. Everything is checked before anything is written.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.benchmarks import benchmarks
from bench.errors import ConfigError, ResultError, unknown_name
from bench.files import is_running, write_atomically
from bench.locks import locked, sweep
from bench.results import open_store
from bench.results.checksums import CACHE, record_hashes
from bench.results.declared import declare_beside, keep_declaration
from bench.results.record import RunRecord, continue_record, read_record, write_record
from bench.results.stores import Store
from bench.results.vot.text import format_times, parse_times
from bench.runner.shards import gathered_record, refuse_running

_GOING = ".removed-"  # prefix of a folder that is being removed
# Files of a one-pass result and of a run of VOT, in order.
_PARTS = ("times/{}_time.txt", "scores/{}_score.txt", "masks/{}_mask.txt", "{}.txt")
_VOT_PARTS = ("{}_confidence.value", "{}_time.value", "{}_mask.txt", "{}.bin", "{}.txt")


@dataclass(frozen=True)
class Merge:
    """What one source adds to one name.

    Attributes:
        store: destination.
        source: where the results come from.
        tracker: name of the results.
        runs: sequence and repetition of each run to bring in.
        record: the record that the destination gets; None if it stays as it is.
    """

    store: Store
    source: Store
    tracker: str
    runs: tuple[tuple[str, int], ...]
    record: RunRecord | None


def stores_in(results: Path) -> Iterator[Store]:
    """The stores below a folder of results that hold anything."""
    declare_beside(results)
    for name, row in benchmarks().items():
        if (results / name).is_dir():
            for experiment in row.experiments:
                store = open_store(results, name, experiment)
                if store.trackers():
                    yield store


def merge_results(sources: list[Path], results: Path) -> list[Merge]:
    """Bring the results below ``sources`` into ``results``; returns what was brought in.

    Raises:
        ConfigError: a source is not a folder of results, or the destination itself.
        ResultError: results differ in their provenance, or are two of one run; lists them all.
            Or another run holds the destination.
    """
    found: list[tuple[Store, str]] = []
    for folder in sources:
        if folder.resolve() == results.resolve():
            raise ConfigError(f"{folder}: is the destination itself; name other folders to merge")
        stores = list(stores_in(folder))
        if not stores:
            raise ConfigError(
                f"{folder}: expected a folder of results, <benchmark>/<tracker>/, found none"
            )
        found += [(store, name) for store in stores for name in store.trackers()]
    problems, merged = [], []
    for checked in (False, True):  # all is checked before anything is written
        for source, tracker in found:
            try:
                merged += [_merge(source, tracker, results, write=checked)] if checked else []
                if not checked:
                    _merge(source, tracker, results, write=False)
            except ResultError as error:
                problems.append(f"{source.folder(tracker)}: {error}")
        if problems:
            raise ResultError("\n".join(problems))
    return merged


def _merge(source: Store, tracker: str, results: Path, *, write: bool) -> Merge:
    store = open_store(results, source.benchmark, source.experiment)
    if not write:
        return _plan(store, source, tracker)
    keep_declaration(store)
    with locked(store.folder(tracker)):
        sweep(store.folder(tracker))
        plan = _plan(store, source, tracker)
        if plan.record is not None:
            if plan.record.kind == "run":
                write_record(store.record_path(tracker), plan.record)
            else:
                content = source.record_path(tracker).read_bytes()
                write_atomically(store.record_path(tracker), content)
        for sequence, repetition in plan.runs:
            _copy(plan, sequence, repetition)
    return plan


def _plan(store: Store, source: Store, tracker: str) -> Merge:
    record, runs = _record(store, source, tracker), []
    for sequence in sorted(source.sequences(tracker)):
        present = store.repetitions(tracker, sequence)
        for repetition in source.repetitions(tracker, sequence):
            if repetition not in present:
                runs.append((sequence, repetition))
            elif not _equal(store, source, tracker, sequence, repetition):
                raise ResultError(
                    f"another result of {sequence} (run {repetition}) is in "
                    f"{store.folder(tracker)}. Keep one of them: merge under another name, or "
                    "remove one."
                )
    return Merge(store, source, tracker, tuple(runs), record)


def _equal(store: Store, source: Store, tracker: str, sequence: str, repetition: int) -> bool:
    here = store.read_run(tracker, sequence, repetition)
    there = source.read_run(tracker, sequence, repetition)
    return bool(
        np.array_equal(here.counts, there.counts)
        and np.array_equal(here.values, there.values, equal_nan=True)
    )


def _record(store: Store, source: Store, tracker: str) -> RunRecord | None:
    """The record of the destination with the sessions of the source; None if nothing changes."""
    theirs = gathered_record(source, tracker)
    if theirs is None:
        raise ResultError(
            "expected a run.json beside the results, which tells where they are from"
        )
    earlier = read_record(store.record_path(tracker))
    if theirs.kind != "run":
        if earlier is None and not store.sequences(tracker):
            return theirs
        if earlier is None or _facts(earlier) != _facts(theirs):
            raise ResultError(f"{store.folder(tracker)} holds other results under that name")
        return None
    known = earlier.sessions if earlier is not None else ()
    new = tuple(each for each in theirs.sessions if each not in known)
    merged = continue_record(store, tracker, dataclasses.replace(theirs, sessions=new))
    return None if earlier is not None and merged == earlier else merged


def _facts(record: RunRecord) -> dict[str, object]:
    kept = {k: v for k, v in record.provenance.items() if k not in ("date", "notes")}
    return {"kind": record.kind, **kept}


def _copy(plan: Merge, sequence: str, repetition: int) -> None:
    """Copy the files of one run, the regions last."""
    source, target = plan.source.folder(plan.tracker), plan.store.folder(plan.tracker)
    if plan.store.experiment == "onepass":
        inner = f"repetitions/{repetition:03d}/" if repetition > 1 else ""
        names = [f"{inner}{part.format(sequence)}" for part in _PARTS]
    else:
        stem = f"{sequence}/{sequence}_{repetition:03d}"
        names = [part.format(stem) for part in _VOT_PARTS]
        _merge_times(source, target, sequence, repetition)
    try:
        found = {
            target / name: (source / name).read_bytes()
            for name in names
            if (source / name).is_file()
        }
        record_hashes(target, found)
        for path, content in found.items():
            write_atomically(path, content)
    except OSError as error:
        raise ResultError(f"{error.filename}: cannot be copied ({error.strerror})") from error


def _merge_times(source: Path, target: Path, sequence: str, repetition: int) -> None:
    """Copy one column of the file of times."""
    name = f"{sequence}/{sequence}_time.txt"
    if not (source / name).is_file():
        return
    theirs = parse_times((source / name).read_bytes(), source / name)
    if repetition > theirs.shape[1]:
        return
    table = np.empty((len(theirs), 0))
    if (target / name).is_file():
        table = parse_times((target / name).read_bytes(), target / name)
    missing = max(0, repetition - table.shape[1])
    table = np.pad(table, ((0, 0), (0, missing)), constant_values=np.nan)
    table[:, repetition - 1] = theirs[:, repetition - 1]
    content = format_times(table)
    record_hashes(target, {target / name: content})
    write_atomically(target / name, content)


def removable(store: Store, tracker: str) -> Path:
    """The folder of a tracker's results.

    Raises:
        ConfigError: there are no such results.
    """
    if tracker not in store.trackers():
        folder = store.root / store.benchmark
        raise unknown_name(f"tracker with results in {folder}", tracker, store.trackers())
    folder = store.folder(tracker)
    if folder.is_symlink():
        raise ConfigError(f"{folder}: is a symbolic link; remove the link yourself")
    return folder


def remove_results(store: Store, tracker: str) -> None:
    """Remove a tracker's results: all of them or, if this is stopped, none that can be seen.

    Raises:
        ConfigError: there are no such results.
        ResultError: a run holds them, or they cannot be removed.
    """
    folder = removable(store, tracker)
    going = folder.with_name(f"{_GOING}{folder.name}-{os.getpid()}")
    try:
        with locked(folder):
            refuse_running(folder)
            folder.rename(going)
        shutil.rmtree(going)
        if store.experiment != "onepass":  # the tracker's folder, if this was its last experiment
            with contextlib.suppress(OSError):
                folder.parent.rmdir()
    except OSError as error:
        raise ResultError(f"{folder}: cannot be removed ({error.strerror})") from error
    sweep_removed(store)


def sweep_removed(store: Store) -> None:
    """Remove what a removal that was killed left behind."""
    root = store.root / store.benchmark
    for path in [*root.glob(f"{_GOING}*"), *root.glob(f"*/{_GOING}*")]:
        number = re.search(r"-(\d+)$", path.name)
        if number and (int(number[1]) == os.getpid() or not is_running(int(number[1]))):
            shutil.rmtree(path, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; kept scores do not count."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() and path.parent.name != CACHE else 0
    return total
