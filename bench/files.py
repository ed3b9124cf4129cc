"""Fast parsing of number rows, and atomic file writes."""

from __future__ import annotations

import codecs
import os
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import simdjson

from bench.arrays import FloatArray
from bench.errors import BenchError, ResultError

MAX_PIXEL = 1e100
"""Largest accepted coordinate; beyond it, the squared area of a box overflows."""
_NUMBER_BYTES = b"0123456789.-+eE "
# Accepted by float() or split(), but malformed: empty fields, digit groups such as 1_000.
_NOT_A_FIELD = re.compile(r"[,;\n][ \t]*[,;]|_")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file through a temporary one: complete or absent, even after ``kill -9``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def format_rows(rows: FloatArray, decimals: int = 4, delimiter: str = ",") -> bytes:
    """Format rows ``(N, K)`` as text, one line per row, with ``decimals`` places."""
    line = delimiter.join([f"%.{decimals}f"] * rows.shape[1])
    return "".join(f"{line % tuple(row)}\n" for row in rows.tolist()).encode()


def format_exact(rows: FloatArray, delimiter: str = ",") -> bytes:
    """Format rows ``(N, K)`` as text that reads back bit for bit, one line per row.

    >>> format_exact(np.array([[198.0, 0.1, 1e-7, np.nan]]))
    b'198,0.1,1e-07,nan\\n'
    """
    lines = (delimiter.join(map(_shortest, row)) for row in rows.tolist())
    return "".join(f"{line}\n" for line in lines).encode()


def _shortest(value: float) -> str:
    return repr(value).removesuffix(".0")


def read_rows(path: Path, columns: int = 4, error: type[BenchError] = ResultError) -> FloatArray:
    """Read a text file of numbers as ``(N, columns)``.

    Numbers are separated by commas, tabs, semicolons or spaces; trailing empty lines are
    ignored.

    Raises:
        error: the file is missing, or a line is malformed; the message names file and line.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror})") from problem
    return parse_rows(data, path, columns, error)


def parse_rows(
    data: bytes, where: Path | str, columns: int = 4, error: type[BenchError] = ResultError
) -> FloatArray:
    """``read_rows`` for text in memory; ``where`` names the file in messages."""
    rows = _parse_fast(data, columns)
    return _parse_carefully(data, where, columns, error) if rows is None else rows


def _parse_fast(data: bytes, columns: int) -> FloatArray | None:
    """Parse comma-separated numbers with a JSON parser; None for any other text."""
    data = data.rstrip()
    separators = data.translate(None, _NUMBER_BYTES)
    lines = (len(separators) + 1) // columns
    if not data or separators != ((b"," * (columns - 1) + b"\n") * lines)[:-1]:
        return None
    flat = parse_numbers(data)
    if flat is None or flat.size != lines * columns:
        return None
    return flat.reshape(lines, columns)


def parse_numbers(data: bytes) -> FloatArray | None:
    """Parse numbers ``(N,)`` separated by commas and newlines; None if they are not JSON."""
    try:
        document = _parser().parse(b"[" + data.replace(b"\n", b",") + b"]")
        return np.frombuffer(cast(simdjson.Array, document).as_buffer(of_type="d"))
    except (ValueError, TypeError, RuntimeError):
        return None


@lru_cache(maxsize=1)
def _parser() -> simdjson.Parser:
    """One shared parser: allocating its buffers costs more than parsing a file."""
    return simdjson.Parser()


def _parse_carefully(
    data: bytes, where: Path | str, columns: int, error: type[BenchError]
) -> FloatArray:
    """Parse line by line, with any delimiter, so that errors name the line."""
    separators = str.maketrans(",;\t", "   ")
    text = data.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace").rstrip()
    lines = text.splitlines()
    rows = np.empty((len(lines), columns))
    for number, line in enumerate(lines, start=1):
        fields = line.translate(separators).split()
        if len(fields) != columns:
            raise error(
                f"{where}:{number}: expected {columns} numbers, found {len(fields)}: {line[:80]!r}"
            )
        try:
            rows[number - 1] = [float(field) for field in fields]
        except ValueError:
            raise error(f"{where}:{number}: expected numbers, found {line[:80]!r}") from None
    padded = f"\n{text}"
    if odd := _NOT_A_FIELD.search(padded):
        number = len(padded[: odd.end()].splitlines()) - 1
        line = lines[number - 1]
        raise error(f"{where}:{number}: expected {columns} plain numbers, found {line[:80]!r}")
    return rows
