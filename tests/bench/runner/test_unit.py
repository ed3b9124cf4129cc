"""Units of work without any process around them: seeds, threads, device."""

from __future__ import annotations

import random
import sys
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import TrackerError
from bench.processes import thread_count, thread_environment
from bench.registry import TrackerSpec
from bench.runner.unit import (
    Unit,
    build_tracker,
    device_name,
    run_unit,
    seed_everything,
)

Key = tuple[int, str, int]
KEYS = st.tuples(st.integers(), st.text(max_size=5), st.integers(0, 20))


def draw() -> tuple[float, float, float]:
    drawn = np.zeros(1)
    cv2.randu(drawn, 0.0, 1.0)
    return random.random(), float(np.random.rand()), drawn.item()  # noqa: NPY002


@given(KEYS, KEYS)
def test_the_same_seed_gives_the_same_numbers_and_another_gives_others(a: Key, b: Key) -> None:
    seed_everything(*a)
    first = draw()
    seed_everything(*b)
    second = draw()
    seed_everything(*a)
    assert draw() == first
    assert (first == second) == (a == b)


def test_torch_is_seeded_only_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(manual_seed=seeds.append))
    seed_everything(0, "Bolt", 1)
    seed_everything(0, "Bolt", 1)
    seed_everything(0, "Bolt", 2)
    assert seeds[0] == seeds[1] != seeds[2]


def test_a_unit_gives_the_same_whatever_ran_before(fakes: ModuleType) -> None:
    tracker = build_tracker(TrackerSpec("w", "fake_trackers:Wanderer"), seed=3)
    unit = Unit(fakes.make_sequence("Bolt", 7), seed=3)
    first = run_unit(tracker, unit)
    run_unit(tracker, Unit(fakes.make_sequence("Car4", 5), seed=3))
    again = run_unit(tracker, unit)
    assert np.array_equal(first.boxes, again.boxes)
    assert np.array_equal(first.scores, again.scores, equal_nan=True)
    repeated = run_unit(tracker, Unit(unit.sequence, seed=3, repetition=2))
    assert not np.array_equal(first.boxes, repeated.boxes)


def test_building_is_seeded_too(fakes: ModuleType) -> None:
    def number(seed: int) -> float:
        build_tracker(TrackerSpec("w", "fake_trackers:Wanderer"), seed)
        return random.random()

    assert number(1) == number(1) != number(2)


def test_a_tracker_that_raises_when_built_is_one_error(fakes: ModuleType) -> None:
    with pytest.raises(TrackerError, match="OSError: no such weights"):
        build_tracker(TrackerSpec("u", "fake_trackers:Unbuildable"), 0)


def test_one_thread_unless_the_caller_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in thread_environment():
        monkeypatch.delenv(name, raising=False)
    assert thread_environment() == {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
    assert thread_count() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setenv("MKL_NUM_THREADS", "2")
    assert thread_environment()["OPENBLAS_NUM_THREADS"] == "4"
    assert thread_environment()["MKL_NUM_THREADS"] == "2"
    assert thread_count() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert thread_count() is None


def test_the_device_is_the_one_torch_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch.cuda", raising=False)
    assert device_name() == "cpu"
    for started, expected in ((False, "cpu"), (True, "Giant GPU")):
        cuda = SimpleNamespace(
            is_initialized=lambda on=started: on, get_device_name=lambda: "Giant GPU"
        )
        monkeypatch.setitem(sys.modules, "torch.cuda", cuda)
        assert device_name() == expected
