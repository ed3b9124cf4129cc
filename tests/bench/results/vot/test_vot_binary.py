"""Binary trajectories of vot-toolkit, and errors in malformed ones."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ResultError
from bench.results.vot.binary import parse_binary
from bench.results.vot.text import parse_text

HEADER = struct.pack("<hI", 1, 1)
RECTANGLE = struct.pack("<B4f", 1, 1, 2, 3, 4)


def test_each_kind_of_row() -> None:
    """Bytes assembled by hand from the specification of the format."""
    data = struct.pack("<hI", 1, 4)
    data += struct.pack("<BI", 0, 2) + RECTANGLE
    data += struct.pack("<BH6f", 2, 3, 0, 0, 5, 0, 0, 5)
    data += struct.pack("<B4f", 1, np.nan, 2, 3, 4)
    regions = parse_binary(data, "f").regions
    assert regions.counts.tolist() == [1, 4, 6, 1]
    assert regions.codes.tolist() == [2, -1, -1, 0]
    assert regions.values[1, :4].tolist() == [1, 2, 3, 4]
    assert regions.values[2, :6].tolist() == [0, 0, 5, 0, 0, 5]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "f: truncated: expected 6 bytes at byte 0, found 0"),
        (b"1\n1,2,3,4\n", "version 1, found 2609"),  # text
        (HEADER, "expected 1 rows, found 6 bytes: truncated"),
        (struct.pack("<hI", 1, 2**32 - 1) + RECTANGLE, "expected 4294967295 rows, found 23 bytes"),
        (struct.pack("<hI", 1, 0), "found 0 rows"),
        (HEADER + RECTANGLE[:-1], "f, row 1|f: truncated: expected 16 bytes"),
        (HEADER + RECTANGLE + b"x", "f: expected 1 rows, found 1 bytes after the last"),
        (HEADER + struct.pack("<BI", 9, 0), "f, row 1: expected a region type .* found 9"),
        (HEADER + struct.pack("<B2f", 4, 1, 2), "f, row 1: expected a region, found a point"),
        (HEADER + struct.pack("<BI", 0, 7), "f, row 1: expected the code 0 .* found 7"),
        (HEADER + struct.pack("<BH4f", 2, 65535, 0, 0, 0, 0), "expected 524280 bytes"),
        (HEADER + struct.pack("<BH2f", 2, 1, 0, 0), "f, row 1: expected 1 number .* found 2"),
        (HEADER + struct.pack("<BhhHHH", 3, 0, 0, 60000, 60000, 0), "at most 16777216 pixels"),
        (HEADER + struct.pack("<BhhHHHH", 3, 0, 0, 2, 2, 1, 5), "runs that fill"),
        (HEADER + struct.pack("<B4f", 1, np.inf, 2, 3, 4), "expected a region in pixels"),
    ],
)
def test_broken_files(data: bytes, problem: str) -> None:
    with pytest.raises(ResultError, match=problem):
        parse_binary(data, "f")


@given(st.binary(max_size=100), st.integers(0, 5))
def test_any_bytes_give_regions_or_an_error(tail: bytes, rows: int) -> None:
    data = struct.pack("<hI", 1, rows) + tail
    with contextlib.suppress(ResultError):
        assert len(parse_binary(data, "f").regions) == rows


def test_what_vot_toolkit_writes() -> None:
    """A trajectory written by vot-toolkit in both formats reads back equal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("vot", exc_type=(ImportError, TypeError))
        from vot.region import Special
        from vot.region.io import write_trajectory
        from vot.region.shapes import Mask, Polygon, Rectangle

    mask = np.zeros((7, 9), dtype=np.uint8)
    mask[2:5, 3:8] = 1
    theirs = [
        Special(1),
        Rectangle(1.5, -2.25, 3.125, 4),
        Polygon([(0.5, 1), (20, 1.75), (21, 30), (1, 28)]),
        Mask(mask, (-4, 6)),
        Special(2),
    ]
    binary, text = io.BytesIO(), io.StringIO()
    write_trajectory(binary, theirs)
    write_trajectory(text, theirs)
    from_binary = parse_binary(binary.getvalue(), "f.bin")
    from_text = parse_text(text.getvalue().encode(), "f.txt")
    assert from_binary.converted == from_text.converted == 1
    assert from_binary.regions.codes.tolist() == [1, -1, -1, -1, 2]
    np.testing.assert_array_equal(from_binary.regions.values, from_text.regions.values)
    assert from_binary.regions.values[1, :4].tolist() == [1.5, -2.25, 3.125, 4]
    corners = from_binary.regions.values[3].reshape(4, 2)
    assert corners.mean(axis=0) == pytest.approx([-4 + 5.5, 6 + 3.5], abs=0.51)
