"""Small datasets for tests of raw results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.benchmarks import get_benchmark
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset, Sequence

MakeDataset = Callable[..., Dataset]


@pytest.fixture(scope="session")
def make_dataset() -> MakeDataset:
    """Builds a dataset from names and numbers of frames, with arbitrary boxes."""

    def make(benchmark: str, frames: Mapping[str, int], **fields: Any) -> Dataset:
        index_base = get_benchmark(benchmark).index_base
        box = np.array([[10.0, 20.0, 30.0, 40.0]])
        sequences = tuple(
            Sequence(name, np.repeat(box, count, axis=0), index_base=index_base)
            for name, count in frames.items()
        )
        return Dataset(benchmark, Path("data"), sequences, **fields)

    return make


@pytest.fixture
def otb(make_dataset: MakeDataset) -> Dataset:
    """Three sequences of OTB-2015, of 3, 4 and 2 frames."""
    return make_dataset("otb2015", {"Bolt": 3, "Jogging-1": 4, "Human4-2": 2})


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    """An empty store of OTB-2015 in ``tmp_path/results``."""
    return OnePassStore(tmp_path / "results", "otb2015")
