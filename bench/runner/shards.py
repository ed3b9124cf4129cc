"""Shards: parts of a run that several processes, on as many machines, work on at one time.

Shard i of n runs its share of the sequences and holds its own lock, ``.lock-i-of-n``. It keeps its
session and failures in its own part of the record, ``run-i-of-n.json``, so that it never waits for
another; ``run.json`` has what all of them share, the provenance, and takes in each part that ends.
A part whose shard was killed is taken in by whoever comes next: the same shard, any other that
ends, a run without ``--shard``, or ``bench merge``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError, ResultError
from bench.locks import locked, sweep
from bench.results.record import (
    RunRecord,
    continue_record,
    read_record,
    require_same,
    write_record,
)
from bench.results.stores import Store
from bench.sequence import Sequence

_PATIENCE = 60.0  # seconds to wait for a lock that others hold for a moment only
_PART = re.compile(r"run-(\d+-of-\d+)\.json")


@dataclass(frozen=True)
class Shard:
    """Number ``index`` of ``count``, from 1."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that ``"3/20"`` names.

        Raises:
            ConfigError: it names none.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ConfigError(
                f"--shard expects i/n with i from 1 to n, as in 3/20, found {text!r}"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.index}-of-{self.count}"

    @property
    def lock(self) -> str:
        """The name of its lock."""
        return f".lock-{self}"

    def share(self, sequences: Collection[Sequence]) -> list[Sequence]:
        """Its share: the longest first, each goes to the shard with the fewest frames so far."""
        loads = [(0, index) for index in range(1, self.count + 1)]
        mine = []
        for sequence in sorted(sequences, key=lambda each: (-len(each), each.name)):
            frames, index = loads[0]
            heapq.heapreplace(loads, (frames + len(sequence), index))
            if index == self.index:
                mine.append(sequence)
        return mine


@dataclass
class Book:
    """Where a session writes its record: ``run.json``, or the part of a shard and what is shared.

    Attributes:
        store, name: whose results.
        shard: None for the whole run.
    """

    store: Store
    name: str
    shard: Shard | None = None
    _shared: RunRecord | None = None

    @property
    def path(self) -> Path:
        """The file of the record."""
        whole = self.store.record_path(self.name)
        return whole if self.shard is None else whole.with_name(f"run-{self.shard}.json")

    def write(self, record: RunRecord) -> None:
        """Write the record.

        Raises:
            ResultError: it cannot be written; or another shard has found another provenance.
        """
        if self.shard is not None and record.provenance != getattr(
            self._shared, "provenance", None
        ):
            with locked(self.store.folder(self.name), wait=_PATIENCE):
                self._share(record)
        write_record(self.path, record)

    def _share(self, record: RunRecord) -> None:
        """Add what the shard has learned of the provenance to ``run.json``."""
        path = self.store.record_path(self.name)
        bare = dataclasses.replace(record, sessions=(), failures=())
        earlier = read_record(path)
        if earlier is not None and (self._others() or self.store.sequences(self.name)):
            require_same(path, earlier, bare)
        write_record(path, continue_record(self.store, self.name, bare))
        self._shared = record

    def _others(self) -> bool:
        """Whether another shard has begun."""
        return any(path != self.path for path, _ in parts(self.store.folder(self.name)))


@contextlib.contextmanager
def opened(
    store: Store, name: str, current: RunRecord, shard: Shard | None, mine: Iterable[str]
) -> Iterator[tuple[Book, RunRecord]]:
    """Lock the results of a run or of a shard; give its book, and the record to go on with.

    Args:
        store, name: whose results.
        current: the record of a session that starts now.
        shard: None for a whole run.
        mine: names of the sequences to run.

    Raises:
        ResultError: the results of that name have another origin, or another run holds them.
    """
    folder, book = store.folder(name), Book(store, name, shard)
    if shard is None:
        with locked(folder):
            refuse_running(folder)
            sweep(folder)
            close_parts(store, name)
            yield book, continue_record(store, name, current)
        return
    with locked(folder, name=shard.lock):
        with locked(folder, wait=_PATIENCE):
            sweep(folder)
            _take_in(store, name, [book.path])
            book._share(current)
            record = _begin(book, current, set(mine))
        try:
            yield book, record
        finally:
            with locked(folder, wait=_PATIENCE):
                _take_in(store, name, [book.path])
                close_parts(store, name)


def _begin(book: Book, current: RunRecord, mine: Collection[str]) -> RunRecord:
    """The record of a shard, which takes over the failures of its sequences."""
    path = book.store.record_path(book.name)
    whole = read_record(path)
    if whole is None:
        raise RuntimeError("the record was just written")
    taken = tuple(
        each
        for each in whole.failures
        if each.sequence in mine or re.sub(r"_\d{3,}$", "", each.sequence) in mine
    )
    part = dataclasses.replace(
        current, provenance=whole.provenance, failures=taken, tuned_on=whole.tuned_on
    )
    if taken:
        write_record(book.path, part)
        left = tuple(each for each in whole.failures if each not in taken)
        write_record(path, dataclasses.replace(whole, failures=left))
    return part


def parts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each part of a record in a folder, and the name of its shard's lock."""
    for path in sorted(folder.glob("run-*-of-*.json")):
        if match := _PART.fullmatch(path.name):
            yield path, f".lock-{match[1]}"


def running_shards(folder: Path) -> list[str]:
    """The shards whose processes hold their locks, as ``3-of-20``."""
    return [
        path.name.removeprefix(".lock-")
        for path in sorted(folder.glob(".lock-*-of-*"))
        if not _is_free(folder, path.name)
    ]


def refuse_running(folder: Path) -> None:
    """Check that no shard runs in a folder of results; call it with the folder locked.

    Raises:
        ResultError: one does.
    """
    if running := running_shards(folder):
        raise ResultError(
            f"{folder}: shard {running[0].replace('-of-', '/')} of a run is writing there. Wait "
            "for it to end, or give this run another --name."
        )


def _is_free(folder: Path, lock: str) -> bool:
    if not (folder / lock).exists():
        return True
    try:
        with locked(folder, name=lock):
            return True
    except ResultError:
        return False


def close_parts(store: Store, name: str) -> int:
    """Take the parts of shards that do not run into ``run.json``; returns how many.

    Call it with the folder locked.

    Raises:
        ResultError: a part is malformed.
    """
    folder = store.folder(name)
    free = [path for path, lock in parts(folder) if _is_free(folder, lock)]
    return _take_in(store, name, free)


def _take_in(store: Store, name: str, paths: Iterable[Path]) -> int:
    taken = 0
    for path in paths:
        part = read_record(path)
        if part is not None:
            path_of_all = store.record_path(name)
            write_record(path_of_all, with_part(read_record(path_of_all), part))
            path.unlink()
            taken += 1
    return taken


def with_part(whole: RunRecord | None, part: RunRecord) -> RunRecord:
    """A record with the sessions and the failures of a part; it has the provenance already."""
    if whole is None:
        return part
    new = (each for each in part.sessions if each not in whole.sessions)
    merged = dataclasses.replace(whole, sessions=(*whole.sessions, *new))
    for failure in part.failures:
        merged = merged.failed(failure)
    return merged


def gathered_record(store: Store, name: str) -> RunRecord | None:
    """The record of a tracker with all its parts; writes nothing.

    Raises:
        ResultError: a file is malformed.
    """
    whole = read_record(store.record_path(name))
    for path, _ in parts(store.folder(name)):
        if (part := read_record(path)) is not None:
            whole = with_part(whole, part)
    return whole


def close_records(stores: Iterable[Store]) -> list[tuple[Store, str, int]]:
    """Take in what shards left behind that were killed; returns where, and how many parts.

    Raises:
        ResultError: a record cannot be read or written.
    """
    closed = []
    for store in stores:
        for name in store.trackers():
            folder = store.folder(name)
            if any(True for _ in parts(folder)):
                with locked(folder, wait=_PATIENCE):
                    closed.append((store, name, close_parts(store, name)))
    return closed
