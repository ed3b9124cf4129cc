"""Exact annotation measured in masks and images. Coordinates are 0-based pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.geometry import mask_to_box
from bench.mini.pixels import Mask
from bench.mini.render import Frame, TargetView

_GONE = 0.05  # share of the target below which it counts as absent


@dataclass(frozen=True, eq=False)
class Annotation:
    """One target along ``N`` frames.

    Attributes:
        boxes: ``(N, 4)`` x, y, w, h of the target within the view, ignoring occlusion; NaN where
            it is outside.
        whole: ``(N, 4)`` the same for an unbounded view; never NaN.
        polygons: ``(N, 4, 2)`` minimum-area rotated rectangle of the whole target: corners
            clockwise on screen from the topmost (left one of two).
        in_view: ``(N,)`` share of the target within the view.
        visible: ``(N,)`` share of the target within the view and not occluded.
        light: ``(N,)`` brightness of the light on the target.
        streak: ``(N,)`` length of its motion blur in pixels.
        clutter: ``(N,)`` colour similarity of the target and its surroundings, 0..1.
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
        """``(N,)`` True where the target is in view but occluded."""
        return ~self.out_of_view & (self.visible < _GONE * self.in_view)

    @property
    def absent(self) -> BoolArray:
        """``(N,)`` True where the target is not visible at all."""
        return self.out_of_view | self.occluded

    @property
    def cover(self) -> FloatArray:
        """``(N,)`` occluded share of the target's part within the view."""
        return 1 - self.visible / np.maximum(self.in_view, 1e-9)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, part: slice) -> Annotation:
        """The same target in some of the frames."""
        return Annotation(**{name: values[part] for name, values in vars(self).items()})


def annotate(frames: Iterable[Frame]) -> list[Annotation]:
    """One ``Annotation`` per target of a video, in the scene's order."""
    rows = [[_measure(view, frame.image) for view in frame.targets] for frame in frames]
    return [_stack([row[rank] for row in rows]) for rank in range(len(rows[0]))]


def rotated_box(mask: Mask) -> FloatArray:
    """Minimum-area rotated rectangle ``(4, 2)`` of a mask ``(H, W)``.

    It encloses pixel areas, not centres: one pixel has the corners (0, 0) to (1, 1). Corners are
    in the order of ``canonical``.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - mask[rows][:, ::-1].argmax(axis=1)
    ends = [np.stack([x, y], axis=1) for x in (left, right) for y in (rows, rows + 1)]
    corners = cv2.boxPoints(cv2.minAreaRect(np.concatenate(ends).astype(np.float32)))
    return canonical(np.asarray(corners, dtype=np.float64))


def canonical(polygon: FloatArray) -> FloatArray:
    """Corners ``(K, 2)`` of a convex polygon, clockwise on screen from the topmost.

    Heights are compared in hundredths of a pixel; the left one of two wins.
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
    """Bhattacharyya coefficient of the colours of the target and its surroundings."""
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
