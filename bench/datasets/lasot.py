"""LaSOT: official folders, flat or by category, or the annotation of its evaluation toolkit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from bench.benchmarks import Benchmark
from bench.datasets import pysot_json
from bench.datasets.files import attributes_beside, read_boxes, read_flags, stems, subfolders
from bench.datasets.frames import numbered_frames
from bench.datasets.scan import Entry, Scan, compare, require_subset
from bench.datasets.tables import read_table
from bench.sequence import Sequence


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """The 280 test sequences, the 1120 of ``train``, or the 1400 of ``all``.

    Looks for ``<category>/<category>-<n>/`` or ``<category>-<n>/`` in the root and in
    ``LaSOTBenchmark/``, then for the toolkit's ``<sequence>.txt``, then for a JSON.
    """
    require_subset(benchmark, subset, ("test", "train", "all"))
    table = read_table("lasot_sequences.csv")
    known = {row["name"] for row in table}
    rows = {
        row["name"]: int(row["frames"]) if row["frames"] else None
        for row in table
        if subset in ("all", row["subset"])
    }
    others = {
        row["name"]: f"a sequence of LaSOT's {row['subset']}ing set".replace("testing", "test")
        for row in table
        if row["name"] not in rows
    }
    bases = [root, root / "LaSOTBenchmark"]
    folders = _sequence_folders(bases)
    if known.isdisjoint(folders):
        files = stems(root)
        if known.isdisjoint(files):
            return pysot_json.scan(root, benchmark, rows, bases, others=others)
        found = {
            name: Entry(name, partial(_load_toolkit, benchmark, files[name]), rows[name])
            for name in rows
            if name in files
        }
        surplus = _of_categories(files.keys() - known, known)
        return compare(found, rows, surplus, bases, others)
    found = {
        name: Entry(name, partial(_load_folder, benchmark, folders[name], root), rows[name])
        for name in rows
        if name in folders
    }
    surplus = [*_of_categories(folders.keys() - known, known), *_unknown_folders(bases, known)]
    return compare(found, rows, surplus, bases, others)


def _sequence_folders(bases: Iterable[Path]) -> dict[str, Path]:
    """Folders named ``<category>-<n>`` in a base or in their category's folder."""
    found: dict[str, Path] = {}
    for base in bases:
        for folder in subfolders(base):
            inner = [sub for sub in subfolders(folder) if _category(sub.name) == folder.name]
            for candidate in (folder, *inner):
                if _category(candidate.name):
                    found.setdefault(candidate.name, candidate)
    return found


def _category(name: str) -> str:
    """``airplane-1`` -> ``airplane``; empty for names of another form."""
    category, _, number = name.rpartition("-")
    return category if number.isdecimal() else ""


def _of_categories(names: Iterable[str], known: Iterable[str]) -> list[str]:
    categories = {_category(name) for name in known}
    return [name for name in names if _category(name) in categories]


def _unknown_folders(bases: Iterable[Path], known: Iterable[str]) -> list[str]:
    """Folders that are neither a sequence, nor a category, nor annotation."""
    categories = {_category(name) for name in known} | {"absent", "att", "LaSOTBenchmark"}
    names = (folder.name for base in bases for folder in subfolders(base))
    return [name for name in names if not _category(name) and name not in categories]


def _load_folder(benchmark: Benchmark, folder: Path, root: Path) -> Sequence:
    boxes = read_boxes(folder / "groundtruth.txt")
    occluded = read_flags(folder / "full_occlusion.txt", len(boxes))
    outside = read_flags(folder / "out_of_view.txt", len(boxes))
    return Sequence(
        name=folder.name,
        ground_truth=boxes,
        frames=numbered_frames(folder / "img", 1, len(boxes)),
        index_base=benchmark.index_base,
        absent=occluded | outside,
        attributes=attributes_beside(benchmark.name, [root / "att"], [folder.name]),
    )


def _load_toolkit(benchmark: Benchmark, path: Path) -> Sequence:
    boxes = read_boxes(path)
    return Sequence(
        name=path.stem,
        ground_truth=boxes,
        index_base=benchmark.index_base,
        absent=read_flags(path.parent / "absent" / path.name, len(boxes)),
        attributes=attributes_beside(benchmark.name, [path.parent / "att"], [path.stem]),
    )
