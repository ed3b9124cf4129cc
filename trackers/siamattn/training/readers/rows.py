"""What all layouts share: targets as rows of frames with a known box, and lists of targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import DatasetError
from bench.images import read_image
from trackers.siamattn.training.sources import Target

Key = TypeVar("Key")
ImageAt = Callable[[int], Image]
MaskAt = Callable[[int], BoolArray]


@dataclass(frozen=True, eq=False)
class Rows:
    """A ``Target`` that reads images and masks by frame number.

    Attributes:
        name: identifies the target.
        boxes: ``(N, 4)`` x, y, width, height in 0-based pixels.
        numbers: ``(N,)`` int frame numbers, increasing.
        image_at: reads the image of a frame.
        mask_at: reads the mask of a frame; None without masks.
    """

    name: str
    boxes: FloatArray
    numbers: NDArray[np.int64]
    image_at: ImageAt
    mask_at: MaskAt | None = None

    def image(self, index: int) -> Image:
        """Frame of row ``index``, RGB ``uint8 (H, W, 3)``; DatasetError if it is broken."""
        return self.image_at(int(self.numbers[index]))

    def mask(self, index: int) -> BoolArray | None:
        """``(H, W)`` bool of row ``index`` or None; DatasetError if it is broken."""
        return None if self.mask_at is None else self.mask_at(int(self.numbers[index]))


@dataclass(frozen=True, eq=False)
class Reader(Generic[Key]):
    """A ``Source`` that knows a key for every target and reads targets on demand.

    Attributes:
        name: name of the training set.
        keys: one per target.
        load: reads the target of a key; raises DatasetError.
        has_masks: whether its targets have masks.
        videos: number of videos, or of images; the default number of uses per epoch.
    """

    name: str
    keys: Sequence[Key]
    load: Callable[[Key], Target]
    has_masks: bool
    videos: int

    def __len__(self) -> int:
        """Number of targets."""
        return len(self.keys)

    def target(self, index: int) -> Target:
        """Target ``index``, 0 <= index < len; DatasetError if it is unusable."""
        return self.load(self.keys[index])


def known_rows(
    name: str,
    boxes: ArrayLike,
    numbers: ArrayLike,
    size: tuple[float, float] | None = None,
) -> tuple[FloatArray, NDArray[np.int64]]:
    """The rows whose box can be trained on, ordered by frame number.

    Drops boxes that are not finite, have no area or, if the image size is known, lie wholly
    outside the image. Boxes partly outside stay: cropping handles them.

    Args:
        name: name of the target, for messages.
        boxes: ``(N, 4)`` x, y, width, height in 0-based pixels.
        numbers: ``(N,)`` frame numbers.
        size: width and height of the images in pixels.

    Raises:
        DatasetError: no row remains.
    """
    rows = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    order = np.asarray(numbers, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(rows).all(axis=1) & (rows[:, 2:] > 0).all(axis=1)
        if size is not None:
            good &= (rows[:, :2] < size).all(axis=1) & (rows[:, :2] + rows[:, 2:] > 0).all(axis=1)
    if not good.any():
        raise DatasetError(
            f"{name}: expected a frame with a known box, found none in {len(rows)}. "
            "Restore the annotation, unless the target is never visible."
        )
    kept = np.flatnonzero(good)
    kept = kept[np.argsort(order[kept], kind="stable")]
    return rows[kept], order[kept]


def image_in(folder: Path, pattern: str, number: int) -> Image:
    """The image ``pattern.format(number)`` of a folder; DatasetError if it is broken."""
    return read_image(folder / pattern.format(number))


def single_image(path: Path, number: int) -> Image:
    """The image of a target with a single frame; DatasetError if it is broken."""
    return read_image(path)


def nothing_found(layout: str, root: Path, expected: str) -> DatasetError:
    """The error for a folder without targets of the layout."""
    state = "no target was found" if root.exists() else "the folder does not exist"
    return DatasetError(
        f"no training set of layout {layout!r} at {root}: {state}.\n"
        f"  expected: {expected}\n"
        "Give the folder into which the official archives were unpacked."
    )


def first_folder(*candidates: Path) -> Path | None:
    """The first of several folders that exists."""
    return next((folder for folder in candidates if folder.is_dir()), None)
