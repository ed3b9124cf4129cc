"""Protocols as coroutines, and the functions that drive them.

A protocol is a generator. It yields the next step of the tracker, receives the tracker's answer
with the time it took, and returns a trajectory. The same protocol serves one tracker on one
sequence (``drive``) and a batch tracker on many in lockstep (``drive_lockstep``).
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from bench.arrays import FloatArray, Image
from bench.errors import TrackerError, message_of
from bench.errors import describe as describe
from bench.tracker import ABSENT, BatchTracker, Prediction, Region, Tracker, as_box, is_absent

Result = TypeVar("Result")
Key = TypeVar("Key", bound=Hashable)
Synchronize: TypeAlias = Callable[[], None]
OnFrame: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Start:
    """Start the tracker on ``region`` in frame ``number`` (from 1)."""

    number: int
    image: Image
    region: Region


@dataclass(frozen=True, eq=False)
class Follow:
    """Find the target in frame ``number`` (from 1)."""

    number: int
    image: Image


@dataclass(frozen=True, eq=False)
class Answer:
    """Seconds spent in the tracker, and its prediction (None after a ``Start``)."""

    seconds: float
    prediction: Prediction | None = None


Steps: TypeAlias = Generator[Start | Follow, Answer, Result]


class FrameError(TrackerError):
    """A tracker raised, or gave an invalid answer, on one frame.

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


def drive(
    tracker: Tracker, steps: Steps[Result], synchronize: Synchronize | None = None
) -> Result:
    """Run ``tracker`` through the steps of a protocol, and return the protocol's result.

    Args:
        tracker: in any state; ``init`` starts it anew.
        steps: the protocol along one sequence.
        synchronize: waits for the device before the clock is read; by default for CUDA, if
            PyTorch has initialised it.

    Raises:
        FrameError: the tracker raised, or returned no finite region.
    """
    clock = Clock(synchronize or synchronize_cuda)
    step, done = _advance(steps, None)
    while step is not None:
        try:
            if isinstance(step, Start):
                _renew(tracker)
                seconds, _ = clock.measure(tracker.init, step.image, step.region)
                answer = Answer(seconds)
            else:
                seconds, prediction = clock.measure(tracker.update, step.image)
                answer = Answer(seconds, check_prediction(prediction, step.image))
        except Exception as error:
            raise _frame_error(step, error) from error
        step, done = _advance(steps, answer)
    return done  # type: ignore[return-value]  # the protocol has returned


def _renew(tracker: Tracker) -> None:
    """Let a tracker that is built anew for every start do so, with the clock stopped."""
    renew = getattr(type(tracker), "renew", None)
    if callable(renew):
        renew(tracker)


@dataclass(eq=False)
class _Lane(Generic[Key, Result]):
    """One sequence in progress."""

    key: Key
    steps: Steps[Result]
    step: Start | Follow | None
    result: Result | None
    state: Any = None

    def go_on(self, answer: Answer) -> None:
        self.step, self.result = _advance(self.steps, answer)


def drive_lockstep(
    tracker: BatchTracker,
    runs: Iterable[tuple[Key, Steps[Result]]],
    lanes: int,
    synchronize: Synchronize | None = None,
) -> Iterator[tuple[Key, Result]]:
    """Run a batch tracker on up to ``lanes`` sequences at once; yield each result as it ends.

    Each lane counts an equal share of the seconds of a call.

    Raises:
        FrameError: the tracker raised, or returned no finite region in one lane. If a call raised
            for all lanes, the frame is that of the first.
    """
    clock = Clock(synchronize or synchronize_cuda)
    waiting = iter(runs)
    active: list[_Lane[Key, Result]] = []
    while True:
        for key, steps in itertools.islice(waiting, lanes - len(active)):
            active.append(_Lane(key, steps, *_advance(steps, None)))
        if not active:
            return
        _start_lanes(tracker, active, clock)
        _follow_lanes(tracker, [lane for lane in active if lane.step is not None], clock)
        for lane in active:
            if lane.step is None:
                yield lane.key, lane.result  # type: ignore[misc]  # the protocol has returned
        active = [lane for lane in active if lane.step is not None]


def _start_lanes(tracker: BatchTracker, lanes: list[_Lane[Key, Result]], clock: Clock) -> None:
    for lane in lanes:
        while isinstance(lane.step, Start):
            try:
                seconds, lane.state = clock.measure(
                    tracker.start, lane.step.image, lane.step.region
                )
            except Exception as error:
                raise _frame_error(lane.step, error) from error
            lane.go_on(Answer(seconds))


def _follow_lanes(tracker: BatchTracker, lanes: list[_Lane[Key, Result]], clock: Clock) -> None:
    if not lanes:
        return
    states, images = [lane.state for lane in lanes], [_image(lane) for lane in lanes]
    try:
        seconds, (states, predictions) = clock.measure(tracker.advance, states, images)
    except Exception as error:
        raise _frame_error(lanes[0].step, error) from error
    for lane, state, prediction in zip(lanes, states, predictions, strict=True):
        lane.state = state
        try:
            said = check_prediction(prediction, _image(lane))
            answer = Answer(seconds / len(lanes), said)
        except Exception as error:
            raise _frame_error(lane.step, error) from error
        lane.go_on(answer)


def _image(lane: _Lane[Key, Result]) -> Image:
    if lane.step is None:
        raise RuntimeError("a lane that has ended has no image")
    return lane.step.image


def _advance(
    steps: Steps[Result], answer: Answer | None
) -> tuple[Start | Follow | None, Result | None]:
    """The next step of a protocol, or its result."""
    try:
        return (next(steps) if answer is None else steps.send(answer)), None
    except StopIteration as end:
        return None, end.value


def _frame_error(step: Start | Follow | None, error: Exception) -> FrameError:
    number = 0 if step is None else step.number
    is_ours = isinstance(error, TrackerError)
    return FrameError(number, message_of(error) if is_ours else describe(error))


def check_prediction(answer: object, image: Image) -> Prediction:
    """``answer`` if it is a ``Prediction`` with a finite score and a region of ``image``, or none.

    Raises:
        TrackerError: it is not.
    """
    check_answer(answer)
    said: Prediction = answer  # type: ignore[assignment]  # just checked
    for name in ("region", "mask"):
        found = np.asarray(getattr(said, name))
        is_mask = found.dtype == bool or (name == "mask" and said.mask is not None)
        if is_mask and (found.shape != image.shape[:2] or found.dtype != bool):
            raise TrackerError(
                f"expected a mask as large as the image, {image.shape[:2]}, of bool, found "
                f"{found.shape} of {found.dtype}"
            )
    return said


def check_answer(answer: object) -> tuple[FloatArray, float]:
    """Box ``(4,)`` and score (NaN for none) of a tracker's answer.

    The box is ``ABSENT`` where the tracker says that the target is not visible.

    Raises:
        TrackerError: the answer is not a ``Prediction``, or its region or score is not finite.
    """
    if not isinstance(answer, Prediction):
        raise TrackerError(
            f"expected a Prediction, found {_shorten(_shown(answer))}. "
            "`update` returns bench.tracker.Prediction(region, score)."
        )
    score = math.nan if answer.score is None else float(answer.score)
    if math.isinf(score) or (answer.score is not None and math.isnan(score)):
        raise TrackerError(f"expected a finite score or None, found {score}")
    if answer.region is None or is_absent(answer.region):
        return np.array(ABSENT), score
    return as_box(answer.region), score


def synchronize_cuda() -> None:
    """Wait for CUDA, if PyTorch has been imported and has initialised it."""
    cuda = sys.modules.get("torch.cuda")
    if cuda is not None and cuda.is_initialized():
        cuda.synchronize()


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # foreign objects may raise anything
        return f"a {type(value).__name__}"


def _shorten(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]}..."


class Clock:
    """Times calls; the device's queue is empty at both readings."""

    def __init__(self, synchronize: Synchronize) -> None:
        self._synchronize = synchronize

    def measure(self, call: Callable[..., Any], *arguments: object) -> tuple[float, Any]:
        """Seconds spent in a call, and its result."""
        self._synchronize()
        start = time.perf_counter()
        answer = call(*arguments)
        self._synchronize()
        return time.perf_counter() - start, answer
