"""Rows of 4 (box) or 8 (polygon) numbers, as VOT and PySOT's JSON write ground truth."""

from __future__ import annotations

from collections.abc import Sequence as Rows

import numpy as np

from bench.errors import DatasetError
from bench.geometry import box_to_polygon, polygon_to_box
from bench.sequence import FloatArray


def polygons_and_boxes(
    rows: Rows[Rows[float]], where: str
) -> tuple[FloatArray | None, FloatArray]:
    """Corners ``(N, 4, 2)`` and bounding boxes ``(N, 4)``; a row may be a box or a polygon.

    A box of four numbers keeps them exactly in the second array. Where every row is one
    (VOT2018's conduction1), there are no corners: conventions differ in where a box ends.

    Raises:
        DatasetError: a there are no rows, or a row (named, counted from 1) has neither 4 nor 8.
    """
    if not len(rows):
        raise DatasetError(f"{where}: expected 4 or 8 numbers for every frame, found no rows")
    widths = np.array([len(row) for row in rows])
    for number in np.flatnonzero((widths != 4) & (widths != 8))[:1]:
        raise DatasetError(
            f"{where}: row {number + 1}: expected 4 numbers (x, y, w, h) or 8 (four corners), "
            f"found {widths[number]}. Restore the file from the official site."
        )
    is_box = widths == 4
    if is_box.all():
        return None, np.array(rows, dtype=np.float64)
    polygons = np.empty((len(rows), 4, 2))
    boxes = np.empty((len(rows), 4))
    if is_box.any():
        boxes[is_box] = [row for row in rows if len(row) == 4]
        polygons[is_box] = box_to_polygon(boxes[is_box])
    corners = np.array([row for row in rows if len(row) == 8], dtype=np.float64)
    polygons[~is_box] = corners.reshape(-1, 4, 2)
    boxes[~is_box] = polygon_to_box(polygons[~is_box])
    return polygons, boxes
