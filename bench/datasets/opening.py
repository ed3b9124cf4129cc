"""Opening a dataset by benchmark and folder."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bench.benchmarks import Benchmark, get_benchmark
from bench.datasets.rows import doubts
from bench.datasets.scan import Entry, Scan, is_miniature, missing_dataset
from bench.errors import DatasetError
from bench.sequence import Dataset, Sequence


def open_dataset(benchmark: str, root: str | Path, *, subset: str = "test") -> Dataset:
    """Open a dataset: reads all annotation, but does not list or decode images.

    Args:
        benchmark: a name of ``bench.benchmarks``, ``"folder"`` for own clips, or the path of a
            declaration.
        root: a folder that holds ``<benchmark>/``, or the dataset itself: the official folder, or
            annotation only (a folder, a JSON file or a zip archive).
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
    scan = cast(Callable[[Path, Benchmark, str], Scan], reader.scan)
    try:
        folder = _dataset_folder(benchmark.name, Path(root))
        found = scan(folder, benchmark, subset)
    except OSError as error:
        raise DatasetError(
            f"{error.filename or root}: cannot be read ({error.strerror}). Allow reading it, or "
            "leave it out."
        ) from error
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
        place = error.filename or f"sequence {entry.name!r}"
        raise DatasetError(f"{place}: cannot be read ({error.strerror or error})") from error
