"""Annotation in a single PySOT JSON file: ``OTB100.json``, ``VOT2018.json``, ...

``{name: {"img_names": [...], "gt_rect": [...], "attr": [...] or tags, "absent": [...]}}``;
source: the dataset classes of pysot-toolkit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Rows
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bench.arrays import BoolArray
from bench.benchmarks import Benchmark
from bench.datasets.files import polygons_and_boxes, subfolders
from bench.datasets.rows import refuse_impossible
from bench.datasets.scan import Entry, Scan, compare, missing_dataset
from bench.datasets.tables import attributes_from_titles, listed_attributes
from bench.errors import DatasetError
from bench.files import read_json, shown
from bench.geometry import LARGEST_IMAGE
from bench.images import ImageFiles
from bench.sequence import Sequence

TAGS = ("camera_motion", "illum_change", "occlusion", "size_change", "motion_change")


def scan(
    root: Path,
    benchmark: Benchmark,
    rows: Mapping[str, int | None],
    looked: Iterable[Path] = (),
    sizes: Mapping[str, tuple[int, int] | None] | None = None,
    others: Mapping[str, str] | None = None,
) -> Scan:
    """Sequences of the JSON file ``root``, or of the benchmark's JSON in the folder ``root``.

    Args:
        root: the file, or a folder that holds it.
        benchmark: provides the index base and attribute names.
        rows: canonical names of the whole benchmark in order, with the number of annotation rows
            or None if unknown.
        looked: other places searched for annotation, for the error message.
        sizes: (width, height) in pixels by name, for files without them.
        others: names of no sequence among ``rows``, and what they are instead.

    Raises:
        DatasetError: the file does not exist or has another structure.
    """
    path = _find(root, benchmark, looked)
    videos = _parse(path)
    canonical = {name.lower(): name for name in rows}
    names = {canonical[name.lower()]: name for name in videos if name.lower() in canonical}
    bases = [path.parent, *subfolders(path.parent)]
    found = {
        name: Entry(
            name,
            partial(_load, benchmark, name, videos[spelled], path, bases, (sizes or {}).get(name)),
            rows[name],
        )
        for name, spelled in names.items()
    }
    surplus = (shown(name)[1:-1] for name in videos if name.lower() not in canonical)
    return compare(found, rows, surplus, [*looked, path], others)


def _find(root: Path, benchmark: Benchmark, looked: Iterable[Path]) -> Path:
    if root.is_file() and root.suffix == ".json":
        return root
    stem = {"otb2015": "OTB100", "uav123": "UAV123", "lasot": "LaSOT"}.get(
        benchmark.name, benchmark.name.upper()
    )
    path = root / f"{stem}.json"
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
    name: str,
    video: dict[str, Any],
    path: Path,
    bases: Rows[Path],
    stated: tuple[int, int] | None,
) -> Sequence:
    where = f"{path}: sequence {name!r}"
    try:
        images = _names(video["img_names"])
        polygons, boxes = polygons_and_boxes(video["gt_rect"], where)
        refuse_impossible(boxes, f"{where}: row ", nan=not benchmark.numbers_only)
        tags = {tag: _tag(video[tag], len(boxes)) for tag in TAGS if tag in video}
        absent = _absent(video["absent"], len(boxes)) if "absent" in video else None
        size = stated
        if "width" in video:
            size = _pixels(video["width"]), _pixels(video["height"])
        titles = map(str, video.get("attr", ()))
        attributes = listed_attributes(benchmark.name, name)
        if attributes is None:
            attributes = attributes_from_titles(benchmark.name, titles)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise DatasetError(
            f"{where}: expected img_names, gt_rect and lists of 0 and 1 as in PySOT's files, "
            f"found {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    return Sequence(
        name=name,
        ground_truth=boxes,
        frames=_images(images, bases),
        index_base=benchmark.index_base,
        polygons=polygons if benchmark.reader == "vot" else None,
        absent=absent,
        attributes=attributes,
        tags=tags,
        first_frame=_first_number(images),
        size=size,
        stated_size=stated,
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
