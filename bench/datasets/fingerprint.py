"""Hashes of a dataset's annotation and frames, to tell whether two copies are the same.

``tables/annotation_fingerprints.csv`` holds those of the annotation as published.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bench.benchmarks import TABLES
from bench.datasets.frames import VideoFrames
from bench.errors import DatasetError
from bench.files import sha256
from bench.sequence import Dataset, Frames, Sequence

_DECIMALS = 3  # annotation is written with fewer digits; JSON copies of it with more
_SHORT = 16  # digits of a sequence's hash in the table


@dataclass(frozen=True)
class Fingerprint:
    """What a dataset is.

    Attributes:
        annotation: SHA-256 over the annotation of all sequences.
        frames: SHA-256 over their images, None where there are none.
        images: how many of them were read.
        known: sequences whose published annotation is known.
        other: those among them that are annotated otherwise.
    """

    annotation: str
    frames: str | None
    images: int
    known: int
    other: tuple[str, ...]


def fingerprint(dataset: Dataset, *, deep: bool = False) -> Fingerprint:
    """Hash annotation and frames.

    Args:
        dataset: with or without frames.
        deep: read every image, not only the first, middle and last of each sequence; a video
            file is read whole in either case.

    Raises:
        DatasetError: an image cannot be read.
    """
    published = {} if dataset.miniature else published_annotation().get(dataset.benchmark, {})
    known = [sequence for sequence in dataset if sequence.name in published]
    other = [s.name for s in known if sequence_hash(s)[:_SHORT] != published[s.name]]
    digest, images = hashlib.sha256(), 0
    for sequence in sorted(dataset, key=lambda each: each.name):
        for path in _files(sequence.frames, deep=deep):
            digest.update(f"{sequence.name}/{path.name} {_hash(path)}\n".encode())
            images += 1
    frames = digest.hexdigest() if images else None
    return Fingerprint(annotation_hash(dataset), frames, images, len(known), tuple(other))


def annotation_hash(dataset: Dataset) -> str:
    """SHA-256 over the annotation of all sequences, whatever their order."""
    lines = sorted(f"{sequence.name} {sequence_hash(sequence)}\n" for sequence in dataset)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sequence_hash(sequence: Sequence) -> str:
    """SHA-256 over the ground truth of one sequence, to three decimals."""
    boxes = sequence.ground_truth if sequence.polygons is None else sequence.polygons
    numbers = np.round(boxes.reshape(len(boxes), -1), _DECIMALS) + 0.0  # no negative zero
    rows = (",".join(f"{value:.{_DECIMALS}f}" for value in row) for row in numbers.tolist())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


@lru_cache(maxsize=1)
def published_annotation() -> dict[str, dict[str, str]]:
    """The first digits of each sequence's hash as published, by benchmark and name."""
    found: dict[str, dict[str, str]] = {}
    path = TABLES / "annotation_fingerprints.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["benchmark"], {})[row["sequence"]] = row["sha256"]
    return found


def _files(frames: Frames | None, *, deep: bool) -> Iterator[Path]:
    """Files of the frames to read: all, or the first, middle and last."""
    if frames is None:
        return
    if isinstance(frames, VideoFrames):
        yield frames.path
        return
    where, count = getattr(frames, "where", None), len(frames)
    if where is None:
        return
    chosen = range(count) if deep else sorted({0, count // 2, count - 1} if count else set())
    for index in chosen:
        yield Path(where(index))


def _hash(path: Path) -> str:
    try:
        return sha256([path])
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
