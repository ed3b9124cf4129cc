"""Training pairs from generated video: the miniature's generator with its own seeds.

Pair i depends only on i and the seed, so a run resumes exactly, with any number of workers.
Scenes are generated on demand and cached while pairs are drawn from them.
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
from trackers.siamattn.training.data import Pair

SIZES = ((320, 240), (426, 240), (360, 240))  # frame sizes
_LENGTH = 90  # frames of a scene
_SHOTS = 8  # frames of it that are rendered
_SEEN = 0.35  # minimum visible share of a target in a search frame
_CLEAR = 0.75  # minimum visible share of a target in a template frame
_SMALLEST = 6.0  # minimum shorter side of a target, pixels
_SMALLEST_PART = 10.0  # minimum shorter side of a part, pixels
_SOLID = 0.6  # minimum share of a part's window on the object for full visibility


@dataclass(frozen=True, eq=False)
class Clip:
    """One target of a scene in some of its frames, in temporal order.

    Attributes:
        shots: frames in which the target is visible enough.
        clear: indices of the almost unoccluded ones; never empty.
    """

    shots: tuple[Shot, ...]
    clear: NDArray[np.int64]


class GeneratedPairs:
    """Pairs from generated video.

    Consecutive pairs come from different streams, each with its own scenes, so processes that
    share every step generate few scenes twice.

    Args:
        data: ``scenes``, ``streams``, ``uses``, ``negatives``, ``parts`` and ``motley`` are used.
        seed: seed of the scenes.
        name: namespace of the seeds; different names never share a scene.
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
            return Pair(clip.shots[template], _random_shot(other.shots, rng), False)
        return Pair(clip.shots[template], _random_shot(clip.shots, rng), True)

    def _draw(self, place: int, number: int) -> Clip:
        """Clip ``number`` of stream ``place``: its first scene with a visible target."""
        traits = stream(self.seed, self.name, str(place), "part", str(number))
        part = bool(traits.random() < self.data.parts)
        multicoloured = bool(traits.random() < self.data.motley)
        for attempt in range(1000):
            rng = stream(self.seed, self.name, str(place), "scene", str(number), str(attempt))
            clip = draw_clip(rng, part, multicoloured)
            if clip is not None:
                return clip
        raise AssertionError("a thousand scenes without a visible target")


def draw_clip(
    rng: np.random.Generator, part: bool = False, multicoloured: bool = False
) -> Clip | None:
    """A clip of a random scene's target, or of a part of it; None if it is hardly ever visible.

    With ``multicoloured`` the target has several colours.
    """
    width, height = SIZES[rng.integers(len(SIZES))]
    scene = draw_scene(rng, draw_scenario(rng, _LENGTH, width, height, multicoloured))
    times = np.sort(rng.choice(_LENGTH, _SHOTS, replace=False))
    window = draw_shape(rng, "window", 0.0) if part else None
    found = [_shot(scene, int(time), window) for time in times]
    seen = [(shot, share) for shot, share in found if share >= _SEEN]
    shots = tuple(shot for shot, _ in seen)
    clear = np.flatnonzero([share >= _CLEAR for _, share in seen])
    return Clip(shots, clear) if len(clear) else None


def _shot(scene: Scene, time: int, window: Shape | None) -> tuple[Shot, float]:
    """A frame and the visible share of the target; 0 if the target is too small.

    Parts have no mask, since nothing in the image marks their boundary.
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
    """A shot of a target with mask ``full`` in the frame, and the visible share of ``area``."""
    box = mask_to_box(full) if full.any() else np.zeros(4)
    if box[2:].min() < smallest:
        return Shot(image, box), 0.0
    return Shot(image, box, visible), float(visible.sum() / area)


def _windowed(scene: Scene, time: int, window: Shape) -> tuple[Mask, Mask]:
    """Masks of ``window``, fixed to the target's outline: on the target's silhouette, which may
    extend beyond the frame, and in the frame."""
    actor = replace(scene.actors[scene.targets[0]], shape=window)
    sprite = draw_actor(scene, actor, time, whole=True)
    whole = sprite.cover >= 128
    size = (scene.scenario.width, scene.scenario.height)
    return whole, place(whole, sprite.offset, size)


def _random_shot(shots: tuple[Shot, ...], rng: np.random.Generator) -> Shot:
    return shots[rng.integers(len(shots))]
