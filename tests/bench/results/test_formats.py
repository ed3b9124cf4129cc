"""Each format reads the files of its toolkit, and reports errors in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import ConfigError, ResultError
from bench.results.formats import FORMATS, get_format, open_source, sniff_format

BOXES = [[1.0, 2.0, 3.0, 4.0], [5.5, 6.0, 7.0, 8.0]]
TEXT = "1,2,3,4\n5.5,6,7,8\n"


def fill(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def as_json(**fields: Any) -> str:
    return json.dumps({"res": BOXES, "resType": "rect", "evalType": "OPE"} | fields)


def read(folder: Path, format_: str, spelling: str = "Bolt") -> Any:
    reader = get_format(format_)
    found = reader.find(open_source(folder), {"Bolt": "Bolt", "car1_1": "car1_1"}.get)
    return reader.read(next(one for one in found if one.spelling == spelling))


@pytest.mark.parametrize("format_", ["pysot", "got10k", "pytracking", "lasot", "trackingnet"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", " ", ", "])
def test_text_in_any_delimiter(tmp_path: Path, format_: str, delimiter: str) -> None:
    fill(tmp_path, {"Bolt.txt": TEXT.replace(",", delimiter)})
    result = read(tmp_path, format_)
    np.testing.assert_array_equal(result.boxes, BOXES)
    own = "\t" if format_ == "pytracking" else ","
    assert bool(result.notes) == (delimiter.strip(" ") != own.strip(" "))


@pytest.mark.parametrize("place", ["times/Bolt_time.txt", "Bolt_time.txt"])
def test_times_in_either_place(tmp_path: Path, place: str) -> None:
    fill(tmp_path, {"Bolt.txt": TEXT, place: "0.25\n0.125\n", "Bolt_scores.txt": "1\n1\n"})
    reader = get_format("pysot")
    found = reader.find(open_source(tmp_path), lambda _: None)
    assert [one.spelling for one in found] == ["Bolt"]
    np.testing.assert_array_equal(reader.read(found[0]).times, [0.25, 0.125])


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ("0.25\n", "1 rows for 2 frames"),
        ("0.25\n-1\n", "not all are finite seconds"),
        ("0.25\nnan\n", "not all are finite seconds"),
        ("0.25\ninf\n", "not all are finite seconds"),
        ("0.25 0.5\n0.25 0.5\n", "Bolt_time.txt:1: expected 1 numbers, found 2"),
    ],
)
def test_bad_times(tmp_path: Path, times: str, problem: str) -> None:
    fill(tmp_path, {"Bolt.txt": TEXT, "Bolt_time.txt": times})
    result = read(tmp_path, "pytracking")
    assert result.times is None
    assert any("times left out" in note and problem in note for note in result.notes)


@pytest.mark.parametrize("number", ["inf", "-inf", "1e999", "1e300", "-1e101"])
def test_numbers_that_cannot_be_scored(tmp_path: Path, number: str) -> None:
    fill(tmp_path, {"Bolt.txt": f"1,2,3,4\n1,{number},3,4\n"})
    with pytest.raises(ResultError, match=r"Bolt\.txt: row 2: expected x, y, w, h in pixels"):
        read(tmp_path, "pysot")


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: f"[{text}]"])
def test_json_alone_or_in_a_list(tmp_path: Path, wrap: Callable[[str], str]) -> None:
    fill(tmp_path, {"Bolt.json": "\ufeff" + wrap(as_json(seqName="Bolt", fps=4))})
    result = read(tmp_path, "otb-json")
    np.testing.assert_array_equal(result.boxes, BOXES)
    np.testing.assert_array_equal(result.times, [0.25, 0.25])
    assert result.spelling == "Bolt"


def test_corners_in_json(tmp_path: Path) -> None:
    corners = [[10.0, 20.5, 19.0, 11.0], [5.0, 6.0, 30.5, 29.0]] * 2
    fill(tmp_path, {"Bolt.json": as_json(resType="4corner", res=corners)})
    np.testing.assert_array_equal(read(tmp_path, "otb-json").boxes, [[10, 5, 12, 27]] * 2)


def test_the_first_of_many_segments_is_the_one_pass_run(tmp_path: Path) -> None:
    fill(tmp_path, {"Bolt.json": f"[{as_json()},{as_json(res=[[9, 9, 9, 9]])}]"})
    result = read(tmp_path, "otb-json")
    np.testing.assert_array_equal(result.boxes, BOXES)
    assert "the first of 2 segments, as OTB's one-pass evaluation reads" in result.notes


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        (b"\xff\xfe\x00", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("3", "expected the single segment .* found 3"),
        ("[]", "expected the single segment .* found 0"),
        ("{}", "rows of 4 real numbers, found nothing"),
        (as_json(resType="thin_plate"), r"SIMILARITY\), found 'thin_plate'"),
        (as_json(resType=["rect"]), r"SIMILARITY\), found \['rect'\]"),
        (as_json(res="boxes"), "rows of 4 real numbers"),
        (as_json(res=[[1, 2, 3, 4], [1, 2, 3]]), "rows of 4 real numbers"),
        (as_json(res=[[1, 2, 3, None]]), "rows of 4 real numbers"),
        (as_json(res=[["1", "2", "3", "4"]]), "rows of 4 real numbers"),
        (as_json(res=[[1, 2, 3, 10**400]]), "a number of over 300 digits"),
        (as_json(fps=10**400), "a number of over 300 digits"),
        (as_json(res=[[1, 2, 3, {}]]), "rows of 4 real numbers"),
        (as_json(res=[[1, 2, 3, float("inf")]]), "cannot be read as JSON .*Infinity"),
        (as_json(res=[[True, False, True, True]]), "rows of 4 real numbers"),
    ],
)
def test_bad_json(tmp_path: Path, content: str | bytes, problem: str) -> None:
    fill(tmp_path, {"Bolt.json": content})
    with pytest.raises(ResultError, match=problem) as caught:
        read(tmp_path, "otb-json")
    assert "Bolt.json:" in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("files", "benchmark", "expected"),
    [
        ({"Bolt.txt": TEXT}, "otb2015", "pysot"),
        ({"Bolt.txt": TEXT}, "trackingnet", "trackingnet"),
        ({"Bolt.txt": TEXT, "times/Bolt_time.txt": "1\n"}, "otb2015", "got10k"),
        ({"Bolt.txt": TEXT, "Bolt_time.txt": "1\n"}, "otb2015", "pytracking"),
        ({"Bolt.txt": TEXT.replace(",", "\t")}, "otb2015", "pytracking"),
        ({"a.mat": b"", "b.mat": b"", "readme.txt": "hello"}, "otb2015", "otb-mat"),
        ({"a.json": "", "b.json": "", "readme.txt": "hello"}, "uav123", "otb-json"),
        ({"Bolt.txt": TEXT, "run.json": "{}"}, "otb2015", "pysot"),
    ],
)
def test_sniffing(
    tmp_path: Path, files: dict[str, str | bytes], benchmark: str, expected: str
) -> None:
    assert sniff_format(open_source(fill(tmp_path, files)), benchmark) == expected


def test_sniffing_the_lasot_toolkit(tmp_path: Path) -> None:
    folder = fill(tmp_path / "ATOM_tracking_result", {"bird-2.txt": TEXT})
    assert sniff_format(open_source(folder), "lasot") == "lasot"


def test_a_parent_folder_of_results(tmp_path: Path) -> None:
    fill(tmp_path, {"SiamFC/Bolt.txt": TEXT, "KCF/Bolt.txt": TEXT})
    with pytest.raises(ResultError, match="found none but the folders KCF, SiamFC"):
        sniff_format(open_source(tmp_path), "otb2015")


def test_unknown_format() -> None:
    assert [get_format(name).name for name in FORMATS] == list(FORMATS)
    with pytest.raises(ConfigError, match=r"unknown format 'gotten10k'\. Did you mean 'got10k'"):
        get_format("gotten10k")
