"""One pass: what a tracker is given, what is kept of its answers, and what is refused."""

from __future__ import annotations

import pickle
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.errors import DatasetError, TrackerError
from bench.measures.onepass import frame_measures, get_convention
from bench.protocols.onepass import run_one_pass
from bench.protocols.steps import FrameError
from bench.sequence import Sequence, to_file, to_tracker
from bench.tracker import ABSENT, Prediction

FIRST = (10.0, 20.0, 30.0, 40.0)


def make_sequence(count: int = 4, first: Any = FIRST, **changes: Any) -> Sequence:
    truth = np.tile(np.array(first), (count, 1))
    frames = [np.full((60, 80, 3), index, np.uint8) for index in range(count)]
    return Sequence("Bolt", truth, **{"frames": frames, "index_base": 1.0, **changes})


class Rebuilt:
    """Built anew for every start, which takes a while."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def renew(self) -> None:
        time.sleep(0.2)
        self.calls.append("renew")

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.calls.append("init")

    def update(self, image: np.ndarray) -> Prediction:
        return Prediction(np.array(FIRST))


def test_a_tracker_is_built_anew_with_the_clock_stopped() -> None:
    tracker = Rebuilt()
    for _ in range(2):
        assert run_one_pass(tracker, make_sequence()).times[0] < 0.2
    assert tracker.calls == ["renew", "init", "renew", "init"]


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Shy:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


class Scripted:
    """Gives the answers it was made with, and remembers what it was shown."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.shown: list[int] = []

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.region = region
        self.shown.append(int(image[0, 0, 0]))

    def update(self, image: np.ndarray) -> Any:
        self.shown.append(int(image[0, 0, 0]))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@given(arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)))
def test_stores_the_first_box_zero_based_and_every_answer_as_it_came(answers: np.ndarray) -> None:
    answers[:, 2:] = np.abs(answers[:, 2:])
    answers[~answers.any(axis=1)] = 1.0  # 0, 0, 0, 0 says "not visible"
    tracker = Scripted(*(Prediction(box, score=0.5) for box in answers))
    result = run_one_pass(tracker, make_sequence())
    assert tracker.region.tolist() == result.boxes[0].tolist() == [9.0, 19.0, 30.0, 40.0]
    assert np.array_equal(result.boxes[1:], answers)
    assert tracker.shown == [0, 1, 2, 3]
    assert np.isnan(result.scores[0])
    assert result.scores[1:].tolist() == [0.5, 0.5, 0.5]


def test_polygon_and_mask_become_the_box_around_them() -> None:
    mask = np.zeros((60, 80), dtype=bool)
    mask[2:4, 3:8] = True
    polygon = np.array([[1.0, 0.0], [5.0, 2.0], [4.0, 6.0], [0.0, 4.0]])
    result = run_one_pass(Scripted(Prediction(polygon), Prediction(mask)), make_sequence(3))
    assert result.boxes[1:].tolist() == [[0, 0, 5, 6], [3, 2, 5, 2]]
    assert np.isnan(result.scores).all()


NOT_VISIBLE = [None, np.zeros((60, 80), dtype=bool), np.zeros(4), [0, 0, 0, 0]]


@pytest.mark.parametrize("region", NOT_VISIBLE)
@pytest.mark.parametrize("rule", ["otb", "lasot", "trackingnet", "pysot", "got10k"])
def test_a_target_that_is_not_visible_overlaps_nothing(region: Any, rule: str) -> None:
    tracker = Scripted(Prediction(np.array([9.0, 19, 30, 40])), Prediction(region, 0.25))
    sequence = make_sequence(3)
    result = run_one_pass(tracker, sequence)
    assert result.boxes[2].tolist() == list(ABSENT)
    assert result.scores[2] == 0.25
    rows = to_file(result.boxes, 1.0)
    assert np.array_equal(to_tracker(rows, 1.0)[2], ABSENT)  # reads back from a file as absent
    rules = get_convention(rule, "otb2015")
    overlap = frame_measures(rows, sequence.ground_truth, rules).overlap
    assert overlap[1] > 0.9  # the row before, which OTB's rule puts in place of a row without size
    assert overlap[2] == 0


def test_one_frame_is_a_sequence() -> None:
    result = run_one_pass(Scripted(), make_sequence(1))
    assert result.boxes.shape == (1, 4)
    assert result.times.shape == (1,)


class SlowFrames(list[np.ndarray]):
    def __getitem__(self, index: Any) -> Any:
        time.sleep(0.3)
        return super().__getitem__(index)


def test_the_clock_counts_the_tracker_but_not_the_decoding() -> None:
    class Sleeper(Scripted):
        def update(self, image: np.ndarray) -> Prediction:
            time.sleep(0.02)
            return Prediction(self.region)

    frames = SlowFrames(np.zeros((60, 80, 3), np.uint8) for _ in range(3))
    times = run_one_pass(Sleeper(), make_sequence(3, frames=frames)).times
    assert times.shape == (3,)
    assert (times[1:] >= 0.02).all()
    assert (times < 0.3).all()


def test_the_device_is_waited_for_before_each_reading_of_the_clock() -> None:
    events: list[str] = []

    class Queueing(Scripted):
        def update(self, image: np.ndarray) -> Prediction:
            events.append("update")
            return Prediction(self.region)

    run_one_pass(Queueing(), make_sequence(2), synchronize=lambda: events.append("wait"))
    assert events == ["wait", "wait", "wait", "update", "wait"]


@pytest.mark.parametrize("started", [True, False])
def test_cuda_is_waited_for_only_where_torch_has_started_it(
    started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    cuda = SimpleNamespace(is_initialized=lambda: started, synchronize=lambda: waits.append(1))
    monkeypatch.setitem(sys.modules, "torch.cuda", cuda)
    run_one_pass(Scripted(Prediction(np.ones(4))), make_sequence(2))
    assert len(waits) == (4 if started else 0)


def test_each_frame_is_announced_before_it_is_decoded() -> None:
    announced: list[int] = []

    class Watched(list[np.ndarray]):
        def __getitem__(self, index: Any) -> Any:
            assert announced[-1] == index + 1
            return super().__getitem__(index)

    frames = Watched(np.zeros((60, 80, 3), np.uint8) for _ in range(3))
    tracker = Scripted(*[Prediction(np.ones(4))] * 2)
    run_one_pass(tracker, make_sequence(3, frames=frames), on_frame=announced.append)
    assert announced == [1, 2, 3]


def test_a_tracker_may_scribble_on_what_it_is_given() -> None:
    class Vandal(Scripted):
        def init(self, image: np.ndarray, region: np.ndarray) -> None:
            image[:] = 255
            region[:] = np.nan

        def update(self, image: np.ndarray) -> Prediction:
            image[:] = 255
            self.box = np.ones(4)
            return Prediction(self.box)

    sequence = make_sequence(3)
    result = run_one_pass(Vandal(), sequence)
    assert result.boxes[0].tolist() == [9, 19, 30, 40]
    assert sequence.frames is not None
    assert [int(sequence.frames[index].max()) for index in range(3)] == [0, 1, 2]


def test_an_answer_changed_afterwards_stays_as_it_was() -> None:
    class Reuser(Scripted):
        def init(self, image: np.ndarray, region: np.ndarray) -> None:
            self.box = np.zeros(4)

        def update(self, image: np.ndarray) -> Prediction:
            self.box += 1
            return Prediction(self.box)

    assert run_one_pass(Reuser(), make_sequence(3)).boxes[1:, 0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "expected a Prediction, found None"),
        (np.ones(4), "expected a Prediction, found array"),
        (Prediction(np.array([1, 2, np.nan, 4])), "expected finite numbers"),
        (Prediction(np.array([1, 2, np.inf, 4])), "expected finite numbers"),
        (Prediction(np.ones(5)), r"found shape \(5,\)"),
        (Prediction(np.ones((2, 2))), r"found shape \(2, 2\)"),
        (Prediction(np.array([10, 10, -5, 5])), "a width and a height of at least 0, found x, y"),
        (Prediction(np.array([10, 10, 5, -1e-9])), "a width and a height of at least 0"),
        (Prediction(np.ones((5, 8), dtype=bool)), r"mask as large as the image, \(60, 80\)"),
        (Prediction(np.zeros((8, 6), dtype=bool)), r"mask as large as the image, \(60, 80\)"),
        (
            Prediction(np.ones(4), mask=np.ones((5, 8), dtype=bool)),
            r"mask as large as the image, \(60, 80\), of bool, found \(5, 8\) of bool",
        ),
        (Prediction(np.ones(4), mask=np.ones((60, 80))), r"of bool, found .* of float64"),
        (Prediction(np.ones(4) * 1j), "expected real numbers, found complex128"),
        (Prediction(np.array(["1", "2", "3", "4"])), "expected numbers, found the text"),
        (Prediction(np.zeros(4, "datetime64[s]")), "expected real numbers, found datetime64"),
        (Prediction("1,2,3,4"), "expected numbers, found the text"),
        (Prediction([[1, 2], [3]]), "inhomogeneous"),
        (Prediction(np.ones(4), float("nan")), "expected a finite score or None, found nan"),
        (Prediction(np.ones(4), float("inf")), "expected a finite score or None, found inf"),
        (Prediction(np.ones(4), "high"), "could not convert"),
        (ValueError("lost\nmy way"), r"ValueError: lost my way \(.*test_onepass.py:\d+\)"),
        (ValueError("\udc80\x1b[31m"), r"^frame 3: ValueError: \\udc80\\x1b\[31m \("),
        (UnspeakableError(), r"UnspeakableError: \(its message cannot be read: RuntimeError\)"),
        (Shy(), "expected a Prediction, found a Shy"),
        (KeyError(), r"KeyError \(.*test_onepass.py:\d+\)"),
        (TrackerError("out of memory"), "^frame 3: out of memory$"),
    ],
)
def test_a_wrong_answer_is_an_error_with_its_frame(answer: Any, message: str) -> None:
    tracker = Scripted(Prediction(np.ones(4)), answer, Prediction(np.ones(4)))
    with pytest.raises(FrameError, match=message) as caught:
        run_one_pass(tracker, make_sequence())
    assert caught.value.frame == 3
    assert "\n" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.frame, str(again)) == (3, str(caught.value))


def test_a_tracker_that_fails_to_start_fails_on_frame_one() -> None:
    class Unwilling(Scripted):
        def init(self, image: np.ndarray, region: np.ndarray) -> None:
            raise RuntimeError("too small")

    with pytest.raises(FrameError, match="frame 1: RuntimeError: too small"):
        run_one_pass(Unwilling(), make_sequence())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": None}, "'Bolt' is annotation only"),
        ({"frames": []}, "expected 4 frames, found 0"),
        ({"frames": [np.zeros((60, 80, 3), np.uint8)] * 3}, "expected 4 frames, found 3"),
        ({"first": [1.0, np.nan, 3.0, 4.0]}, "expected a box with an area"),
        ({"first": [1.0, 2.0, 0.0, 4.0]}, "expected a box with an area"),
        ({"count": 0}, "expected 1 frames, found 0"),
    ],
)
def test_a_sequence_that_cannot_be_run_is_an_error(changes: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        run_one_pass(Scripted(), make_sequence(**changes))


def test_hidden_ground_truth_is_run_to_the_last_frame() -> None:
    frames = [np.zeros((60, 80, 3), np.uint8)] * 5
    tracker = Scripted(*[Prediction(np.ones(4))] * 4)
    assert len(run_one_pass(tracker, make_sequence(1, frames=frames, hidden=True)).boxes) == 5
