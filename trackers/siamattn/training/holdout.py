"""Validation: track targets in held-out generated video.

The videos use seeds that neither training nor the miniature uses, so choosing weights by them
is not choosing on a benchmark.
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
from trackers.siamattn.fast import optimize
from trackers.siamattn.network import Network

_SEED = 20200411  # independent of the training seed
_CLEAR = 0.9


@dataclass(frozen=True, eq=False)
class Video:
    """A generated video with one target.

    Attributes:
        images: N frames, RGB.
        boxes: ``(N, 4)`` x, y, width, height; NaN where the target is outside the frame.
    """

    images: tuple[Image, ...]
    boxes: FloatArray


@dataclass(frozen=True, eq=False)
class Score:
    """Tracking performance on the hold-out.

    Attributes:
        success: area under the success curve, mean over videos.
        kept: share of frames with an overlap above one half.
        boxes: predicted boxes ``(N, 4)`` of each video.
    """

    success: float
    kept: float
    boxes: tuple[FloatArray, ...]


@lru_cache(maxsize=2)
def videos(count: int = 12, frames: int = 50, multicoloured: bool = False) -> tuple[Video, ...]:
    """The hold-out: ``count`` videos whose target is fully visible in the first frame.

    With ``multicoloured``, other videos, whose targets have several colours; unused in validation.
    """
    return tuple(_video(number, frames, multicoloured) for number in range(count))


def _video(number: int, frames: int, multicoloured: bool) -> Video:
    for attempt in range(1000):
        rng = stream(_SEED, "motley" if multicoloured else "hold-out", str(number), str(attempt))
        scene = draw_scene(rng, draw_scenario(rng, frames, 320, 240, multicoloured))
        first = render_frame(scene, 0).targets[0]
        if first.visible.sum() >= _CLEAR * first.silhouette.sum():
            break
    shown = [render_frame(scene, time) for time in range(frames)]
    masks = [frame.targets[0].full for frame in shown]
    boxes = [mask_to_box(mask) if mask.any() else np.full(4, np.nan) for mask in masks]
    return Video(tuple(frame.image for frame in shown), np.stack(boxes))


def track_videos(network: Network, chosen: Sequence[Video]) -> Score:
    """Track all videos in parallel, one pass, with the OTB hyper-parameters.

    Args:
        network: not modified.
        chosen: videos of equal length.
    """
    engine = Engine(optimize(copy.deepcopy(network)))
    tracking = engine.config.tracking_for("otb")
    states = [
        engine.start(video.images[0], _centred(video.boxes[0]), tracking, masked=False)
        for video in chosen
    ]
    tracks = [[video.boxes[0]] for video in chosen]
    for time in range(1, len(chosen[0].images)):
        states, answers = engine.advance(states, [video.images[time] for video in chosen])
        for track, answer in zip(tracks, answers, strict=True):
            track.append(np.asarray(answer.region, dtype=np.float64))
    boxes = tuple(np.stack(track) for track in tracks)
    overlaps = [_overlaps(found, video.boxes) for found, video in zip(boxes, chosen, strict=True)]
    thresholds = np.arange(0, 1.0001, 0.05)
    success = [(o[:, None] > thresholds).mean() for o in overlaps]
    kept = np.concatenate(overlaps) > 0.5
    return Score(float(np.mean(success)), float(kept.mean()), boxes)


def _centred(box: FloatArray) -> FloatArray:
    return np.concatenate([box[:2] + box[2:] / 2, box[2:]])


def _overlaps(found: FloatArray, truth: FloatArray) -> FloatArray:
    """Overlaps in the frames after the first in which the target is visible."""
    known = np.isfinite(truth[1:]).all(axis=1)
    return box_iou(found[1:][known], truth[1:][known])
