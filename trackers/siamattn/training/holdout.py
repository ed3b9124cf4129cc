"""Validation: track targets in held-out video, which is generated or of a dataset that ``bench``
reads.

Generated videos use seeds that neither training nor the miniature uses, so choosing weights by
them is not choosing on a benchmark.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.arrays import FloatArray
from bench.errors import DatasetError
from bench.geometry import box_iou, mask_to_box
from bench.mini.render import render_frame
from bench.mini.scenario import draw_scenario
from bench.mini.scene import draw_scene
from bench.mini.signals import stream
from bench.sequence import Dataset, Frames, Sequence, to_tracker
from trackers.siamattn.engine import Engine
from trackers.siamattn.fast import optimize
from trackers.siamattn.network import Network

_SEED = 20200411  # independent of the training seed
_CLEAR = 0.9
_LANES = 12  # videos tracked at once


@dataclass(frozen=True, eq=False)
class Video:
    """A video with one target.

    Attributes:
        images: N frames or more, RGB.
        boxes: ``(N, 4)`` x, y, width, height in 0-based pixels; NaN where the target is outside
            the frame.
    """

    images: Frames
    boxes: FloatArray

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, eq=False)
class Score:
    """Tracking performance on the hold-out.

    Attributes:
        successes: area under the success curve of each video.
        overlaps: of every frame after the first of all videos.
        boxes: predicted boxes ``(N, 4)`` of each video.
    """

    successes: FloatArray
    overlaps: FloatArray
    boxes: tuple[FloatArray, ...]

    @property
    def success(self) -> float:
        """Mean over videos."""
        return float(self.successes.mean())

    @property
    def kept(self) -> float:
        """Share of frames with an overlap above one half."""
        return float((self.overlaps > 0.5).mean())


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


def dataset_videos(dataset: Dataset, frames: int = 0) -> tuple[Video, ...]:
    """The sequences of a dataset, of each at most so many ``frames``, or all.

    Raises:
        DatasetError: one has no images, or no public annotation.
    """
    return tuple(_of_sequence(each, frames or None) for each in dataset.sequences)


def _of_sequence(sequence: Sequence, frames: int | None) -> Video:
    if sequence.frames is None or sequence.hidden:
        raise DatasetError(
            f"{sequence.name} of {sequence.benchmark}: expected images and a box of each frame, "
            "found only one of them. Validate on another dataset"
        )
    truth = to_tracker(sequence.ground_truth, sequence.index_base)
    absent = np.zeros(len(truth), bool) if sequence.absent is None else sequence.absent
    known = np.where(
        absent[:, None] | ~(truth[:, 2:] > 0).all(axis=1, keepdims=True), np.nan, truth
    )
    return Video(sequence.frames, known[:frames])


def track_videos(network: Network, chosen: Iterable[Video]) -> Score:
    """Track videos from their first box to their end, with the OTB hyper-parameters.

    Several are tracked at once, those of like length together.

    Args:
        network: not modified.
        chosen: videos of any lengths.
    """
    engine = Engine(optimize(copy.deepcopy(network)))
    videos = list(chosen)
    order = sorted(range(len(videos)), key=lambda place: -len(videos[place]))
    found: dict[int, FloatArray] = {}
    for first in range(0, len(order), _LANES):
        places = order[first : first + _LANES]
        tracks = _track(engine, [videos[place] for place in places])
        found.update(zip(places, tracks, strict=True))
    boxes = tuple(found[place] for place in range(len(videos)))
    overlaps = [_overlaps(b, video.boxes) for b, video in zip(boxes, videos, strict=True)]
    thresholds = np.arange(0, 1.0001, 0.05)
    success = [(each[:, None] > thresholds).mean() for each in overlaps if len(each)]
    return Score(np.array(success), np.concatenate([np.zeros(0), *overlaps]), boxes)


def _track(engine: Engine, videos: list[Video]) -> list[FloatArray]:
    """Boxes of each of several videos, the longest first."""
    tracking = engine.config.tracking_for("otb")
    states = [
        engine.start(video.images[0], _centred(video.boxes[0]), tracking, masked=False)
        for video in videos
    ]
    tracks = [[video.boxes[0]] for video in videos]
    for time in range(1, len(videos[0])):
        going = [video for video in videos if len(video) > time]
        images = [video.images[time] for video in going]
        states, answers = engine.advance(states[: len(going)], images)
        for track, answer in zip(tracks, answers, strict=False):
            track.append(np.asarray(answer.region, dtype=np.float64))
    return [np.stack(track) for track in tracks]


def _centred(box: FloatArray) -> FloatArray:
    return np.concatenate([box[:2] + box[2:] / 2, box[2:]])


def _overlaps(found: FloatArray, truth: FloatArray) -> FloatArray:
    """Overlaps in the frames after the first in which the target is visible."""
    known = np.isfinite(truth[1:]).all(axis=1)
    return box_iou(found[1:][known], truth[1:][known])
