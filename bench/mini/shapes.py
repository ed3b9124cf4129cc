"""Outlines of actors, as polygons that change with a phase.

An outline is in the square [-1, 1] x [-1, 1], y down. It is a list of parts, each a polygon
``(K, 2)`` and the texture layer that fills it: 0 for the main surface, 1 for the trim, more for
kinds with differently coloured parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray
from bench.errors import unknown_name

Part = tuple[FloatArray, int]

LAYERS = 4  # maximum number per kind


@dataclass(frozen=True, eq=False)
class Shape:
    """One individual of a kind.

    Attributes:
        kind: a name in ``KINDS``.
        build: ``(12,)`` random numbers in [-1, 1] that individualise it.
        suppleness: 0 rigid .. 1 as flexible as its kind allows.
    """

    kind: str
    build: FloatArray
    suppleness: float

    def outline(self, phase: float) -> list[Part]:
        """Parts at ``phase`` (cycles of gait, wing beat or wobble), back to front."""
        return KINDS[self.kind](self.build, phase, self.suppleness)


def draw_shape(rng: np.random.Generator, kind: str, suppleness: float) -> Shape:
    """A random individual of a kind.

    Raises:
        ConfigError: the kind is unknown.
    """
    if kind not in KINDS:
        raise unknown_name("shape", kind, KINDS)
    return Shape(kind, rng.uniform(-1, 1, 12), suppleness)


def _blob(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Soft body with moving bulges and a patch of trim."""
    theta = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = np.ones_like(theta)
    for k in range(2, 6):
        drift = 2 * np.pi * phase * (1 if k % 2 else -1) * suppleness
        bulge = (0.10 + 0.22 * suppleness) * build[k] / np.sqrt(k)
        radius += bulge * np.cos(k * theta + np.pi * build[k + 4] + drift)
    radius *= 0.92 / radius.max()
    body = radius[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)
    patch = 0.45 * body + 0.3 * build[:2]
    return [(body, 0), (patch, 1)]


def _plate(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Sign, book or box: a polygon of four to seven corners with a label."""
    corners = 4 + int((build[0] + 1) * 1.99)
    theta = 2 * np.pi * (np.arange(corners) + 0.5) / corners
    body = 0.95 * np.stack([np.cos(theta), np.sin(theta)], axis=1)
    body *= np.array([1.0, 0.8 + 0.2 * build[1]])
    return [(body, 0), (0.55 * body + 0.1 * build[2:4], 1)]


def _vehicle(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Car from the side: body, window, two wheels."""
    roof, nose = -0.55 + 0.1 * build[0], 0.62 + 0.15 * build[1]
    hood, rear = [[nose, -0.1], [0.95, 0.0], [0.97, 0.3]], [[-0.97, 0.3], [-0.97, -0.1]]
    body = np.array([[-0.5, -0.14], [-0.35, roof], [0.35 + 0.1 * build[2], roof], *hood, *rear])
    window = np.array([[-0.42, -0.12], [-0.29, roof + 0.1], [0.3, roof + 0.1], [0.5, -0.12]])
    wheels = [_ellipse(0.55 * side, 0.3, 0.2, 0.2) for side in (-1, 1)]
    return [(body, 0), (window, 1)] + [(wheel, 1) for wheel in wheels]


def _roof(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Car, boat or truck from above: a long hull with a screen or cargo."""
    width = 0.42 + 0.08 * build[0]
    side = np.array([[-0.95, -width], [0.6, -width], [0.93, -0.6 * width]])
    hull = np.concatenate([side, side[::-1] * [1, -1]])
    front = np.array([[0.2, -0.8 * width], [0.5, -0.7 * width], [0.5, 0.7 * width]])
    screen = np.vstack([front, [[0.2, 0.8 * width]]])
    return [(hull, 0), (screen, 1), (screen * [0.6, 0.9] - [0.85 + 0.1 * build[1], 0], 1)]


def _walker(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Person with swinging legs and arms."""
    swing = np.sin(2 * np.pi * phase) * (0.15 + 0.55 * suppleness)
    stout = 0.25 + 0.05 * build[0]
    torso = _ellipse(0.0, -0.22, stout, 0.42)
    head = _ellipse(0.04 * build[1], -0.76, 0.17, 0.2)
    legs = [_limb(0.1 * side, 0.08, side * swing, 0.88, 0.12) for side in (-1, 1)]
    arms = [_limb(stout * 0.7 * side, -0.45, -side * swing, 0.62, 0.08) for side in (-1, 1)]
    return [(legs[0], 1), (arms[0], 0), (legs[1], 1), (torso, 0), (head, 1), (arms[1], 0)]


def _bird(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Bird or ray: a slim body with beating wings."""
    beat = np.sin(2 * np.pi * phase) * (0.2 + 0.7 * suppleness)
    body = _ellipse(0.0, 0.0, 0.75, 0.2 + 0.04 * build[0])
    tip = np.array([-0.25 + 0.2 * build[1], 0.9])
    wings = []
    for side, lift in ((-1.0, beat), (1.0, beat * 0.8)):
        reach = tip * np.array([1.0, side * (0.62 + 0.36 * lift)])
        wings.append(np.array([[0.35, 0.08 * side], reach, reach - [0.2, 0.1 * side], [-0.3, 0]]))
    head = _ellipse(0.78, 0.05 * build[2], 0.16, 0.14)
    return [(wings[0], 1), (body, 0), (wings[1], 0), (head, 1)]


def _bar(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Post, trunk or rail."""
    top, foot = 0.032 + 0.01 * build[0], 0.032 + 0.01 * build[1]
    return [(np.array([[-top, -1.0], [top, -1.0], [foot, 1.0], [-foot, 1.0]]), 0)]


def _bush(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Foliage: overlapping lobes with gaps."""
    angles = 2 * np.pi * np.arange(6) / 6 + build[:6]
    lobes = [
        _ellipse(0.48 * np.cos(a), 0.48 * np.sin(a), 0.34 + 0.1 * b, 0.3)
        for a, b in zip(angles, build[6:], strict=True)
    ]
    return [(lobe, index % 2) for index, lobe in enumerate(lobes)]


def _figure(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Upright, slender person: top, trousers, skin, hair."""
    swing = np.sin(2 * np.pi * phase) * (0.05 + 0.4 * suppleness)
    stout = 0.2 + 0.06 * build[0]
    waist = 0.02 + 0.1 * build[1]
    legs = [
        _limb(0.4 * stout * side, waist - 0.05, side * swing, 0.98 - waist, 0.5 * stout)
        for side in (-1, 1)
    ]
    arms = [_limb(stout * side, -0.62, -side * swing, 0.62, 0.07) for side in (-1, 1)]
    torso = _rounded(0.0, (waist - 0.68) / 2, stout, (waist + 0.68) / 2)
    face = _ellipse(0.02 * build[2], -0.82, 0.12, 0.15)
    hair = _ellipse(0.02 * build[2] + 0.04 * build[3], -0.87, 0.125, 0.1)
    below = [(legs[0], 1), (arms[0], 0), (legs[1], 1)]
    return [*below, (torso, 0), (face, 2), (hair, 3), (arms[1], 0)]


def _couple(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Two people side by side, each with one colour for the top and one for the trousers."""
    parts = []
    for number, side in enumerate((-1.0, 1.0)):
        own = np.roll(build, 4 * number)
        tall = 0.88 + 0.1 * own[4]
        place = np.array([side * (0.36 + 0.1 * build[5]), 1.0 - tall])
        for polygon, layer in _figure(own, phase + 0.4 * number * build[6], suppleness):
            parts.append((polygon * tall + place, (layer + 2 * number) % LAYERS))
    return parts


def _mosaic(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Two to five round and square pieces."""
    count = 2 + int((build[0] + 1) * 1.99)
    slim = 0.35 + 0.325 * (1 + build[1])
    parts = []
    for index in range(count):
        x, y, size, flat = np.roll(build, -2 * index)[2:6]
        size, flat = 0.38 + 0.18 * size, 0.75 + 0.25 * flat
        sway = 0.1 * suppleness * np.sin(2 * np.pi * (phase + index / count))
        middle = (0.45 * slim * x + sway, 0.45 * y)
        maker = _rounded if (index + int(2 * build[2] + 2)) % 2 else _ellipse
        parts.append((maker(*middle, size * slim, size * flat), index % LAYERS))
    return parts


def _rounded(x: float, y: float, width: float, height: float) -> FloatArray:
    """Rectangle with bevelled corners."""
    short = np.array([[0.75, -1.0], [1.0, -0.8], [1.0, 0.8], [0.75, 1.0]])
    whole = np.concatenate([short, -short])
    return whole * [width, height] + [x, y]


def _window(build: FloatArray, phase: float, suppleness: float) -> list[Part]:
    """Ellipse or rectangle, to annotate a part of another actor."""
    x, y = 0.5 * build[:2]
    width, height = 0.35 + 0.15 * build[2:4]
    if build[4] > 0:
        return [(_ellipse(x, y, width, height), 0)]
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]])
    return [(corners + np.array([x, y]), 0)]


def _ellipse(x: float, y: float, width: float, height: float) -> FloatArray:
    theta = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + width * np.cos(theta), y + height * np.sin(theta)], axis=1)


def _limb(x: float, y: float, angle: float, length: float, width: float) -> FloatArray:
    """Tapering limb from (x, y) at an angle from the vertical (radians)."""
    along = np.array([np.sin(angle), np.cos(angle)])
    across = np.array([np.cos(angle), -np.sin(angle)]) * width
    top = np.array([x, y])
    foot = top + along * length
    return np.stack([top - across, top + across, foot + 0.7 * across, foot - 0.7 * across])


KINDS: dict[str, Callable[[FloatArray, float, float], list[Part]]] = {
    "blob": _blob,
    "plate": _plate,
    "vehicle": _vehicle,
    "roof": _roof,
    "walker": _walker,
    "bird": _bird,
    "bar": _bar,
    "bush": _bush,
    "window": _window,
    "figure": _figure,
    "couple": _couple,
    "mosaic": _mosaic,
}
