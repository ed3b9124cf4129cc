"""The one-pass protocol: initialise a tracker on the first frame, then run it to the end."""

from __future__ import annotations

import numpy as np

from bench.errors import DatasetError
from bench.geometry import Runs
from bench.protocols.reading import reader
from bench.protocols.steps import Follow, OnFrame, Start, Steps, Synchronize, check_answer, drive
from bench.sequence import Frames, Sequence, Trajectory, check_first_box
from bench.tracker import Tracker, mask_of


def run_one_pass(
    tracker: Tracker,
    sequence: Sequence,
    *,
    synchronize: Synchronize | None = None,
    on_frame: OnFrame | None = None,
) -> Trajectory:
    """Start ``tracker`` on the first frame of ``sequence`` and follow it to the last.

    The first stored box is the initial one; where the tracker says that the target is not
    visible, ``bench.tracker.ABSENT`` is stored, which overlaps nothing. Times count the tracker
    alone, without decoding and checks. The tracker may modify each image.

    Args:
        tracker: a tracker in any state; ``init`` starts it anew.
        sequence: with frames.
        synchronize: waits for the device before the clock is read; by default for CUDA, if
            PyTorch has initialised it.
        on_frame: called with the number of each frame, from 1, before it is decoded.

    Raises:
        FrameError: the tracker raised, or returned no finite region.
        DatasetError: no frames, fewer than annotated, one that cannot be decoded, or an invalid
            first box.
    """
    return drive(tracker, one_pass_steps(sequence, on_frame), synchronize)


def one_pass_steps(
    sequence: Sequence,
    on_frame: OnFrame | None = None,
    ahead: int = 0,
    *,
    keep_masks: bool = False,
) -> Steps[Trajectory]:
    """The one-pass protocol as a coroutine; see ``run_one_pass``.

    Up to ``ahead`` frames are decoded while the tracker computes. With ``keep_masks``, the
    trajectory has the masks that the tracker answers.
    """
    frames = check_frames(sequence)
    count = len(sequence)
    boxes, scores = np.empty((count, 4)), np.full(count, np.nan)
    times = np.zeros(count)
    masks: list[Runs | None] = [None] * count if keep_masks else []
    boxes[0] = sequence.initial_box
    with reader(frames, ahead) as images:
        for index in range(count):
            if on_frame is not None:
                on_frame(index + 1)
            image = images[index]
            if index == 0:
                check_first_box(sequence, image)
                answer = yield Start(1, image, boxes[0].copy())
            else:
                answer = yield Follow(index + 1, image)
            times[index] = answer.seconds
            if answer.prediction is not None:
                boxes[index], scores[index] = check_answer(answer.prediction)
                if keep_masks:
                    masks[index] = mask_of(answer.prediction)
    return Trajectory(boxes, times, scores, tuple(masks))


def check_frames(sequence: Sequence) -> Frames:
    """The frames of a sequence that can be run.

    Raises:
        DatasetError: it has no frames, fewer than annotated, or an invalid first box.
    """
    if sequence.frames is None:
        raise DatasetError(
            f"sequence {sequence.name!r} is annotation only; running a tracker needs its images"
        )
    found, expected = len(sequence.frames), len(sequence)
    if found < expected or not expected:
        raise DatasetError(
            f"sequence {sequence.name!r}: expected {max(expected, 1)} frames, found {found}. "
            "Run `bench check` on the dataset to list what is missing."
        )
    if found > expected and sequence.all_frames:
        raise DatasetError(
            f"sequence {sequence.name!r}: {found} frames, but {expected} rows of boxes. "
            "Give a row for every frame, or one row for the first."
        )
    box = sequence.initial_box
    if not (np.isfinite(box).all() and (box[2:] > 0).all()):
        raise DatasetError(
            f"sequence {sequence.name!r}: expected a box with an area on its first frame, "
            f"found x, y, w, h = {box.tolist()}"
        )
    return sequence.frames
