"""UAV123: 123 sequences cut from shared folders; ``uav123_sequences.csv`` has the ranges."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.benchmarks import Benchmark
from bench.datasets import pysot_json
from bench.datasets.files import attributes_beside, read_boxes, stems, subfolders
from bench.datasets.frames import numbered_frames
from bench.datasets.scan import Entry, Scan, compare, require_subset
from bench.datasets.tables import read_table
from bench.sequence import Sequence


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """Text files in ``anno/UAV123``, ``anno`` or the root, then a PySOT-style JSON.

    Images are in ``data_seq/UAV123``. Rows of NaN (target out of view) stay NaN.
    """
    require_subset(benchmark, subset)
    table = read_table("uav123_sequences.csv")
    rows = {row["name"]: int(row["last"]) - int(row["first"]) + 1 for row in table}
    folders = [root / "anno" / "UAV123", root / "anno", root]
    for folder in folders:
        files = stems(folder)
        found = _entries(benchmark, root, files, rows)
        if found:
            whole = {row["folder"] for row in table}
            # UAV20L annotates whole folders that UAV123 cuts into ranges; toolkits ship both.
            surplus = [*(files.keys() - rows.keys() - whole), *_unknown_folders(root, whole)]
            return compare(found, rows, surplus, folders, _others(rows))
    return pysot_json.scan(root, benchmark, rows, folders, others=_others(rows))


def _others(rows: dict[str, int]) -> dict[str, str]:
    """Names of UAV20L that are no name of UAV123."""
    whole = {row["folder"] for row in read_table("uav123_sequences.csv")} - rows.keys()
    return dict.fromkeys(sorted(whole), "a sequence of UAV20L, which annotates a whole folder")


def _unknown_folders(root: Path, known: set[str]) -> list[str]:
    """Folders of images that no sequence is cut from."""
    base = root / "data_seq" / "UAV123"
    return [folder.name for folder in subfolders(base) if folder.name not in known]


def _entries(
    benchmark: Benchmark, root: Path, files: dict[str, Path], rows: dict[str, int]
) -> dict[str, Entry]:
    return {
        row["name"]: Entry(
            name=row["name"],
            load=partial(
                _load, benchmark, root, files[row["name"]], row["folder"], int(row["first"])
            ),
            rows=rows[row["name"]],
            surplus_images=True,  # several ranges share a folder
        )
        for row in read_table("uav123_sequences.csv")
        if row["name"] in files
    }


def _load(benchmark: Benchmark, root: Path, path: Path, folder: str, first: int) -> Sequence:
    boxes = read_boxes(path)
    bases = (root / "data_seq" / "UAV123", root / "data_seq")
    images = next((base / folder for base in bases if (base / folder).is_dir()), None)
    return Sequence(
        name=path.stem,
        ground_truth=boxes,
        frames=numbered_frames(images, first, len(boxes)),
        index_base=benchmark.index_base,
        attributes=attributes_beside(benchmark.name, [path.parent / "att"], [path.stem]),
        first_frame=first,
    )
