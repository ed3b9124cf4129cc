"""Annotation from masks: boxes, rotated boxes, absence, tags and attributes.

Nothing here is guessed: boxes come from the masks, tags and attributes from what was measured
in the masks and images or done by scene, camera and light. Coordinates are 0-based pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.geometry import mask_to_box
from bench.mini.pixels import Mask
from bench.mini.render import Frame, TargetView
from bench.mini.signals import FloatArray
from bench.mini.textures import Image

BoolArray = NDArray[np.bool_]

_GONE = 0.05  # a smaller share of the target than this is as good as none


@dataclass(frozen=True, eq=False)
class Annotation:
    """One target along ``N`` frames.

    Attributes:
        boxes: ``(N, 4)`` x, y, w, h of the target within the view as if nothing covered it;
            NaN where no pixel of it is within the view.
        whole: ``(N, 4)`` the same as if the view had no end; never NaN.
        polygons: ``(N, 4, 2)`` smallest rotated rectangle around the whole target: corners
            clockwise on screen from the topmost (of two, the left one).
        in_view: ``(N,)`` share of the target that lies within the view.
        visible: ``(N,)`` share of the target that lies within the view and is not covered.
        light: ``(N,)`` brightness of the light on the target.
        streak: ``(N,)`` length of its motion blur in pixels.
        clutter: ``(N,)`` likeness of the target's colours and those around it, 0..1.
    """

    boxes: FloatArray
    whole: FloatArray
    polygons: FloatArray
    in_view: FloatArray
    visible: FloatArray
    light: FloatArray
    streak: FloatArray
    clutter: FloatArray

    @property
    def out_of_view(self) -> BoolArray:
        """``(N,)`` True where the target has left the view."""
        return self.in_view < _GONE

    @property
    def occluded(self) -> BoolArray:
        """``(N,)`` True where the target is in view and hidden by something else."""
        return ~self.out_of_view & (self.visible < _GONE * self.in_view)

    @property
    def absent(self) -> BoolArray:
        """``(N,)`` True where nothing of the target can be seen."""
        return self.out_of_view | self.occluded

    @property
    def cover(self) -> FloatArray:
        """``(N,)`` share of the target's part within the view that something else covers."""
        return 1 - self.visible / np.maximum(self.in_view, 1e-9)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, part: slice) -> Annotation:
        """The same target along some of the frames."""
        return Annotation(**{name: values[part] for name, values in vars(self).items()})


def annotate(frames: Iterable[Frame]) -> list[Annotation]:
    """One ``Annotation`` per target of the frames of a video, in the scene's order."""
    rows = [[_measure(view, frame.image) for view in frame.targets] for frame in frames]
    return [_stack([row[rank] for row in rows]) for rank in range(len(rows[0]))]


def rotated_box(mask: Mask) -> FloatArray:
    """The smallest rotated rectangle ``(4, 2)`` around the pixels of a mask ``(H, W)``.

    Around their areas, not their centres: one pixel has the corners (0, 0) to (1, 1). Corners
    go clockwise on screen, starting with the topmost, of two the left one.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - mask[rows][:, ::-1].argmax(axis=1)
    ends = [np.stack([x, y], axis=1) for x in (left, right) for y in (rows, rows + 1)]
    corners = cv2.boxPoints(cv2.minAreaRect(np.concatenate(ends).astype(np.float32)))
    return canonical(np.asarray(corners, dtype=np.float64))


def canonical(polygon: FloatArray) -> FloatArray:
    """The corners ``(K, 2)`` of a convex polygon, clockwise on screen from the topmost.

    Hundredths of pixels decide which is topmost, of two the left one.
    """
    x, y = (polygon - polygon.mean(axis=0)).T
    clockwise = polygon[np.argsort(np.arctan2(y, x), kind="stable")]
    first = np.lexsort(np.round(clockwise, 2).T)[0]
    return np.roll(clockwise, -int(first), axis=0)


def _measure(view: TargetView, image: Image) -> dict[str, FloatArray | float]:
    offset = np.array(view.offset, dtype=np.float64)
    pixels = float(view.silhouette.sum())
    whole = mask_to_box(view.silhouette) + np.append(offset, [0, 0])
    return {
        "boxes": mask_to_box(view.full) if view.full.any() else np.full(4, np.nan),
        "whole": whole,
        "polygons": rotated_box(view.silhouette) + offset,
        "in_view": float(view.full.sum()) / pixels,
        "visible": float(view.visible.sum()) / pixels,
        "light": view.light,
        "streak": view.streak,
        "clutter": _clutter(view, whole, image),
    }


def _clutter(view: TargetView, box: FloatArray, image: Image) -> float:
    """Bhattacharyya coefficient of the colours of the target and those around it."""
    x, y, w, h = box
    top, bottom = (int(np.clip(v, 0, len(image))) for v in (y - h / 2, y + 1.5 * h))
    left, right = (int(np.clip(v, 0, image.shape[1])) for v in (x - w / 2, x + 1.5 * w))
    window = (slice(top, bottom), slice(left, right))
    crop = np.ascontiguousarray(image[window])
    if not view.visible[window].any() or view.full[window].all():
        return 0.0
    inside, outside = (_histogram(crop, mask[window]) for mask in (view.visible, ~view.full))
    return float(np.sqrt(inside * outside).sum())


def _histogram(image: Image, mask: Mask) -> FloatArray:
    counts = cv2.calcHist([image], [0, 1, 2], mask.astype(np.uint8), [8] * 3, [0, 256] * 3)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _stack(rows: list[dict[str, FloatArray | float]]) -> Annotation:
    return Annotation(**{name: np.array([row[name] for row in rows]) for name in rows[0]})
