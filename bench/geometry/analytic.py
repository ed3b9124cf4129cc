"""Overlap of continuous areas, computed with shapely."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray
from bench.geometry.boxes import box_to_polygon

Shapes = NDArray[Any]


def analytic_overlaps(
    a: FloatArray, b: FloatArray, bounds: tuple[float, float] | None = None
) -> FloatArray:
    """Intersection over union of areas, ``(N,)`` (got10k ``poly_iou``).

    Rectangles span x..x + w. Two regions without area have overlap 0. Self-intersecting polygons,
    on which got10k raises, go through shapely's ``make_valid``.

    Args:
        a, b: ``(N, 4)`` rectangles or ``(N, 2 K)`` corners.
        bounds: width and height of the image to clip regions to, or None.
    """
    import shapely

    first, second = (_valid(shapely.polygons(_corners(values))) for values in (a, b))
    if bounds is not None:
        image = shapely.box(0.0, 0.0, *bounds)
        first, second = (_areal(shapely.intersection(shapes, image)) for shapes in (first, second))
    shared = shapely.area(shapely.intersection(first, second))
    union = shapely.area(first) + shapely.area(second) - shared
    overlaps: FloatArray = np.clip(shared / (union + np.finfo(float).eps), 0.0, 1.0)
    return overlaps


def _corners(values: FloatArray) -> FloatArray:
    """``(N, K, 2)`` corners of rectangles ``(N, 4)`` or polygons ``(N, 2 K)``."""
    if values.shape[1] == 4:
        return box_to_polygon(values)
    return values.reshape(len(values), values.shape[1] // 2, 2)


def _valid(polygons: Shapes) -> Shapes:
    import shapely

    return _areal(np.asarray(shapely.make_valid(polygons)))


def _areal(shapes: Shapes) -> Shapes:
    """Drop lines and points, which shapely cannot intersect in one collection with areas."""
    import shapely

    mixed = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
    for index in mixed:
        parts = shapely.get_parts(shapely.get_parts(shapes[index]))
        shapes[index] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return shapes
