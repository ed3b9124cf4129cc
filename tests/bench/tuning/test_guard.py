"""Test sets are known by benchmark, list and mark."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bench.benchmarks import benchmarks
from bench.errors import ConfigError
from bench.sequence import Dataset, Sequence
from bench.tuning.guard import off_limits, refuse_test_set


def dataset(benchmark: str, *names: str) -> Dataset:
    box = np.tile([1.0, 2.0, 3.0, 4.0], (2, 1))
    return Dataset(benchmark, Path("/data"), tuple(Sequence(name, box) for name in names))


@pytest.mark.parametrize("benchmark", ["otb2015", "uav123", "vot2016", "vot2018"])
def test_a_benchmark_without_a_training_split_is_a_test_set(benchmark: str) -> None:
    with pytest.raises(ConfigError, match="--on-test-set"):
        refuse_test_set(dataset(benchmark, "anything"))


def test_lists_tell_test_from_training_sequences() -> None:
    assert off_limits(dataset("lasot", "airplane-1", "airplane-2")) == ["airplane-1"]
    assert off_limits(dataset("trackingnet", "a1qoB1eERn0_0", "XwyyGjLi7pc_0")) == [
        "XwyyGjLi7pc_0"
    ]
    refuse_test_set(dataset("lasot", "airplane-2"))


def test_the_miniature_and_own_clips_are_no_test_set() -> None:
    assert len(benchmarks()) == 7
    for benchmark in benchmarks():
        refuse_test_set(dataclasses.replace(dataset(benchmark, "airplane-1"), miniature=True))
    refuse_test_set(dataset("folder", "airplane-1"))
