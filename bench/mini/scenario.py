"""Difficulty settings of a generated scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.mini.places import places


@dataclass(frozen=True)
class Scenario:
    """Difficulty settings of one video. A default of zero turns a difficulty off.

    Attributes:
        frames: number of frames.
        width, height: of the frames in pixels.
        place: kind of background, see ``places.places``.
        shape: kind of target, see ``shapes.KINDS``.
        size: side of the target's outline square in the first frame, in pixels.
        targets: number of annotated actors.
        legs: number of straight legs in the target's path; more is faster.
        spread: share of the view that the path covers, 0..1.
        grow: largest change of size, in octaves.
        roll: largest in-plane rotation, in degrees.
        yaw: largest out-of-plane rotation, in degrees.
        deform: flexibility of limbs and body, 0..1.
        pan: camera speed over the world, in pixels per frame.
        shake: camera shake in pixels.
        zoom: largest change of focal length, in octaves.
        tilt: largest rotation of the camera about its axis, in degrees.
        light: changes of the light, 0..1.
        shadows: depth of shadows on the world, 0..1.
        shutter: share of the frame interval during which the shutter is open, 0..1.
        lookalikes: number of actors with the target's kind and colours.
        bystanders: number of other actors.
        occluders: number of obstacles on the target's path.
        leave: ``"no"``, ``"partly"`` or ``"fully"``: how far the target leaves the view.
        camouflage: similarity of the target's colours to the background, 0..1.
        noise: standard deviation of the sensor noise in grey levels.
        motley: parts of the target have different plain colours, some from the background.
    """

    frames: int = 90
    width: int = 320
    height: int = 240
    place: str = "forest"
    shape: str = "blob"
    size: float = 56.0
    targets: int = 1
    legs: int = 6
    spread: float = 0.8
    grow: float = 0.0
    roll: float = 0.0
    yaw: float = 0.0
    deform: float = 0.0
    pan: float = 1.0
    shake: float = 0.0
    zoom: float = 0.0
    tilt: float = 0.0
    light: float = 0.0
    shadows: float = 0.0
    shutter: float = 0.3
    lookalikes: int = 0
    bystanders: int = 1
    occluders: int = 0
    leave: str = "no"
    camouflage: float = 0.0
    noise: float = 2.0
    motley: bool = False


_RIGID = ("plate", "vehicle", "roof")
_SOFT = ("blob", "walker", "bird")
_MOTLEY = ("figure", "figure", "couple", "mosaic")  # half of them single people


def draw_scenario(
    rng: np.random.Generator,
    frames: int = 90,
    width: int = 320,
    height: int = 240,
    colours: bool = False,
) -> Scenario:
    """Draw random settings; each difficulty is off in about half of all scenarios.

    ``colours`` gives the target several colours, see ``motley``.
    """

    def sometimes(most: float, chance: float = 0.5) -> float:
        return float(most * rng.uniform() ** 1.5) if rng.uniform() < chance else 0.0

    soft = rng.uniform() < 0.6
    drawn = Scenario(
        frames=frames,
        width=width,
        height=height,
        place=str(rng.choice(list(places()))),
        shape=str(rng.choice(_SOFT if soft else _RIGID)),
        size=float(height * rng.uniform(0.12, 0.36)),
        legs=int(rng.integers(3, 3 + max(2, frames // 8))),
        spread=float(rng.uniform(0.4, 1.0)),
        grow=sometimes(1.2, 0.7),
        roll=sometimes(70),
        yaw=sometimes(120),
        deform=float(rng.uniform(0.2, 1.0)) if soft else 0.0,
        pan=sometimes(5.0, 0.8),
        shake=sometimes(4.0),
        zoom=sometimes(0.5),
        tilt=sometimes(15),
        light=sometimes(1.0),
        shadows=sometimes(1.0),
        shutter=float(rng.uniform(0.0, 0.8)),
        lookalikes=int(rng.integers(0, 4)),
        bystanders=int(rng.integers(0, 4)),
        occluders=int(rng.integers(0, 4)),
        leave=str(rng.choice(["no", "partly", "fully"], p=[0.7, 0.2, 0.1])),
        camouflage=sometimes(0.6),
        noise=float(rng.uniform(0.5, 5.0)),
    )
    return motley(rng, drawn) if colours else drawn


def motley(rng: np.random.Generator, scenario: Scenario) -> Scenario:
    """``scenario`` with a target in several colours: a person, a couple or a mosaic."""
    shape = str(rng.choice(_MOTLEY))
    return replace(
        scenario,
        shape=shape,
        motley=True,
        deform=float(rng.uniform(0.0, 0.7)),
        roll=0.3 * scenario.roll,
        size=scenario.size * float(rng.uniform(1.0, 1.5)),
    )
