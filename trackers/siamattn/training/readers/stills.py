"""Single pictures as short videos: each row shows the same object in another way.

A row may turn the picture about the object, replace its background, and paste other objects, cut
out by their masks, behind the object or over part of it. What a crop of a frame can do, such as
moving, scaling, lighting and blurring, is left to ``crops``.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import ConfigError, DatasetError
from bench.mini.signals import stream
from trackers.siamattn.training.readers.rows import (
    Reader,
    Rows,
    first_folder,
    nothing_found,
    single_image,
)

ROWS = 16  # ways to show an object
_SMALLEST = 14  # minimum shorter side of an object, pixels
_LARGEST = 0.95  # maximum share of the picture's width or height, if both exceed it
_TURN = 10.0  # standard deviation of the angle in degrees
_BACKGROUND = (0.2, 0.65)  # probability of another background, of a small and a large object
_LARGE = 0.3  # side of a large object, and of one before another background, in pictures' sides
_OTHERS = (0.3, 0.3, 0.25, 0.15)  # probabilities of 0, 1, 2, 3 other objects
_ALIKE = 0.5  # probability that another object is of the same category
_OVER = 0.2  # probability of an object over part of the target
_COVERED = 0.4  # maximum share of the target's box that it covers
_KEPT = 2048  # decoded pictures kept in memory

Cover = NDArray[np.float32]  # (H, W), from 0 to 1


@dataclass(frozen=True, eq=False)
class Thing:
    """An object in a picture.

    Attributes:
        name: identifies it.
        kind: its set and category.
        path: the picture.
        size: width and height of the picture.
        box: ``(4,)`` x, y, width, height.
        outline: polygons ``(P, 2)`` on the edges of pixels; none if it has no mask.
    """

    name: str
    kind: tuple[str, int]
    path: Path
    size: tuple[int, int]
    box: FloatArray
    outline: tuple[FloatArray, ...]


@dataclass(frozen=True, eq=False)
class View:
    """How a row shows an object.

    Attributes:
        box: ``(4,)`` x, y, width, height.
        matrix: ``(2, 3)``, moves positions of pixels; None for none.
        moved: whether the object is before another background.
    """

    box: FloatArray
    matrix: FloatArray | None = None
    moved: bool = False


def open_stills(root: Path, split: str = "train2017") -> Reader[Thing]:
    """The objects of several sets of pictures in COCO's layout, each in its own folder.

    Crowds, small objects and those that fill the picture are left out. Objects without polygons
    have no mask: they are not turned, and not pasted.

    Args:
        root: holds ``<set>/annotations/instances_<split>.json`` and ``<set>/<split>/`` or
            ``<set>/images/<split>/``.
        split: name of the split.

    Raises:
        ConfigError: pycocotools is not installed.
        DatasetError: there is no set or no usable object, or an annotation is broken.
    """
    if find_spec("pycocotools") is None:
        raise ConfigError(
            "reading stills needs pycocotools, which is not installed: "
            "pip install '.[train]' in this project's checkout"
        )
    name = f"annotations/instances_{split}.json"
    things = [t for path in sorted(root.glob(f"*/{name}")) for t in _read_things(path, split)]
    if not things:
        raise nothing_found("stills", root, f"annotated objects in <set>/{name}")
    pictures = len({thing.path for thing in things})
    return Reader("stills", things, Stage(things).load, True, pictures)


def _read_things(path: Path, split: str) -> Iterator[Thing]:
    """The usable objects of an annotation."""
    root = path.parents[1]
    folder = first_folder(root / split, root / "images" / split) or root / split
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        images = {image["id"]: image for image in content["images"]}
        for row in content["annotations"]:
            thing = _thing(row, images[row["image_id"]], root.name, folder)
            if not row.get("iscrowd") and _is_usable(thing):
                yield thing
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path}: expected the JSON of COCO's instances ({error!r}). Write it again."
        ) from error


def _thing(row: dict[str, Any], image: dict[str, Any], group: str, folder: Path) -> Thing:
    parts = row.get("segmentation")
    return Thing(
        f"stills/{group}/{int(row['id'])}",
        (group, int(row["category_id"])),
        folder / Path(image["file_name"]).name,
        (int(image["width"]), int(image["height"])),
        np.array(row["bbox"], dtype=np.float64).reshape(4),
        tuple(np.array(part, dtype=np.float64).reshape(-1, 2) for part in parts)
        if isinstance(parts, list)
        else (),
    )


def _is_usable(thing: Thing) -> bool:
    size = thing.box[2:]
    return bool(min(size) >= _SMALLEST and min(size / thing.size) <= _LARGEST)


class Stage:
    """Shows objects among each other.

    Args:
        things: all of them; those with a mask can be pasted.
    """

    def __init__(self, things: Sequence[Thing]) -> None:
        self.things = things
        self.masked: dict[tuple[str, int], list[Thing]] = {}
        for thing in things:
            if thing.outline:
                self.masked.setdefault(thing.kind, []).append(thing)

    def load(self, thing: Thing) -> Rows:
        """The target of an object: ``ROWS`` ways to show it."""
        rng = stream(0, thing.name, "views")
        views = [_draw_view(thing, rng) for _ in range(ROWS)]
        show = lru_cache(maxsize=2)(partial(self._show, thing, views))
        return Rows(
            thing.name,
            np.stack([view.box for view in views]),
            np.arange(ROWS),
            lambda number: show(number)[0],
            (lambda number: show(number)[1]) if thing.outline else None,
        )

    def _show(self, thing: Thing, views: Sequence[View], number: int) -> tuple[Image, BoolArray]:
        """Row ``number``: the picture, and the visible part of the object."""
        rng = stream(0, thing.name, "row", str(number))
        view, picture = views[number], _read(thing)
        mask = np.zeros(picture.shape[:2], dtype=bool)
        if view.matrix is not None:
            mask = _filled([_moved(part, view.matrix) for part in thing.outline], thing.size)
            picture = np.asarray(
                cv2.warpAffine(picture, view.matrix, thing.size, borderMode=cv2.BORDER_REFLECT_101)
            )
            if view.moved:
                other = _read(self.things[int(rng.integers(len(self.things)))])
                ground = cv2.resize(other, thing.size, interpolation=cv2.INTER_AREA)
                picture = _composed(np.asarray(ground), picture, _soft(mask))
        if self.masked:
            picture = self._with_others(picture, thing, view.box, mask, rng)
            if rng.random() < _OVER:
                picture, mask = self._covered(picture, view.box, mask, rng)
        return picture, mask

    def _with_others(
        self,
        picture: Image,
        thing: Thing,
        box: FloatArray,
        mask: BoolArray,
        rng: np.random.Generator,
    ) -> Image:
        """Other objects around the target and behind it."""
        behind = _soft(mask) if thing.outline else _of_box(box, picture.shape[:2])
        shown = picture
        for _ in range(rng.choice(len(_OTHERS), p=_OTHERS)):
            other = self._other(thing, rng)
            side = np.sqrt(box[2] * box[3]) * np.exp(rng.uniform(-0.5, 0.5))
            angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 2.0)
            centre = box[:2] + box[2:] * (0.5 + away * np.array([np.cos(angle), np.sin(angle)]))
            shown, _ = _pasted(shown, other, side, centre)
        return _composed(shown, picture, behind)

    def _covered(
        self, picture: Image, box: FloatArray, mask: BoolArray, rng: np.random.Generator
    ) -> tuple[Image, BoolArray]:
        """An object over part of the target, unless it would hide too much of it."""
        other = self._other(None, rng)
        side = np.sqrt(box[2] * box[3]) * rng.uniform(0.4, 1.0)
        corner = rng.choice([0.0, 1.0], 2) + rng.uniform(-0.3, 0.3, 2)
        shown, cover = _pasted(picture, other, side, box[:2] + box[2:] * corner)
        x, y = np.maximum(box[:2], 0).astype(int)
        inside = cover[y : y + int(box[3]) + 1, x : x + int(box[2]) + 1]
        if not inside.size or inside.mean() > _COVERED:
            return picture, mask
        return shown, mask & (cover < 0.5)

    def _other(self, thing: Thing | None, rng: np.random.Generator) -> Thing:
        """An object with a mask, often of the same category."""
        alike = self.masked.get(thing.kind, []) if thing else []
        if len(alike) < 2 or rng.random() >= _ALIKE:
            kinds = list(self.masked)
            alike = self.masked[kinds[rng.integers(len(kinds))]]
        return alike[rng.integers(len(alike))]


def _draw_view(thing: Thing, rng: np.random.Generator) -> View:
    if not thing.outline:
        return View(thing.box)
    part = float(np.sqrt(thing.box[2:].prod() / np.prod(thing.size)))
    angle, aim = rng.normal(0, _TURN), _LARGE * np.exp(rng.uniform(-0.4, 0.4))
    moved = bool(rng.random() < _BACKGROUND[int(part > _LARGE)])
    points = np.concatenate(thing.outline)
    centre = (points.min(0) + points.max(0)) / 2 - 0.5  # the first pixel's is at 0
    scale = min(1.0, aim / part) if moved else 1.0
    matrix = np.asarray(cv2.getRotationMatrix2D(centre.tolist(), angle, scale), np.float64)
    turned = _moved(points, matrix)
    return View(np.concatenate([turned.min(0), np.ptp(turned, 0)]), matrix, moved)


def _moved(points: FloatArray, matrix: FloatArray) -> FloatArray:
    """Points ``(P, 2)`` on the edges of pixels, moved by a matrix of pixels' positions."""
    moved: FloatArray = (points - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    return moved


def _filled(parts: Sequence[FloatArray], size: tuple[int, int]) -> BoolArray:
    """The inside of polygons ``(P, 2)`` on the edges of pixels."""
    from pycocotools import mask

    with warnings.catch_warnings():
        # pycocotools' compiled part still uses the array interface of NumPy 1.
        warnings.simplefilter("ignore", DeprecationWarning)
        runs = mask.frPyObjects([part.ravel().tolist() for part in parts], size[1], size[0])
        return np.asarray(mask.decode(mask.merge(runs)), dtype=bool)


@lru_cache(maxsize=_KEPT)
def _decoded(path: Path) -> Image:
    picture = single_image(path, 0)
    picture.flags.writeable = False
    return picture


def _read(thing: Thing) -> Image:
    """The picture of an object; DatasetError if it is broken, or of another size."""
    picture = _decoded(thing.path)
    if picture.shape[1::-1] != thing.size:
        raise DatasetError(
            f"{thing.name}: expected {thing.path} of {thing.size} pixels, as the annotation says, "
            f"found {picture.shape[1::-1]}"
        )
    return picture


def _soft(mask: BoolArray) -> Cover:
    """A mask with edges as soft as a photograph's."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0.7))


def _of_box(box: FloatArray, shape: tuple[int, ...]) -> Cover:
    """1 inside a box of x, y, width, height."""
    cover = np.zeros(shape, dtype=np.float32)
    x, y = np.maximum(box[:2], 0).astype(int)
    cover[y : int(box[1] + box[3]) + 1, x : int(box[0] + box[2]) + 1] = 1
    return cover


def _composed(below: Image, above: Image, cover: Cover) -> Image:
    """``above`` where ``cover`` is 1, else ``below``; equal sizes."""
    return np.asarray(cv2.blendLinear(above, below, cover, 1 - cover))


def _pasted(picture: Image, thing: Thing, side: float, centre: FloatArray) -> tuple[Image, Cover]:
    """The picture with an object whose box has the area ``side`` squared, and what it covers."""
    x, y = np.maximum(thing.box[:2], 0).astype(int)
    right, bottom = (thing.box[:2] + thing.box[2:]).astype(int) + 1
    image = _read(thing)[y:bottom, x:right]
    cover = _soft(_filled(thing.outline, thing.size))[y:bottom, x:right]
    height, width = cover.shape
    scale = side / np.sqrt(height * width)
    extent = scale * np.array([width, height])
    place = centre - extent / 2
    shown, covered = picture.copy(), np.zeros(picture.shape[:2], np.float32)
    size = np.array(picture.shape[1::-1])
    left, top = np.clip(np.floor(place), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(place + extent) + 1, 0, size).astype(int)
    if right > left and bottom > top:
        window, room = (slice(top, bottom), slice(left, right)), (right - left, bottom - top)
        matrix = np.array([[scale, 0, place[0] - left], [0, scale, place[1] - top]])
        cover = np.asarray(cv2.warpAffine(cover, matrix, room), np.float32)
        image = np.asarray(cv2.warpAffine(image, matrix, room), np.uint8)
        shown[window], covered[window] = _composed(shown[window], image, cover), cover
    return shown, covered
