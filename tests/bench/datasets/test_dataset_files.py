"""Per-frame flags and box files: all delimiters, and errors for malformed files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets.files import (
    image_names,
    polygons_and_boxes,
    read_boxes,
    read_flags,
    stems,
    subfolders,
)
from bench.errors import DatasetError


@given(
    flags=st.lists(st.booleans(), min_size=1),
    delimiter=st.sampled_from([",", "\n", "\r\n", " ", ", ", "\t"]),
    end=st.sampled_from(["", "\n", ",\n"]),
)
def test_flags_round_trip(tmp_path_factory, flags: list[bool], delimiter: str, end: str):
    path = tmp_path_factory.mktemp("flags") / "f.txt"
    path.write_bytes((delimiter.join(str(int(flag)) for flag in flags) + end).encode())
    assert read_flags(path, len(flags)).tolist() == flags


@pytest.mark.parametrize(
    ("content", "message"),
    [("0,1,0", "expected 4 flags"), ("0,1,2,0", "found b'2'"), ("", "found 0"), ("yes", "yes")],
)
def test_malformed_flags(tmp_path: Path, content: str, message: str):
    path = tmp_path / "full_occlusion.txt"
    path.write_text(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_flags(path, 4)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [("0\n\n0\n1\n", 2), ("\n0\n0\n1", 1), ("0\r0\r\r1\r", 3), ("0\r\n\r\n0\r\n1\r\n", 2)],
)
def test_an_empty_line_among_flags(tmp_path: Path, content: str, line: int):
    path = tmp_path / "f.txt"
    path.write_bytes(content.encode())
    with pytest.raises(DatasetError, match=rf"f\.txt:{line}: .*empty line"):
        read_flags(path, 3)


def test_missing_flags(tmp_path: Path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_flags(tmp_path / "none.txt", 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: .*empty file"),
        ("1,2,3,4\n1,2,3\n", ":2: expected 4 numbers, found 3"),
        ("1,2,3,4\n1,2,3,x\n", ":2: expected numbers"),
        ("\x00\x01\x02", ":1: expected 4"),
    ],
)
def test_malformed_boxes(tmp_path: Path, content: str, message: str):
    path = tmp_path / "groundtruth.txt"
    path.write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_boxes(path)


def test_listings_of_what_is_not_there(tmp_path: Path):
    assert image_names(tmp_path / "x") == []
    assert subfolders(tmp_path / "x") == []
    assert stems(tmp_path / "x") == {}


def test_polygons_and_boxes_of_mixed_rows():
    polygons, boxes = polygons_and_boxes([[0, 0, 2, 1, 1, 3, -1, 2], [1.5, 2.25, 3.0, 4.0]], "f")
    np.testing.assert_array_equal(boxes, [[-1, 0, 3, 3], [1.5, 2.25, 3.0, 4.0]])
    np.testing.assert_array_equal(polygons[0], [[0, 0], [2, 1], [1, 3], [-1, 2]])
    np.testing.assert_array_equal(
        polygons[1], [[1.5, 2.25], [4.5, 2.25], [4.5, 6.25], [1.5, 6.25]]
    )


def test_polygon_of_three_corners_is_refused():
    with pytest.raises(DatasetError, match=r"f: row 2: expected 4 .* or 8 .*found 6"):
        polygons_and_boxes([[0, 0, 1, 1], [0, 0, 1, 0, 1, 1]], "f")
