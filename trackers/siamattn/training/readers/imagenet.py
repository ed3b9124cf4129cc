"""ImageNet VID and DET (ILSVRC 2015 to 2017): one XML file per image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from bench.errors import DatasetError
from trackers.siamattn.training.readers.index import Found, Index, load_or_build
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    image_in,
    known_rows,
    nothing_found,
    single_image,
)

Box = tuple[float, float, float, float]
Scan = Callable[[Path], Iterable[Found]]
Load = Callable[[Index, Path, int], Rows]


class Annotation(NamedTuple):
    """Contents of an XML file.

    Attributes:
        size: width and height of the image, pixels.
        objects: (track, box) of each object; in single images the track is the object's index.
    """

    size: tuple[float, float]
    objects: tuple[tuple[str, Box], ...]


def open_vid(root: Path, split: str = "train", index: Path | None = None) -> Reader[int]:
    """The tracks of ImageNet VID, by ``trackid``.

    Frames with the track marked ``occluded`` are kept: the flag means partial occlusion.

    Args:
        root: holds ``Data/VID`` and ``Annotations/VID``.
        split: ``train`` or ``val``.
        index: cache file for the contents of more than a million XML files.

    Raises:
        DatasetError: no annotation was found.
    """
    return _open("vid", root, Path("VID", split), index, _scan_videos, _load_track)


def open_det(root: Path, split: str = "train", index: Path | None = None) -> Reader[int]:
    """The objects of ImageNet DET, one frame each.

    Args:
        root: holds ``Data/DET`` and ``Annotations/DET``.
        split: ``train`` or ``val``.
        index: cache file for the contents of half a million XML files.

    Raises:
        DatasetError: no annotation was found.
    """
    return _open("det", root, Path("DET", split), index, _scan_images, _load_object)


def _open(
    name: str, root: Path, part: Path, store: Path | None, scan: Scan, load: Load
) -> Reader[int]:
    annotations, images = root / "Annotations" / part, root / "Data" / part
    table = load_or_build(store, str(annotations.resolve()), lambda: scan(annotations))
    if not len(table):
        raise nothing_found(name, root, f"Annotations/{part}/... .xml and Data/{part}/... .JPEG")
    return Reader(name, range(len(table)), partial(load, table, images), False, table.videos)


def _load_track(table: Index, images: Path, target: int) -> Rows:
    boxes, numbers = table.rows(target)
    group = str(table.groups[target])
    name = f"vid/{group}/{table.tracks[target]}"
    read = partial(image_in, images / group, "{:06d}.JPEG")
    return Rows(name, *known_rows(name, boxes, numbers), read)


def _load_object(table: Index, images: Path, target: int) -> Rows:
    boxes, numbers = table.rows(target)
    group = str(table.groups[target])
    name = f"det/{group}/{table.tracks[target]}"
    read = partial(single_image, images / f"{group}.JPEG")
    return Rows(name, *known_rows(name, boxes, numbers), read)


def _scan_videos(root: Path) -> Iterator[Found]:
    for folder, files in _xml_folders(root):
        group = folder.relative_to(root).as_posix()
        tracks: dict[str, dict[int, Box]] = {}
        for path in files:
            try:
                for track, box in _usable(read_annotation(path, "trackid")):
                    tracks.setdefault(track, {})[_number(path)] = box
            except DatasetError as error:
                yield Found(group, problem=str(error))
        for track, rows in tracks.items():
            yield Found(group, track, list(rows.values()), list(rows))


def _scan_images(root: Path) -> Iterator[Found]:
    for folder, files in _xml_folders(root):
        for path in files:
            group = (folder.relative_to(root) / path.stem).as_posix()
            try:
                for track, box in _usable(read_annotation(path)):
                    yield Found(group, track, (box,), (0,))
            except DatasetError as error:
                yield Found(group, problem=str(error))


def _xml_folders(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder with its XML files, sorted by name."""
    for name, folders, files in os.walk(root):
        folders.sort()
        folder = Path(name)
        yield folder, [folder / file for file in sorted(files) if file.endswith(".xml")]


def _number(path: Path) -> int:
    if not path.stem.isdecimal():
        raise DatasetError(f"{path}: expected a file named after its frame number")
    return int(path.stem)


def _usable(annotation: Annotation) -> Iterator[tuple[str, Box]]:
    """Objects with an area, at least partly inside the image if its size is known."""
    width, height = annotation.size
    for track, (x, y, w, h) in annotation.objects:
        if w > 0 and h > 0 and x < width and y < height and x + w > 0 and y + h > 0:
            yield track, (x, y, w, h)


def read_annotation(path: Path, track: str | None = None) -> Annotation:
    """The objects of an image; corners are read as in PySOT: x = xmin, w = xmax - xmin.

    Args:
        path: the XML file.
        track: tag that identifies an object; None numbers them.

    Raises:
        DatasetError: the file is missing or broken.
    """
    try:
        tree = ElementTree.parse(path).getroot()
        size = tree.find("size")
        objects = tuple(
            (str(place) if track is None else _text(item, track), _box(item))
            for place, item in enumerate(tree.iter("object"))
        )
        shape = (float("inf"),) * 2 if size is None else _floats(size, "width", "height")
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise DatasetError(
            f"{path}: expected XML with a bndbox in every object ({error}). "
            "Restore the file from the official archive."
        ) from error
    return Annotation((shape[0] or float("inf"), shape[1] or float("inf")), objects)


def _box(item: ElementTree.Element) -> Box:
    corners = item.find("bndbox")
    if corners is None:
        raise ValueError("found an object without bndbox")
    left, right, top, bottom = _floats(corners, "xmin", "xmax", "ymin", "ymax")
    return left, top, right - left, bottom - top


def _floats(item: ElementTree.Element, *tags: str) -> tuple[float, ...]:
    return tuple(float(_text(item, tag)) for tag in tags)


def _text(item: ElementTree.Element, tag: str) -> str:
    text = item.findtext(tag)
    if not text:
        raise ValueError(f"found no {tag} in {item.tag}")
    return text.strip()
