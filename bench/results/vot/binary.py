"""Trajectories in the binary file of vot-toolkit (``.bin``), which is what it writes by default.

Little-endian: version 1 (int16) and the number of rows (uint32), then for every row its type
(uint8) and what belongs to it: 0 a code (uint32); 1 a rectangle, four float32; 2 a polygon, the
number of corners (uint16) and two float32 for each; 3 a mask, x, y (int16), width, height and the
number of runs (uint16), and the runs (uint16); 4 a point, which has no area and is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence as Rows
from pathlib import Path
from typing import Any

from bench.errors import ResultError
from bench.geometry import Regions
from bench.results.vot.trajectory import RawTrajectory, check_length, checked_row, mask_row

_VERSION = 1
_HEADER = "<hI"
_SMALLEST_ROW = 5  # bytes: a type and a code


def parse_binary(data: bytes, where: Path | str) -> RawTrajectory:
    """What a binary file says.

    Raises:
        ResultError: it is truncated, has something behind its end, or a row of an unknown type.
    """
    reader = _Reader(data, str(where))
    rows, masks = [], 0
    count = count_records(data, where)
    reader.take(_HEADER)
    for number in range(1, count + 1):
        numbers, is_mask = _read_row(reader, f"{where}, row {number}")
        rows.append(numbers)
        masks += is_mask
    if reader.left:
        raise ResultError(
            f"{where}: {reader.left} bytes behind the last of {count} rows. Fetch the file anew."
        )
    return RawTrajectory(Regions.from_rows(rows), masks)


def count_records(data: bytes, where: Path | str) -> int:
    """Number of rows that a binary file says it has.

    Raises:
        ResultError: it is no such file, or too short to have as many.
    """
    version, count = _Reader(data, str(where)).take(_HEADER)
    if version != _VERSION:
        raise ResultError(
            f"{where}: expected a binary trajectory of version {_VERSION}, found {version}"
        )
    if count * _SMALLEST_ROW > len(data) - struct.calcsize(_HEADER):
        raise ResultError(f"{where}: expected {count} rows, found {len(data)} bytes: truncated")
    check_length(count, where)
    return int(count)


def _read_row(reader: _Reader, where: str) -> tuple[Rows[float], bool]:
    """Numbers of one row, and whether it is a mask."""
    (kind,) = reader.take("<B")
    if kind == 0:
        return checked_row(reader.take("<I"), where), False
    if kind == 1:
        return checked_row(reader.take("<4f"), where), False
    if kind == 2:
        (corners,) = reader.take("<H")
        return checked_row(reader.take(f"<{2 * corners}f"), where), False
    if kind == 3:
        *header, runs = reader.take("<hhHHH")
        return mask_row([*header, *reader.take(f"<{runs}H")], where), True
    if kind == 4:
        raise ResultError(f"{where}: expected a region, found a point, which has no area")
    raise ResultError(f"{where}: expected a type of region from 0 to 3, found {kind}")


class _Reader:
    """Takes one item after the other from bytes."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._where = where
        self._position = 0

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._data) - self._position

    def take(self, form: str) -> tuple[Any, ...]:
        """The next numbers, of the form that ``struct`` knows.

        Raises:
            ResultError: there are not so many bytes left.
        """
        size = struct.calcsize(form)
        if size > self.left:
            raise ResultError(
                f"{self._where}: truncated: expected {size} bytes at byte {self._position}, found "
                f"{self.left}. Fetch the file anew."
            )
        self._position += size
        return struct.unpack_from(form, self._data, self._position - size)
