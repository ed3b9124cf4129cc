"""Where two runs part."""

from __future__ import annotations

import numpy as np
import pytest

from bench.comparison.pairs import Pair, Track, boxes_of, parting_of, restart_gaps, unit_of
from bench.geometry import Regions
from bench.sequence import Sequence
from tests.bench.comparison.conftest import pair_of, path


@pytest.mark.parametrize(("decimals", "unit"), [(0, 1.0), (2, 0.01), (4, 1e-4)])
def test_the_unit_of_a_file_is_that_of_its_last_digit(decimals: int, unit: float) -> None:
    rows = np.round(path(1) * np.pi, decimals)
    assert unit_of(rows) == pytest.approx(unit)


def test_numbers_of_full_precision_have_no_unit() -> None:
    assert unit_of(path(1) / 3) == 0


def test_partings_are_the_first_frames_of_each_kind() -> None:
    truth = np.tile([10.05, 10.0, 20.0, 20.0], (40, 1))
    other = truth.copy()
    other[5:, 0] += 0.25  # beyond the rounding of both
    other[9:, 0] += 2
    other[20:, 0] += 50
    found = parting_of(pair_of("s", other, truth, truth))
    assert (found.any, found.pixel, found.apart) == (5, 9, 20)
    assert found.step == pytest.approx(0.25)


def test_rounding_alone_is_no_parting() -> None:
    truth = path(3)
    found = parting_of(pair_of("s", np.round(truth, 1), truth, truth))
    assert found.any is None


def test_failures_that_one_has_are_listed() -> None:
    rows = [[10.0, 10, 20, 20]] * 20
    fails = [[1.0], *rows[1:8], [2.0], *[[0.0]] * 4, [1.0], *rows[14:]]
    sequence = Sequence("s", np.array(rows))
    a, b = (Track.of([Regions.from_rows(r)], sequence) for r in (fails, [[1.0], *rows[1:]]))
    found = parting_of(Pair(sequence, a, b))
    assert (found.only_a, found.only_b, found.any) == ((8,), (), 8)
    assert restart_gaps(Regions.from_rows(fails)) == [5]
    at_once = [*fails[:8], [1.0], *rows[9:]]
    assert restart_gaps(Regions.from_rows(at_once)) == [0]


def test_a_polygon_has_its_bounding_box() -> None:
    regions = Regions.from_rows([[1.0], [0, 0, 4, 1, 3, 5, -1, 4]])
    boxes = boxes_of(regions)
    assert np.isnan(boxes[0]).all()
    assert boxes[1].tolist() == [-1, 0, 5, 5]
