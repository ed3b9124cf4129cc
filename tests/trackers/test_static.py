"""The static tracker."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import TrackerError
from bench.registry import make_spec
from trackers.static import Static

IMAGE = np.zeros((24, 32, 3), dtype=np.uint8)


def test_it_repeats_the_first_box() -> None:
    tracker = make_spec("static").build()
    tracker.init(IMAGE, np.array([1.5, 2.0, 3.0, 4.0]))
    assert [tracker.update(IMAGE).region.tolist() for _ in range(3)] == [[1.5, 2.0, 3.0, 4.0]] * 3


def test_a_polygon_becomes_its_box() -> None:
    tracker = Static()
    tracker.init(IMAGE, np.array([[2.0, 0.0], [4.0, 3.0], [2.0, 6.0], [0.0, 3.0]]))
    assert tracker.update(IMAGE).region.tolist() == [0.0, 0.0, 4.0, 6.0]


@pytest.mark.parametrize("region", [np.full(4, np.nan), np.zeros(3)])
def test_invalid_regions_are_refused(region: np.ndarray) -> None:
    with pytest.raises(TrackerError, match="expected"):
        Static().init(IMAGE, region)
