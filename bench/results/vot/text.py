"""Trajectories as text: one line of comma-separated numbers per frame."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.files import format_exact, format_rows, parse_numbers, parse_rows
from bench.geometry import Regions, Runs
from bench.results.masks import MAX_MASK_PIXELS, checked_runs
from bench.results.vot.trajectory import (
    RawTrajectory,
    are_checked,
    check_length,
    check_pixels,
    checked_row,
)

_NUMBER_BYTES = b"0123456789.-+eE"
_DELIMITERS = str.maketrans(",;\t", "   ")
_TO_SPACES = bytes.maketrans(b",;\t", b"   ")
_OTHER_SEPARATOR = re.compile(r"[;\t]|\d +[-+.\d]")
_DECIMAL_FIELDS = 8  # of four numbers with decimal commas
_LONGEST_LINE = 1 << 20  # bytes; a mask has at most 65,535 runs


def parse_text(data: bytes, where: Path | str) -> RawTrajectory:
    """Parse a text trajectory.

    Also accepts Windows line endings, spaces, tabs and semicolons, and ``m...`` lines, the masks
    of vot-toolkit.

    Raises:
        ResultError: a line is not a code, region or mask; the message names file and line.
    """
    check_length(count_rows(data), where)
    if b"." not in data:
        _refuse_decimal_commas(data, where)
    regions = _parse_fast(data)
    return _parse_carefully(data, where) if regions is None else RawTrajectory(regions)


def _refuse_decimal_commas(data: bytes, where: Path | str) -> None:
    """Refuse rows such as ``10,05,20,50,30,00,40,25``: four numbers that look like a polygon.

    Every second field then has as many digits in all rows, and some begin with zero, or all have
    one digit.

    Raises:
        ResultError: all rows are of this kind.
    """
    rows = [line.strip().split(b",") for line in data.split(b"\n")]
    decimals = [field for row in rows if len(row) == _DECIMAL_FIELDS for field in row[1::2]]
    if len({len(field) for field in decimals}) != 1 or not all(map(bytes.isdigit, decimals)):
        return
    whole = [field for row in rows if len(row) == _DECIMAL_FIELDS for field in row[::2]]
    if len(whole) <= _DECIMAL_FIELDS // 2 or sum(len(f) > 1 for f in whole) <= len(whole) / 2:
        return  # a single row, or too small for pixels of a target: no reason to suspect it
    width = len(decimals[0])
    if width > 1 and not any(field.startswith(b"0") for field in decimals):
        return
    line = next(n for n, row in enumerate(rows, start=1) if len(row) == _DECIMAL_FIELDS)
    raise ResultError(
        f"{where}:{line}: expected decimal points, found what looks like decimal commas: "
        f"{b','.join(rows[line - 1])[:80].decode('ascii', 'replace')!r}. Replace the comma within "
        "each number by a point."
    )


def count_rows(data: bytes) -> int:
    """Number of lines of a text file, without trailing empty ones."""
    stripped = data.rstrip()
    return stripped.count(b"\n") + 1 if stripped else 0


def format_text(regions: Regions, decimals: int | None = 4) -> bytes:
    """Format regions as text; codes are integers.

    The official files have four decimals. With None, numbers read back to the last bit.

    >>> format_text(Regions.from_rows([[1], [10, 20.5, 30, 40]]))
    b'1\\n10.0000,20.5000,30.0000,40.0000\\n'
    """
    lines = np.empty(len(regions), dtype=object)
    for count in np.unique(regions.counts):
        chosen = regions.counts == count
        rows = regions.values[chosen, :count]
        exact = decimals is None or count == 1
        text = format_exact(rows) if exact else format_rows(rows, decimals or 0)
        lines[chosen] = text.decode().splitlines(keepends=True)
    return "".join(lines).encode()


def _parse_fast(data: bytes) -> Regions | None:
    """Parse plain numbers with a JSON parser; None for any other text."""
    data = data.rstrip()
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    separators = data.translate(None, _NUMBER_BYTES)
    if not data or separators.count(b",") + separators.count(b"\n") != len(separators):
        return None
    ends = np.flatnonzero(np.frombuffer(separators, dtype=np.uint8) == ord("\n"))
    bounds = np.concatenate(([-1], ends, [len(separators)]))
    counts = bounds[1:] - bounds[:-1]
    flat = parse_numbers(data)
    if flat is None or len(flat) != counts.sum() or not are_checked(flat, counts):
        return None
    values = np.full((len(counts), max(8, int(counts.max()))), np.nan)
    values[np.arange(values.shape[1]) < counts[:, None]] = flat
    return Regions(values, counts)


def _parse_carefully(data: bytes, where: Path | str) -> RawTrajectory:
    """Parse line by line, so that errors name the line."""
    content = data.removeprefix(codecs.BOM_UTF8).rstrip().split(b"\n")
    for number, line in enumerate(content, start=1):
        if len(line) > _LONGEST_LINE:
            raise ResultError(
                f"{where}:{number}: expected a region, found a line of {len(line)} bytes"
            )
    _check_masks(content, where)
    lines = [line.decode("ascii", errors="replace").strip() for line in content]
    rows = [_parse_line(line, f"{where}:{n}") for n, line in enumerate(lines, start=1)]
    return RawTrajectory.of(rows)


def _check_masks(lines: list[bytes], where: Path | str) -> None:
    """Add up the pixels of all masks before the first is drawn.

    Raises:
        ResultError: they are far more than a sequence can have.
    """
    pixels = 0
    for number, line in enumerate(lines, start=1):
        if line.startswith(b"m"):
            sizes = line[1:200].translate(_TO_SPACES).split()[2:4]
            if len(sizes) == 2 and all(size.isdigit() and len(size) < 10 for size in sizes):
                pixels += min(int(sizes[0]) * int(sizes[1]), MAX_MASK_PIXELS)
        check_pixels(pixels, f"{where}:{number}")


def _parse_line(line: str, where: str) -> list[float] | Runs:
    fields = line.removeprefix("m").translate(_DELIMITERS).split()
    try:
        if line.startswith("m") and len(fields) >= 4:
            return checked_runs([int(field) for field in fields], where)
        numbers = [float(field) for field in fields]
    except ValueError:
        raise ResultError(f"{where}: expected numbers, found {line[:80]!r}") from None
    if "," in line and _OTHER_SEPARATOR.search(line):
        raise ResultError(
            f"{where}: expected one separator, found commas and others in {line[:80]!r}. Write "
            "decimal points, not decimal commas."
        )
    if "_" in line or ",," in line or line.startswith(("m", ",")) or line.endswith(","):
        raise ResultError(f"{where}: expected plain numbers, found {line[:80]!r}")
    return list(checked_row(numbers, where))


def parse_times(data: bytes, where: Path | str) -> FloatArray:
    """Parse seconds ``(N, R)``; the first line determines R.

    Raises:
        ResultError: a line is malformed; the message names file and line.
    """
    return parse_rows(data, where, columns=data.partition(b"\n")[0].count(b",") + 1)


def format_times(times: FloatArray) -> bytes:
    """Format seconds ``(N, R)`` as text; unknown times are NaN.

    >>> format_times(np.array([[0.5, np.nan]]))
    b'0.500000,NaN\\n'
    """
    return format_rows(times, decimals=6).replace(b"nan", b"NaN")


def parse_values(data: bytes, where: Path | str) -> FloatArray:
    """Parse one number ``(N,)`` per line; empty lines are NaN.

    Raises:
        ResultError: a line is not a number; the message names file and line.
    """
    lines = data.decode("ascii", errors="replace").splitlines()
    values = np.full(len(lines), np.nan)
    for number, line in enumerate(lines, start=1):
        try:
            values[number - 1] = float(line.strip() or "nan")
        except ValueError:
            raise ResultError(
                f"{where}:{number}: expected a number, found {line[:80]!r}"
            ) from None
    return values


def format_values(values: FloatArray) -> bytes:
    """Format numbers ``(N,)`` with six decimals, one per line; NaN gives an empty line.

    >>> format_values(np.array([np.nan, 0.5]))
    b'\\n0.500000\\n'
    """
    return "".join("\n" if value != value else f"{value:.6f}\n" for value in values).encode()
