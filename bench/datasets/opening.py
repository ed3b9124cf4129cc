"""Opening a dataset by benchmark and folder."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bench.benchmarks import Benchmark, get_benchmark
from bench.datasets.scan import Entry, Scan, missing_dataset
from bench.errors import DatasetError
from bench.sequence import Dataset, Sequence


def open_dataset(benchmark: str, root: str | Path, *, subset: str = "test") -> Dataset:
    """Open a dataset: reads all annotation, but does not list or decode images.

    Args:
        benchmark: a name of ``bench.benchmarks``, or ``"folder"`` for own clips.
        root: a folder that holds ``<benchmark>/``, or the dataset itself: the official folder, or
            annotation only (a folder, a JSON file or a zip archive).
        subset: ``"test"``; also ``"train"`` and ``"all"`` for LaSOT, ``"TRAIN_0"`` to
            ``"TRAIN_11"`` for TrackingNet.

    Raises:
        ConfigError: the benchmark or subset is unknown.
        DatasetError: no sequence was found, or an annotation file is malformed.
    """
    folder, scan = scan_folder(get_benchmark(benchmark), root, subset)
    loaded = (load(entry) for entry in scan.entries)
    return Dataset(
        benchmark=benchmark,
        root=folder,
        sequences=tuple(dataclasses.replace(each, benchmark=benchmark) for each in loaded),
        expected=scan.expected,
        miniature=is_miniature(folder),
    )


def scan_folder(benchmark: Benchmark, root: str | Path, subset: str) -> tuple[Path, Scan]:
    """The folder (or file) that holds the dataset, and the sequences in it.

    Raises:
        ConfigError: the benchmark has no such subset.
        DatasetError: no sequence was found, or a folder cannot be read.
    """
    reader = importlib.import_module(f"bench.datasets.{benchmark.reader}")
    scan = cast(Callable[[Path, Benchmark, str], Scan], reader.scan)
    try:
        folder = _dataset_folder(benchmark.name, Path(root))
        found = scan(folder, benchmark, subset)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error})") from error
    if not found.entries:
        raise missing_dataset(benchmark, folder, found.looked)
    return folder, found


def _dataset_folder(benchmark: str, root: Path) -> Path:
    """``<root>/<benchmark>`` if it exists, else ``root``."""
    nested = root / benchmark
    return nested if nested.is_dir() else root


def load(entry: Entry) -> Sequence:
    """Read the annotation of one sequence.

    Raises:
        DatasetError: a file is malformed or cannot be read.
    """
    try:
        return entry.load()
    except OSError as error:
        raise DatasetError(f"sequence {entry.name!r}: cannot be read ({error})") from error


def is_miniature(root: Path) -> bool:
    """True if ``miniature.json`` marks the folder or its parent as generated."""
    return any((folder / "miniature.json").is_file() for folder in (root, root.absolute().parent))
