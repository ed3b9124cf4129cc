"""Annotation in a single PySOT JSON file: ``OTB100.json``, ``VOT2018.json``, ...

``{name: {"img_names": [...], "gt_rect": [...], "attr": [...] or tags, "absent": [...]}}``;
source: the dataset classes of pysot-toolkit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence as Rows
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bench.arrays import BoolArray
from bench.benchmarks import Benchmark, Listed
from bench.datasets.files import polygons_and_boxes, subfolders
from bench.datasets.rows import refuse_impossible
from bench.datasets.scan import (
    Entry,
    Scan,
    compare,
    missing_dataset,
    others_of,
    require_subset,
)
from bench.errors import DatasetError
from bench.files import read_json, shown
from bench.geometry import LARGEST_IMAGE
from bench.images import ImageFiles
from bench.sequence import Sequence

TAGS = ("camera_motion", "illum_change", "occlusion", "size_change", "motion_change")


def scan(root: Path, benchmark: Benchmark, subset: str, looked: Iterable[Path] = ()) -> Scan:
    """Sequences of the JSON file ``root``, or of the benchmark's JSON in the folder ``root``.

    Args:
        root: the file, or a folder that holds it.
        benchmark: provides the list of sequences, the index base and attribute names.
        subset: a subset of it.
        looked: other places searched for annotation, for the error message.

    Raises:
        DatasetError: the file does not exist or has another structure.
    """
    require_subset(benchmark, subset, benchmark.subsets)
    path = _find(root, benchmark, looked)
    videos = _parse(path)
    rows = benchmark.listed(subset) or {name: Listed(name) for name in videos}
    canonical = {name.lower(): name for name in rows}
    names = {canonical[name.lower()]: name for name in videos if name.lower() in canonical}
    bases = [path.parent, *subfolders(path.parent)]
    found = {
        name: Entry(
            name,
            partial(_load, benchmark, rows[name], videos[spelled], path, bases),
            rows[name].frames,
        )
        for name, spelled in names.items()
    }
    if not benchmark.table:
        return Scan(tuple(found.values()), looked=(*looked, path), unlisted=True)
    surplus = (shown(name)[1:-1] for name in videos if name.lower() not in canonical)
    return compare(found, rows, surplus, [*looked, path], others_of(benchmark, subset))


def _find(root: Path, benchmark: Benchmark, looked: Iterable[Path]) -> Path:
    if root.is_file() and root.suffix == ".json":
        return root
    path = root / f"{benchmark.json or benchmark.name.upper()}.json"
    if not path.is_file():
        raise missing_dataset(benchmark, root, [*looked, path])
    return path


def _parse(path: Path) -> dict[str, Any]:
    videos = read_json(path, error=DatasetError)
    if not isinstance(videos, dict) or not all(isinstance(v, dict) for v in videos.values()):
        raise DatasetError(
            f"{path}: expected an object of sequences by name, each with img_names and gt_rect "
            "as in PySOT's files, found another structure."
        )
    return videos


def _load(
    benchmark: Benchmark,
    row: Listed,
    video: dict[str, Any],
    path: Path,
    bases: Rows[Path],
) -> Sequence:
    where = f"{path}: sequence {row.name!r}"
    try:
        images = _names(video["img_names"])
        polygons, boxes = polygons_and_boxes(video["gt_rect"], where)
        refuse_impossible(boxes, f"{where}: row ", nan=not benchmark.numbers_only)
        tags = {tag: _tag(video[tag], len(boxes)) for tag in TAGS if tag in video}
        absent = _absent(video["absent"], len(boxes)) if "absent" in video else None
        size = row.size
        if "width" in video:
            size = _pixels(video["width"]), _pixels(video["height"])
        titles = map(str, video.get("attr", ()))
        attributes = row.attributes
        if attributes is None:
            attributes = attributes_from_titles(benchmark, titles)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise DatasetError(
            f"{where}: expected img_names, gt_rect and lists of 0 and 1 as in PySOT's files, "
            f"found {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    return Sequence(
        name=row.name,
        ground_truth=boxes,
        frames=_images(images, bases),
        index_base=benchmark.index_base,
        polygons=polygons if benchmark.kind == "vot" else None,
        absent=absent,
        attributes=attributes,
        tags=tags,
        first_frame=_first_number(images),
        size=size,
        stated_size=row.size,
    )


def _names(images: Any) -> list[str]:
    """Paths of the images, below the JSON's folder; may be empty where only scores are wanted."""
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise TypeError("img_names is not a list of paths")
    return images


def _first_number(images: Rows[str]) -> int:
    """The number at the end of the first image's name, 1 without any."""
    digits = re.search(r"\d{1,9}$", PurePosixPath(images[0]).stem) if images else None
    return int(digits.group()) if digits else 1


def _pixels(value: Any) -> int:
    pixels = int(value)
    if not 0 < pixels <= LARGEST_IMAGE:
        raise ValueError(f"width and height in pixels, found {shown(value)}")
    return pixels


def _images(names: Rows[str], bases: Rows[Path]) -> ImageFiles | None:
    """The images, if the first one exists relative to the JSON's folder or a subfolder."""
    if not names:
        return None
    base = next((base for base in bases if (base / names[0]).is_file()), None)
    return None if base is None else ImageFiles(tuple(base / name for name in names))


def _tag(flags: Rows[int], rows: int) -> BoolArray:
    """A tag as ``(rows,)``, False beyond the end of the list."""
    tag = np.zeros(rows, dtype=bool)
    tag[: len(flags)] = np.asarray(flags[:rows], dtype=bool)
    return tag


def _absent(flags: Rows[int], rows: int) -> BoolArray:
    """Absence from flags of either polarity (PySOT: 1 is visible): frame 1 is never absent."""
    values = np.asarray(flags, dtype=bool)
    absent: BoolArray = values != values[0]
    if len(absent) != rows:
        raise ValueError(f"{len(absent)} absent flags for {rows} rows")
    return absent


def attributes_from_titles(benchmark: Benchmark, titles: Iterable[str]) -> frozenset[str]:
    """Abbreviations of full attribute names: ``Background Clutters`` -> ``BC``.

    Unknown names are kept unchanged.
    """
    known = {_letters(title): flag for flag, title in benchmark.attributes.items()}
    return frozenset(known.get(_letters(title), title) for title in titles)


def _letters(title: str) -> str:
    """Lower-case letters without plural ``s``, to match different spellings."""
    return re.sub(r"[^a-z]", "", title.lower()).rstrip("s")
