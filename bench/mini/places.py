"""Backgrounds: periodic worlds without a border."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, Image
from bench.benchmarks import TABLES
from bench.errors import unknown_name
from bench.mini.textures import Field, colourise, fractal_noise, to_image

WORLD = 768  # side of the world in pixels


@dataclass(frozen=True)
class Place:
    """Parameters of a kind of background; lengths in pixels, strengths in grey levels.

    Attributes:
        source: what it imitates.
        count: number of overlapping shapes.
        smallest, largest: radius of the shapes, with density falling as 1 / radius^3.
        outline: ``"ellipse"`` or ``"rectangle"``.
        upright: shapes are axis-aligned instead of randomly rotated.
        contrast: brightness differences between shapes.
        texture: strength of 1/f noise within shapes.
        pattern: ``"clouds"``, ``"windows"`` or ``"furrows"`` on some of the shapes.
        pattern_strength: contrast of that pattern.
        stretch: elongation of the ground along x.
        roads: number of roads crossing the world.
    """

    source: str
    count: int
    smallest: float
    largest: float
    outline: str
    upright: bool
    contrast: float
    texture: float
    pattern: str
    pattern_strength: float
    stretch: float
    roads: int


@lru_cache(maxsize=1)
def places() -> dict[str, Place]:
    """Kinds of background by name."""
    table = json.loads((TABLES / "mini_places.json").read_text(encoding="utf-8"))
    return {name: Place(**row) for name, row in table.items()}


def draw_world(rng: np.random.Generator, name: str, palette: Field) -> Image:
    """Periodic background ``(WORLD, WORLD, 3)`` in the colours of ``palette`` ``(K, 3)``.

    Raises:
        ConfigError: the kind of background is unknown.
    """
    if name not in places():
        raise unknown_name("place", name, places())
    place = places()[name]
    shape = (WORLD, WORLD)
    ground = colourise(0.5 + 0.25 * fractal_noise(rng, shape, 1.4, place.stretch), palette)
    labels = _scatter(rng, place)
    colours = palette[rng.integers(0, len(palette), place.count + 1)]
    colours = colours + rng.normal(0, place.contrast, (place.count + 1, 1)).astype(np.float32)
    covered = (labels > 0)[..., None]
    image = np.where(covered, colours[labels], ground)
    patterned = rng.uniform(0, 1, place.count + 1).astype(np.float32) ** 2
    detail = place.pattern_strength * patterned[labels] * _pattern(rng, place, labels)
    detail += place.texture * fractal_noise(rng, shape, 0.9, place.stretch)
    world = to_image(image + detail[..., None])
    for _ in range(place.roads):
        _draw_road(rng, world)
    wrapped = cv2.copyMakeBorder(world, 4, 4, 4, 4, cv2.BORDER_WRAP)
    return np.asarray(cv2.GaussianBlur(wrapped, (0, 0), 0.7)[4:-4, 4:-4], dtype=np.uint8)


def draw_shadows(rng: np.random.Generator, strength: float) -> Image:
    """Periodic light map ``(WORLD // 4, WORLD // 4)``: 255 in the sun, less in shadow."""
    field = fractal_noise(rng, (WORLD // 4, WORLD // 4), 1.9)
    shadow = 0.5 + 0.5 * np.tanh(3.0 * field)
    return to_image(255 * (1 - 0.65 * strength * shadow))


def _scatter(rng: np.random.Generator, place: Place) -> NDArray[np.int32]:
    """Label ``(WORLD, WORLD)`` of the topmost shape, 0 for none."""
    labels = np.zeros((WORLD, WORLD), dtype=np.int32)
    steep = rng.uniform(place.largest**-2.0, place.smallest**-2.0, place.count)
    for label, radius in enumerate(steep**-0.5, start=1):
        outline = _outline(rng, place, float(radius)) + rng.uniform(0, WORLD, 2)
        low, high = outline.min(axis=0), outline.max(axis=0)
        for x in _repeats(low[0], high[0]):
            for y in _repeats(low[1], high[1]):
                corners = np.rint(outline + np.array([x, y])).astype(np.int32)
                cv2.fillPoly(labels, [corners], label)
    return labels


def _outline(rng: np.random.Generator, place: Place, radius: float) -> FloatArray:
    corners = 4 if place.outline == "rectangle" else 12
    theta = 2 * np.pi * (np.arange(corners) + 0.5) / corners
    aspect = rng.uniform(0.45, 1.0)
    points = radius * np.stack([np.cos(theta), aspect * np.sin(theta)], axis=1)
    if corners > 4:
        points *= rng.uniform(0.75, 1.15, (corners, 1))
    if place.upright:
        return points[:, ::-1] if rng.uniform() < 0.4 else points
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: FloatArray = points @ turn.T
    return turned


def _repeats(low: float, high: float) -> list[float]:
    """Shifts at which an interval is visible in the periodic world."""
    shifts = [0.0]
    if low < 0:
        shifts.append(float(WORLD))
    if high >= WORLD:
        shifts.append(-float(WORLD))
    return shifts


def _pattern(rng: np.random.Generator, place: Place, labels: NDArray[np.int32]) -> Field:
    """Detail ``(WORLD, WORLD)`` in [-1, 1], with a random phase per shape."""
    if place.pattern == "clouds":
        return np.tanh(fractal_noise(rng, (WORLD, WORLD), 1.2))
    shift = rng.uniform(0, 2 * np.pi, (2, place.count + 1)).astype(np.float32)[:, labels]
    y, x = 2 * np.pi * np.mgrid[0:WORLD, 0:WORLD].astype(np.float32) / WORLD
    if place.pattern == "windows":
        grid: Field = np.minimum(np.sin(40 * x + shift[0]), np.sin(32 * y + shift[1]))
        return np.tanh(6 * grid)
    # Whole periods across the world in x and y keep the furrows periodic.
    turns_x, turns_y = np.rint(48 * np.cos(shift[0])), np.rint(48 * np.sin(shift[0]))
    furrows: Field = np.sin(turns_x * x + turns_y * y + shift[1])
    return furrows


def _draw_road(rng: np.random.Generator, world: Image) -> None:
    """Draw a straight road across the world, in place."""
    width = int(rng.integers(8, 26))
    tone = float(rng.uniform(70, 150))
    position = int(rng.integers(width, WORLD - width))
    vertical = rng.uniform() < 0.5
    band = (
        world[:, position : position + width] if vertical else world[position : position + width]
    )
    band[:] = (0.25 * band + 0.75 * tone).astype(np.uint8)
    middle = band[:, width // 2] if vertical else band[width // 2]
    dashes = np.arange(WORLD) % 24 < 12
    middle[dashes] = 220
