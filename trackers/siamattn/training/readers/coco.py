"""COCO: object instances in single images, with masks as polygons or run lengths.

The annotation of the 860,000 objects is 450 MB of JSON. It is read once, object by object; an
index keeps their boxes and where each stands in the file, so that a mask is read when it is used.
"""

from __future__ import annotations

import json
import warnings
from array import array
from dataclasses import dataclass, fields
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray
from bench.errors import ConfigError, DatasetError, install_extra
from trackers.siamattn.training.readers.elements import Elements, text
from trackers.siamattn.training.readers.index import Arrays, kept
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    first_folder,
    known_rows,
    nothing_found,
    single_image,
)

_SHAPES = {"id": int, "image_id": int, "bbox": list}


@dataclass(frozen=True, eq=False)
class Table:
    """The T usable objects of I images.

    Attributes:
        keys: ``(T,)`` their ids.
        images: ``(T,)`` place of each object's image, -1 if it is not among them.
        boxes: ``(T, 4)`` x, y, width, height.
        places: ``(T, 2)`` first byte and length of each in the file.
        names: ``(I,)`` file names.
        sizes: ``(I, 2)`` width and height.
    """

    keys: NDArray[np.int64]
    images: NDArray[np.int64]
    boxes: FloatArray
    places: NDArray[np.int64]
    names: NDArray[np.str_]
    sizes: NDArray[np.int64]


def open_coco(root: Path, split: str = "train2017", index: Path | None = None) -> Reader[int]:
    """The annotated objects of COCO, one frame each, except crowds and boxes without area.

    Args:
        root: holds ``annotations/instances_<split>.json`` and the images in ``<split>/`` or
            ``images/<split>/``.
        split: name of the split.
        index: file for what the annotation holds, which is read once.

    Raises:
        ConfigError: pycocotools is not installed.
        DatasetError: the annotation is missing, broken or empty.
    """
    path = root / "annotations" / f"instances_{split}.json"
    if not path.is_file():
        expected = f"annotations/{path.name} and {split}/000000000009.jpg ..."
        raise nothing_found("coco", root, expected)
    if find_spec("pycocotools") is None:
        raise ConfigError(
            f"reading COCO needs pycocotools, which is not installed: {install_extra('train')}"
        )
    state = path.stat()
    identity = f"{path.resolve()} {state.st_size} {state.st_mtime_ns}"
    arrays = kept(index, identity, lambda: _scan(path))
    table = Table(**{field.name: arrays[field.name] for field in fields(Table)})
    if not len(table.keys):
        raise nothing_found("coco", root, f"annotated objects in {path.name}")
    images = first_folder(root / split, root / "images" / split) or root / split
    load = partial(_load, table, path, images)
    used = len(np.unique(table.images))
    return Reader("coco", range(len(table.keys)), load, True, used)


def _scan(path: Path) -> Arrays:
    """The table as arrays; only one object of the file is in memory at a time."""
    keys, owners, places = array("q"), array("q"), array("q")
    boxes, images, objects = array("d"), {}, 0
    try:
        for name, row, first, length in Elements(path):
            if name == "images":
                images[int(row["id"])] = text(row["file_name"]), row["width"], row["height"]
            elif name == "annotations":
                objects += 1
                if _usable(row, path):
                    keys.append(row["id"])
                    owners.append(row["image_id"])
                    boxes.extend(row["bbox"])
                    places.extend((first, length))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise _broken(path, repr(error)) from error
    if not images or not objects:
        raise _broken(path, "no annotations or no images")
    known = {key: place for place, key in enumerate(images)}
    names, widths, heights = zip(*images.values(), strict=True)
    return {
        "keys": np.array(keys),
        "images": np.array([known.get(key, -1) for key in owners], dtype=np.int64),
        "boxes": np.array(boxes).reshape(-1, 4),
        "places": np.array(places).reshape(-1, 2),
        "names": np.array(names, dtype=np.str_),
        "sizes": np.column_stack([widths, heights]).astype(np.int64),
    }


def _broken(path: Path, found: str) -> DatasetError:
    return DatasetError(
        f"{path}: expected the JSON of COCO's instances ({found}). "
        "Unpack the official archive again."
    )


def _usable(row: Any, path: Path) -> bool:
    if not all(isinstance(row.get(key), kind) for key, kind in _SHAPES.items()):
        raise _broken(path, f"annotation {row.get('id')!r} lacks one of {', '.join(_SHAPES)}")
    box = row["bbox"]
    return not row.get("iscrowd") and len(box) == 4 and min(box[2:]) > 0


def _load(table: Table, path: Path, folder: Path, target: int) -> Rows:
    key, image = int(table.keys[target]), int(table.images[target])
    if image < 0:
        raise DatasetError(f"coco/{key}: its image is not among the file's images")
    file, (width, height) = Path(str(table.names[image])), table.sizes[image].tolist()
    name = f"coco/{file.stem}/{key}"
    first, length = table.places[target].tolist()
    return Rows(
        name,
        *known_rows(name, table.boxes[target : target + 1], [0], (width, height)),
        partial(single_image, folder / file.name),
        partial(_mask, path, first, length, (height, width)),
    )


def _mask(path: Path, first: int, length: int, size: tuple[int, int], number: int) -> BoolArray:
    """The mask of the object at a place of the file."""
    try:
        with path.open("rb") as stream:
            stream.seek(first)
            row = json.loads(stream.read(length))
        return decode(row["segmentation"], *size)
    except (OSError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path}: the annotation at byte {first} has no mask that can be decoded ({error!r})"
        ) from error


def decode(shape: Any, height: int, width: int) -> BoolArray:
    """Polygons or run lengths as an image ``(height, width)``."""
    from pycocotools import mask

    with warnings.catch_warnings():
        # pycocotools' compiled part still uses the array interface of NumPy 1.
        warnings.simplefilter("ignore", DeprecationWarning)
        if isinstance(shape, list) or isinstance(shape["counts"], list):
            shape = mask.frPyObjects(shape, height, width)
        found = mask.decode(mask.merge(shape) if isinstance(shape, list) else shape)
    inside: BoolArray = np.asarray(found, dtype=bool)
    return inside
