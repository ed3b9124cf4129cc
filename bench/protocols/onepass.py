"""The one-pass protocol: start a tracker on the first frame, then let it run to the end."""

from __future__ import annotations

import math
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.errors import DatasetError, TrackerError
from bench.sequence import FloatArray, Frames, Sequence, Trajectory
from bench.tracker import Prediction, Tracker, as_box

Answer = TypeVar("Answer")


class FrameError(TrackerError):
    """A tracker raised or answered wrongly on one frame.

    Attributes:
        frame: number of the frame in its sequence, from 1.
        cause: what went wrong there.
    """

    def __init__(self, frame: int, cause: str) -> None:
        super().__init__(frame, cause)
        self.frame = frame
        self.cause = cause

    def __str__(self) -> str:
        return f"frame {self.frame}: {self.cause}"


def run_one_pass(
    tracker: Tracker,
    sequence: Sequence,
    *,
    synchronize: Callable[[], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Trajectory:
    """Start ``tracker`` on the first frame of ``sequence`` and follow it to the last.

    The stored first box is the one it was started on. Times are seconds inside the tracker alone:
    decoding and checking lie outside the clock. Each image is the tracker's own to change.

    Args:
        tracker: a tracker in any state; ``init`` starts it anew.
        sequence: with frames.
        synchronize: waits until the device has done its work, before the clock is read; by
            default CUDA is waited for where PyTorch has started it.
        on_frame: told the number of each frame, from 1, before it is decoded.

    Raises:
        FrameError: the tracker raised, or answered anything but a finite region.
        DatasetError: no frames, fewer than annotated, one that cannot be decoded, or a first box
            that is not a box.
    """
    frames = check_frames(sequence)
    clock = _Clock(synchronize or synchronize_cuda)
    count = len(sequence)
    boxes, scores = np.empty((count, 4)), np.full(count, np.nan)
    boxes[0] = sequence.initial_box
    for index in range(count):
        if on_frame is not None:
            on_frame(index + 1)
        image = np.array(frames[index])  # a copy: frames kept in memory stay as they are
        try:
            if index == 0:
                clock.measure(tracker.init, image, boxes[0].copy())
            else:
                answer = clock.measure(tracker.update, image)
                boxes[index], scores[index] = check_answer(answer)
        except TrackerError as error:
            raise FrameError(index + 1, str(error)) from error
        except Exception as error:
            raise FrameError(index + 1, describe(error)) from error
    return Trajectory(boxes, np.array(clock.seconds), scores)


def check_frames(sequence: Sequence) -> Frames:
    """The frames of a sequence that can be run.

    Raises:
        DatasetError: it has no frames, fewer than annotated, or a first box that is not a box.
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


def check_answer(answer: object) -> tuple[FloatArray, float]:
    """Box ``(4,)`` and score (NaN for none) of what a tracker answered.

    Raises:
        TrackerError: it is no ``Prediction``, or its region or score is not a finite one.
    """
    if not isinstance(answer, Prediction):
        raise TrackerError(
            f"expected a Prediction, found {_shorten(repr(answer))}. "
            "`update` returns bench.tracker.Prediction(region, score)."
        )
    score = math.nan if answer.score is None else float(answer.score)
    if math.isinf(score) or (answer.score is not None and math.isnan(score)):
        raise TrackerError(f"expected a finite score or None, found {score}")
    return as_box(answer.region), score


def synchronize_cuda() -> None:
    """Wait for CUDA where PyTorch was imported, by whomever, and has started it."""
    cuda = sys.modules.get("torch.cuda")
    if cuda is not None and cuda.is_initialized():
        cuda.synchronize()


def describe(error: BaseException) -> str:
    """One line on an exception: kind, message, and the line of the plug-in that it came from."""
    raised = f"{type(error).__name__}: {_shorten(str(error))}".removesuffix(": ")
    calls = traceback.extract_tb(error.__traceback__)
    own = [call for call in calls if "site-packages" not in Path(call.filename).parts]
    if not own or own[-1].filename == __file__:
        return raised
    return f"{raised} ({own[-1].filename}:{own[-1].lineno})"


def _shorten(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]}..."


class _Clock:
    """Seconds spent in each measured call, with the device's queue empty at both readings."""

    def __init__(self, synchronize: Callable[[], None]) -> None:
        self.seconds: list[float] = []
        self._synchronize = synchronize

    def measure(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        self._synchronize()
        start = time.perf_counter()
        answer = call(*arguments)
        self._synchronize()
        self.seconds.append(time.perf_counter() - start)
        return answer
