"""Motion of the camera and the actors over all frames of a scene.

The target and the actors near it are steered on screen, to control when the target leaves the
view, then mapped to the world with the steady camera; camera shake is added when drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray
from bench.mini.scenario import Scenario
from bench.mini.signals import pulse, roam, smooth, wander

_CLEAR_START = 6  # first frames, in which no obstacle may cover the target


@dataclass(frozen=True, eq=False)
class Camera:
    """The camera over ``N`` frames.

    Attributes:
        centre: ``(N, 2)`` world point in the middle of the view, without shake.
        zoom: ``(N,)`` screen pixels per world pixel.
        angle: ``(N,)`` rotation of the view.
        shake: ``(N, 2)`` displacement on screen by camera shake.
        size: (width, height) of the view.
    """

    centre: FloatArray
    zoom: FloatArray
    angle: FloatArray
    shake: FloatArray
    size: tuple[int, int]

    def to_world(self, screen: FloatArray) -> FloatArray:
        """Screen points ``(N, 2)``, one per frame and without shake, in the world."""
        x, y = (screen - np.array(self.size) / 2).T / self.zoom
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        world: FloatArray = np.stack([cos * x + sin * y, cos * y - sin * x], axis=1) + self.centre
        return world

    def to_screen(self, world: FloatArray) -> FloatArray:
        """World points ``(N, 2)``, one per frame, on the screen with shake."""
        x, y = (world - self.centre).T * self.zoom
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = np.stack([cos * x - sin * y, sin * x + cos * y], axis=1)
        screen: FloatArray = turned + np.array(self.size) / 2 + self.shake
        return screen


@dataclass(frozen=True, eq=False)
class Path:
    """Motion of one actor over ``N`` frames.

    Attributes:
        position: ``(N, 2)`` in the world.
        scale: ``(N,)`` size relative to the actor's radius.
        roll: ``(N,)`` in-plane rotation.
        yaw: ``(N,)`` out-of-plane rotation.
        phase: ``(N,)`` cycles of gait or wobble.
    """

    position: FloatArray
    scale: FloatArray
    roll: FloatArray
    yaw: FloatArray
    phase: FloatArray


def draw_camera(rng: np.random.Generator, scenario: Scenario) -> Camera:
    """Camera with the pan, zoom, tilt and shake of the scenario."""
    frames = scenario.frames
    velocity = roam(rng, frames, max(2, frames // 25), softness=5.0)
    velocity *= scenario.pan / max(float(np.hypot(*velocity.T).mean()), 1e-9)
    jolts = rng.standard_t(4, (frames, 2)) * scenario.shake / 1.4
    return Camera(
        centre=rng.uniform(0, 768, 2) + np.cumsum(velocity, axis=0),
        zoom=2.0 ** wander(rng, frames, scenario.zoom),
        angle=np.radians(wander(rng, frames, scenario.tilt)),
        shake=smooth(np.clip(jolts, -4 * scenario.shake, 4 * scenario.shake), 0.6),
        size=(scenario.width, scenario.height),
    )


def target_path(rng: np.random.Generator, scenario: Scenario, camera: Camera) -> Path:
    """Path of the target across the view, and out of it if the scenario says so."""
    scale = 2.0 ** wander(rng, scenario.frames, scenario.grow)
    limit = 0.62 * scenario.height / scenario.size
    scale = np.minimum(scale, limit / camera.zoom)
    margin = 0.5 * scenario.size * scale * camera.zoom
    way = scenario.spread * roam(rng, scenario.frames, scenario.legs)
    screen = _fit(way, margin, camera)
    if scenario.leave != "no":
        screen = _leave(rng, scenario, screen, margin)
    return Path(
        position=camera.to_world(screen),
        scale=scale,
        roll=np.radians(wander(rng, scenario.frames, scenario.roll)),
        yaw=np.radians(wander(rng, scenario.frames, scenario.yaw, 90)),
        phase=_gait(rng, scenario.frames),
    )


def follower_path(
    rng: np.random.Generator, scenario: Scenario, camera: Camera, leader: Path
) -> Path:
    """Path that stays beside the leader at a varying distance."""
    frames = scenario.frames
    gap = scenario.size * leader.scale * camera.zoom
    half = np.array(camera.size) / 2
    leading = camera.to_screen(leader.position) - camera.shake
    angle = rng.uniform(0, 2 * np.pi) + wander(rng, frames, 1.0, 100)
    # Biased towards the middle of the view, to pass the leader rather than leave the view.
    side = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 1.5 * (half - leading) / half
    side = smooth(side / np.hypot(*side.T)[:, None], 4.0)
    screen = leading + side * (gap * (1.4 + wander(rng, frames, 0.5, 60)))[:, None]
    scale = leader.scale * 2.0 ** wander(rng, frames, 0.25)
    roll = leader.roll + np.radians(wander(rng, frames, 12))
    return Path(camera.to_world(screen), scale, roll, leader.yaw, _gait(rng, frames))


def crossing_path(
    rng: np.random.Generator, scenario: Scenario, camera: Camera, leader: Path
) -> Path:
    """Straight path that meets the leader some time after the start."""
    frames = scenario.frames
    meeting = max(1, int(rng.uniform(0.2, 0.9) * frames))
    heading = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(heading), np.sin(heading)])
    speed = max(rng.uniform(0.035, 0.09), 1.8 / meeting) * scenario.size
    miss = rng.uniform(-0.6, 0.6) * scenario.size * along[::-1] * [1, -1]
    place = leader.position[meeting] + miss
    position = place + speed * (np.arange(frames) - meeting)[:, None] * along
    scale = leader.scale[meeting] * 2.0 ** wander(rng, frames, 0.3)
    roll = np.radians(wander(rng, frames, scenario.roll))
    return Path(position, scale, roll, leader.yaw, _gait(rng, frames))


def free_path(rng: np.random.Generator, scenario: Scenario, camera: Camera) -> Path:
    """Path anywhere in view, independent of the other actors."""
    frames = scenario.frames
    screen = _fit(1.3 * roam(rng, frames, 3), np.zeros(frames), camera)
    scale = 2.0 ** (rng.uniform(-0.6, 0.6) + wander(rng, frames, 0.3))
    roll = np.radians(wander(rng, frames, 20))
    yaw = np.radians(wander(rng, frames, 40))
    return Path(camera.to_world(screen), scale, roll, yaw, _gait(rng, frames))


def obstacle_path(
    rng: np.random.Generator, scenario: Scenario, leader: Path, reach: float
) -> Path:
    """Fixed point on the leader's path, away from its start.

    ``reach`` is the obstacle's half width in pixels.
    """
    frames = scenario.frames
    start = leader.position[:_CLEAR_START].mean(axis=0)
    clear = 0.75 * scenario.size + reach
    away = np.hypot(*(leader.position - start).T)
    times = np.flatnonzero(away > clear)
    if not len(times):
        times = np.array([int(np.argmax(away))])
    # Prefer where the leader is fast, or it would be hidden for too long.
    haste = np.hypot(*np.gradient(leader.position, axis=0).T)[times] ** 2 + 1e-6
    time = int(rng.choice(times, p=haste / haste.sum()))
    outward = leader.position[time] - start
    outward = outward / max(float(np.hypot(*outward)), 1e-9)
    # Perpendicular to the path, so that a long obstacle cannot cover the start.
    across = float(np.arctan2(outward[1], outward[0])) + rng.uniform(-0.2, 0.2)
    place = leader.position[time] + outward * max(0.0, clear - float(away[time]))
    ones = np.ones(frames)
    return Path(np.tile(place, (frames, 1)), ones, across * ones, 0 * ones, 0 * ones)


def _fit(way: FloatArray, margin: FloatArray, camera: Camera) -> FloatArray:
    """Map a path in [-1, 1] x [-1, 1] to the screen, ``margin`` pixels inside its border."""
    half = np.array(camera.size) / 2
    room = np.maximum(half - margin[:, None], 0.15 * half)
    return half + np.clip(way, -1, 1) * room


def _leave(
    rng: np.random.Generator, scenario: Scenario, screen: FloatArray, margin: FloatArray
) -> FloatArray:
    """Bend a screen path over the left or right border for some frames."""
    frames = scenario.frames
    beyond = 1.35 if scenario.leave == "fully" else 0.1
    plateau = 8 if scenario.leave == "fully" else 5
    time = rng.uniform(0.35, 0.75) * frames
    level = pulse(frames, time, plateau, ramp=10)[:, None]
    to_left = screen[int(time), 0] < scenario.width / 2
    edge = -beyond * margin if to_left else scenario.width + beyond * margin
    exit_point = np.stack([edge, screen[:, 1]], axis=1)
    return screen + level * (exit_point - screen)


def _gait(rng: np.random.Generator, frames: int) -> FloatArray:
    period = rng.uniform(14, 26)
    return rng.uniform() + np.arange(frames) / period
