"""Overlap of regions, row by row, by the rule of each toolkit.

* ``vot``: the challenges of 2016-2018; rectangles span x..x + w (and pysot-toolkit's rule).
* ``vot-matlab-head``: the later state of the MATLAB toolkit; rectangles span x..x + w - 1.
* ``vot-toolkit``: vot-toolkit 0.9.
* ``analytic``: continuous areas (got10k).

The first three compare pixels. What they count does not depend on whether numba is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache, partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.errors import ResultError, unknown_name
from bench.geometry import spans
from bench.geometry.analytic import analytic_overlaps
from bench.geometry.regions import Regions
from bench.geometry.windows import (
    Bounds,
    Windows,
    is_somewhere,
    official_windows,
    toolkit_windows,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Placing = Callable[[FloatArray, FloatArray, Bounds], Windows]
Counter = Callable[[Windows], IntArray]
"""Pixels of the first polygon, of the second and of both, ``(3, N)``."""

PAYS_OFF = 200_000
"""Pairs from which importing numba takes less time than counting without it."""

# Beyond these the official code cannot hold a window, and no single pixel matters any more.
_MOST_ROWS, _MOST_COLUMNS = 1 << 17, 1 << 30
_BLOCK = 4096  # pairs placed at once: their arrays stay in the cache


class _PixelRule(NamedTuple):
    """How a rule places pairs in windows, in what precision it divides, and its fewest corners."""

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
    """Intersection over union of two lists of regions, row by row: ``(N,)`` in [0, 1].

    NaN where either row is a code and no region. A region with a number that is not finite, or
    beyond 2**30, is nowhere and overlaps nothing; two regions without a pixel have overlap 0. A
    pair in a window of more than 2**17 rows is compared by areas.

    Args:
        a, b: as many rows each.
        rule: one of ``RULES``.
        bounds: what the rule's own code takes to cut regions to the image, or None: the last
            column and row, (W - 1, H - 1), for ``vot`` and ``vot-matlab-head``; the size (W, H)
            for the others.
        count: how to count pixels; by default what ``pixel_counter`` chooses for N pairs.

    Raises:
        ConfigError: the rule is not known.
        ResultError: the lists differ in length, or a row (counted from 1) is no region of the
            rule. The official code takes no polygon of three corners.
    """
    if rule not in RULES:
        raise unknown_name("overlap rule", rule, RULES)
    if len(a) != len(b):
        raise ResultError(f"expected as many regions on both sides, found {len(a)} and {len(b)}")
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
    """The fastest way to count the pixels of so many pairs of regions.

    With numba where that is installed and either imported already or worth importing.
    """
    if pairs < PAYS_OFF and "bench.geometry.compiled" not in sys.modules:
        return spans.count_pixels
    return _compiled_counter() or spans.count_pixels


@lru_cache(maxsize=1)
def _compiled_counter() -> Counter | None:
    try:
        from bench.geometry import compiled
    except (ImportError, RuntimeError):  # not installed; not for this NumPy; nowhere to cache
        return None
    return compiled.count_pixels


def _kinds(regions: Regions, rule: str, fewest: int) -> list[int]:
    """How many numbers the regions of a list have, each count once."""
    kinds: list[int] = np.flatnonzero(np.bincount(regions.counts)).tolist()
    for kind in kinds:
        if kind not in (1, 4) and (kind < fewest or kind % 2):
            row = int(np.argmax(regions.counts == kind)) + 1
            raise ResultError(
                f"row {row}: expected 1 number (a code), 4 (x, y, w, h) or an even number from "
                f"{fewest} on (corners) for the overlap rule {rule!r}, found {kind}. "
                "A triangle can be written with one corner twice."
            )
    return [kind for kind in kinds if kind != 1]


def _numbers(regions: Regions, rows: IntArray, kind: int) -> FloatArray:
    values = regions.values if len(rows) == len(regions) else regions.values[rows]
    return values[:, :kind]


def _known_overlaps(
    a: FloatArray, b: FloatArray, rule: str, bounds: Bounds, count: Counter | None
) -> FloatArray:
    """Overlaps of rows of one kind each; 0 where a region is nowhere."""
    known = is_somewhere(a) & is_somewhere(b)
    if not known.all():
        overlaps = np.zeros(len(a))
        overlaps[known] = _known_overlaps(a[known], b[known], rule, bounds, count)
        return overlaps
    if rule == "analytic":
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
        overlaps[vast] = analytic_overlaps(a[vast], b[vast], bounds)
    left = np.flatnonzero(np.isnan(overlaps))
    if len(left):
        first, second, both = count(windows[left])
        union = (first + second - both).astype(rule.precision)
        overlaps[left] = both.astype(rule.precision) / np.maximum(union, 1)
    return overlaps
