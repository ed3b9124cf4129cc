"""Actors on screen: textured, bent, rotated and blurred."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.arrays import FloatArray, Image, IntArray
from bench.mini.pixels import (
    LONGEST_STREAK,
    blend,
    lit,
    overlap,
    padded,
    remap,
    resize,
    streaked,
    warp,
)
from bench.mini.scene import Actor, Scene
from bench.mini.textures import Field


@dataclass(frozen=True, eq=False)
class Sprite:
    """An actor on screen before motion blur.

    Attributes:
        colour: ``(h, w, 3)``.
        cover: ``(h, w)`` opacity, 0..255.
        offset: (x, y) of its first pixel in the frame.
        motion: (x, y) streak of its motion blur in pixels.
    """

    colour: Image
    cover: Image
    offset: tuple[int, int]
    motion: FloatArray


def view_matrix(scene: Scene, time: int) -> FloatArray:
    """World to screen at ``time`` as an affine matrix ``(2, 3)``."""
    camera = scene.camera
    zoom, angle = camera.zoom[time], camera.angle[time]
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array(camera.size) / 2 + camera.shake[time]
    shift = middle - turn @ camera.centre[time]
    return np.column_stack([turn, shift])


def _project(matrix: FloatArray, point: FloatArray) -> FloatArray:
    projected: FloatArray = matrix[:, :2] @ point + matrix[:, 2]
    return projected


def motion_of_world(scene: Scene, point: FloatArray, time: int) -> FloatArray:
    """Streak (x, y) of a static world point while the shutter is open."""
    return _streak(scene, np.tile(point, (len(scene), 1)), time)


def _streak(scene: Scene, positions: FloatArray, time: int) -> FloatArray:
    """Streak (x, y) of a point with world positions ``(N, 2)``."""
    early, late = max(time - 1, 0), min(time + 1, len(scene) - 1)
    before, after = (_project(view_matrix(scene, t), positions[t]) for t in (early, late))
    return (after - before) * (scene.scenario.shutter / max(late - early, 1))


def out_of_sight(scene: Scene, actor: Actor, time: int) -> bool:
    """True if an actor is certainly outside the view and need not be drawn."""
    camera, path = scene.camera, actor.path
    reach = 1.5 * actor.radius * path.scale[time] * camera.zoom[time] + LONGEST_STREAK
    away = np.abs(_project(view_matrix(scene, time), path.position[time]) * 2 - camera.size)
    return bool((away > np.array(camera.size) + 2 * reach).any())


def draw_actor(scene: Scene, actor: Actor, time: int, whole: bool) -> Sprite:
    """Draw an actor on screen.

    ``whole`` also draws what is outside the view, which is slow for large actors.
    """
    colour, cover = _dress(actor, time)
    matrix = _actor_matrix(scene, actor, time)
    side = len(cover)
    shrink = float(np.hypot(*matrix[:, 0])) * 2 / side
    if shrink < 0.7:
        smaller = max(8, int(side * shrink * 1.2))
        colour = resize(colour, smaller)
        cover = resize(cover, smaller)
        side = smaller
    unit = np.array([[2 / side, 0, -1 + 1 / side], [0, 2 / side, -1 + 1 / side], [0, 0, 1]])
    matrix = matrix @ unit
    low, high = _extent(matrix, side)
    if not whole:
        margin = int(LONGEST_STREAK)
        low = np.clip(low, -margin, np.array(scene.camera.size) + margin)
        high = np.clip(high, low + 1, np.array(scene.camera.size) + margin + 1)
    matrix[:, 2] -= low
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    colour = warp(colour, matrix, size, cv2.BORDER_REPLICATE)
    cover = warp(cover, matrix, size, cv2.BORDER_CONSTANT)
    return Sprite(
        colour, cover, (int(low[0]), int(low[1])), _streak(scene, actor.path.position, time)
    )


def _extent(matrix: FloatArray, side: int) -> tuple[IntArray, IntArray]:
    """First pixel and one past the last, each (x, y), of a transformed square of ``side``."""
    ends = np.array([-0.5, side - 0.5])
    corners = np.array([np.tile(ends, 2), np.repeat(ends, 2), np.ones(4)])
    reach = matrix @ corners
    low = np.floor(reach.min(axis=1)).astype(np.int64) - 1
    return low, np.ceil(reach.max(axis=1)).astype(np.int64) + 2


def _dress(actor: Actor, time: int) -> tuple[Image, Image]:
    """The actor in front view: colour ``(S, S, 3)`` and cover ``(S, S)``."""
    side = len(actor.skins[0])
    phase, yaw = float(actor.path.phase[time]), float(actor.path.yaw[time])
    cover = np.zeros((side, side), dtype=np.uint8)
    trims = [np.zeros_like(cover) for _ in actor.skins[1:]]
    for outline, layer in actor.shape.outline(phase):
        # Fixed point with four fractional bits, for subpixel motion.
        corners = np.rint((outline + 1) * (side / 2 * 16) - 8).astype(np.int32)
        cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA, 4)
        for number, trim in enumerate(trims, start=1):
            cv2.fillPoly(trim, [corners], 255 * (number == layer), cv2.LINE_AA, 4)
    x, y = _bend(side, actor.wobble, phase)
    if actor.wobble:
        cover = remap(cover, x, y, cv2.BORDER_CONSTANT)
        trims = [remap(trim, x, y, cv2.BORDER_CONSTANT) for trim in trims]
    # The skin wraps a cylinder whose front half is visible; yaw rotates the cylinder.
    across = np.clip(x * (2 / side) - 1, -0.97, 0.97)
    round_x = (np.arcsin(across) / np.pi + 0.5 + yaw / np.pi) * np.float32(side)
    colour, *others = (remap(skin, round_x, y, cv2.BORDER_WRAP) for skin in actor.skins)
    for other, trim in zip(others, trims, strict=True):
        colour = blend(colour, other, trim)
    shade = 0.62 + 0.38 * np.sqrt(1 - across**2)
    return lit(colour, shade), cover


def _bend(side: int, wobble: float, phase: float) -> tuple[Field, Field]:
    """Source x and y of each pixel of a bending body, ``(S, S)`` each, in pixels."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    turns = np.float32(np.pi / side)
    wave_x = np.sin(1.3 * turns * y + np.float32(2 * np.pi * phase * 0.5))
    wave_y = np.sin(1.7 * turns * x + np.float32(2 * np.pi * phase * 0.35 + 1.0))
    reach = np.float32(0.06 * wobble * side)
    return x + reach * wave_x, y + 0.6 * reach * wave_y


def _actor_matrix(scene: Scene, actor: Actor, time: int) -> FloatArray:
    """Outline square [-1, 1] x [-1, 1] to screen as an affine matrix ``(2, 3)``."""
    path, camera = actor.path, view_matrix(scene, time)
    size = actor.radius * path.scale[time]
    slim = 1 - 0.45 * np.sin(path.yaw[time]) ** 2  # objects are longer than wide
    cos, sin = np.cos(path.roll[time]), np.sin(path.roll[time])
    turn = size * np.array([[cos * slim, -sin], [sin * slim, cos]])
    return np.column_stack([camera[:, :2] @ turn, _project(camera, path.position[time])])


def composite(canvas: Image, sprite: Sprite) -> None:
    """Draw a sprite onto the canvas in place, blurred along its motion."""
    pad = int(np.ceil(min(float(np.hypot(*sprite.motion)), LONGEST_STREAK) / 2))
    offset = (sprite.offset[0] - pad, sprite.offset[1] - pad)
    colour, cover = sprite.colour, sprite.cover
    if pad:
        colour = padded(colour, pad, cv2.BORDER_REPLICATE)
        cover = streaked(padded(cover, pad, cv2.BORDER_CONSTANT), sprite.motion)
        colour = streaked(colour, sprite.motion)
    inside, window = overlap(cover.shape, offset, canvas.shape)
    if canvas[window].size:
        canvas[window] = blend(canvas[window], colour[inside], cover[inside])
