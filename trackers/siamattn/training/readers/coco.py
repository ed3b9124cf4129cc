"""COCO: object instances in single images, with masks as polygons or run lengths."""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.arrays import BoolArray
from bench.errors import ConfigError, DatasetError
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    first_folder,
    known_rows,
    nothing_found,
    single_image,
)

_SHAPES = {"id": int, "image_id": int, "bbox": list}


def open_coco(root: Path, split: str = "train2017") -> Reader[int]:
    """The annotated objects of COCO, one frame each, except crowds and boxes without area.

    Args:
        root: holds ``annotations/instances_<split>.json`` and the images in ``<split>/`` or
            ``images/<split>/``.
        split: name of the split.

    Raises:
        ConfigError: pycocotools is not installed.
        DatasetError: the annotation is missing, broken or empty.
    """
    path = root / "annotations" / f"instances_{split}.json"
    coco = _read(path, root, split)
    keys = [int(row["id"]) for row in coco.dataset["annotations"] if _usable(row, path)]
    if not keys:
        raise nothing_found("coco", root, f"annotated objects in {path.name}")
    images = first_folder(root / split, root / "images" / split) or root / split
    used = {coco.anns[key]["image_id"] for key in keys}
    return Reader("coco", keys, partial(_load, coco, images), True, len(used))


def _read(path: Path, root: Path, split: str) -> Any:
    """The annotation read by pycocotools, with its printing suppressed."""
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise ConfigError(
            "reading COCO needs pycocotools, which is not installed: "
            "pip install '.[train]' in this project's checkout"
        ) from error
    if not path.is_file():
        expected = f"annotations/{path.name} and {split}/000000000009.jpg ..."
        raise nothing_found("coco", root, expected)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(path))
        if coco.anns and coco.imgs:
            return coco
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise _broken(path, repr(error)) from error
    raise _broken(path, "no annotations or no images")


def _broken(path: Path, found: str) -> DatasetError:
    return DatasetError(
        f"{path}: expected the JSON of COCO's instances ({found}). "
        "Unpack the official archive again."
    )


def _usable(row: dict[str, Any], path: Path) -> bool:
    if not all(isinstance(row.get(key), kind) for key, kind in _SHAPES.items()):
        raise _broken(path, f"annotation {row.get('id')!r} lacks one of {', '.join(_SHAPES)}")
    box = row["bbox"]
    return not row.get("iscrowd") and len(box) == 4 and min(box[2:]) > 0


def _load(coco: Any, folder: Path, key: int) -> Rows:
    row = coco.anns[key]
    image = coco.imgs.get(row["image_id"])
    if image is None:
        raise DatasetError(f"coco/{key}: image {row['image_id']} is not among the file's images")
    name = f"coco/{Path(image['file_name']).stem}/{key}"
    size = (image["width"], image["height"])
    return Rows(
        name,
        *known_rows(name, [row["bbox"]], [0], size),
        partial(single_image, folder / Path(image["file_name"]).name),
        partial(_mask, coco, key),
    )


def _mask(coco: Any, key: int, number: int) -> BoolArray:
    try:
        with warnings.catch_warnings():
            # pycocotools' compiled part still uses the array interface of NumPy 1.
            warnings.simplefilter("ignore", DeprecationWarning)
            return np.asarray(coco.annToMask(coco.anns[key]), dtype=bool)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DatasetError(
            f"coco: annotation {key} has no mask that can be decoded ({error!r})"
        ) from error
