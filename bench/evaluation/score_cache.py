"""Keeps scores beside raw results, so that only trackers with something new are scored.

``<tracker>/.cache/`` has a file for each list of conventions. Its first line is a hash over the
rest and over everything the scores are computed from: the bytes of all result files, the
annotation as it was read, the conventions and options, the benchmark, and the source code and
libraries that compute. A file that does not fit is scored anew and replaced; any may be deleted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.evaluation.presence import Told
from bench.files import MAX_JSON_BYTES, read_whole, write_atomically
from bench.measures.conventions import get_convention, get_vot_convention
from bench.results.checksums import CACHE
from bench.results.stores import Store
from bench.scores import BenchmarkScores, TrackerScores
from bench.sequence import Dataset

# What computes scores from results and annotation in memory; a test follows the imports.
ROOMS = (
    "arrays.py", "errors.py", "scores.py", "version.py", "files.py", "geometry", "benchmarks",
    "tables", "sequence.py", "tracker.py", "measures", "results", "evaluation",
)  # fmt: skip
_PACKAGE = str(Path(__file__).parents[1])
_NO_INPUT = ("frames", "load_table")  # images; what reads the list of sequences
_TUPLES = ("notes", "missing")
_MAPS_OF_TUPLES = ("intervals", "curves")


@dataclass(frozen=True)
class Outcome:
    """What scoring found of one tracker.

    Attributes:
        scores: by convention, in the order asked for; why it is refused where it has none.
        told: about presence, if anything.
    """

    scores: tuple[TrackerScores | str, ...]
    told: Told | None = None


class ScoreCache:
    """Scores kept of earlier evaluations.

    Args:
        dataset: annotation of the benchmark.
        store: raw results.
        names: trackers whose scores may be kept.
        conventions: their names, in order.
        partial: whether incomplete trackers are scored.
    """

    def __init__(
        self,
        dataset: Dataset,
        store: Store,
        names: Iterable[str],
        conventions: list[str],
        *,
        partial: bool,
    ) -> None:
        self._dataset, self._store = dataset, store
        self._options = (store.experiment, conventions, partial)
        self.contents = {name: store.contents(name) for name in names} if _CODE else {}

    def read(self, name: str) -> Outcome | None:
        """What was found of a tracker; None unless everything is as it was."""
        if self.contents.get(name) is None:
            return None
        try:
            head, _, body = read_whole(self._path(name), limit=MAX_JSON_BYTES).partition(b"\n")
        except ResultError:
            return None
        return _parsed(json.loads(body)) if head == self._head(name, body) else None

    def write(self, name: str, outcome: Outcome) -> None:
        """Keep what was found, if results stood still meanwhile and the folder can be written."""
        contents = self.contents.get(name)
        if contents is None or not contents.unchanged():
            return
        plain = [each if isinstance(each, str) else vars(each) for each in outcome.scores]
        told = vars(outcome.told) if outcome.told else None
        body = json.dumps({"scores": plain, "told": told}).encode()
        with contextlib.suppress(OSError):
            content = self._head(name, body) + b"\n" + body
            write_atomically(self._path(name), content, durable=False)

    def _path(self, name: str) -> Path:
        options = hashlib.sha256(repr(self._options).encode()).hexdigest()
        return self._store.folder(name) / CACHE / f"scores-{options[:16]}.json"

    def _head(self, name: str, body: bytes) -> bytes:
        contents = self.contents[name]
        own = repr((self._shared, name, contents and contents.digests)).encode()
        return hashlib.sha256(hashlib.sha256(own).digest() + body).hexdigest().encode()

    @cached_property
    def _shared(self) -> str:
        """A hash over all that trackers have in common."""
        libraries = (sys.version, np.__version__, platform.machine())
        store = (self._store.root, self._options)
        benchmark, (_, names, _) = get_benchmark(self._dataset.benchmark), self._options
        if benchmark.kind == "onepass":
            rules: list[Any] = [get_convention(name, benchmark.name) for name in names]
        else:
            rules = [get_vot_convention(name) for name in names]
        shared = _plain((_CODE, libraries, store, benchmark, rules, self._dataset))
        return hashlib.sha256(repr(shared).encode()).hexdigest()


def outcome_of(name: str, found: Iterable[BenchmarkScores], told: Mapping[str, Told]) -> Outcome:
    """What was found of one tracker, a ``BenchmarkScores`` per convention."""
    scores = (each.trackers.get(name) or each.refused[name] for each in found)
    return Outcome(tuple(scores), told.get(name))


def with_outcomes(
    found: BenchmarkScores, names: Iterable[str], known: Mapping[str, Outcome], index: int
) -> BenchmarkScores:
    """The scores of one convention with those of other trackers, in the order of ``names``.

    Args:
        found: scores of the trackers that were scored now.
        names: of all trackers.
        known: what was found of the others.
        index: place of the convention.
    """
    fresh = {**found.trackers, **found.refused}
    every = {name: known[name].scores[index] if name in known else fresh[name] for name in names}
    trackers = {name: one for name, one in every.items() if isinstance(one, TrackerScores)}
    return dataclasses.replace(
        found,
        trackers=trackers,
        refused={name: why for name, why in every.items() if isinstance(why, str)},
        partial=found.partial or any(one.partial for one in trackers.values()),
    )


def _parsed(plain: dict[str, Any]) -> Outcome:
    told = plain["told"]
    if told:
        told = Told(**{**told, "curve": tuple(told["curve"]), "notes": tuple(told["notes"])})
    scores = (one if isinstance(one, str) else _scores(one) for one in plain["scores"])
    return Outcome(tuple(scores), told)


def _scores(plain: dict[str, Any]) -> TrackerScores:
    """Scores from JSON, which has lists in place of tuples."""
    pairs = {each: {m: tuple(v) for m, v in plain[each].items()} for each in _MAPS_OF_TUPLES}
    return TrackerScores(**{**plain, **pairs, **{each: tuple(plain[each]) for each in _TUPLES}})


def _plain(value: Any) -> Any:
    """A value as plain objects whose ``repr`` tells any two apart: arrays by their hashes."""
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
        return value.dtype.str, value.shape, content
    if isinstance(value, Mapping):
        return [(key, _plain(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    if dataclasses.is_dataclass(value):
        names = (each.name for each in dataclasses.fields(value))
        return [_plain(getattr(value, name)) for name in names if name not in _NO_INPUT]
    return value


def _sources() -> Iterator[str]:
    """Paths of the files that compute scores, below the package."""
    for room in ROOMS:
        if room.endswith(".py"):
            yield room
        for folder, inner, names in os.walk(f"{_PACKAGE}/{room}"):
            inner.sort()
            below = folder[len(_PACKAGE) + 1 :]
            yield from (f"{below}/{name}" for name in sorted(names) if not name.endswith(".pyc"))


def _code() -> str:
    """A hash over the files that compute scores; empty where they cannot be read."""
    digest = hashlib.sha256()
    try:
        for name in _sources():
            content = read_whole(f"{_PACKAGE}/{name}")
            digest.update(f"{name} {len(content)}\n".encode() + content)
    except ResultError:
        return ""
    return digest.hexdigest()


_CODE = _code()  # of what is loaded with this module, not of what an upgrade puts there later
