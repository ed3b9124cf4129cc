"""From a benchmark's name and a folder to a dataset."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bench.benchmarks import Benchmark, get_benchmark
from bench.datasets.scan import Entry, Scan, missing_dataset
from bench.errors import DatasetError
from bench.sequence import Dataset, Sequence


def open_dataset(benchmark: str, root: Path, *, subset: str = "test") -> Dataset:
    """The dataset under a folder: annotation is read, images are not even listed.

    Args:
        benchmark: a name of ``bench.benchmarks``, or ``"folder"`` for one's own clips.
        root: the official folder, or annotation alone: a folder of it, a JSON or a zip.
        subset: ``"test"``; also ``"train"`` and ``"all"`` for LaSOT, and ``"TRAIN_0"`` ... for
            TrackingNet.

    Raises:
        ConfigError: no benchmark or subset has that name.
        DatasetError: nothing was found, or an annotation file is malformed.
    """
    scanned = scan_dataset(get_benchmark(benchmark), root, subset)
    return Dataset(
        benchmark=benchmark,
        root=root,
        sequences=tuple(load(entry) for entry in scanned.entries),
        expected=scanned.expected,
        miniature=is_miniature(root),
    )


def scan_dataset(benchmark: Benchmark, root: Path, subset: str = "test") -> Scan:
    """What lies under a folder, by the reader that the benchmark's row names.

    Raises:
        ConfigError: the benchmark has no such subset.
        DatasetError: nothing was found, or a folder cannot be read.
    """
    reader = importlib.import_module(f"bench.datasets.{benchmark.reader}")
    scan = cast(Callable[[Path, Benchmark, str], Scan], reader.scan)
    try:
        found = scan(root, benchmark, subset)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error})") from error
    if not found.entries:
        raise missing_dataset(benchmark, root, found.looked)
    return found


def load(entry: Entry) -> Sequence:
    """The annotation of one sequence.

    Raises:
        DatasetError: a file is malformed, or a file or folder cannot be read.
    """
    try:
        return entry.load()
    except OSError as error:
        raise DatasetError(f"sequence {entry.name!r}: cannot be read ({error})") from error


def is_miniature(root: Path) -> bool:
    """True where ``miniature.json`` says that the folder, or the one above it, is generated."""
    return any((folder / "miniature.json").is_file() for folder in (root, root.absolute().parent))
