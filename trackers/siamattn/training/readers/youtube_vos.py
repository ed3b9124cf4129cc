"""YouTube-VOS: a palette image for every fifth frame; boxes enclose the masks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray
from bench.errors import DatasetError
from trackers.siamattn.training.readers.index import Found, Index, load_or_build
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    image_in,
    known_rows,
    nothing_found,
)

_LAYOUT = (
    "train/meta.json, train/JPEGImages/<video>/00000.jpg, train/Annotations/<video>/00000.png"
)
_AHEAD = 8  # videos whose masks are decoded in parallel

Objects = Mapping[int, Sequence[int]]  # object id -> frame numbers


def open_youtube_vos(root: Path, split: str = "train", index: Path | None = None) -> Reader[int]:
    """The objects of YouTube-VOS, by id.

    Uses the frames that ``meta.json`` lists for an object, except those with an empty mask. File
    names count all frames of the video; every fifth exists.

    Args:
        root: holds ``train/``, or is that folder.
        split: name of that folder.
        index: cache file for the boxes, which require decoding every mask once.

    Raises:
        DatasetError: ``meta.json`` is missing, broken or empty.
    """
    folder = root / split if (root / split).is_dir() else root
    meta = folder / "meta.json"
    if not meta.is_file():
        raise nothing_found("youtube-vos", root, _LAYOUT)
    videos = read_meta(meta)
    table = load_or_build(
        index, str(folder.resolve()), lambda: _scan(folder / "Annotations", videos)
    )
    if not len(table):
        raise nothing_found("youtube-vos", root, _LAYOUT)
    return Reader(
        "youtube-vos", range(len(table)), partial(_load, table, folder), True, len(videos)
    )


def read_meta(path: Path) -> dict[str, Objects]:
    """The frame numbers of every object of every video.

    Raises:
        DatasetError: the file is broken.
    """
    try:
        videos = json.loads(path.read_bytes())["videos"]
        return {video: _objects(entry) for video, entry in videos.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}: expected {{videos: {{video: {{objects: {{id: {{frames: [...]}}}}}}}}}} "
            f"({error!r}). Restore the file from the official archive."
        ) from error


def _objects(entry: Mapping[str, Any]) -> Objects:
    return {int(key): sorted(map(int, o["frames"])) for key, o in entry["objects"].items()}


def _scan(annotations: Path, videos: Mapping[str, Objects]) -> Iterator[Found]:
    names = sorted(videos)
    with ThreadPoolExecutor(_AHEAD) as pool:
        scanned = pool.map(lambda name: _video(annotations / name, videos[name]), names)
        for targets in scanned:
            yield from targets


def _video(folder: Path, objects: Objects) -> list[Found]:
    """The objects of a video, and the masks that could not be read."""
    rows: dict[int, dict[int, tuple[float, float, float, float]]] = {key: {} for key in objects}
    broken = []
    for number in sorted({number for numbers in objects.values() for number in numbers}):
        try:
            boxes = label_boxes(read_labels(folder / f"{number:05d}.png"))
        except DatasetError as error:
            broken.append(Found(folder.name, problem=str(error)))
            continue
        for key, numbers in objects.items():
            if key in boxes and number in numbers:
                rows[key][number] = boxes[key]
    found = [Found(folder.name, str(k), list(r.values()), list(r)) for k, r in rows.items() if r]
    return found + broken


def _load(table: Index, folder: Path, target: int) -> Rows:
    boxes, numbers = table.rows(target)
    video, track = str(table.groups[target]), str(table.tracks[target])
    name = f"youtube-vos/{video}/{track}"
    return Rows(
        name,
        *known_rows(name, boxes, numbers),
        partial(image_in, folder / "JPEGImages" / video, "{:05d}.jpg"),
        partial(_mask, folder / "Annotations" / video, int(track)),
    )


def _mask(folder: Path, label: int, number: int) -> BoolArray:
    inside: BoolArray = read_labels(folder / f"{number:05d}.png") == label
    return inside


def read_labels(path: Path) -> NDArray[np.uint8]:
    """The indices of a palette image, ``(H, W)``: 0 is background, others are objects.

    Raises:
        DatasetError: the file is missing or broken, or has colours instead of indices.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode in ("P", "L"):
                return np.asarray(image, dtype=np.uint8)
            mode = image.mode
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        raise DatasetError(
            f"{path}: expected a PNG with a palette, but it cannot be read ({error})"
        ) from error
    raise DatasetError(f"{path}: expected a PNG with a palette, found one of mode {mode}")


def label_boxes(labels: NDArray[np.uint8]) -> dict[int, tuple[int, int, int, int]]:
    """The box x, y, width, height around every object of ``(H, W)`` indices, by index."""
    boxes = {}
    for label in np.unique(labels[labels > 0]).tolist():
        inside = labels == label
        columns = np.flatnonzero(inside.any(axis=0))
        rows = np.flatnonzero(inside.any(axis=1))
        left, top = int(columns[0]), int(rows[0])
        boxes[label] = (left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
    return boxes
