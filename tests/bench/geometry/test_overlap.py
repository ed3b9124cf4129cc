"""Overlap of regions: reference values, properties, and agreement of both pixel counters."""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ConfigError, ResultError
from bench.geometry import RULES, Regions, overlap, pixel_counter, region_overlaps, spans
from bench.results.vot.text import parse_text

GOLDEN = Path(__file__).parents[2] / "golden/vot/golden_pairs.json"
COLUMNS = [
    ("vot-matlab-head", "official", "default_nobounds"),
    ("vot-matlab-head", "official", "default_wh"),
    ("vot-matlab-head", "official", "default_wh1"),
    ("vot", "pysot", "nobounds"),
    ("vot", "pysot", "wh"),
    ("vot", "pysot", "wh1"),
    ("vot-toolkit", "vot_toolkit_0_9", "nobounds"),
    ("vot-toolkit", "vot_toolkit_0_9", "wh"),
    ("analytic", "got10k_shapely", "nobounds"),
    ("analytic", "got10k_shapely", "wh"),
]
SIZE = (120, 90)
LAST = (SIZE[0] - 1.0, SIZE[1] - 1.0)

number = st.floats(-40, 160).map(lambda v: round(v, 2))
half = st.integers(-40, 160).map(lambda v: v / 2)  # shared corners, borders, halves
side = st.floats(0.5, 60).map(lambda v: round(v, 2))
rectangles = st.tuples(number, number, side, side).map(list)
polygons = st.one_of(
    st.lists(st.one_of(number, half), min_size=2 * k, max_size=2 * k) for k in (4, 5, 7)
)
regions = st.one_of(rectangles, polygons)
pairs = st.lists(st.tuples(regions, regions), min_size=1, max_size=8)
pixel_rules = pytest.mark.parametrize("rule", ["vot", "vot-matlab-head", "vot-toolkit"])


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text())  # type: ignore[no-any-return]


def both_sides(rows: list[tuple[list[float], list[float]]]) -> tuple[Regions, Regions]:
    return Regions.from_rows([a for a, _ in rows]), Regions.from_rows([b for _, b in rows])


def one(a: list[float], b: list[float], rule: str = "vot", bounds: Any = None) -> float:
    return region_overlaps(*both_sides([(a, b)]), rule, bounds).item()


def rotated(centre: tuple[float, float], size: tuple[float, float], angle: float) -> np.ndarray:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * size
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return corners @ turn.T + centre


# --- other people's values


@pytest.mark.parametrize(("rule", "toolkit", "column"), COLUMNS)
def test_golden_pairs(golden: dict[str, Any], rule: str, toolkit: str, column: str) -> None:
    width, height = golden["width"], golden["height"]
    bounds = {"nobounds": None, "wh": (width, height), "wh1": (width - 1, height - 1)}
    a, b = Regions.from_rows(golden["a"]), Regions.from_rows(golden["b"])
    found = region_overlaps(a, b, rule, bounds[column.split("_")[-1]])
    np.testing.assert_allclose(found, golden[toolkit][column], rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(pairs, st.sampled_from([None, SIZE]))
def test_vot_toolkit_itself_agrees(
    rows: list[tuple[list[float], list[float]]], bounds: tuple[int, int] | None
) -> None:
    pytest.importorskip("vot", exc_type=(ImportError, TypeError))
    from vot.region.raster import calculate_overlap
    from vot.region.shapes import Polygon, Rectangle

    def shape(row: list[float]) -> Any:
        return (
            Rectangle(*row)
            if len(row) == 4
            else Polygon(list(zip(row[::2], row[1::2], strict=True)))
        )

    expected = [calculate_overlap(shape(a), shape(b), bounds) for a, b in rows]
    assert region_overlaps(*both_sides(rows), "vot-toolkit", bounds).tolist() == expected


def test_pixels_counted_by_hand() -> None:
    # Columns 0..4 and 2..6 where a rectangle ends at x + w, 0..3 and 2..5 at x + w - 1.
    square, moved = [0, 0, 4, 4], [2, 0, 4, 4]
    assert one(square, moved) == np.float32(15) / np.float32(35)
    assert one(square, moved, "vot-matlab-head") == np.float32(8) / np.float32(24)
    assert one(square, moved, "vot-toolkit") == 8 / 24
    assert one(square, moved, "analytic") == pytest.approx(8 / 24)


def test_one_border_in_common_is_no_overlap_to_the_official_code() -> None:
    # Column 4 belongs to both, but boxes that only touch have no overlap.
    assert one([0, 0, 4, 4], [4, 0, 4, 4]) == 0
    assert one([0, 0, 4, 4], [3, 0, 4, 4]) == np.float32(10) / np.float32(40)


def test_bounds_take_away_what_lies_outside() -> None:
    # Of 10 columns each, 6 are in the image and 3 are shared.
    a, b = [-4, 0, 9, 9], [3, 0, 9, 9]
    assert one(a, b) == np.float32(30) / np.float32(170)
    assert one(a, b, bounds=(8.0, 9.0)) == np.float32(30) / np.float32(90)


# --- properties


def painted(corners: np.ndarray, index_base: np.ndarray, width: int, height: int) -> np.ndarray:
    """A mask by definition: the sorted nodes of each row, filled in pairs."""
    points = (corners - index_base).astype(np.float64)
    points = np.copysign(np.floor(np.abs(points) + 0.5), points)
    mask = np.zeros((height, width), dtype=bool)
    for row in range(height):
        nodes = []
        for (x, y), (px, py) in zip(points, np.roll(points, 1, axis=0), strict=True):
            if y != py and min(y, py) <= row <= max(y, py):
                nodes.append(int(x + (row - y) / (py - y) * (px - x)))
        nodes.sort()
        at = 0
        while at < len(nodes) - 1:
            if nodes[at] == nodes[at + 1]:
                at += 1
                continue
            mask[row, max(nodes[at], 0) : max(nodes[at + 1] + 1, 0)] = True
            at += 2
    return mask


def painted_overlap(a: list[float], b: list[float], bounds: tuple[float, float]) -> float:
    """The rule ``vot`` in an image, computed with masks."""
    corners = [corners_of(row).astype(np.float32) for row in (a, b)]
    low = [np.maximum(np.floor(c.min(axis=0)), 0) for c in corners]
    high = [np.minimum(np.ceil(c.max(axis=0)), bounds) for c in corners]
    common = np.minimum(*high) - np.maximum(*low)
    areas = sum(np.prod(end - start) for start, end in zip(low, high, strict=True))
    if (common < 0).any() or (common.prod() == 0 and areas != 0):
        return 0.0
    index_base = np.minimum(*low)
    width, height = (np.maximum(*high) - index_base).astype(int) + 1
    first, second = (painted(c, index_base, width, height) for c in corners)
    return float((first & second).sum() / max((first | second).sum(), 1))


def corners_of(row: list[float]) -> np.ndarray:
    if len(row) > 4:
        return np.reshape(row, (-1, 2))
    x, y, w, h = row
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_spans_are_the_pixels_of_the_definition(
    rows: list[tuple[list[float], list[float]]],
) -> None:
    found = region_overlaps(*both_sides(rows), "vot", LAST)
    expected = [painted_overlap(a, b, LAST) for a, b in rows]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bounds", [None, LAST])
@settings(max_examples=20, deadline=None)
@given(rows=pairs)
def test_symmetric_and_bounded(rule: str, bounds: Any, rows: Any) -> None:
    a, b = both_sides(rows)
    found = region_overlaps(a, b, rule, bounds)
    np.testing.assert_allclose(found, region_overlaps(b, a, rule, bounds), rtol=0, atol=1e-12)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("rule", RULES)
@given(st.tuples(number, number), st.tuples(st.floats(2, 60), st.floats(2, 60)), st.floats(0, 6.3))
def test_a_region_is_itself(
    rule: str, centre: tuple[float, float], size: tuple[float, float], angle: float
) -> None:
    corners = rotated(centre, size, angle).ravel().tolist()
    assert one(corners, corners, rule) == pytest.approx(1, abs=1e-9)


inside = st.tuples(
    st.tuples(st.integers(30, 60), st.integers(30, 50)),
    st.tuples(st.integers(2, 30), st.integers(2, 30)),
    st.floats(0, 6.3).map(lambda v: round(v, 2)),
)


@pixel_rules
@given(inside, inside, st.tuples(st.integers(0, 10), st.integers(0, 5)))
def test_moving_both_by_whole_pixels_changes_nothing(
    rule: str, first: Any, second: Any, step: tuple[int, int]
) -> None:
    # Corners are multiples of 1/16, so shifts are exact in single precision. vot-toolkit rounds
    # halves to even, which only even shifts preserve.
    shift = 2 * np.array(step)
    a, b = (np.round(rotated(*shape) * 16) / 16 for shape in (first, second))
    before = one(a.ravel().tolist(), b.ravel().tolist(), rule, SIZE)
    moved = [(corners + shift).ravel().tolist() for corners in (a, b)]
    assert one(*moved, rule, SIZE) == before


@pytest.mark.parametrize("rule", RULES)
@given(inside, inside)
def test_wide_bounds_are_no_bounds(rule: str, first: Any, second: Any) -> None:
    a, b = (rotated(*shape).ravel().tolist() for shape in (first, second))
    assert one(a, b, rule, (500.0, 400.0)) == pytest.approx(one(a, b, rule), abs=1e-12)


@given(inside, inside)
def test_pixels_are_near_the_areas(first: Any, second: Any) -> None:
    a, b = (rotated(*shape) for shape in (first, second))
    areas = [np.prod(shape[1]) for shape in (first, second)]
    found, area = (one(a.ravel().tolist(), b.ravel().tolist(), r) for r in ("vot", "analytic"))
    border = 4 * (sum(first[1]) + sum(second[1]))
    assert abs(found - area) <= border / max(areas)


# --- two ways of counting


def assert_counters_agree(a: Regions, b: Regions, rule: str, bounds: Any) -> None:
    pytest.importorskip("numba")
    from bench.geometry import compiled

    expected = region_overlaps(a, b, rule, bounds, spans.count_pixels)
    found = region_overlaps(a, b, rule, bounds, compiled.count_pixels)
    np.testing.assert_array_equal(found, expected)


@pixel_rules
@pytest.mark.parametrize("bounds", [None, (319.0, 239.0), (100.5, 60.25)])
def test_counters_agree_on_golden_pairs(golden: dict[str, Any], rule: str, bounds: Any) -> None:
    a, b = Regions.from_rows(golden["a"]), Regions.from_rows(golden["b"])
    assert_counters_agree(a, b, rule, bounds)


@pixel_rules
@pytest.mark.parametrize("bounds", [None, LAST])
@settings(max_examples=40, deadline=None)
@given(rows=pairs)
def test_counters_agree_on_any_polygons(rule: str, bounds: Any, rows: Any) -> None:
    assert_counters_agree(*both_sides(rows), rule, bounds)


@pixel_rules
@pytest.mark.parametrize("tracker", ["SiamFC", "LADCF"])
def test_counters_agree_on_real_results(shared: Path, rule: str, tracker: str) -> None:
    annotation = json.loads((shared / "data/vot2018/annotations/VOT2018.json").read_text())
    for name in ("ants1", "gymnastics3", "rabbit"):
        truth = Regions.from_rows(annotation[name]["gt_rect"])
        folder = shared / "data/vot2018/results" / tracker / "baseline" / name
        path = folder / f"{name}_001.txt"
        found = parse_text(path.read_bytes(), path).regions
        size = float(annotation[name]["width"]), float(annotation[name]["height"])
        assert_counters_agree(truth, found, rule, size)


def test_memory_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    a, b = (Regions.from_polygons(rng.uniform(0, 90, (200, 4, 2))) for _ in range(2))
    expected = region_overlaps(a, b, count=spans.count_pixels)
    monkeypatch.setattr(spans, "BLOCK_ROWS", 100)
    monkeypatch.setattr(overlap, "_BLOCK", 7)
    assert region_overlaps(a, b, count=spans.count_pixels).tolist() == expected.tolist()


def test_numba_is_imported_for_large_work_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    from bench.geometry import compiled

    assert pixel_counter(1) is compiled.count_pixels  # already loaded
    monkeypatch.delitem(sys.modules, "bench.geometry.compiled")
    assert pixel_counter(1) is spans.count_pixels
    assert pixel_counter(overlap.PAYS_OFF) is not spans.count_pixels


def test_without_numba_numpy_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bench.geometry.compiled", raising=False)
    monkeypatch.delattr("bench.geometry.compiled", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    overlap._compiled_counter.cache_clear()
    assert pixel_counter(overlap.PAYS_OFF) is spans.count_pixels
    overlap._compiled_counter.cache_clear()


# --- what is no ordinary region

BOX = [10.0, 10.0, 20.0, 20.0]


@pytest.mark.parametrize("rule", RULES)
def test_a_code_has_no_overlap(rule: str) -> None:
    rows = [([2.0], BOX), (BOX, [0.0]), ([1.0], [1.0]), (BOX, BOX)]
    found = region_overlaps(*both_sides(rows), rule)
    assert np.isnan(found).tolist() == [True, True, True, False]
    assert len(region_overlaps(*both_sides([]), rule)) == 0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 2.0**31])
def test_a_region_that_is_nowhere_overlaps_nothing(rule: str, value: float) -> None:
    assert one([value, 0.0, 5.0, 5.0], BOX, rule) == 0
    assert one([value, 0.0, 5.0, 5.0], [value, 0.0, 5.0, 5.0], rule) == 0
    assert one(BOX, [0, 0, 9, 0, 9, 9, value, 9], rule, LAST) == 0


EXTREME = [
    BOX,
    [1e9, 1e9, 5, 5],
    [-1e9, -1e9, 1e9, 1e9],
    [0, 0, 1e9, 1e9],
    [0, 0, 1, 1e9],
    [0, 0, 1e9, 1e9, 1e9, 0, -1e9, 1e9],
    [5, 5, 0, 0],
    [5, 5, -3, 4],
    [7] * 8,
    [0, 0, 10, 0, 20, 0, 30, 0],
    [0, 0, 10, 10, 0, 10, 10, 0],
    [-500, -500, 20, 20],
    [4000, 20, 20, 20],
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bounds", [None, LAST])
def test_extreme_regions_have_an_overlap_at_once(rule: str, bounds: Any) -> None:
    a, b = both_sides(list(itertools.product(EXTREME, EXTREME)))
    start = time.process_time()
    found = region_overlaps(a, b, rule, bounds, spans.count_pixels)
    assert time.process_time() - start < 5
    assert ((found >= 0) & (found <= 1)).all()
    if rule != "analytic":
        assert_counters_agree(a, b, rule, bounds)


def test_regions_too_large_for_pixels_are_compared_by_area() -> None:
    assert one([0, 0, 1e6, 1e6], [5e5, 0, 1e6, 1e6]) == pytest.approx(1 / 3, abs=1e-5)


def test_regions_without_a_pixel_do_not_overlap() -> None:
    line = [0.0, 0, 10, 0, 20, 0, 30, 0]
    assert one(line, line) == 0
    assert one(BOX, line) == 0
    assert one([4000, 20, 20, 20], [4000, 20, 20, 20], bounds=LAST) == 0


def test_official_code_takes_no_triangle() -> None:
    triangle = [0.0, 0, 9, 0, 9, 9]
    with pytest.raises(ResultError, match=r"row 2: .* >= 8 .* 'vot', found 6"):
        region_overlaps(*both_sides([(BOX, BOX), (BOX, triangle)]))
    assert one(triangle, triangle, "vot-toolkit") == 1
    assert one(triangle, triangle, "analytic") == pytest.approx(1)
    assert one([*triangle, 9, 9], [*triangle, 9, 9]) == 1  # as the message suggests


@pytest.mark.parametrize("count", [2, 3, 5, 9])
@pytest.mark.parametrize("rule", RULES)
def test_rows_of_other_lengths_are_errors(rule: str, count: int) -> None:
    with pytest.raises(ResultError, match=f"row 1: .* found {count}"):
        one([1.0] * count, BOX, rule)


def test_lists_of_different_length_are_an_error() -> None:
    with pytest.raises(ResultError, match=r"equally many regions.*found 1 and 2"):
        region_overlaps(Regions.from_rows([BOX]), Regions.from_rows([BOX, BOX]))


def test_unknown_rule_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'vot-toolkit'"):
        one(BOX, BOX, "vot-tolkit")
