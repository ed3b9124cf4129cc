"""Frames of a scene: the image and the exact masks of every target."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from bench.arrays import FloatArray, Image
from bench.mini.pixels import Mask, lit, place, streaked, warp
from bench.mini.places import WORLD
from bench.mini.scene import Scene
from bench.mini.sprites import (
    composite,
    draw_actor,
    motion_of_world,
    out_of_sight,
    view_matrix,
)
from bench.mini.textures import Field


@dataclass(frozen=True, eq=False)
class TargetView:
    """One target in one frame.

    Attributes:
        silhouette: ``(h, w)`` the whole target, without occlusion and in an unbounded view.
        offset: (x, y) of the silhouette's first pixel in the frame; may be negative.
        full: ``(H, W)`` the silhouette within the frame.
        visible: ``(H, W)`` the part of ``full`` that is not occluded.
        light: brightness of the light on it; 1 is full sun at normal exposure.
        streak: length of its motion blur in pixels.
    """

    silhouette: Mask
    offset: tuple[int, int]
    full: Mask
    visible: Mask
    light: float
    streak: float


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: an RGB image ``uint8 (H, W, 3)`` and its targets in the scene's order."""

    image: Image
    targets: tuple[TargetView, ...]


def render_frame(scene: Scene, time: int) -> Frame:
    """Render frame ``time`` (0-based) of a scene; equal scenes give equal frames."""
    size = (scene.scenario.width, scene.scenario.height)
    canvas = _background(scene, time)
    light = _light(scene, time)
    views: dict[int, TargetView] = {}
    for index, actor in enumerate(scene.actors):
        annotated = index in scene.targets
        if not annotated and out_of_sight(scene, actor, time):
            continue
        sprite = draw_actor(scene, actor, time, whole=annotated)
        solid = sprite.cover >= 128
        placed = place(solid, sprite.offset, size)
        for rank, view in views.items():
            views[rank] = replace(view, visible=view.visible & ~placed)
        if annotated:
            streak = float(np.hypot(*sprite.motion))
            views[index] = TargetView(
                solid, sprite.offset, placed, placed.copy(), _mean(light, placed), streak
            )
        composite(canvas, sprite)
    x, y = scene.jitter[time]
    grain = scene.grain[y : y + size[1], x : x + size[0]]
    image = np.asarray(cv2.add(lit(canvas, light), grain, dtype=cv2.CV_8U), dtype=np.uint8)
    return Frame(image, tuple(views[index] for index in scene.targets))


def _background(scene: Scene, time: int) -> Image:
    picture = warp(scene.world, _near_matrix(scene, time), scene.camera.size, cv2.BORDER_WRAP)
    middle = np.tile(np.array(scene.camera.size) / 2, (len(scene), 1))
    return streaked(picture, motion_of_world(scene, scene.camera.to_world(middle)[time], time))


def _light(scene: Scene, time: int) -> Field:
    """Brightness ``(H, W)`` of the light at every pixel of the frame."""
    matrix = _near_matrix(scene, time)
    matrix[:, :2] *= WORLD / len(scene.shadows)
    shadows = warp(scene.shadows, matrix, scene.camera.size, cv2.BORDER_WRAP)
    return shadows.astype(np.float32) * np.float32(scene.gain[time] / 255)


def _near_matrix(scene: Scene, time: int) -> FloatArray:
    """World to screen, shifted by whole worlds because OpenCV's warp needs small numbers."""
    matrix = view_matrix(scene, time)
    matrix[:, 2] += matrix[:, :2] @ (WORLD * np.floor(scene.camera.centre[time] / WORLD))
    return matrix


def _mean(field: Field, mask: Mask) -> float:
    """Mean over the mask, or over the whole field if the mask is empty."""
    return float(field[mask].mean()) if mask.any() else float(field.mean())
