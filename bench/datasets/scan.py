"""Opening a dataset: its folder is scanned, then the annotation of each sequence is read.

A reader module provides ``scan(root, benchmark, subset) -> Scan``. Scanning and loading are
separate: opening a dataset stops at the first malformed file, checking one continues.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from bench.benchmarks import Benchmark, get_benchmark, subset_title
from bench.datasets.files import subfolders
from bench.datasets.rows import doubts
from bench.errors import ConfigError, DatasetError
from bench.sequence import Dataset, Sequence

_DEEPER = 2  # folders; an archive of a folder, unpacked into one of its own name


class NoDatasetError(DatasetError):
    """A folder holds no sequence of a benchmark."""


@dataclass(frozen=True)
class Entry:
    """One sequence found.

    Attributes:
        name: canonical name.
        load: reads the annotation; raises DatasetError if it is malformed.
        rows: official number of annotation rows, None if unknown.
        surplus_images: True if the official folder holds images outside the annotated range.
    """

    name: str
    load: Callable[[], Sequence]
    rows: int | None = None
    surplus_images: bool = False


@dataclass(frozen=True)
class Scan:
    """Contents of a folder compared with the benchmark.

    Attributes:
        entries: sequences found, in the benchmark's order.
        missing: canonical names of sequences that were not found.
        surplus: names found that are not in the benchmark.
        expected: number of sequences of the whole benchmark, None if not fixed.
        others: names that are of no sequence of this subset, and what they are instead.
        looked: places searched for annotation, for the error message.
        unlisted: True where the benchmark's list of sequences is not known.
    """

    entries: tuple[Entry, ...]
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    expected: int | None = None
    looked: tuple[Path, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    unlisted: bool = False


def open_dataset(benchmark: str, root: str | Path, *, subset: str = "test") -> Dataset:
    """Open a dataset: reads all annotation, but does not list or decode images.

    Args:
        benchmark: a name of ``bench.benchmarks``, ``"folder"`` for own clips, or the path of a
            declaration.
        root: a folder that holds ``<benchmark>/``, or the dataset itself: the official folder, or
            annotation only (a folder, a JSON file or a zip archive). It may lie up to two folders
            deeper, as archives leave it.
        subset: ``"test"``; also ``"train"`` and ``"all"`` for LaSOT, ``"TRAIN_0"`` to
            ``"TRAIN_11"`` for TrackingNet.

    Raises:
        ConfigError: the benchmark or subset is unknown.
        DatasetError: no sequence was found, or an annotation file is malformed.
    """
    facts = get_benchmark(benchmark)
    folder, scan = scan_folder(facts, root, subset)
    loaded = tuple(dataclasses.replace(load(e), benchmark=facts.name) for e in scan.entries)
    miniature = is_miniature(folder)
    return Dataset(
        benchmark=facts.name,
        root=folder,
        sequences=loaded,
        expected=scan.expected,
        miniature=miniature,
        missing=scan.missing,
        others=scan.others,
        doubts=() if miniature else tuple(doubts(facts, loaded)),
        unlisted=scan.unlisted,
    )


def scan_folder(benchmark: Benchmark, root: str | Path, subset: str) -> tuple[Path, Scan]:
    """The folder (or file) that holds the dataset, and the sequences in it.

    Raises:
        ConfigError: the benchmark has no such subset.
        DatasetError: no sequence was found, or a folder cannot be read.
    """
    reader = importlib.import_module(f"bench.datasets.{benchmark.layout.reader}")
    scan = cast(Callable[..., Scan], reader.scan)
    try:
        nested = Path(root, benchmark.name)
        folder = nested if nested.is_dir() else Path(root)
        return _scanned(partial(scan, benchmark=benchmark, subset=subset), benchmark, folder)
    except OSError as error:
        raise DatasetError(
            f"{error.filename or root}: cannot be read ({error.strerror}). Allow reading it, or "
            "leave it out."
        ) from error


def _scanned(
    scan: Callable[[Path], Scan], benchmark: Benchmark, folder: Path, deeper: int = _DEEPER
) -> tuple[Path, Scan]:
    """A folder with sequences and these: the one given, or else one inside it."""
    try:
        found = scan(folder)
        if found.entries:
            return folder, found
        missing = missing_dataset(benchmark, folder, found.looked)
    except NoDatasetError as error:
        missing = error
    if deeper and (inside := _folder_inside(benchmark, folder)):
        with contextlib.suppress(NoDatasetError):
            return _scanned(scan, benchmark, inside, deeper - 1)
    raise missing


def _folder_inside(benchmark: Benchmark, folder: Path) -> Path | None:
    """Where archives may have put a dataset: a folder of its name or of the same one, or the only.

    Where no list of sequences tells them from others', the only folder is not taken.
    """
    real = (each for each in subfolders(folder) if not is_miniature(each))
    inside = {each: _benchmark_called(each.name) for each in real}
    for each, called in inside.items():
        if called == benchmark.name or each.name.lower() == folder.name.lower():
            return each
    return next(iter(inside)) if benchmark.table and [*inside.values()] == [""] else None


def _benchmark_called(name: str) -> str:
    try:
        return get_benchmark(name).name
    except ConfigError:
        return ""


def load(entry: Entry) -> Sequence:
    """Read the annotation of one sequence.

    Raises:
        DatasetError: a file is malformed or cannot be read.
    """
    try:
        return entry.load()
    except OSError as error:
        place = error.filename or f"sequence {entry.name!r}"
        raise DatasetError(f"{place}: cannot be read ({error.strerror or error})") from error


def compare(
    found: Mapping[str, Entry],
    known: Iterable[str],
    surplus: Iterable[str] = (),
    looked: Iterable[Path] = (),
    others: Mapping[str, str] | None = None,
) -> Scan:
    """Sequences found, in the order of ``known``, with those missing."""
    names = tuple(known)
    return Scan(
        entries=tuple(found[name] for name in names if name in found),
        missing=tuple(name for name in names if name not in found),
        surplus=tuple(sorted(surplus)),
        expected=len(names),
        looked=tuple(looked),
        others=others or {},
    )


def require_subset(benchmark: Benchmark, subset: str, known: Iterable[str] = ("test",)) -> None:
    """Raise ConfigError unless ``subset`` is one of ``known``."""
    names = tuple(known)
    if subset in names:
        return
    if len(names) == 1:
        raise ConfigError(
            f"unknown subset of {benchmark.title} {subset!r}. It has one set of sequences only: "
            f"leave the subset out. Known: {names[0]}."
        )
    near = difflib.get_close_matches(subset.lower(), [name.lower() for name in names], n=1)
    hint = next((f" Did you mean {name!r}?" for name in names if name.lower() in near), "")
    raise ConfigError(
        f"unknown subset of {benchmark.title} {subset!r}.{hint} Known: {', '.join(names)}."
    )


def others_of(benchmark: Benchmark, subset: str) -> dict[str, str]:
    """Names of no sequence of a subset, and what they are: of another subset, or a relative's."""
    others = {
        name: f"a sequence of {benchmark.title}'s {subset_title(row.subset)}"
        for name, row in benchmark.rows.items()
        if subset not in ("all", row.subset)
    }
    for relative, what in benchmark.relatives.items():
        names = get_benchmark(relative).rows.keys() - benchmark.rows.keys()
        others |= dict.fromkeys(sorted(names), what)
    return others


def shown_layout(benchmark: Benchmark) -> str:
    """How a benchmark lies on disk, in one line."""
    text = benchmark.layout.shown
    for name, value in benchmark.layout.options.items():
        text = text.replace(f"{{{name}}}", value)
    return f"{text} ({benchmark.where})" if benchmark.where else text


def missing_dataset(benchmark: Benchmark, root: Path, looked: Iterable[Path]) -> NoDatasetError:
    """Error for a folder without any sequence of the benchmark."""
    state = "no sequence found" if os.path.lexists(root) else "it does not exist"
    places = ", ".join(dict.fromkeys(str(place) for place in looked)) or str(root)
    lines = [f"no {benchmark.title} dataset at {root}: {state}.", f"  looked in: {places}"]
    lines.append(f"  expected:  {shown_layout(benchmark)}")
    if benchmark.site:
        lines.append(f"  get it at: {benchmark.site}")
    lines.append("Without any dataset, `make demo` runs everything on the built-in miniature.")
    return NoDatasetError("\n".join(lines))


def is_miniature(root: Path) -> bool:
    """True if ``miniature.json`` marks the folder or its parent as generated."""
    return any((folder / "miniature.json").is_file() for folder in (root, root.absolute().parent))
