"""Validation: the network in training follows targets of generated video that it never saw.

The videos come from the miniature's world, by seeds that neither training nor the miniature
uses; so what is chosen by them has not been chosen on a benchmark.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.arrays import FloatArray, Image
from bench.geometry import box_iou, mask_to_box
from bench.mini.render import render_frame
from bench.mini.scenario import draw_scenario
from bench.mini.scene import draw_scene
from bench.mini.signals import stream
from trackers.siamattn.engine import Engine
from trackers.siamattn.network import Network

_SEED = 20200411  # of the hold-out, whatever the training's
_CLEAR = 0.9


@dataclass(frozen=True, eq=False)
class Film:
    """A generated video with one target.

    Attributes:
        images: N frames, RGB.
        boxes: ``(N, 4)`` x, y, width, height; NaN where the target is out of view.
    """

    images: tuple[Image, ...]
    boxes: FloatArray


@dataclass(frozen=True, eq=False)
class Score:
    """How well the films were followed.

    Attributes:
        success: area under the success curve, mean over films.
        kept: share of frames with an overlap above one half.
        boxes: ``(N, 4)`` of each film.
    """

    success: float
    kept: float
    boxes: tuple[FloatArray, ...]


@lru_cache(maxsize=2)
def films(count: int = 12, frames: int = 50, colours: bool = False) -> tuple[Film, ...]:
    """The hold-out: ``count`` films whose target is in full view at first.

    With ``colours`` others, whose target has several; validation leaves those out.
    """
    return tuple(_film(number, frames, colours) for number in range(count))


def _film(number: int, frames: int, colours: bool) -> Film:
    for attempt in range(1000):
        rng = stream(_SEED, "motley" if colours else "hold-out", str(number), str(attempt))
        scene = draw_scene(rng, draw_scenario(rng, frames, 320, 240, colours))
        first = render_frame(scene, 0).targets[0]
        if first.visible.sum() >= _CLEAR * first.silhouette.sum():
            break
    shown = [render_frame(scene, time) for time in range(frames)]
    masks = [frame.targets[0].full for frame in shown]
    boxes = [mask_to_box(mask) if mask.any() else np.full(4, np.nan) for mask in masks]
    return Film(tuple(frame.image for frame in shown), np.stack(boxes))


def follow(network: Network, chosen: Sequence[Film]) -> Score:
    """Follow all films side by side, one pass, by the OTB hyper-parameters.

    Args:
        network: is left as it is.
        chosen: films of equal length.
    """
    engine = Engine(copy.deepcopy(network).eval().requires_grad_(False).optimized())
    tracking = engine.config.tracking_for("otb")
    states = [
        engine.start(film.images[0], _centred(film.boxes[0]), tracking, masked=False)
        for film in chosen
    ]
    tracks = [[film.boxes[0]] for film in chosen]
    for time in range(1, len(chosen[0].images)):
        states, answers = engine.advance(states, [film.images[time] for film in chosen])
        for track, answer in zip(tracks, answers, strict=True):
            track.append(np.asarray(answer.region, dtype=np.float64))
    boxes = tuple(np.stack(track) for track in tracks)
    overlaps = [_overlaps(found, film.boxes) for found, film in zip(boxes, chosen, strict=True)]
    thresholds = np.arange(0, 1.0001, 0.05)
    success = [(o[:, None] > thresholds).mean() for o in overlaps]
    kept = np.concatenate(overlaps) > 0.5
    return Score(float(np.mean(success)), float(kept.mean()), boxes)


def _centred(box: FloatArray) -> FloatArray:
    return np.concatenate([box[:2] + box[2:] / 2, box[2:]])


def _overlaps(found: FloatArray, truth: FloatArray) -> FloatArray:
    """Of the frames after the first in which the target is in view."""
    known = np.isfinite(truth[1:]).all(axis=1)
    return box_iou(found[1:][known], truth[1:][known])
