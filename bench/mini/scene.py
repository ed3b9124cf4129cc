"""A scene: a world, a camera, and actors with their paths over all frames.

``draw_scene`` draws one with the difficulty settings of a ``Scenario``. Angles are in radians,
lengths in pixels, times in frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray, Image, IntArray
from bench.mini.paths import (
    Camera,
    Path,
    crossing_path,
    draw_camera,
    follower_path,
    free_path,
    obstacle_path,
    target_path,
)
from bench.mini.places import draw_shadows, draw_world
from bench.mini.scenario import Scenario
from bench.mini.shapes import LAYERS, Shape, draw_shape
from bench.mini.signals import wander
from bench.mini.textures import PATTERNS, Field, draw_palette, surface

_GROUNDED = 0.3  # probability that a layer takes a colour of the ground
_TINTED = 0.15  # probability that it takes a colour of the target's palette
_SKIN_MARGIN = 1.25  # skin resolution relative to the largest size on screen


@dataclass(frozen=True, eq=False)
class Actor:
    """A moving object or an obstacle.

    Attributes:
        shape: its outline.
        skins: surface, trim and further layers, each ``(S, 2 S, 3)``; half of it is visible,
            depending on yaw.
        radius: pixels per outline unit at ``path.scale`` 1.
        path: its position, scale and rotation over time.
        wobble: strength of bending, 0..1.
    """

    shape: Shape
    skins: tuple[Image, ...]
    radius: float
    path: Path
    wobble: float = 0.0


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything needed to render any of ``N`` frames.

    Attributes:
        scenario: its settings.
        world: periodic background ``(S, S, 3)``.
        shadows: periodic light map ``(S // 4, S // 4)``, 255 in the sun.
        camera: motion of the camera.
        gain: ``(N,)`` brightness of the whole image.
        actors: from the farthest to the nearest.
        targets: indices of annotated actors.
        lookalikes: indices of actors that resemble a target.
        grain: ``(H + 16, W + 16, 3)`` int16 sensor noise, cropped at a random offset per frame.
        jitter: ``(N, 2)`` those offsets.
    """

    scenario: Scenario
    world: Image
    shadows: Image
    camera: Camera
    gain: FloatArray
    actors: tuple[Actor, ...]
    targets: tuple[int, ...]
    lookalikes: tuple[int, ...]
    grain: np.ndarray[tuple[int, ...], np.dtype[np.int16]]
    jitter: IntArray

    def __len__(self) -> int:
        return self.scenario.frames


def draw_scene(rng: np.random.Generator, scenario: Scenario) -> Scene:
    """Draw a scene; equal generators give equal scenes.

    Raises:
        ConfigError: the scenario names an unknown place or shape.
    """
    ground = draw_palette(rng, vividness=0.55)
    camera = draw_camera(rng, scenario)
    cast = _draw_cast(rng, scenario, camera, ground)
    order = sorted(range(len(cast)), key=lambda index: cast[index][0])
    roles = [cast[index][1] for index in order]
    height, width = scenario.height, scenario.width
    grain = rng.normal(0, max(scenario.noise, 1e-6), (height + 16, width + 16, 3))
    return Scene(
        scenario=scenario,
        world=draw_world(rng, scenario.place, ground),
        shadows=draw_shadows(rng, scenario.shadows),
        camera=camera,
        gain=_draw_gain(rng, scenario),
        actors=tuple(cast[index][2] for index in order),
        targets=tuple(i for i, role in enumerate(roles) if role == "target"),
        lookalikes=tuple(i for i, role in enumerate(roles) if role == "lookalike"),
        grain=np.rint(grain).astype(np.int16),
        jitter=rng.integers(0, 17, (scenario.frames, 2)),
    )


def _draw_gain(rng: np.random.Generator, scenario: Scenario) -> FloatArray:
    """Slow changes of light and, if they are strong, a sudden switch."""
    slow = wander(rng, scenario.frames, 0.55 * scenario.light, 80)
    if scenario.light > 0.5:
        switch = rng.uniform(0.3, 0.7) * scenario.frames
        ramp = np.clip((np.arange(scenario.frames) - switch) / 3, 0, 1)
        slow = slow + rng.choice([-0.7, 0.5]) * scenario.light * ramp
    return np.clip(2.0**slow, 0.45, 1.7)


def _draw_cast(
    rng: np.random.Generator, scenario: Scenario, camera: Camera, ground: Field
) -> list[tuple[float, str, Actor]]:
    """Actors with their depth (larger is nearer) and role."""
    palette = draw_palette(rng, 4)
    palette += scenario.camouflage * (ground[rng.permutation(5)[:4]] - palette)
    cloths = _draw_cloths(rng, palette, ground) if scenario.motley else (palette,)
    pattern = str(rng.choice(list(PATTERNS)))
    shape = draw_shape(rng, scenario.shape, scenario.deform)
    hero = _dress(rng, scenario, shape, cloths, pattern, target_path(rng, scenario, camera))
    cast = [(0.0, "target", hero)]
    for rank in range(1, scenario.targets):
        path = follower_path(rng, scenario, camera, hero.path)
        cast.append((0.1 * rank, "target", _twin(rng, scenario, cloths, pattern, path)))
    for index in range(scenario.lookalikes):
        maker = follower_path if index % 2 else crossing_path
        path = maker(rng, scenario, camera, hero.path)
        actor = _twin(rng, scenario, cloths, pattern, path)
        cast.append((float(rng.choice([-0.5, 0.5])), "lookalike", actor))
    for index in range(scenario.bystanders):
        kind = str(rng.choice(["blob", "plate", "vehicle", "walker", "bird"]))
        other = draw_shape(rng, kind, rng.uniform())
        path = free_path(rng, scenario, camera)
        colours = (draw_palette(rng, 4),)
        surface_name = str(rng.choice(list(PATTERNS)))
        actor = _dress(rng, scenario, other, colours, surface_name, path)
        cast.append((-1.0 - 0.1 * index, "bystander", actor))
    for index in range(scenario.occluders):
        cast.append((1.0 + index, "occluder", _obstacle(rng, scenario, camera, hero, ground)))
    return cast


def _draw_cloths(rng: np.random.Generator, palette: Field, ground: Field) -> tuple[Field, ...]:
    """A plain palette ``(4, 3)`` for each layer of a motley target, some from the ground."""
    cloths = []
    for _ in range(LAYERS):
        lot = rng.uniform()
        if lot < _TINTED:
            source = palette
        else:
            source = ground if lot < _TINTED + _GROUNDED else draw_palette(rng, 4)
        base = source[rng.integers(len(source))] + rng.normal(0, 8, 3)
        folds = np.linspace(-1, 1, 4)[:, None] * rng.uniform(2, 30)
        cloths.append(np.clip(base + folds, 0, 255).astype(np.float32))
    return tuple(cloths)


def _twin(
    rng: np.random.Generator,
    scenario: Scenario,
    cloths: tuple[Field, ...],
    pattern: str,
    path: Path,
) -> Actor:
    """Another individual of the target's kind, colours and pattern."""
    shape = draw_shape(rng, scenario.shape, scenario.deform)
    colours = tuple(cloth + rng.normal(0, 12, cloth.shape).astype(np.float32) for cloth in cloths)
    return _dress(rng, scenario, shape, colours, pattern, path)


def _dress(
    rng: np.random.Generator,
    scenario: Scenario,
    shape: Shape,
    cloths: tuple[Field, ...],
    pattern: str,
    path: Path,
) -> Actor:
    """Give a shape skins at the largest resolution needed; a single palette gets a trim."""
    radius = scenario.size / 2
    largest = float(np.max(path.scale)) * 2.0**scenario.zoom
    side = int(np.clip(2 * radius * largest * _SKIN_MARGIN, 24, 320))
    if len(cloths) == 1:
        trim = np.clip(cloths[0][::-1] * rng.uniform(0.35, 0.75) + rng.uniform(0, 60), 0, 255)
        cloths = (cloths[0], trim)
    main = surface(rng, (side, 2 * side), cloths[0], pattern)
    others = [surface(rng, (side, 2 * side), cloth, "clouds", grain=6.0) for cloth in cloths[1:]]
    return Actor(shape, (main, *others), radius, path, wobble=scenario.deform)


def _obstacle(
    rng: np.random.Generator, scenario: Scenario, camera: Camera, hero: Actor, ground: Field
) -> Actor:
    """An obstacle on the target's path."""
    kind = str(rng.choice(["bar", "bush", "plate"]))
    if kind == "bar":  # longer than the view, and at most as wide as the target
        radius, reach = float(np.hypot(*camera.size)), 0.042 * float(np.hypot(*camera.size))
    else:
        radius = reach = scenario.size * rng.uniform(0.45, 0.8)
    path = obstacle_path(rng, scenario, hero.path, reach)
    palette = ground + rng.normal(0, 20, (1, 3)).astype(np.float32)
    side = int(np.clip(2 * radius * 2.0**scenario.zoom, 48, 240))
    skins = tuple(surface(rng, (side, 2 * side), palette, "clouds") for _ in range(2))
    shape = draw_shape(rng, kind, 0.0)
    return Actor(shape, skins, radius, path)
