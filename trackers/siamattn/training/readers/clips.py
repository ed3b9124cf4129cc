"""LaSOT, TrackingNet and GOT-10k: a folder of images and a text file of boxes per video."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.benchmarks import get_benchmark
from bench.datasets import forms, trackingnet
from bench.datasets.files import read_boxes, read_flags, subfolders
from bench.datasets.frames import NumberedFrames
from bench.datasets.scan import Entry
from bench.errors import DatasetError
from bench.files import read_rows
from bench.sequence import Frames, Sequence, to_tracker
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    known_rows,
    nothing_found,
    read_frame,
)

_GOT10K = "train/list.txt and train/<video>/00000001.jpg ... with groundtruth.txt, absence.label"


def open_lasot(root: Path) -> Reader[str]:
    """The 1120 training videos of LaSOT, without frames that are occluded or out of view.

    Test videos are never included. Missing training videos are counted, and fail when read.

    Raises:
        DatasetError: no training video was found.
    """
    benchmark = get_benchmark("lasot")
    scan = forms.scan(root, benchmark, "train")
    if not scan.entries:
        raise nothing_found("lasot", root, benchmark.layout.shown)
    return _videos("lasot", root, scan.entries, scan.missing)


def open_trackingnet(root: Path, parts: Iterable[int] = range(12)) -> Reader[str]:
    """The videos of ``TRAIN_0`` to ``TRAIN_11`` of TrackingNet.

    Args:
        root: holds the parts.
        parts: the parts to use.

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
                "..., found none. Unpack this part, or list the existing ones: parts=(0, 1)."
            )
        entries.extend(found)
    return _videos("trackingnet", root, entries)


def _videos(
    name: str, root: Path, entries: Iterable[Entry], missing: Iterable[str] = ()
) -> Reader[str]:
    by_name = {entry.name: entry for entry in entries}
    keys = sorted(by_name.keys() | set(missing))
    return Reader(name, keys, partial(_load_video, name, root, by_name), False, len(keys))


def _load_video(source: str, root: Path, entries: dict[str, Entry], video: str) -> Rows:
    if video not in entries:
        raise DatasetError(f"{root}: expected the video {video!r} of {source}, it does not exist")
    sequence = entries[video].load()
    name = f"{source}/{video}"
    boxes = to_tracker(sequence.ground_truth, sequence.index_base)
    seen = ~_absent(sequence)
    return Rows(
        name,
        *known_rows(name, boxes[seen], np.flatnonzero(seen)),
        partial(_frame, name, sequence.frames),
    )


def _absent(sequence: Sequence) -> BoolArray:
    if sequence.absent is None:
        return np.zeros(len(sequence.ground_truth), dtype=bool)
    return sequence.absent


def _frame(name: str, frames: Frames | None, number: int) -> Image:
    """Read by path, so that a frame number beyond the last image reports a missing file."""
    if not isinstance(frames, NumberedFrames):
        raise DatasetError(f"{name}: expected a folder of images, found only annotation")
    return read_frame(frames.path(number))


def open_got10k(root: Path) -> Reader[str]:
    """The training videos of GOT-10k in ``list.txt``, or all folders if there is no list.

    Leaves out frames in which the target is absent, or is not visible at all according to
    ``cover.label`` (level 0 of 8). Files use 0-based pixels.

    Args:
        root: holds ``train/``, or is that folder.

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
    return Reader("got10k", keys, partial(_load_got10k, folder), False, len(keys))


def _load_got10k(root: Path, video: str) -> Rows:
    folder, name = root / video, f"got10k/{video}"
    boxes = read_boxes(folder / "groundtruth.txt")
    seen = ~read_flags(folder / "absence.label", len(boxes))
    if (folder / "cover.label").is_file():
        seen &= _levels(folder / "cover.label", len(boxes)) > 0
    frames = NumberedFrames(folder, 1, len(boxes))
    return Rows(
        name,
        *known_rows(name, boxes[seen], np.flatnonzero(seen)),
        partial(_frame, name, frames),
    )


def _levels(path: Path, rows: int) -> FloatArray:
    levels = read_rows(path, 1, DatasetError)[:, 0]
    if len(levels) != rows:
        raise DatasetError(
            f"{path}: expected {rows} levels, one per row of the ground truth, found "
            f"{len(levels)}. Restore the file from the official archive."
        )
    return levels
