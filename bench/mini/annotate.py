"""Exact annotation measured in masks and images, and what follows from it.

Coordinates are 0-based pixels. Definitions of attributes and tags: OTB-2015 table 2 (Wu, Lim,
Yang, TPAMI 2015), UAV123 table 2 (Mueller, Smith, Ghanem, ECCV 2016), LaSOT table 3 (Fan et al.,
CVPR 2019), the five tags of the VOT challenge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.geometry import mask_to_box
from bench.mini.pixels import Mask
from bench.mini.plan import Rules
from bench.mini.render import Frame, TargetView
from bench.mini.scene import Scene

_GONE = 0.05  # share of the target below which it counts as absent
_RECENT = 10  # frames that tags look back


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


def sequence_attributes(
    scene: Scene, target: int, annotation: Annotation, rules: Rules, start: int = 0
) -> frozenset[str]:
    """Attributes of one target, by the abbreviations of OTB, UAV123 and LaSOT.

    Args:
        scene: the rendered scene.
        target: index into ``scene.targets``.
        annotation: of that target, starting at frame ``start`` of the scene.
        rules: the benchmark's thresholds.
        start: first annotated frame of the scene.
    """
    span = slice(start, start + len(annotation))
    roll, yaw = _turns(scene, target)
    boxes = annotation.boxes[~annotation.absent]
    in_plane, out_of_plane = np.ptp(roll[span]) > 20, np.ptp(yaw[span]) > 30
    partly, fully = (annotation.cover > 0.1).any(), annotation.occluded.any()
    actor = scene.actors[scene.targets[target]]
    facts = {
        "IV": annotation.light.max() > 1.5 * annotation.light.min(),
        "SV": _leaves_half_to_double(boxes[:, 2] * boxes[:, 3]),
        "ARC": _leaves_half_to_double(boxes[:, 2] / boxes[:, 3]),
        "LR": (boxes[:, 2] * boxes[:, 3]).min() < rules.low_resolution,
        "FM": _is_fast(annotation, rules),
        "OCC": partly,
        "POC": partly,
        "FOC": fully,
        "OV": annotation.out_of_view.any()
        if rules.leaves_wholly
        else annotation.in_view.min() < 0.95,
        "DEF": actor.shape.suppleness >= 0.3,
        "MB": (annotation.streak > 4).mean() > 0.05,
        "IPR": in_plane,
        "OPR": out_of_plane,
        "ROT": in_plane or out_of_plane,
        "VC": np.ptp(yaw[span]) > 60,
        "CM": _camera_steps(scene)[span].max() > 5,
        "BC": np.median(annotation.clutter) > 0.45,
        "SOB": _lookalike_near(scene, target)[span].sum() >= 5,
    }
    return frozenset(name for name, fact in facts.items() if fact)


def frame_tags(scene: Scene, annotation: Annotation, start: int = 0) -> dict[str, BoolArray]:
    """The five tags of VOT, each ``(N,)``."""
    span = slice(start, start + len(annotation))
    step = np.diff(_centres(annotation), axis=0, prepend=np.nan)
    turn = np.hypot(*np.diff(step, axis=0, prepend=np.nan).T)
    area = annotation.whole[:, 2] * annotation.whole[:, 3]
    return {
        "camera_motion": _camera_steps(scene)[span] > 1.0,
        "illum_change": np.abs(_recent_octaves(annotation.light)) > 0.15,
        "motion_change": np.nan_to_num(turn) > 2.0,
        "occlusion": annotation.cover > 0.1,
        "size_change": np.abs(_recent_octaves(area)) > 0.3,
    }


def _centres(annotation: Annotation) -> FloatArray:
    return annotation.whole[:, :2] + annotation.whole[:, 2:] / 2


def _turns(scene: Scene, target: int) -> tuple[FloatArray, FloatArray]:
    """In-plane and out-of-plane rotation on screen in degrees, each ``(len(scene),)``."""
    path = scene.actors[scene.targets[target]].path
    return np.degrees(path.roll + scene.camera.angle), np.degrees(path.yaw)


def _leaves_half_to_double(values: FloatArray) -> bool:
    ratio = values / values[0]
    return bool(((ratio < 0.5) | (ratio > 2.0)).any())


def _is_fast(annotation: Annotation, rules: Rules) -> bool:
    step = np.hypot(*np.diff(_centres(annotation), axis=0).T)
    if rules.fast_pixels is not None:
        return bool((step > rules.fast_pixels).any())
    return bool((step > np.sqrt(annotation.whole[1:, 2] * annotation.whole[1:, 3])).any())


def _camera_steps(scene: Scene) -> FloatArray:
    """Motion of a static point in the middle of the view since the last frame, in pixels."""
    camera = scene.camera
    middle = np.tile(np.array(camera.size) / 2, (len(scene), 1))
    at_rest = camera.to_world(middle)
    before = camera.to_screen(np.roll(at_rest, -1, axis=0))[:-1]
    steps = np.hypot(*(before - camera.to_screen(at_rest)[1:]).T)
    return np.concatenate([[0.0], steps])


def _lookalike_near(scene: Scene, target: int) -> BoolArray:
    """``(len(scene),)`` True where another of its kind is in view and within three sizes."""
    here = scene.actors[scene.targets[target]]
    centre = scene.camera.to_screen(here.path.position)
    reach = 3 * 2 * here.radius * here.path.scale * scene.camera.zoom
    near = np.zeros(len(scene), dtype=np.bool_)
    others = (index for index in (*scene.lookalikes, *scene.targets))
    for index in others:
        if index != scene.targets[target]:
            place = scene.camera.to_screen(scene.actors[index].path.position)
            in_view = ((place > 0) & (place < scene.camera.size)).all(axis=1)
            near |= in_view & (np.hypot(*(place - centre).T) < reach)
    return near


def _recent_octaves(values: FloatArray) -> FloatArray:
    """Change of positive values ``(N,)`` over the last ``_RECENT`` frames, in octaves."""
    earlier = np.concatenate([np.repeat(values[:1], _RECENT), values])[: len(values)]
    change: FloatArray = np.log2(values / earlier)
    return change
