"""Result of scanning a folder, before any annotation is read.

A reader module provides ``scan(root, benchmark, subset) -> Scan``. Scanning and loading are
separate: opening a dataset stops at the first malformed file, checking one continues.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.benchmarks import Benchmark, get_benchmark, subset_title
from bench.errors import ConfigError, DatasetError
from bench.sequence import Sequence


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


def missing_dataset(benchmark: Benchmark, root: Path, looked: Iterable[Path]) -> DatasetError:
    """Error for a folder without any sequence of the benchmark."""
    state = "no sequence found" if os.path.lexists(root) else "it does not exist"
    places = ", ".join(dict.fromkeys(str(place) for place in looked)) or str(root)
    lines = [f"no {benchmark.title} dataset at {root}: {state}.", f"  looked in: {places}"]
    lines.append(f"  expected:  {shown_layout(benchmark)}")
    if benchmark.site:
        lines.append(f"  get it at: {benchmark.site}")
    lines.append("Without any dataset, `make demo` runs everything on the built-in miniature.")
    return DatasetError("\n".join(lines))


def is_miniature(root: Path) -> bool:
    """True if ``miniature.json`` marks the folder or its parent as generated."""
    return any((folder / "miniature.json").is_file() for folder in (root, root.absolute().parent))
