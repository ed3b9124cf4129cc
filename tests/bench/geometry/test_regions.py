"""Regions of different kinds as outlines to draw."""

from __future__ import annotations

import numpy as np

from bench.geometry import Regions, outlines


def test_outlines_mix_boxes_polygons_and_codes() -> None:
    rows = [[1], [10, 20, 30, 40], [1, 1, 5, 1, 5, 6], [0, 0, 1, 0, 1, 1, 0, 1]]
    found = outlines(Regions.from_rows(rows), 1.0)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [9, 19, 39, 19, 39, 59, 9, 59]
    assert found[2].tolist() == [0, 0, 4, 0, 4, 5, 4, 5]
    assert found[3].tolist() == [-1, -1, 0, -1, 0, 0, -1, 0]


def test_boxes_alone_stay_boxes() -> None:
    found = outlines(Regions.from_rows([[1], [10, 20, 30, 40]]), 1.0)
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [9, 19, 30, 40]
