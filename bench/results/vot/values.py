"""Numbers beside a trajectory.

Times lie in one table, a column for every repetition; vot-toolkit has ``.value`` files with one
number a line, and an empty line for none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.errors import ResultError
from bench.results.text import format_rows, parse_rows
from bench.sequence import FloatArray


def parse_times(data: bytes, where: Path | str) -> FloatArray:
    """Seconds ``(N, R)`` with as many columns as the first line has.

    Raises:
        ResultError: a line is malformed; the message names file and line.
    """
    return parse_rows(data, where, columns=data.partition(b"\n")[0].count(b",") + 1)


def format_times(times: FloatArray) -> bytes:
    """Seconds ``(N, R)`` as text, with NaN where they are not known.

    >>> format_times(np.array([[0.5, np.nan]]))
    b'0.500000,NaN\\n'
    """
    return format_rows(times, decimals=6).replace(b"nan", b"NaN")


def parse_values(data: bytes, where: Path | str) -> FloatArray:
    """The numbers ``(N,)``, NaN for none.

    Raises:
        ResultError: a line is no number; the message names file and line.
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
    """One number a line with six decimals, an empty line where it is NaN.

    >>> format_values(np.array([np.nan, 0.5]))
    b'\\n0.500000\\n'
    """
    return "".join("\n" if value != value else f"{value:.6f}\n" for value in values).encode()
