"""Row-wise overlap of regions, by the rule of each toolkit.

* ``vot``: the challenges of 2016-2018 and pysot-toolkit; rectangles span x..x + w.
* ``vot-matlab-head``: the latest MATLAB toolkit; rectangles span x..x + w - 1.
* ``vot-toolkit``: vot-toolkit 0.9.
* ``analytic``: continuous areas (got10k).

The first three compare pixels, with the same counts whether or not numba is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, IntArray
from bench.errors import ResultError, unknown_name
from bench.geometry import spans
from bench.geometry.boxes import box_to_polygon
from bench.geometry.regions import Regions
from bench.geometry.windows import (
    Bounds,
    Windows,
    is_somewhere,
    official_windows,
    toolkit_windows,
)

Placing = Callable[[FloatArray, FloatArray, Bounds], Windows]
Counter = Callable[[Windows], IntArray]
"""Pixels of the first polygon, the second and both, ``(3, N)``."""

PAYS_OFF = 200_000
"""Number of pairs from which importing numba saves time."""

# The official code cannot hold a larger window, and single pixels no longer matter in one.
_MOST_ROWS, _MOST_COLUMNS = 1 << 17, 1 << 30
_BLOCK = 4096  # pairs placed at once, so that their arrays fit the cache


class _PixelRule(NamedTuple):
    """Placement of pairs in windows, precision of the division, and shortest polygon row."""

    windows: Placing
    precision: type[np.floating]
    fewest_numbers: int


_PIXEL_RULES = MappingProxyType(
    {
        "vot": _PixelRule(partial(official_windows, rectangle_end=0.0), np.float32, 8),
        "vot-matlab-head": _PixelRule(
            partial(official_windows, rectangle_end=-1.0), np.float32, 8
        ),
        "vot-toolkit": _PixelRule(toolkit_windows, np.float64, 6),
    }
)
RULES = (*_PIXEL_RULES, "analytic")
"""Names of the rules."""


def region_overlaps(
    a: Regions,
    b: Regions,
    rule: str = "vot",
    bounds: Bounds = None,
    count: Counter | None = None,
) -> FloatArray:
    """Row-wise intersection over union of regions, ``(N,)`` in [0, 1].

    NaN where either row is a code. A region with a non-finite number or one beyond 2**30 overlaps
    nothing; two regions without a pixel have overlap 0. A pair in a window of more than 2**17
    rows is compared by area.

    Args:
        a, b: equally many rows.
        rule: one of ``RULES``.
        bounds: image bounds to clip to, as the rule's own code takes them, or None: the last
            column and row, (W - 1, H - 1), for ``vot`` and ``vot-matlab-head``; the size (W, H)
            for the others.
        count: pixel counter; ``pixel_counter(N)`` by default.

    Raises:
        ConfigError: the rule is unknown.
        ResultError: the lengths differ, or a row (counted from 1) is not a region that the rule
            accepts; the official code rejects triangles.
    """
    if rule not in RULES:
        raise unknown_name("overlap rule", rule, RULES)
    if len(a) != len(b):
        raise ResultError(f"expected equally many regions, found {len(a)} and {len(b)}")
    fewest = _PIXEL_RULES[rule].fewest_numbers if rule in _PIXEL_RULES else 6
    kinds_a, kinds_b = (_kinds(regions, rule, fewest) for regions in (a, b))
    overlaps = np.full(len(a), np.nan)
    for kind_a in kinds_a:
        for kind_b in kinds_b:
            rows = np.flatnonzero((a.counts == kind_a) & (b.counts == kind_b))
            if len(rows):
                pair = _numbers(a, rows, kind_a), _numbers(b, rows, kind_b)
                overlaps[rows] = _known_overlaps(*pair, rule, bounds, count)
    return overlaps


def pixel_counter(pairs: int) -> Counter:
    """The fastest pixel counter for this number of pairs.

    Uses numba if it is installed and either loaded already or worth loading.
    """
    if pairs < PAYS_OFF and "bench.geometry.compiled" not in sys.modules:
        return spans.count_pixels
    return _compiled_counter() or spans.count_pixels


@lru_cache(maxsize=1)
def _compiled_counter() -> Counter | None:
    try:
        from bench.geometry import compiled
    except (ImportError, RuntimeError):  # not installed, incompatible NumPy, or no cache folder
        return None
    return compiled.count_pixels


def _kinds(regions: Regions, rule: str, fewest: int) -> list[int]:
    """Distinct numbers of values per region, without codes."""
    kinds: list[int] = np.flatnonzero(np.bincount(regions.counts)).tolist()
    for kind in kinds:
        if kind not in (1, 4) and (kind < fewest or kind % 2):
            row = int(np.argmax(regions.counts == kind)) + 1
            raise ResultError(
                f"row {row}: expected 1 number (a code), 4 (x, y, w, h) or an even count >= "
                f"{fewest} (corners) for the overlap rule {rule!r}, found {kind}. "
                "Write a triangle with one corner repeated."
            )
    return [kind for kind in kinds if kind != 1]


def _numbers(regions: Regions, rows: IntArray, kind: int) -> FloatArray:
    values = regions.values if len(rows) == len(regions) else regions.values[rows]
    return values[:, :kind]


def _known_overlaps(
    a: FloatArray, b: FloatArray, rule: str, bounds: Bounds, count: Counter | None
) -> FloatArray:
    """Overlaps of rows of one kind each; 0 where a region cannot be placed."""
    known = is_somewhere(a) & is_somewhere(b)
    if not known.all():
        overlaps = np.zeros(len(a))
        overlaps[known] = _known_overlaps(a[known], b[known], rule, bounds, count)
        return overlaps
    if rule == "analytic":
        from bench.geometry.overlap import analytic_overlaps

        return analytic_overlaps(a, b, bounds)
    count = count or pixel_counter(len(a))
    blocks = (slice(start, start + _BLOCK) for start in range(0, len(a), _BLOCK))
    parts = [
        _pixel_overlaps(a[rows], b[rows], _PIXEL_RULES[rule], bounds, count) for rows in blocks
    ]
    return np.concatenate([np.empty(0), *parts])


def _pixel_overlaps(
    a: FloatArray, b: FloatArray, rule: _PixelRule, bounds: Bounds, count: Counter
) -> FloatArray:
    windows = rule.windows(a, b, bounds)
    overlaps = windows.settled
    vast = (windows.height > _MOST_ROWS) | (windows.width > _MOST_COLUMNS)
    vast &= np.isnan(overlaps)
    if vast.any():
        from bench.geometry.overlap import analytic_overlaps

        overlaps[vast] = analytic_overlaps(a[vast], b[vast], bounds)
    left = np.flatnonzero(np.isnan(overlaps))
    if len(left):
        first, second, both = count(windows[left])
        union = (first + second - both).astype(rule.precision)
        overlaps[left] = both.astype(rule.precision) / np.maximum(union, 1)
    return overlaps


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
