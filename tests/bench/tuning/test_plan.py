"""Which data, measure and direction a search has; test sets are known by benchmark and list."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bench.benchmarks import benchmarks
from bench.errors import ConfigError
from bench.sequence import Dataset, Sequence
from bench.tuning.plan import Plan, check_data, choose_measure
from bench.tuning.space import parse_space


def dataset(benchmark: str, *names: str) -> Dataset:
    box = np.tile([1.0, 2.0, 3.0, 4.0], (2, 1))
    return Dataset(benchmark, Path("/data"), tuple(Sequence(name, box) for name in names))


@pytest.mark.parametrize("benchmark", ["otb2015", "uav123", "vot2016", "vot2018"])
def test_a_benchmark_without_a_training_split_is_a_test_set(benchmark: str) -> None:
    with pytest.raises(ConfigError, match="--on-test-set"):
        check_data(dataset(benchmark, "anything"))


def test_lists_tell_test_from_training_sequences() -> None:
    with pytest.raises(ConfigError, match=r"1 of 2 sequences .*\(airplane-1\)"):
        check_data(dataset("lasot", "airplane-1", "airplane-2"))
    with pytest.raises(ConfigError, match=r"1 of 2 sequences .*\(XwyyGjLi7pc_0\)"):
        check_data(dataset("trackingnet", "a1qoB1eERn0_0", "XwyyGjLi7pc_0"))
    check_data(dataset("lasot", "airplane-2"))


def test_the_miniature_and_own_clips_are_no_test_set() -> None:
    for benchmark in benchmarks():
        check_data(dataclasses.replace(dataset(benchmark, "airplane-1"), miniature=True))
    check_data(dataset("folder", "airplane-1"))


def test_the_measure_is_the_one_that_tables_rank_by() -> None:
    assert choose_measure("onepass", None) == "success"
    assert choose_measure("baseline", None) == "eao"
    assert choose_measure("unsupervised", None) == "average_overlap"
    with pytest.raises(ConfigError, match=r"unknown measure of baseline 'succes'.*eao"):
        choose_measure("baseline", "succes")


def test_robustness_is_minimised(tmp_path: Path) -> None:
    space, study = parse_space(["shift=0:1"], "toys:Shifted", {}), tmp_path / "s.journal"
    for measure, direction in (("robustness", "minimize"), ("eao", "maximize")):
        plan = Plan(dataset("otb2015", "Car4"), "toys:Shifted", space, measure, study)
        assert plan.direction == direction
