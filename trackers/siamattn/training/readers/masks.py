"""Masks stored in image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import DatasetError
from trackers.siamattn.training.sources import BoolArray


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


def read_flat_mask(path: Path) -> BoolArray:
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
