"""MATLAB structs: content, and malformed or hostile files."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.io import loadmat, savemat

from bench.errors import ResultError
from bench.results.formats import RawResult, get_format, open_source
from bench.results.formats.mat5 import read_variable

BOXES = [[1.0, 2.0, 3.0, 4.0], [5.5, 6.0, 7.0, 8.0]]


def mat(compressed: bool = False, **fields: Any) -> bytes:
    struct = {"type": "rect", "res": np.array(BOXES), "len": 2.0, "fps": 4.0} | fields
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = {key: value for key, value in struct.items() if value is not None}
    stream = io.BytesIO()
    savemat(stream, {"results": cell}, do_compression=compressed)
    return stream.getvalue()


def read(folder: Path, spelling: str = "Bolt") -> RawResult:
    reader = get_format("otb-mat")
    found = reader.find(open_source(folder), {"Bolt": "Bolt", "car1_1": "car1_1"}.get)
    return reader.read(next(one for one in found if one.spelling == spelling))


def test_mat(tmp_path: Path) -> None:
    (tmp_path / "Bolt_My_Tracker.mat").write_bytes(mat())
    (tmp_path / "car1_1_T.mat").write_bytes(mat(fps=np.nan))
    result = read(tmp_path)
    np.testing.assert_array_equal(result.boxes, BOXES)
    np.testing.assert_array_equal(result.times, [0.25, 0.25])
    assert read(tmp_path, "car1_1").times is None


def test_a_file_transferred_as_text_is_refused(tmp_path: Path) -> None:
    content = mat()
    assert b", Created on: " in content[:116]
    (tmp_path / "Bolt_T.mat").write_bytes(content.replace(b",", b";"))
    with pytest.raises(ResultError, match="transfer as text"):
        read(tmp_path)


CORNERS = [[10.0, 20.5, 19.0, 11.0], [5.0, 6.0, 30.5, 29.0]] * 2


def test_corners_become_the_box_of_the_official_code(tmp_path: Path) -> None:
    """corner2rect.m: round([left, top, right - left + 1, bottom - top + 1])."""
    content = mat(type="4corner", res=np.array(CORNERS))
    (tmp_path / "Bolt_T.mat").write_bytes(content)
    # 11.5 and 26.5: MATLAB rounds halves away from zero.
    np.testing.assert_array_equal(read(tmp_path).boxes, [[10, 5, 12, 27]] * 2)


@pytest.mark.parametrize(
    ("kind", "rows", "boxes"),
    [
        # Pixel (1, 1) goes to row 12.4, column 23.6; pixel (12, 15) to row 34.4, column 65.6.
        ("L1Aff", [[2, 0, 0, 3, 10.4, 20.6]], [24, 12, 43, 23]),
        # To row 12.9, column 23.35 and to row 41.9, column 62.6; the other corners are not asked.
        ("L1Aff", [[2, 0.5, -0.25, 3, 10.4, 20.6]], [23, 13, 41, 30]),
        # x from 31.6 to 53.7, y from 38 to 51.8; the identity is to be added.
        ("LK_Aff", [[0.5, 0.1, 30], [-0.2, 0, 40]], [32, 38, 23, 15]),
        # z -> 2 exp(0.3 i) z + 50 + 60 i: x from 44.82 to 78.07, y from 62.50 to 91.79.
        ("SIMILARITY", [[2, 0.3, 50, 60]], [45, 63, 34, 30]),
        ("affine", [[10.0, 20.5, 19.0, 11.0], [5.0, 6.0, 30.5, 29.0]], [10, 5, 12, 27]),
    ],
)
def test_warps_become_the_boxes_of_the_official_code(
    tmp_path: Path, kind: str, rows: list[list[float]], boxes: list[float]
) -> None:
    """The template has 12 rows and 15 columns; values worked out by hand."""
    content = mat(type=kind, res=np.array(rows * 2), tmplsize=np.array([12.0, 15.0]))
    (tmp_path / "Bolt_T.mat").write_bytes(content)
    result = read(tmp_path)
    np.testing.assert_array_equal(result.boxes, [boxes] * 2)
    assert "OTB" in " ".join(result.notes)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"type": "ivtAff"}, r"rows of 6 real numbers, found shape \(2, 4\)"),
        ({"type": "ivtAff", "res": np.ones((2, 6))}, "expected tmplsize"),
        ({"type": "L1Aff"}, r"rows of 6 real numbers, found shape \(2, 4\)"),
        ({"type": "LK_Aff", "res": np.ones((3, 3))}, "two rows of LK_Aff per frame, found 3"),
        ({"type": "SIMILARITY"}, "expected tmplsize, the two sizes"),
        ({"type": "thin_plate"}, r"L1Aff, LK_Aff, SIMILARITY\), found 'thin_plate'"),
        ({"type": None}, r"SIMILARITY\), found None"),
        ({"res": None}, "rows of 4 real numbers, found nothing"),
        ({"res": np.ones((2, 6))}, r"rows of 4 real numbers, found shape \(2, 6\)"),
        ({"res": np.ones((2, 4)) * 1j}, "an array is complex"),
        ({"res": "1,2,3,4"}, "rows of 4 real numbers"),
        ({"len": 3.0}, "len = 3 frames in res, found 2"),
        ({"len": "many"}, "len = nan"),
        ({"type": "4corner", "res": np.ones((3, 4))}, "two rows of 4corner per frame, found 3"),
        ({"res": np.full((2, 4), np.inf)}, "row 1: expected x, y, w, h"),
    ],
)
def test_bad_structs(tmp_path: Path, fields: dict[str, Any], problem: str) -> None:
    (tmp_path / "Bolt_T.mat").write_bytes(mat(**fields))
    with pytest.raises(ResultError, match=problem) as caught:
        read(tmp_path)
    assert "Bolt_T.mat: " in str(caught.value)


def broken_mats() -> dict[str, Callable[[], bytes]]:
    def saved(**variables: Any) -> bytes:
        stream = io.BytesIO()
        savemat(stream, variables, do_compression=True)
        return stream.getvalue()

    segments = np.empty((1, 20), dtype=object)
    segments[:] = [[{"type": "rect"}] * 20]
    return {
        "empty": lambda: b"",
        "text": lambda: b"1,2,3,4\n",
        "garbage": lambda: bytes(range(256)) * 4,
        "other variable": lambda: saved(other=np.ones((2, 4))),
        "many segments": lambda: saved(results=segments),
        "no struct": lambda: saved(results=np.ones((1, 1))),
        "hdf5": lambda: b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n",
        "bomb": lambda: saved(results=np.zeros((3000, 3000))),
    }


@pytest.mark.parametrize("kind", broken_mats())
def test_malformed_mats(tmp_path: Path, kind: str) -> None:
    (tmp_path / "Bolt_T.mat").write_bytes(broken_mats()[kind]())
    with pytest.raises(ResultError, match=r"Bolt_T\.mat: (not a readable|expected)"):
        read(tmp_path)


@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_mats_are_errors(compressed: bool) -> None:
    whole = mat(compressed)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"^truncated|^expected|^element|^arrays"):
            read_variable(whole[:length], "results")


@pytest.mark.parametrize("compressed", [False, True])
def test_changed_bytes_raise_errors_at_worst(compressed: bool) -> None:
    """``scipy.io.loadmat`` crashes with a segmentation fault on four of these."""
    whole = mat(compressed)
    for at in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            with contextlib.suppress(ValueError):
                read_variable(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :], "results")


NUMBERS = [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.int64, np.float32, np.float64]
ARRAYS = st.sampled_from(NUMBERS).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=5))
)
VALUES = ARRAYS | st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1)


@settings(max_examples=50)
@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), VALUES, min_size=1),
    st.booleans(),
)
def test_structs_read_as_scipy_reads_them(fields: dict[str, Any], compressed: bool) -> None:
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = fields
    stream = io.BytesIO()
    savemat(stream, {"other": 1.0, "results": cell}, do_compression=compressed)
    (ours,) = read_variable(stream.getvalue(), "results")
    theirs = loadmat(stream)["results"][0, 0]
    assert list(ours) == list(theirs.dtype.names)
    for name in ours:
        expected = theirs[name][0, 0]
        if isinstance(ours[name], str):
            assert [ours[name]] == expected.tolist()
        else:
            np.testing.assert_array_equal(ours[name], expected.astype(np.float64))


def test_real_structs_read_as_scipy_reads_them(shared: Path) -> None:
    for path in sorted((shared / "data/otb2015/results").glob("*/*_?[AR]DCF.mat"))[::5]:
        (ours,) = read_variable(path.read_bytes(), "results")
        theirs = loadmat(path, simplify_cells=True)["results"]
        assert ours["type"] == theirs["type"]
        np.testing.assert_array_equal(ours["res"], theirs["res"])
        assert ours["fps"].item() == theirs["fps"]
