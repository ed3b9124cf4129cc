"""TrackingNet: TEST, with only the first box public, and TRAIN_0 to TRAIN_11."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path, PurePosixPath

from bench.archives import read_members
from bench.benchmarks import Benchmark
from bench.datasets.files import Readable, read_boxes, stems, subfolders
from bench.datasets.frames import numbered_frames
from bench.datasets.rows import refuse_impossible
from bench.datasets.scan import Entry, Scan, compare, require_subset
from bench.errors import DatasetError
from bench.sequence import Sequence

NAME = re.compile(r".{11}_\d+")  # YouTube video and number of the object
MAX_UNPACKED = 128 << 20  # all boxes of the test set are 10 MB
TRAINING = tuple(f"TRAIN_{number}" for number in range(12))


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """``<root>/TEST`` or the split's folder itself, then bare text files in a folder or a zip.

    Prefers full ground truth in ``anno_full/`` beside ``anno/``, for local scoring.
    """
    require_subset(benchmark, subset, ("test", *TRAINING))
    split = root / ("TEST" if subset == "test" else subset)
    folder = split if split.is_dir() or not (root / "anno").is_dir() else root
    files = stems(folder / "anno") | stems(folder / "anno_full")
    alone = {} if files or subset != "test" else _annotation_alone(root)
    looked = (split / "anno", root / "anno", root)
    images = folder / "frames"
    found = {
        name: Entry(name, partial(_load, benchmark, name, path, images / name))
        for name, path in (files or alone).items()
    }
    if subset != "test" or not benchmark.table:
        return Scan(tuple(found.values()), looked=looked, unlisted=not benchmark.table)
    known = list(benchmark.rows)
    surplus = (found.keys() | {sub.name for sub in subfolders(images)}) - set(known)
    if alone and surplus == found.keys():
        # The devkit's sample ground truth consists of training sequences.
        return Scan(tuple(found.values()), tuple(known), tuple(sorted(found)), len(known), looked)
    return compare(found, known, surplus, looked)


def _annotation_alone(root: Path) -> dict[str, Readable]:
    """``<sequence>.txt`` in the folder, or in the zip used by the devkit (``*GT*.zip``)."""
    files: dict[str, Readable] = {**stems(root)}
    archives = [root] if root.suffix.lower() == ".zip" and root.is_file() else []
    if root.is_dir():
        archives = [path for stem, path in stems(root, ".zip").items() if "gt" in stem.lower()]
    if archives and not any(map(NAME.fullmatch, files)):
        files = _in_archive(archives[0])
    return {name: path for name, path in files.items() if NAME.fullmatch(name)}


def _in_archive(path: Path) -> dict[str, Readable]:
    """The annotation files of an archive, whatever folder they are in."""

    def wanted(member: PurePosixPath) -> bool:
        return member.suffix == ".txt" and NAME.fullmatch(member.stem) is not None

    members = read_members(path, wanted, DatasetError, MAX_UNPACKED)
    names = [member.stem for member in members]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DatasetError(
            f"{path}: expected one file for a sequence, found several for {', '.join(twice[:5])}. "
            "Download the archive again."
        )
    return {member.stem: content for member, content in sorted(members.items())}


def _load(benchmark: Benchmark, name: str, path: Readable, images: Path) -> Sequence:
    boxes = read_boxes(path)
    refuse_impossible(boxes, f"{path}:", nan=not benchmark.numbers_only)
    hidden = len(boxes) == 1
    return Sequence(
        name=name,
        ground_truth=boxes,
        frames=numbered_frames(images, 0, None if hidden else len(boxes)),
        index_base=benchmark.index_base,
        hidden=hidden,
        first_frame=0,
    )
