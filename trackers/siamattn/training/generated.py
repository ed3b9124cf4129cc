"""Endless generated video to train on: the miniature's world, with seeds of its own.

Pair i of a stream is the same whenever and by whomever it is asked for, so that a training goes
on where it was killed, with any number of workers. Scenes stay in memory while pairs are drawn
from them, and are made on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.arrays import Image
from bench.geometry import mask_to_box
from bench.mini.pixels import Mask, place
from bench.mini.render import render_frame
from bench.mini.scenario import draw_scenario
from bench.mini.scene import Scene, draw_scene
from bench.mini.shapes import Shape, draw_shape
from bench.mini.signals import stream
from bench.mini.sprites import draw_actor
from trackers.siamattn.training.config import DataConfig
from trackers.siamattn.training.crops import Shot
from trackers.siamattn.training.samples import Pair

SIZES = ((320, 240), (426, 240), (360, 240))  # frames
_LENGTH = 90  # frames of a scene's story
_SHOTS = 8  # frames of it that are rendered
_SEEN = 0.35  # share of a target that must be visible to be searched for
_CLEAR = 0.75  # share of it to serve as a template
_SMALLEST = 6.0  # pixels of a target's shorter side
_SMALLEST_PART = 10.0  # the same of a part
_SOLID = 0.6  # share of a window that must lie on the target for the part to be seen wholly


@dataclass(frozen=True, eq=False)
class Clip:
    """One target of a scene in some of its frames, in order of time.

    Attributes:
        shots: where it can be seen well enough.
        clear: indices of those in which hardly anything covers it, never none.
    """

    shots: tuple[Shot, ...]
    clear: NDArray[np.int64]


class GeneratedPairs:
    """Pairs from generated video.

    Neighbouring pairs are of different streams, each with scenes of its own, so that processes
    that share every step draw few scenes twice.

    Args:
        data: ``scenes``, ``streams``, ``uses`` and ``negatives`` are used.
        seed: of the world.
        name: of the world: none shares a scene with another, or with the miniature.
    """

    def __init__(self, data: DataConfig, seed: int, name: str = "training") -> None:
        self.data = data
        self.seed = seed
        self.name = name
        self._clip = lru_cache(maxsize=2 * data.scenes * data.streams)(self._draw)

    def pair(self, index: int) -> Pair:
        """Pair ``index`` >= 0."""
        rng = stream(self.seed, self.name, "pair", str(index))
        place, number = index % self.data.streams, index // self.data.streams
        newest = number // self.data.uses
        first, second = newest + rng.choice(self.data.scenes, 2, replace=False)
        clip = self._clip(place, int(first))
        template = int(rng.choice(clip.clear))
        if rng.random() < self.data.negatives:
            other = self._clip(place, int(second))
            return Pair(clip.shots[template], _any(other.shots, rng), False)
        return Pair(clip.shots[template], _any(clip.shots, rng), True)

    def _draw(self, place: int, number: int) -> Clip:
        """Clip ``number`` of stream ``place``: of its scenes the first that shows its target."""
        lot = stream(self.seed, self.name, str(place), "part", str(number))
        part = bool(lot.random() < self.data.parts)
        colours = bool(lot.random() < self.data.motley)
        for attempt in range(1000):
            rng = stream(self.seed, self.name, str(place), "scene", str(number), str(attempt))
            clip = draw_clip(rng, part, colours)
            if clip is not None:
                return clip
        raise AssertionError("a thousand scenes without a visible target")


def draw_clip(rng: np.random.Generator, part: bool = False, colours: bool = False) -> Clip | None:
    """A random scene's target, or a part of it; None if it is hardly ever to be seen.

    With ``colours`` the target has several.
    """
    width, height = SIZES[rng.integers(len(SIZES))]
    scene = draw_scene(rng, draw_scenario(rng, _LENGTH, width, height, colours))
    times = np.sort(rng.choice(_LENGTH, _SHOTS, replace=False))
    window = draw_shape(rng, "window", 0.0) if part else None
    found = [_shot(scene, int(time), window) for time in times]
    seen = [(shot, share) for shot, share in found if share >= _SEEN]
    shots = tuple(shot for shot, _ in seen)
    clear = np.flatnonzero([share >= _CLEAR for _, share in seen])
    return Clip(shots, clear) if len(clear) else None


def _shot(scene: Scene, time: int, window: Shape | None) -> tuple[Shot, float]:
    """A frame, and the share of the target that is seen in it; 0 where it is too small.

    A part has no mask, for nothing in the picture bounds it.
    """
    frame = render_frame(scene, time)
    view = frame.targets[0]
    if window is None:
        return _shot_of(frame.image, view.full, view.visible, view.silhouette.sum(), _SMALLEST)
    whole, part = _windowed(scene, time, window)
    area = max((view.silhouette & whole).sum(), _SOLID * whole.sum())
    shot, share = _shot_of(
        frame.image, view.full & part, view.visible & part, area, _SMALLEST_PART
    )
    return replace(shot, mask=None), share


def _shot_of(
    image: Image, full: Mask, visible: Mask, area: float, smallest: float
) -> tuple[Shot, float]:
    """A target of which ``full`` lies within the frame, and the share of its ``area`` seen."""
    box = mask_to_box(full) if full.any() else np.zeros(4)
    if box[2:].min() < smallest:
        return Shot(image, box), 0.0
    return Shot(image, box, visible), float(visible.sum() / area)


def _windowed(scene: Scene, time: int, window: Shape) -> tuple[Mask, Mask]:
    """Where ``window``, fixed to the target's outline, lies: on the target's silhouette, which
    goes on beyond the frame, and in the frame."""
    actor = replace(scene.actors[scene.targets[0]], shape=window)
    sprite = draw_actor(scene, actor, time, whole=True)
    whole = sprite.cover >= 128
    size = (scene.scenario.width, scene.scenario.height)
    return whole, place(whole, sprite.offset, size)


def _any(shots: tuple[Shot, ...], rng: np.random.Generator) -> Shot:
    return shots[rng.integers(len(shots))]
