"""``bench.diff`` from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bench
from bench.files import format_rows
from tests.bench.comparison.conftest import path


@pytest.fixture
def data(tmp_path: Path) -> bench.Dataset:
    for seed, name in enumerate(("street", "harbour")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "groundtruth.txt").write_bytes(format_rows(path(seed)))
    return bench.load("folder", tmp_path)


def boxes(data: bench.Dataset, by: float) -> dict[str, np.ndarray]:
    found = {}
    for sequence in data:
        rows = sequence.ground_truth + 0.25
        rows[:, :2] += by
        found[sequence.name] = rows
    return found


def test_boxes_are_compared(data: bench.Dataset) -> None:
    found = bench.diff(boxes(data, 1.0), boxes(data, 0.0), data)
    assert found.causes[0].name == "one-based"
    frame = found.frame()
    row = found.found.measures[0]
    assert frame[row.measure].sum() == pytest.approx(row.difference, abs=1e-12)
    assert "one-based" in repr(found)
    assert "<table" in found._repr_html_()
    assert found.verdict


def test_figures_are_given_by_measure(data: bench.Dataset) -> None:
    found = bench.diff(boxes(data, 0.0), {"success": 0.5}, data)
    assert [row.b for row in found.found.measures] == [0.5]
    with pytest.raises(bench.ConfigError, match="same boxes"):
        found.plot()
    for figures, message in (
        ({"success": 50}, "expected a fraction of 1, found 50"),
        ({"sucess": 0.5}, "Did you mean 'success'"),
    ):
        with pytest.raises(bench.ConfigError, match=message):
            bench.diff(boxes(data, 0.0), figures, data)


def test_the_name_is_the_function_after_its_room_was_imported(data: bench.Dataset) -> None:
    import bench.comparison

    assert callable(bench.diff)
