"""An enlarged part of a frame in one of its corners, for targets too small for print."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bench.arrays import FloatArray, Image
from bench.reports.overlay import Layer, Shape, draw_regions

_SMALL = 0.1  # of the frame's width: a target below is enlarged
_AROUND = 2.6  # sides of the part, in sides of the target
_INSET = 0.46  # of the frame's lesser side
_LEAST = 1.6  # times that the part is enlarged at least
_MARGIN = 4  # pixels
_WHITE = (255, 255, 255)


def with_inset(
    picture: Image, image: Image, drawn: list[Layer], index: int, zoom: int
) -> tuple[Image, bool]:
    """A picture with the surroundings of a small target enlarged in the emptiest corner.

    Args:
        picture: the frame, enlarged by ``zoom``, with its regions.
        image: the frame, RGB ``uint8 (H, W, 3)``.
        drawn: its layers; the first is the ground truth.
        index: of the frame, from 0.
        zoom: of the picture.

    Returns:
        The picture, and whether there is an inset: not if the target is large or unknown.
    """
    import cv2

    target = _box(drawn[0].shape(index))
    side = round(_INSET * min(picture.shape[:2]))
    if target is None:
        return picture, False
    x, y, w, h = target
    part = min(math.ceil(_AROUND * max(w, h, 8)), *image.shape[:2])
    if max(w, h) > _SMALL * image.shape[1] or side < _LEAST * part * zoom:
        return picture, False
    left = min(max(0, round(x + w / 2 - part / 2)), image.shape[1] - part)
    top = min(max(0, round(y + h / 2 - part / 2)), image.shape[0] - part)
    cut = np.ascontiguousarray(image[top : top + part, left : left + part])
    moved = [_moved(layer, index, left, top, part) for layer in drawn]
    enlarged = draw_regions(cut, moved, index, zoom=math.ceil(side / part))
    inset = cv2.resize(enlarged, (side, side), interpolation=cv2.INTER_AREA)
    boxes = [box * zoom for layer in drawn if (box := _box(layer.shape(index))) is not None]
    at_x, at_y = _corner(picture, side, [*boxes, np.array([left, top, part, part]) * zoom])
    picture = picture.copy()
    start = (zoom * left, zoom * top)
    end = (start[0] + zoom * part, start[1] + zoom * part)
    cv2.rectangle(picture, start, end, _WHITE, 1, cv2.LINE_AA)
    picture[at_y : at_y + side, at_x : at_x + side] = inset
    cv2.rectangle(picture, (at_x, at_y), (at_x + side - 1, at_y + side - 1), _WHITE, 2)
    return picture, True


def _box(shape: Shape | None) -> FloatArray | None:
    """The x, y, w, h around corners; None for a mask, which is never small enough to matter."""
    if shape is None or shape.ndim != 2 or shape.dtype == np.bool_:
        return None
    corners = np.asarray(shape, dtype=np.float64)
    low = corners.min(axis=0)
    return np.concatenate([low, corners.max(axis=0) - low])


def _moved(layer: Layer, index: int, left: int, top: int, part: int) -> Layer:
    """A layer in the coordinates of a part of the frame; masks of this frame only."""

    def moved(at: int, shape: Shape | None) -> Shape | None:
        if shape is None or shape.ndim == 1:
            return None
        if shape.dtype == np.bool_:
            return shape[top : top + part, left : left + part] if at == index else None
        return np.asarray(shape - np.array([left, top]), dtype=np.float64)

    shapes = tuple(moved(at, shape) for at, shape in enumerate(layer.shapes[: index + 1]))
    return replace(layer, shapes=shapes)


def _corner(picture: Image, side: int, boxes: Iterable[FloatArray]) -> tuple[int, int]:
    """The corner in which an inset hides least of the boxes; the number is at the upper left."""
    height, width = picture.shape[:2]
    right, low = width - side - _MARGIN, height - side - _MARGIN
    taken = list(boxes)

    def hidden(corner: tuple[int, int]) -> float:
        x, y = corner
        across = (min(x + side, b[0] + b[2]) - max(x, b[0]) for b in taken)
        down = (min(y + side, b[1] + b[3]) - max(y, b[1]) for b in taken)
        return float(sum(max(0, a) * max(0, d) for a, d in zip(across, down, strict=True)))

    return min([(right, low), (right, _MARGIN), (_MARGIN, low)], key=hidden)
