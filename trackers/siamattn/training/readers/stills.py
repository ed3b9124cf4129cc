"""Single pictures as endless short videos: each row shows the same object in another way.

A row may turn the picture about the object, replace its background, and paste other objects, cut
out by their masks, behind the object or over part of it. What a frame of a crop can do, such as
moving, scaling, lighting and blurring, is left to ``crops``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.mini.signals import stream
from trackers.siamattn.training.readers.coco import mask_of, read_annotations
from trackers.siamattn.training.readers.rows import Reader, Rows, nothing_found, read_frame

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

Key = tuple[int, int]  # set and annotation


@dataclass(frozen=True, eq=False)
class CutOut:
    """An object cut out of its picture.

    Attributes:
        image: RGB ``uint8 (h, w, 3)``.
        cover: ``(h, w)`` float32 from 0 to 1.
    """

    image: Image
    cover: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _View:
    """How a row shows an object.

    Attributes:
        box: ``(4,)`` x, y, width, height.
        matrix: ``(2, 3)``, moves positions of pixels; None for none.
        moved: whether the object is before another background.
    """

    box: FloatArray
    matrix: FloatArray | None = None
    moved: bool = False


def open_stills(root: Path, split: str = "train2017") -> Reader[Key]:
    """The objects of several sets of pictures in COCO's layout, each in its own folder.

    Crowds, small objects and those that fill the picture are left out. Sets may lack masks: their
    objects are not turned, not pasted and have no mask.

    Args:
        root: holds ``<set>/annotations/instances_<split>.json`` and ``<set>/<split>/``.
        split: name of the split.

    Raises:
        ConfigError: pycocotools is not installed.
        DatasetError: there is no set, or an annotation is missing, broken or empty.
    """
    name = f"annotations/instances_{split}.json"
    folders = sorted(path.parents[1] for path in root.glob(f"*/{name}"))
    if not folders:
        raise nothing_found("stills", root, f"<set>/{name}")
    pictures = Pictures(tuple(read_annotations(f, split) for f in folders), tuple(folders), split)
    keys = pictures.keys
    used = {(place, pictures.row((place, key))["image_id"]) for place, key in keys}
    return Reader("stills", keys, pictures.load, True, len(used))


@dataclass(frozen=True, eq=False)
class Pictures:
    """Sets of annotated pictures.

    Attributes:
        sets: pycocotools' indices.
        folders: their folders.
        split: name of the split.
        keys: the usable objects.
        masked: those of them with a mask, by category of each set.
    """

    sets: tuple[Any, ...]
    folders: tuple[Path, ...]
    split: str
    keys: list[Key] = field(init=False)
    masked: dict[Key, list[Key]] = field(init=False)

    def __post_init__(self) -> None:
        """Index the usable objects."""
        found = [
            (place, int(row["id"]))
            for place, coco in enumerate(self.sets)
            for row in coco.dataset["annotations"]
            if _usable(row, coco)
        ]
        masked: dict[Key, list[Key]] = {}
        for key in found:
            if _outline(self.row(key)) is not None:
                masked.setdefault(self.kind(key), []).append(key)
        object.__setattr__(self, "keys", found)
        object.__setattr__(self, "masked", masked)

    def row(self, key: Key) -> dict[str, Any]:
        """The annotation of an object."""
        found: dict[str, Any] = self.sets[key[0]].anns[key[1]]
        return found

    def kind(self, key: Key) -> Key:
        """Set and category of an object."""
        return key[0], int(self.row(key)["category_id"])

    def load(self, key: Key) -> Rows:
        """The target of a key: ``ROWS`` ways to show it."""
        row, folder = self.row(key), self.folders[key[0]]
        name = f"stills/{folder.name}/{key[1]}"
        image, outline = self.sets[key[0]].imgs[row["image_id"]], _outline(row)
        if outline is None:
            views = (_View(np.asarray(row["bbox"], dtype=np.float64)),) * ROWS
        else:
            part = float(np.sqrt(np.prod(row["bbox"][2:]) / (image["width"] * image["height"])))
            rng = stream(0, name, "views")
            views = tuple(_draw_view(outline, part, rng) for _ in range(ROWS))
        show = lru_cache(maxsize=2)(partial(self._show, key, name, views))
        return Rows(
            name,
            np.stack([view.box for view in views]),
            np.arange(ROWS),
            lambda number: show(number)[0],
            None if outline is None else lambda number: show(number)[1],
        )

    def _show(
        self, key: Key, name: str, views: tuple[_View, ...], number: int
    ) -> tuple[Image, BoolArray]:
        """Row ``number``: the picture, and the visible part of the object."""
        rng = stream(0, name, "row", str(number))
        view, picture = views[number], self._picture(self._path(key))
        box, size = view.box, picture.shape[1::-1]
        mask = np.zeros(picture.shape[:2], dtype=bool)
        if view.matrix is not None:
            whole = mask_of(self.sets[key[0]], key[1]).astype(np.uint8)
            mask = cv2.warpAffine(whole, view.matrix, size).astype(bool)
            picture = np.asarray(
                cv2.warpAffine(picture, view.matrix, size, borderMode=cv2.BORDER_REFLECT_101)
            )
            if view.moved:
                picture = _composed(self._background(rng, size), picture, _soft(mask))
        if self.masked:
            picture = self._with_others(picture, key, box, mask, rng)
            if rng.random() < _OVER:
                picture, mask = self._covered(picture, box, mask, rng)
        return picture, mask

    def _with_others(
        self, picture: Image, key: Key, box: FloatArray, mask: BoolArray, rng: np.random.Generator
    ) -> Image:
        """Other objects around the target and behind it."""
        behind = _soft(mask) if mask.any() else _of_box(box, picture.shape[:2])
        shown = picture
        for _ in range(rng.choice(len(_OTHERS), p=_OTHERS)):
            cut = self._other(key, rng)
            side = np.sqrt(box[2] * box[3]) * np.exp(rng.uniform(-0.5, 0.5))
            angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 2.0)
            centre = box[:2] + box[2:] * (0.5 + away * np.array([np.cos(angle), np.sin(angle)]))
            shown, _ = _pasted(shown, cut, side, centre)
        return _composed(shown, picture, behind)

    def _covered(
        self, picture: Image, box: FloatArray, mask: BoolArray, rng: np.random.Generator
    ) -> tuple[Image, BoolArray]:
        """An object over part of the target, unless it would hide too much of it."""
        cut = self._other(None, rng)
        side = np.sqrt(box[2] * box[3]) * rng.uniform(0.4, 1.0)
        corner = rng.choice([0.0, 1.0], 2) + rng.uniform(-0.3, 0.3, 2)
        shown, cover = _pasted(picture, cut, side, box[:2] + box[2:] * corner)
        x, y = np.maximum(box[:2], 0).astype(int)
        inside = cover[y : y + int(box[3]) + 1, x : x + int(box[2]) + 1]
        if not inside.size or inside.mean() > _COVERED:
            return picture, mask
        return shown, mask & (cover < 0.5)

    def _other(self, key: Key | None, rng: np.random.Generator) -> CutOut:
        """Another object with a mask, often of the same category."""
        alike = self.masked.get(self.kind(key), []) if key else []
        if len(alike) < 2 or rng.random() >= _ALIKE:
            kinds = list(self.masked)
            alike = self.masked[kinds[rng.integers(len(kinds))]]
        return self._cut_out(alike[rng.integers(len(alike))])

    def _background(self, rng: np.random.Generator, size: tuple[int, int]) -> Image:
        """Another picture, of the given width and height."""
        other = self._picture(self._path(self.keys[rng.integers(len(self.keys))]))
        return np.asarray(cv2.resize(other, size, interpolation=cv2.INTER_AREA))

    def _path(self, key: Key) -> Path:
        image = self.sets[key[0]].imgs[self.row(key)["image_id"]]
        return self.folders[key[0]] / self.split / Path(image["file_name"]).name

    def _cut_out(self, key: Key) -> CutOut:
        x, y, width, height = np.asarray(self.row(key)["bbox"])
        rows, columns = slice(int(y), int(y + height) + 1), slice(int(x), int(x + width) + 1)
        mask = mask_of(self.sets[key[0]], key[1])
        return CutOut(self._picture(self._path(key))[rows, columns], _soft(mask)[rows, columns])

    def _picture(self, path: Path) -> Image:
        return _read(path)


@lru_cache(maxsize=_KEPT)
def _read(path: Path) -> Image:
    picture = read_frame(path)
    picture.flags.writeable = False
    return picture


def _usable(row: dict[str, Any], coco: Any) -> bool:
    width, height = row["bbox"][2:]
    image = coco.imgs[row["image_id"]]
    fills = min(width / image["width"], height / image["height"]) > _LARGEST
    return not row.get("iscrowd") and min(width, height) >= _SMALLEST and not fills


def _outline(row: dict[str, Any]) -> FloatArray | None:
    """Corners of all polygons of an object, ``(P, 2)``; None without polygons."""
    parts = row.get("segmentation")
    if not parts or not isinstance(parts, list):
        return None
    return np.concatenate([np.reshape(part, (-1, 2)) for part in parts]).astype(np.float64)


def _draw_view(outline: FloatArray, part: float, rng: np.random.Generator) -> _View:
    """A random view of an outline ``(P, 2)``, whose side is ``part`` of the picture's."""
    angle, aim = rng.normal(0, _TURN), _LARGE * np.exp(rng.uniform(-0.4, 0.4))
    moved = bool(rng.random() < _BACKGROUND[int(part > _LARGE)])
    centre = (outline.min(0) + outline.max(0)) / 2 - 0.5  # the first pixel's is at 0
    scale = min(1.0, aim / part) if moved else 1.0
    matrix = np.asarray(cv2.getRotationMatrix2D(centre.tolist(), angle, scale), np.float64)
    turned = (outline - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    return _View(np.concatenate([turned.min(0), np.ptp(turned, 0)]), matrix, moved)


def _soft(mask: BoolArray) -> NDArray[np.float32]:
    """A mask with edges as soft as a photograph's."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0.7))


def _of_box(box: FloatArray, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """1 inside a box of x, y, width, height."""
    cover = np.zeros(shape, dtype=np.float32)
    x, y = np.maximum(box[:2], 0).astype(int)
    cover[y : int(box[1] + box[3]) + 1, x : int(box[0] + box[2]) + 1] = 1
    return cover


def _composed(below: Image, above: Image, cover: NDArray[np.float32]) -> Image:
    """``above`` where ``cover`` is 1, else ``below``; equal sizes."""
    return np.asarray(cv2.blendLinear(above, below, cover, 1 - cover))


def _pasted(
    picture: Image, cut: CutOut, side: float, centre: FloatArray
) -> tuple[Image, NDArray[np.float32]]:
    """The picture with a cut-out whose box has the area ``side`` squared, and what it covers."""
    height, width = cut.cover.shape
    scale = side / np.sqrt(height * width)
    extent = scale * np.array([width, height])
    place = centre - extent / 2
    shown, covered = picture.copy(), np.zeros(picture.shape[:2], np.float32)
    size = np.array(picture.shape[1::-1])
    left, top = np.clip(np.floor(place), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(place + extent) + 1, 0, size).astype(int)
    if right > left and bottom > top:
        window = slice(top, bottom), slice(left, right)
        matrix = np.array([[scale, 0, place[0] - left], [0, scale, place[1] - top]])
        room = (right - left, bottom - top)
        cover = np.asarray(cv2.warpAffine(cut.cover, matrix, room), np.float32)
        image = np.asarray(cv2.warpAffine(cut.image, matrix, room), np.uint8)
        shown[window], covered[window] = _composed(shown[window], image, cover), cover
    return shown, covered
