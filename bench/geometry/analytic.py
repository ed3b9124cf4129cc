"""The area that two regions share, continuously, as shapely computes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.geometry.boxes import box_to_polygon

FloatArray = NDArray[np.float64]


def analytic_overlaps(
    a: FloatArray, b: FloatArray, bounds: tuple[float, float] | None = None
) -> FloatArray:
    """Intersection over union of areas, ``(N,)`` (got10k ``poly_iou``).

    Rectangles span x..x + w. Two regions without area have no overlap. Corners that cross over
    are read as shapely's ``make_valid`` does.

    Args:
        a, b: ``(N, 4)`` rectangles or ``(N, 2 K)`` corners.
        bounds: width and height of the image that the regions are cut to, or None.
    """
    import shapely

    first, second = (shapely.make_valid(shapely.polygons(_corners(values))) for values in (a, b))
    if bounds is not None:
        image = shapely.box(0.0, 0.0, *bounds)
        first, second = (shapely.intersection(shapes, image) for shapes in (first, second))
    shared = shapely.area(shapely.intersection(first, second))
    union = shapely.area(first) + shapely.area(second) - shared
    overlaps: FloatArray = np.clip(shared / (union + np.finfo(float).eps), 0.0, 1.0)
    return overlaps


def _corners(values: FloatArray) -> FloatArray:
    """``(N, K, 2)`` corners of rectangles ``(N, 4)`` or polygons ``(N, 2 K)``."""
    if values.shape[1] == 4:
        return box_to_polygon(values)
    return values.reshape(len(values), -1, 2)
