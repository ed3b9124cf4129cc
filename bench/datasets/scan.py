"""What a reader finds under a folder before any annotation is read.

A reader module offers ``scan(root, benchmark, subset) -> Scan``. Looking and loading are apart,
so that opening a dataset can stop at the first bad file and checking one can go on past it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.benchmarks import Benchmark
from bench.errors import DatasetError, unknown_name
from bench.sequence import Sequence


@dataclass(frozen=True)
class Entry:
    """One sequence that was found.

    Attributes:
        name: canonical name.
        load: reads the annotation; raises DatasetError where it is malformed.
        rows: number of annotation rows the benchmark has for it, None if not known.
        surplus_images: True where the official folder holds images beyond the annotated range.
    """

    name: str
    load: Callable[[], Sequence]
    rows: int | None = None
    surplus_images: bool = False


@dataclass(frozen=True)
class Scan:
    """What lies under one folder, against what the benchmark has.

    Attributes:
        entries: the sequences found, in the benchmark's order.
        missing: canonical names of the benchmark's sequences that were not found.
        surplus: names found that are no sequences of the benchmark.
        expected: number of sequences of the whole set, None where it is not fixed.
        looked: where annotation was looked for, for the message when nothing was found.
    """

    entries: tuple[Entry, ...]
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    expected: int | None = None
    looked: tuple[Path, ...] = ()


def compare(
    found: Mapping[str, Entry],
    known: Iterable[str],
    surplus: Iterable[str] = (),
    looked: Iterable[Path] = (),
) -> Scan:
    """What was found in the order of the table, with what the table has beyond it."""
    names = tuple(known)
    return Scan(
        entries=tuple(found[name] for name in names if name in found),
        missing=tuple(name for name in names if name not in found),
        surplus=tuple(sorted(surplus)),
        expected=len(names),
        looked=tuple(looked),
    )


def require_subset(benchmark: Benchmark, subset: str, known: Iterable[str] = ("test",)) -> None:
    """Raise ConfigError unless ``subset`` is one of ``known``."""
    names = tuple(known)
    if subset not in names:
        raise unknown_name(f"subset of {benchmark.title}", subset, names)


def missing_dataset(benchmark: Benchmark, root: Path, looked: Iterable[Path]) -> DatasetError:
    """The error for a folder that holds no sequence of the benchmark."""
    state = "no sequence found" if root.exists() else "it does not exist"
    places = ", ".join(dict.fromkeys(str(place) for place in looked)) or str(root)
    lines = [f"no {benchmark.title} dataset at {root}: {state}.", f"  looked in: {places}"]
    lines.append(f"  expected:  {benchmark.layout}")
    if benchmark.site:
        lines.append(f"  get it at: {benchmark.site}")
    lines.append("Without any dataset, `make demo` runs everything on the built-in miniature.")
    return DatasetError("\n".join(lines))
