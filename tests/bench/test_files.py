"""Numbers in text: exactness, delimiters and errors."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.errors import DatasetError, ResultError
from bench.files import (
    check_digits,
    format_exact,
    format_rows,
    parse_rows,
    read_json,
    read_rows,
    read_whole,
    shown,
    temporary_name,
    write_atomically,
)

NUMBERS = st.floats(allow_infinity=False, width=64)
ROWS = st.integers(1, 20).flatmap(lambda n: arrays(np.float64, (n, 4), elements=NUMBERS))


@given(ROWS, st.sampled_from([",", "\t", ";", " "]))
def test_exact_text_reads_back_to_the_last_bit(rows: np.ndarray, delimiter: str) -> None:
    np.testing.assert_array_equal(parse_rows(format_exact(rows, delimiter), "x"), rows)


def test_a_tab_before_fields_separated_by_commas() -> None:
    with pytest.raises(ResultError, match=r"x:2: expected 4 plain numbers"):
        parse_rows(b"1,2,3,4\n\t5,6,7,8\n9,8,7,6\n", "x")
    assert parse_rows(b"\t1\t2\t3\t4\n", "x").tolist() == [[1, 2, 3, 4]]


def test_numbers_of_too_many_digits() -> None:
    rows = "1,2,3,4\n5,6,7,0.{}\n8,9,10,11\n"
    check_digits(rows.format("9" * 37).encode(), "x")
    for digits in (38, 400):
        with pytest.raises(ResultError, match="x:2: expected numbers of fewer than 40 digits"):
            check_digits(rows.format("9" * digits).encode(), "x")


@given(ROWS)
def test_exact_text_reads_as_numpy_reads_it(rows: np.ndarray) -> None:
    lines = format_exact(rows).decode().splitlines()
    np.testing.assert_array_equal(np.loadtxt(lines, delimiter=",", ndmin=2), rows)


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 20), st.just(4)),
        elements=st.floats(-1e6, 1e6),
    )
)
def test_rows_with_decimals_read_back_within_half_a_place(rows: np.ndarray) -> None:
    read = parse_rows(format_rows(rows), "x")
    np.testing.assert_allclose(read, rows, rtol=1e-15, atol=0.5001e-4)


@pytest.mark.parametrize(
    "data",
    [
        b"1,2,3,4\n5.5,6,7,8\n",
        b"1,2,3,4\r\n5.5,6,7,8\r\n",
        b"1,2,3,4\r5.5,6,7,8",
        b"\xef\xbb\xbf1,2,3,4\n5.5,6,7,8\n",
        b"1\t2\t3\t4\n5.5\t6\t7\t8\n\n\n",
        b"1;2;3;4\n5.5;6;7;8",
        b" 1  2 3  4 \n 5.5 6 7 8 ",
        b"1, 2, 3, 4\n5.5 ,6,\t7,8\n",
        b"\t1\t2\t3\t4\n\t5.5 6 7 8\n",
        b"1,2,3,4,\n5.5,6,7,8,\n",
        b"01,+2,3.,4e0\n.55e1,6,7,8\n",
    ],
)
def test_delimiters_line_ends_and_spellings_of_numbers(data: bytes) -> None:
    np.testing.assert_array_equal(parse_rows(data, "x"), [[1, 2, 3, 4], [5.5, 6, 7, 8]])


FOREIGN = (
    "x,y,w,h\n1,2,3,4\n5.5,6,nan,8\n",
    "# made by X\n\n% left\n Left\tTop\tWidth\tHeight\n1\t2\t3\t4\n5.5\t6\tNaN\t8",
    '"x","y","w","h"\r\n"1","2","3","4"\r\n"5.5","6","","8"'.replace('""', '"NA"'),
    "[1, 2, 3, 4]\n[5.5, 6, None, 8]\n",
    "[[1 2 3 4]\n [5.5 6 nan 8]]\n",
    "1|2|3|4\n5.5|6|-nan(ind)|8\n",
    "| 1 | 2 | 3 | 4 |\n| 5.5 | 6 | None | 8 |\n",
    "(1, 2, 3, 4),\n('5.5', '6', 'NaN', '8')\n",
    "(1, 2), (3, 4)\n[[5.5, 6], [nan, 8]]\n",
    "# frame x y w h score\n1,2,3,4\n5.5,6,nan,8\n",
    '"1,2,3,4"\n"5.5,6,null,8"\n',
    "1.0,2,3,4\n5.5,6,-1.#IND00,8\n",
    "# x1 y1 w h\n1 2 3 4\n5.5 6 nan 8\n",
    "# x y positions by me\nx_min,y_min,width,height\n1,2,3,4\n5.5,6,nan,8\n",
    "1 2 3 4\n5.5 6 1.#QNAN 8\n",
)


@pytest.mark.parametrize("text", FOREIGN)
def test_what_other_peoples_writers_add(text: str) -> None:
    expected = [[1, 2, 3, 4], [5.5, 6, np.nan, 8]]
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        np.testing.assert_array_equal(parse_rows(data, "x", foreign=True), expected)
    with pytest.raises(ResultError, match="expected"):
        parse_rows(text.encode(), "x")  # where a server reads it, it has to be plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x1,y1,x2,y2\n1,2,3,4\n", "x:1: expected numbers"),
        ("cx,cy,w,h\n1,2,3,4\n", "x:1: expected numbers"),
        ("# x1 y1 x2 y2\n1 2 3 4\n", "x:1: expected"),
        ("% left,top,right,bottom\n1,2,3,4\n", "x:1: expected"),
        ("# made\n# cx, cy, w, h\n1,2,3,4\n", "x:2: expected"),
        ("# made\n1,2,3,4\n\n1,2,3,4\n", "x:3: expected 4 numbers, found 0"),
        ("1,2,3,4\n# made\n1,2,3,4\n", "x:2: expected 4 numbers, found 2"),
        ("# made_by\n1,2,3,4\n1_0,2,3,4\n", "x:3: expected 4 plain numbers"),
        ("1,2,3,4,0.9\n", r"found 5.*Keep the columns x, y, w, h alone"),
        ("1.5 2 9 2 9 8 1 8.5\n", "found 8.*the box around them if these are four corners"),
        ("1,5,2,5,3,5,4,5\n", "found 8.*Write decimals with a point"),
        ("1,2,3,4\n''.9,2,3,4\n", "x:2: expected numbers"),
        ("1,2,3,4\n'1.9,2,3,4\n", "x:2: expected numbers"),
        ("1,2,3,4\n[[[1.9,2,3,4\n", "x:2: expected numbers"),
        ("[1,2,3,4]\n[5,(6,7),8]\n", "x:2: expected numbers"),
        ("1,2,3,4\n|1.9,2,3,4\n", "x:2: expected numbers"),
        ("(1, 2), (3, 4\n", "x:1: expected numbers"),
        ("frame,x,y,w,h\n1,1,2,3,4\n", "found 5: 'frame,x,y,w,h'. Keep the columns"),
    ],
)
def test_foreign_rows_that_could_mean_something_else(text: str, message: str) -> None:
    with pytest.raises(ResultError, match=message):
        parse_rows(text.encode(), "x", foreign=True)


def test_nan_and_an_empty_file() -> None:
    np.testing.assert_array_equal(
        parse_rows(b"NaN,nan,NAN,1\n1,2,3,4", "x"), [[np.nan, np.nan, np.nan, 1], [1, 2, 3, 4]]
    )
    assert parse_rows(b"", "x").shape == (0, 4)
    assert parse_rows(b" \n\n", "x").shape == (0, 4)


@pytest.mark.parametrize(
    ("data", "line", "found"),
    [
        (b"1,2,3,4\n1,2,3\n", 2, "found 3"),
        (b"1,2,3,4,5\n", 1, "found 5"),
        (b"1,2,3,4\n\n1,2,3,4\n", 2, "found 0"),
        (b"1,2,3,4\n1,2,x,4\n", 2, "'1,2,x,4'"),
        (b"1,2,3,4\n1,,3,4,5\n", 2, "'1,,3,4,5'"),
        (b"1,2,3,4\r\n,1,2,3,4\r\n", 2, "',1,2,3,4'"),
        (b"1 2 3 4\n\t.9 2 3 4\n", 2, r"'\t.9 2 3 4'"),
        (b"1,2,3,4\n1_0,2,3,4\n", 2, "'1_0,2,3,4'"),
        (b"1,2,3,4\n1 2,3,4,5\n", 2, "found 5"),
        (b"\x00\x01\x02\xff", 1, "found 1"),
        ("1,2,3,\u0664\n".encode(), 1, "expected numbers"),
        (b"x" * 10_000, 1, "found 1"),
    ],
)
def test_a_bad_line_is_named(data: bytes, line: int, found: str) -> None:
    with pytest.raises(ResultError, match="expected") as caught:
        parse_rows(data, "a.txt")
    message = str(caught.value)
    assert message.startswith(f"a.txt:{line}: expected")
    assert found in message
    assert len(message) < 250


def test_a_missing_file_raises_the_requested_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.txt: cannot be read"):
        read_rows(tmp_path / "none.txt", error=DatasetError)


def test_columns_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "times.txt"
    path.write_text("0.1\n0.2\n")
    np.testing.assert_array_equal(read_rows(path, columns=1), [[0.1], [0.2]])
    with pytest.raises(ResultError, match=r"times\.txt:1: expected 4 numbers, found 1"):
        read_rows(path)


def test_real_annotations_read_as_numpy_reads_them(shared: Path) -> None:
    """Files of OTB with commas, tabs and spaces, against an independent reader."""
    folder = shared / "data/otb2015/annotations/anno"
    for name in ("Biker", "david", "jogging-1", "Human4.2", "Girl2", "tiger1"):
        text = (folder / f"{name}.txt").read_text().replace(",", " ")
        expected = np.loadtxt(text.splitlines(), ndmin=2)
        np.testing.assert_array_equal(read_rows(folder / f"{name}.txt"), expected)


def test_writing_replaces_whole_files_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, b"old")

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[" * 100_000, "nested 100000 deep"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested 5000 deep"),
        (b'{"a": Infinity}', "found Infinity"),
        (b'{"a": -Infinity}', "found -Infinity"),
        (b"[1,\n1" + b"0" * 400 + b"]", ":2: .*over 300 digits"),
        (b'"\\ud800"', "surrogates"),
        (b"\xff\xfe\xfa", "cannot be read as JSON"),
        (b"", "cannot be read as JSON"),
        (b"[1,]", "cannot be read as JSON"),
        (b'[{"a": 1, "b": {"a": 2, "a": 3}}]', "the key 'a' stands twice"),
        (b'{"a": "' + b"x" * 100_000, "cannot be read as JSON"),
    ],
)
def test_json_that_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        read_json(data, "a.json", DatasetError)
    assert str(caught.value).startswith("a.json")
    assert len(str(caught.value)) < 300


def test_json_that_is_read(tmp_path: Path) -> None:
    brackets = "[" * 500
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"text": brackets, "quoted": '"[', "smile": "\U0001f600"}))
    assert read_json(path) == {"text": brackets, "quoted": '"[', "smile": "\U0001f600"}
    (unknown,) = read_json(b"[NaN]", "a")
    assert np.isnan(unknown)


def test_limits_hold_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"1,2,3,4\n" * 100)
    with pytest.raises(ResultError, match="expected at most 0 MiB"):
        read_whole(path, limit=799)
    with pytest.raises(ResultError, match=r"a\.txt:1: expected 4 numbers, found a line of 200000"):
        parse_rows(b"1" * 200_000, "a.txt")
    monkeypatch.setattr("bench.files.MAX_ROWS", 10)
    with pytest.raises(ResultError, match="expected at most 10 rows, found 100"):
        parse_rows(b"1 2 3 4\n" * 100, "a.txt")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "missing", "null"])
def test_only_regular_files_are_read(tmp_path: Path, kind: str) -> None:
    path = {"device": Path("/dev/zero"), "null": tmp_path / "a\0b"}.get(kind, tmp_path / "a.txt")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(ResultError, match=r"regular file|cannot be read"):
        read_rows(path)


def test_a_decimal_comma_gets_a_hint() -> None:
    with pytest.raises(ResultError, match="decimals with a point"):
        parse_rows(b"12,5,20,3,40,1,30,7", "a.txt")


def test_values_in_messages_are_printable_and_short() -> None:
    assert shown("a\x1b[31m") == r"'a\x1b[31m'"
    assert shown("\ud800") == r"'\ud800'"
    assert len(shown("x" * 10_000_000)) < 100


@pytest.mark.skipif(sys.platform == "win32", reason="permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_honour_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "a.txt", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_that_cannot_flush_is_told_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    for name in ("a.txt", "b.txt"):
        write_atomically(tmp_path / name, b"x")
    assert (tmp_path / "b.txt").read_bytes() == b"x"
    assert sum("cannot flush" in record.message for record in caplog.records) == 1


def dead_process() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.skipif(sys.platform == "win32", reason="process numbers")
def test_the_next_writer_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    mine = temporary_name("a.csv")
    machine = mine.split(".")[-2].split("-")[0]
    gone = f".a.csv.{machine}-{dead_process()}-0.tmp"
    elsewhere = f".a.csv.{'0' * 8}-{dead_process()}-0.tmp"
    other = ".notes.tmp"
    for name in (mine, gone, elsewhere, other):
        (tmp_path / name).touch()
    write_atomically(tmp_path / "b.csv", b"x")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {mine, elsewhere, other, "b.csv"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_writer_leaves_nothing_for_good(tmp_path: Path) -> None:
    script = (
        "import os, signal; from pathlib import Path; from bench import files\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"files.write_atomically(Path({str(tmp_path)!r}, 'a.txt'), b'x')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    write_atomically(tmp_path / "b.txt", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]
