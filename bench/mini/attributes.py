"""Attributes of sequences and tags of frames.

Definitions: OTB-2015 table 2 (Wu, Lim, Yang, TPAMI 2015), UAV123 table 2 (Mueller, Smith, Ghanem,
ECCV 2016), LaSOT table 3 (Fan et al., CVPR 2019), the five tags of the VOT challenge.
"""

from __future__ import annotations

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.mini.annotate import Annotation
from bench.mini.plan import Rules
from bench.mini.scene import Scene

_RECENT = 10  # frames that tags look back


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
