"""Masks along a sequence as text, in the spelling of vot-toolkit.

A line per frame: ``m`` and the numbers of ``bench.geometry.Runs``, separated by commas, 0-based;
``m0,0,1,1,1`` where the tracker says that the target is not visible; ``0`` where it gave no mask,
as on the frames that it was started on. vot-toolkit reads such a file as a trajectory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence as Rows
from pathlib import Path

import numpy as np

from bench.errors import ResultError
from bench.geometry import Runs
from bench.sequence import Masks

MAX_MASK_PIXELS = 1 << 24  # far above real ones, so that a corrupt file cannot exhaust the memory
_NONE = b"0"
_MASK = re.compile(rb"m-?\d{1,12}(,-?\d{1,12})*")


def format_masks(masks: Masks) -> bytes:
    """Masks as text that reads back equal.

    >>> format_masks((None, np.array([3, 4, 2, 2, 1, 3])))
    b'0\\nm3,4,2,2,1,3\\n'
    """
    return b"".join(b"%s\n" % (_NONE if runs is None else _line(runs)) for runs in masks)


def _line(runs: Runs) -> bytes:
    return b"m" + ",".join(map(str, runs.tolist())).encode()


def parse_masks(data: bytes, where: Path | str) -> Masks:
    """The masks in a text; ``where`` names the file in messages.

    Raises:
        ResultError: a line is malformed.
    """
    lines = data.rstrip().split(b"\n")
    return tuple(_parse(line, f"{where}:{n}") for n, line in enumerate(lines, start=1))


def _parse(line: bytes, where: str) -> Runs | None:
    text = line.strip()
    if text == _NONE:
        return None
    if not _MASK.fullmatch(text):
        raise ResultError(
            f"{where}: expected a mask, m and whole numbers with commas, or 0 for none, found "
            f"{text[:80].decode('ascii', 'replace')!r}"
        )
    return checked_runs(map(int, text[1:].split(b",")), where)


def checked_runs(numbers: Iterable[int], where: str) -> Runs:
    """Run lengths that describe a mask of plausible size.

    Args:
        numbers: x, y, width, height and the lengths.
        where: name of the row in messages.

    Raises:
        ResultError: numbers are missing, the mask is too large, or the runs do not fit into it.
    """
    found: Rows[int] = list(numbers)
    if len(found) < 4:
        raise ResultError(
            f"{where}: expected a mask, x, y, width, height and run lengths, found {found}"
        )
    x, y, width, height, *runs = found
    pixels = width * height
    if min(width, height) < 0 or pixels > MAX_MASK_PIXELS or max(map(abs, (x, y))) > 1 << 31:
        raise ResultError(
            f"{where}: expected a mask of at most {MAX_MASK_PIXELS} pixels, found "
            f"{width} x {height}"
        )
    if min(runs, default=0) < 0 or sum(runs) > pixels:
        raise ResultError(
            f"{where}: expected runs that fill a mask of {width} x {height} pixels, found "
            f"{sum(runs)} pixels in {len(runs)} runs"
        )
    return np.array(found, dtype=np.int64)
