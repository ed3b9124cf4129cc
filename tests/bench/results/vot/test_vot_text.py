"""Text trajectories: fast and careful parsing, and errors that name the line."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ResultError
from bench.geometry import Regions
from bench.results.vot import text
from bench.results.vot.text import count_rows, format_text, parse_text

numbers = st.floats(-1e6, 1e6)
rows = st.one_of(
    st.sampled_from([[0.0], [1.0], [2.0]]),
    *(st.lists(numbers, min_size=n, max_size=n) for n in (4, 6, 8, 12)),
)


def as_rows(regions: Regions) -> list[list[float]]:
    return [v[:c].tolist() for v, c in zip(regions.values, regions.counts, strict=True)]


@given(st.lists(rows, min_size=1, max_size=20))
def test_exact_text_reads_back_to_the_last_bit(given_rows: list[list[float]]) -> None:
    data = format_text(Regions.from_rows(given_rows), decimals=None)
    assert as_rows(parse_text(data, "f").regions) == given_rows
    assert count_rows(data) == len(given_rows)


@given(st.lists(rows, min_size=1, max_size=20))
def test_fast_and_careful_parsing_agree(given_rows: list[list[float]]) -> None:
    data = format_text(Regions.from_rows(given_rows))
    fast, careful = text._parse_fast(data), text._parse_carefully(data, "f").regions
    assert fast is not None
    np.testing.assert_array_equal(fast.counts, careful.counts)
    np.testing.assert_array_equal(fast.values[:, :8], careful.values[:, :8])


@given(st.binary(max_size=200))
def test_any_bytes_give_regions_or_an_error(data: bytes) -> None:
    rows = count_rows(data)
    with contextlib.suppress(ResultError):
        assert len(parse_text(data, "f").regions) == rows


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1\r\n1,2,3,4\r\n", [[1], [1, 2, 3, 4]]),
        (b"\xef\xbb\xbf1\n2\n", [[1], [2]]),
        (b"1\n1, 2, 3, 4\n", [[1], [1, 2, 3, 4]]),
        (b"1\n1 2\t3;4\n", [[1], [1, 2, 3, 4]]),
        (b"1\n.5,5.,+1,1e2", [[1], [0.5, 5, 1, 100]]),
        (b"1\nNaN,NaN,NaN,NaN\nnan,1,2,3\nNaN\n", [[1], [0], [0], [0]]),
        (b"1.0\n2.0000\n", [[1], [2]]),
        (b"1\n2\n\n\n", [[1], [2]]),
    ],
)
def test_accepted_notations(data: bytes, expected: list[list[float]]) -> None:
    assert as_rows(parse_text(data, "f").regions) == expected


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "f: expected one row per frame .* found 0 rows"),
        (b" \n", "f: expected one row per frame .* found 0 rows"),
        (b"1\n1,2\n", "f:2: expected 1 number .* found 2"),
        (b"1\n1,2,3,4,5\n", "f:2: expected 1 number .* found 5"),
        (b"1\n1,2,3,4,5,6,7\n", "f:2: .* found 7"),
        (b"1\n\n1,2,3,4\n", "f:2: .* found 0"),
        (b"1\n1,2,3,x\n", "f:2: expected numbers, found '1,2,3,x'"),
        (b"1\n1,2,,3,4\n", "f:2: expected plain numbers"),
        (b"1\n1,2,3,4,\n", "f:2: expected plain numbers"),
        (b"1\n1_0,2,3,4\n", "f:2: expected plain numbers"),
        (b"1\n3\n", r"f:2: expected the code 0 \(skipped\), 1 .* found 3"),
        (b"1\n1.5\n", "f:2: expected the code .* found 1.5"),
        (b"1\n-1\n", "f:2: expected the code .* found -1"),
        (b"1\ninf,2,3,4\n", "f:2: expected a region in pixels"),
        (b"1\n1e300,2,3,4\n", "f:2: expected a region in pixels"),
        (b"1\nm1,2,3\n", "f:2: expected plain numbers"),
        (b"1\nm1,2,3,4.5,6\n", "f:2: expected numbers"),
        (b"1\n" + b"0," * 201 + b"0\n", "f:2: .* found 202"),
        (b"0\n" * 200_001, "found 200001 rows"),
    ],
)
def test_malformed(data: bytes, problem: str) -> None:
    with pytest.raises(ResultError, match=problem):
        parse_text(data, "f")


def test_masks_become_the_rectangle_around_them() -> None:
    """5 x 3 pixels at (10, 20); the hole in the middle does not matter."""
    raw = parse_text(b"1\nm10,20,5,3,0,7,1,7\nm0,0,0,0,0\n", "f")
    assert raw.converted == 2
    corners = raw.regions.values[1].reshape(4, 2)
    assert corners.min(axis=0) == pytest.approx([10, 20], abs=1.01)
    assert corners.max(axis=0) == pytest.approx([15, 23], abs=1.01)
    assert as_rows(raw.regions)[2] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        (b"m0,0,100000,100000,5,5", "at most 16777216 pixels, found 100000 x 100000"),
        (b"m0,0,-5,-5,5,5", "at most 16777216 pixels, found -5 x -5"),
        (b"m0,0,2,2,1,4", "runs that fill a mask of 2 x 2 pixels, found 5 pixels in 2 runs"),
        (b"m0,0,2,2,-1,3", "runs that fill a mask"),
    ],
)
def test_malformed_masks(mask: bytes, problem: str) -> None:
    with pytest.raises(ResultError, match=f"f:1: expected a?.*{problem}"):
        parse_text(mask, "f")


def test_fast_enough_for_fifteen_repetitions() -> None:
    """9,000 files of 356 rows take 3 s; careful parsing alone would take ten times that."""
    generator = np.random.default_rng(0)
    data = format_text(Regions.from_polygons(generator.uniform(0, 500, (356, 4, 2))))
    parse_text(data, "f")
    started = time.process_time()
    for _ in range(300):
        parse_text(data, "f")
    assert time.process_time() - started < 0.45


@pytest.mark.parametrize(
    "row", ["10,5,20,2,30,0,40,7", "10,0500,20,2500,30,0000,40,7500", "10,50 20,25 30,00 40,75"]
)
def test_decimal_commas_are_no_polygon(row: str) -> None:
    with pytest.raises(ResultError, match=r"f:2: expected .*comma"):
        parse_text(f"1\n{row}\n{row}\n".encode(), "f")


def test_whole_numbers_may_be_corners() -> None:
    row = "100,120,180,121,181,190,101,189"
    assert parse_text(f"1\n{row}\n".encode(), "f").regions.counts.tolist() == [1, 8]


def test_masks_are_counted_before_they_are_drawn() -> None:
    rows = "\n".join(["m0,0,4096,4096,5,5"] * 100)
    with pytest.raises(ResultError, match="expected masks of at most"):
        parse_text(rows.encode(), "f")


def test_a_line_of_megabytes() -> None:
    with pytest.raises(ResultError, match="a line of 2000003 bytes"):
        parse_text(b"1\n" + b"1," * 1_000_001 + b"x", "f")
