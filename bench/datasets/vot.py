"""VOT2016 to VOT2019: rotated ground truth, per-frame tags, names in ``list.txt``."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import Benchmark, Listed
from bench.datasets import pysot_json
from bench.datasets.files import (
    polygons_and_boxes,
    read_bytes,
    read_short_flags,
    read_values,
    stems,
    subfolders,
)
from bench.datasets.frames import NumberedFrames, numbered_frames
from bench.datasets.rows import refuse_decimal_commas, refuse_impossible
from bench.datasets.scan import Entry, Scan, compare, others_of, require_subset
from bench.errors import DatasetError
from bench.files import parse_rows
from bench.images import image_size
from bench.sequence import Sequence


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """Official folders in the root or in ``sequences/``, then a PySOT-style JSON.

    ``list.txt``, if present, selects the folders.
    """
    require_subset(benchmark, subset, benchmark.subsets)
    folders = [root, root / "sequences"]
    for folder in folders:
        listed = _listed(folder)
        rows = benchmark.listed(subset) or {name: Listed(name) for name in sorted(listed)}
        found = {
            name: Entry(name, partial(_load, benchmark, folder / name, row.size), row.frames)
            for name, row in rows.items()
            if name in listed and (folder / name).is_dir()
        }
        if found and not benchmark.table:
            return Scan(tuple(found.values()), looked=tuple(folders), unlisted=True)
        if found:
            surplus = {*listed, *(sub.name for sub in subfolders(folder))} - rows.keys()
            return compare(found, rows, surplus, folders, others_of(benchmark, subset))
    return pysot_json.scan(root, benchmark, subset, folders)


def _listed(folder: Path) -> set[str]:
    """Names in ``list.txt``, or the subfolders with ground truth if there is no list."""
    path = folder / "list.txt"
    if path.is_file():
        return set(read_bytes(path).decode("utf-8", errors="replace").split())
    return {sub.name for sub in subfolders(folder) if (sub / "groundtruth.txt").is_file()}


def _load(benchmark: Benchmark, folder: Path, stated: tuple[int, int] | None) -> Sequence:
    """``stated`` is the table's size of the images, for folders without readable ones."""
    path = folder / "groundtruth.txt"
    polygons, boxes = _read_regions(path)
    refuse_impossible(boxes, f"{path}:", nan=not benchmark.numbers_only)
    coloured = folder / "color"
    frames = numbered_frames(coloured if coloured.is_dir() else folder, 1, len(boxes))
    practical = folder / "practical.value"
    return Sequence(
        name=folder.name,
        ground_truth=boxes,
        frames=frames if frames and len(frames) else None,
        index_base=benchmark.index_base,
        polygons=polygons,
        tags=_read_tags(folder, len(boxes)),
        practical=read_values(practical, len(boxes)) if practical.is_file() else None,
        size=_size(frames) or stated,
        stated_size=stated,
    )


def _read_regions(path: Path) -> tuple[FloatArray | None, FloatArray]:
    """Polygons ``(N, 4, 2)``, if any, and boxes ``(N, 4)``; the first line decides which."""
    data = read_bytes(path)
    values = len(re.split(rb"[\s,;]+", data.partition(b"\n")[0].strip()))
    rows = parse_rows(data, path, 4 if values == 4 else 8, DatasetError)
    refuse_impossible(rows, f"{path}:")
    polygons, boxes = polygons_and_boxes(rows.tolist(), str(path))
    if polygons is not None:
        refuse_decimal_commas(polygons, str(path))
    return polygons, boxes


def _read_tags(folder: Path, rows: int) -> dict[str, BoolArray]:
    """Tags by name, ``(rows,)`` each, False for missing files and beyond the end of a file."""
    files = stems(folder, ".tag")
    tags = {name: np.zeros(rows, dtype=bool) for name in (*pysot_json.TAGS, *files)}
    for name, path in files.items():
        flags = read_short_flags(path)[:rows]
        tags[name][: len(flags)] = flags
    return tags


def _size(frames: NumberedFrames | None) -> tuple[int, int] | None:
    """Size of the first frame, or of the last where the first is missing or damaged."""
    if not frames:
        return None
    return image_size(frames.path(0)) or image_size(frames.path(len(frames) - 1))
