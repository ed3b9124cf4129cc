"""LaSOT, TrackingNet and GOT-10k: a folder of images and a text file of boxes per video."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np

from bench.arrays import BoolArray, Image
from bench.benchmarks import get_benchmark
from bench.datasets import forms, trackingnet
from bench.datasets.files import read_boxes, read_flags, read_values, subfolders
from bench.datasets.frames import NumberedFrames
from bench.datasets.scan import Entry
from bench.errors import DatasetError
from bench.sequence import Sequence, to_tracker
from trackers.siamattn.training.readers.index import Found, Index, load_or_build
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    image_in,
    known_rows,
    nothing_found,
)

_GOT10K = "train/list.txt and train/<video>/00000001.jpg ... with groundtruth.txt, absence.label"


def open_lasot(root: Path, index: Path | None = None) -> Reader[int]:
    """The 1120 training videos of LaSOT, without frames that are occluded or out of view.

    Test videos are never included. Missing training videos are counted, and fail when read.

    Args:
        root: holds a folder for each category, with its videos.
        index: file for the contents of all annotation, which is read once.

    Raises:
        DatasetError: no training video was found.
    """
    benchmark = get_benchmark("lasot")
    scan = forms.scan(root, benchmark, "train")
    if not scan.entries:
        raise nothing_found("lasot", root, benchmark.layout.shown)
    images = partial(_image, root, "{:08d}.jpg", 1)
    return _videos("lasot", root, scan.entries, images, index, scan.missing)


def open_trackingnet(
    root: Path, parts: Iterable[int] = range(12), index: Path | None = None
) -> Reader[int]:
    """The videos of ``TRAIN_0`` to ``TRAIN_11`` of TrackingNet.

    Args:
        root: holds the parts.
        parts: the parts to use.
        index: file for the contents of all annotation, which is read once.

    Raises:
        ConfigError: unknown part.
        DatasetError: a part is missing.
    """
    benchmark = get_benchmark("trackingnet")
    entries: list[Entry] = []
    for part in parts:
        found = trackingnet.scan(root, benchmark, f"TRAIN_{part}").entries
        if not found or not (root / f"TRAIN_{part}").is_dir():
            raise DatasetError(
                f"{root / f'TRAIN_{part}'}: expected anno/<video>.txt and frames/<video>/0.jpg "
                "..., found none. Unpack this part, or train on a mixture from a file whose row "
                'of trackingnet lists the parts there are: "options": {"parts": [0, 1]}.'
            )
        entries.extend(found)
    images = partial(_image, root, "{}.jpg", 0)
    return _videos("trackingnet", root, entries, images, index)


def _videos(
    name: str,
    root: Path,
    entries: Iterable[Entry],
    images: Callable[[str, int], Image],
    store: Path | None,
    missing: Iterable[str] = (),
) -> Reader[int]:
    by_name = {entry.name: entry for entry in entries}
    keys = sorted(by_name.keys() | set(missing))
    scan = partial(_scan, root, by_name)
    table = load_or_build(store, _identity(root, keys), lambda: map(scan, keys))
    return Reader(name, range(len(table)), partial(_load, name, table, images), False, len(table))


def _scan(root: Path, entries: dict[str, Entry], video: str) -> Found:
    """The frames of a video in which the target is seen; its group is the folder of images."""
    if video not in entries:
        return Found(video, problem=f"{root}: expected the video {video!r}, it does not exist")
    try:
        sequence = entries[video].load()
    except DatasetError as error:
        return Found(video, problem=str(error))
    if not isinstance(sequence.frames, NumberedFrames):
        problem = f"{video}: expected a folder of images, found only annotation"
        return Found(video, problem=problem)
    boxes = to_tracker(sequence.ground_truth, sequence.index_base)
    seen = np.flatnonzero(~_absent(sequence))
    folder = sequence.frames.folder.relative_to(root).as_posix()
    return Found(folder, video, boxes[seen], seen)


def _identity(root: Path, keys: Iterable[str]) -> str:
    """Of an index: the folder of a set and its videos."""
    return f"{root.resolve()} {hashlib.sha256(' '.join(keys).encode()).hexdigest()}"


def _image(root: Path, pattern: str, first: int, folder: str, number: int) -> Image:
    """Frame ``number`` of the images in a folder, the first of which has the number ``first``.

    A folder of thousands is not listed for it.
    """
    return image_in(root / folder, pattern, first + number)


def _absent(sequence: Sequence) -> BoolArray:
    if sequence.absent is None:
        return np.zeros(len(sequence.ground_truth), dtype=bool)
    return sequence.absent


def _load(source: str, table: Index, images: Callable[[str, int], Image], target: int) -> Rows:
    boxes, numbers = table.rows(target)
    name = f"{source}/{table.tracks[target]}"
    read = partial(images, str(table.groups[target]))
    return Rows(name, *known_rows(name, boxes, numbers), read)


def open_got10k(root: Path, index: Path | None = None) -> Reader[int]:
    """The training videos of GOT-10k in ``list.txt``, or all folders if there is no list.

    Leaves out frames in which the target is absent, or is not visible at all according to
    ``cover.label`` (level 0 of 8). Files use 0-based pixels.

    Args:
        root: holds ``train/``, or is that folder.
        index: file for the contents of all annotation, which is read once.

    Raises:
        DatasetError: no video was found.
    """
    folder = root / "train" if (root / "train").is_dir() else root
    listed = folder / "list.txt"
    if listed.is_file():
        keys = listed.read_text(encoding="utf-8", errors="replace").split()
    else:
        keys = [sub.name for sub in subfolders(folder) if (sub / "groundtruth.txt").is_file()]
    if not keys:
        raise nothing_found("got10k", root, _GOT10K)
    scan = partial(_scan_got10k, folder)
    table = load_or_build(index, _identity(folder, keys), lambda: map(scan, keys))
    images = partial(_image, folder, "{:08d}.jpg", 1)
    load = partial(_load, "got10k", table, images)
    return Reader("got10k", range(len(table)), load, False, len(table))


def _scan_got10k(root: Path, video: str) -> Found:
    folder = root / video
    try:
        boxes = read_boxes(folder / "groundtruth.txt")
        seen = ~read_flags(folder / "absence.label", len(boxes))
        if (folder / "cover.label").is_file():
            seen &= read_values(folder / "cover.label", len(boxes)) > 0
    except DatasetError as error:
        return Found(video, problem=str(error))
    return Found(video, video, boxes[seen], np.flatnonzero(seen))
