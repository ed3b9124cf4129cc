"""Frames that are read ahead are the same frames, in bounds, and fail where they are."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from bench.errors import DatasetError
from bench.protocols import reading
from bench.protocols.onepass import one_pass_steps, run_one_pass
from bench.protocols.reading import reader
from bench.protocols.steps import FrameError, drive
from bench.sequence import Sequence
from bench.tracker import Prediction

SIDE = 8


class Film:
    """Images that tell their number, and notes of who decoded which, and how far ahead."""

    decodes = True

    def __init__(self, count: int, broken: int | None = None) -> None:
        self.count, self.broken = count, broken
        self.decoded: list[int] = []
        self.threads: set[str] = set()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> np.ndarray:
        self.decoded.append(index)
        self.threads.add(threading.current_thread().name)
        if index == self.broken:
            raise DatasetError(f"frame {index + 1} is broken")
        return np.full((SIDE, SIDE, 3), index, np.uint8)


@pytest.mark.parametrize("ahead", [0, 1, 3, 100])
def test_frames_come_in_order_and_those_passed_over_are_dropped(ahead: int) -> None:
    with reader(Film(12), ahead) as images:
        asked = [0, 1, 2, 5, 6, 11]
        assert [int(images[index][0, 0, 0]) for index in asked] == asked


@pytest.mark.parametrize(("ahead", "most_bytes", "expected"), [(3, 1 << 20, 3), (9, 400, 2)])
def test_it_is_bounded_by_frames_and_bytes(
    ahead: int, most_bytes: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", most_bytes)
    film = Film(50)
    with reader(film, ahead) as images:
        images[0]
        deadline = time.monotonic() + 5
        while len(film.decoded) < 1 + expected and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.05)  # one more would have been decoded by now
        assert film.decoded == list(range(1 + expected))


def test_without_it_the_caller_decodes() -> None:
    film = Film(3)
    with reader(film) as images:
        images[0]
    assert film.threads == {threading.current_thread().name}
    assert film.decoded == [0]


def test_frames_in_memory_are_copied() -> None:
    held = [np.zeros((2, 2, 3), np.uint8)]
    with reader(held, 2) as images:
        images[0][:] = 7
    assert not held[0].any()


class Slow:
    """Notes what it sees, and fails on a frame if asked to; 10 ms a frame."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.seen = [int(image[0, 0, 0])]

    def update(self, image: np.ndarray) -> Prediction:
        time.sleep(0.01)
        self.seen.append(int(image[0, 0, 0]))
        if len(self.seen) == self.fails_at:
            raise ValueError("lost")
        return Prediction(np.array([1.0, 1.0, len(self.seen), 2.0]))


def film_sequence(film: Film) -> Sequence:
    return Sequence("film", np.tile([1.0, 1.0, 3.0, 3.0], (len(film), 1)), film)


def test_a_tracker_sees_and_answers_the_same() -> None:
    told: list[int] = []
    ahead, plain = Slow(), Slow()
    found = drive(ahead, one_pass_steps(film_sequence(Film(9)), told.append, ahead=4))
    expected = run_one_pass(plain, film_sequence(Film(9)))
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    assert ahead.seen == plain.seen == list(range(9))
    assert told == list(range(1, 10))


def test_the_time_of_the_tracker_does_not_hold_that_of_decoding() -> None:
    class Lazy(Film):
        def __getitem__(self, index: int) -> np.ndarray:
            time.sleep(0.03)
            return super().__getitem__(index)

    found = drive(Slow(), one_pass_steps(film_sequence(Lazy(5)), ahead=4))
    assert 0.01 <= np.median(found.times[1:]) < 0.03


def test_a_broken_frame_is_an_error_only_when_its_turn_comes() -> None:
    with pytest.raises(DatasetError, match="frame 5 is broken"):
        drive(Slow(), one_pass_steps(film_sequence(Film(9, broken=4)), ahead=8))
    with pytest.raises(FrameError, match="frame 3: ValueError: lost"):
        drive(Slow(fails_at=3), one_pass_steps(film_sequence(Film(9, broken=4)), ahead=8))
