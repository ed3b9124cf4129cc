"""Folders of crops made by PySOT's scripts, with their JSON annotation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import DatasetError
from bench.images import read_image
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    known_rows,
    nothing_found,
)

SIDE = 511
CENTRE = 255.0  # centre pixel of a 511 pixel crop
EXEMPLAR = 127.0
CONTEXT = 0.5

Track = tuple[str, str]


def open_crop511(
    root: Path,
    annotation: str = "train.json",
    folder: str = "crop511",
    name: str = "crop511",
    masks: bool = False,
) -> Reader[Track]:
    """Tracks of a PySOT training set, ``{video: {track: {frame: [x1, y1, x2, y2]}}}``.

    Images are ``{video}/{frame:06d}.{track}.x.jpg``, one crop per frame with the target in the
    centre; masks, if the crops include them, are ``{frame:06d}.{track}.m.png``.

    Args:
        root: holds the annotation and the folder of crops.
        annotation: name of the JSON file.
        folder: name of the folder of crops.
        name: name of the training set.
        masks: whether there are masks.

    Raises:
        DatasetError: the annotation is missing, broken or empty.
    """
    videos = _read(root / annotation, root)
    keys = [(video, track) for video, tracks in videos.items() for track in tracks]
    if not keys:
        raise nothing_found("crop511", root, f"tracks in {annotation}")
    load = partial(_load, root / folder, name, videos, masks)
    return Reader(name, keys, load, masks, sum(map(bool, videos.values())))


def _read(path: Path, root: Path) -> Mapping[str, Mapping[str, Any]]:
    if not path.is_file():
        raise nothing_found("crop511", root, f"{path.name} and crop511/<video>/000000.00.x.jpg")
    try:
        videos = json.loads(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{path}: expected JSON ({error}). Create it again.") from error
    if isinstance(videos, dict) and all(isinstance(tracks, dict) for tracks in videos.values()):
        return videos
    raise DatasetError(f"{path}: expected {{video: {{track: {{frame: box}}}}}}")


def _load(
    folder: Path,
    source: str,
    videos: Mapping[str, Mapping[str, Any]],
    masks: bool,
    key: Track,
) -> Rows:
    video, track = key
    name = f"{source}/{video}/{track}"
    try:
        frames = {int(n): box for n, box in videos[video][track].items() if n.isdecimal()}
        sizes = np.array([_size(box) for box in frames.values()], dtype=np.float64)
    except (AttributeError, TypeError, ValueError) as error:
        raise DatasetError(f"{name}: expected {{frame: [x1, y1, x2, y2]}} ({error})") from error
    boxes = boxes_in_crops(sizes.reshape(-1, 2))
    crops = partial(_crop, folder / video, track)
    return Rows(
        name,
        *known_rows(name, boxes, list(frames)),
        crops,
        partial(_mask, folder / video, track) if masks else None,
    )


def _size(box: Any) -> tuple[float, float]:
    """Width and height from corners, or given directly, which PySOT also accepts."""
    if len(box) == 2:
        return float(box[0]), float(box[1])
    x1, y1, x2, y2 = map(float, box)
    return x2 - x1, y2 - y1


def boxes_in_crops(sizes: FloatArray) -> FloatArray:
    """Boxes in the crops from the targets' sizes in their frames.

    A crop shows 511 pixels at a scale that maps s, the side of the target with its margin, to 127:
    s = sqrt((w + c) (h + c)) with c = (w + h) / 2.

    Args:
        sizes: ``(N, 2)`` width and height in the frames.

    Returns:
        ``(N, 4)`` x, y, width, height; NaN for sizes that are not positive.
    """
    known = np.where((sizes > 0).all(axis=1, keepdims=True), sizes, np.nan)
    margin = CONTEXT * known.sum(axis=1, keepdims=True)
    scaled = known * EXEMPLAR / np.sqrt((known + margin).prod(axis=1, keepdims=True))
    return np.concatenate([CENTRE - (scaled - 1) / 2, scaled], axis=1)


def _crop(folder: Path, track: str, number: int) -> Image:
    """A crop.

    Raises:
        DatasetError: it is broken, or of another size, in which the target has another place.
    """
    path = folder / f"{number:06d}.{track}.x.jpg"
    image = read_image(path)
    if image.shape[:2] != (SIDE, SIDE):
        raise DatasetError(
            f"{path}: expected a crop of {SIDE} x {SIDE} pixels, found {image.shape[1]} x "
            f"{image.shape[0]}. Make the crops again with PySOT's par_crop.py {SIDE}"
        )
    return image


def _mask(folder: Path, track: str, number: int) -> BoolArray:
    return _read_mask(folder / f"{number:06d}.{track}.m.png")


def _read_mask(path: Path) -> BoolArray:
    """The mask of one object in a greyscale image, ``(H, W)``; pixels above 127 are inside.

    Raises:
        DatasetError: the file is missing or broken.
    """
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if image is None:
        state = "cannot be decoded" if path.is_file() else "does not exist"
        raise DatasetError(f"{path} {state}; expected a mask beside the crop")
    inside: BoolArray = np.asarray(image) > 127
    return inside
