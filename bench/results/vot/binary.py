"""Trajectories in the binary format of vot-toolkit (``.bin``), its default.

Little-endian: version 1 (int16) and the number of rows (uint32), then per row a type (uint8)
and its data. 0, a code: uint32. 1, a rectangle: four float32. 2, a polygon: number of corners
(uint16), two float32 each. 3, a mask: x, y (int16), width, height, number of runs (uint16), runs
(uint16). 4, a point: rejected, since it has no area.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence as Rows
from pathlib import Path
from typing import Any

from bench.errors import ResultError
from bench.geometry import Runs
from bench.results.masks import MAX_MASK_PIXELS, checked_runs
from bench.results.vot.trajectory import RawTrajectory, check_length, check_pixels, checked_row

_VERSION = 1
_HEADER = "<hI"
_MASK = 3
_SMALLEST_ROW = 5  # bytes of a type and a code


def parse_binary(data: bytes, where: Path | str) -> RawTrajectory:
    """Parse a binary trajectory.

    Raises:
        ResultError: it is truncated, has trailing bytes, or a row of an unknown type.
    """
    reader = _Reader(data, str(where))
    rows, pixels = [], 0
    count = count_records(data, where)
    reader.take(_HEADER)
    for number in range(1, count + 1):
        row = f"{where}, row {number}"
        pixels += min(reader.mask_pixels(), MAX_MASK_PIXELS)
        check_pixels(pixels, row)
        rows.append(_read_row(reader, row))
    if reader.left:
        raise ResultError(
            f"{where}: expected {count} rows, found {reader.left} bytes after the last. Download "
            "the file again."
        )
    return RawTrajectory.of(rows)


def count_records(data: bytes, where: Path | str) -> int:
    """Number of rows stated in the header of a binary trajectory.

    Raises:
        ResultError: it is another kind of file, or too short for its rows.
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


def _read_row(reader: _Reader, where: str) -> Rows[float] | Runs:
    """The numbers of one row, or its mask."""
    (kind,) = reader.take("<B")
    if kind == 0:
        return checked_row(reader.take("<I"), where)
    if kind == 1:
        return checked_row(reader.take("<4f"), where)
    if kind == 2:
        (corners,) = reader.take("<H")
        return checked_row(reader.take(f"<{2 * corners}f"), where)
    if kind == 3:
        *header, runs = reader.take("<hhHHH")
        return checked_runs([*header, *reader.take(f"<{runs}H")], where)
    if kind == 4:
        raise ResultError(f"{where}: expected a region, found a point, which has no area")
    raise ResultError(f"{where}: expected a region type from 0 to 3, found {kind}")


class _Reader:
    """Reads consecutive items from bytes."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._where = where
        self._position = 0

    @property
    def left(self) -> int:
        """Number of remaining bytes."""
        return len(self._data) - self._position

    def mask_pixels(self) -> int:
        """Pixels of the mask that follows; 0 if the next row is not a mask."""
        at = self._position
        if self.left < 9 or self._data[at] != _MASK:
            return 0
        width, height = struct.unpack_from("<HH", self._data, at + 5)
        return int(width * height)

    def take(self, form: str) -> tuple[Any, ...]:
        """The next numbers, in a format of ``struct``.

        Raises:
            ResultError: too few bytes remain.
        """
        size = struct.calcsize(form)
        if size > self.left:
            raise ResultError(
                f"{self._where}: truncated: expected {size} bytes at byte {self._position}, found "
                f"{self.left}. Download the file again."
            )
        self._position += size
        return struct.unpack_from(form, self._data, self._position - size)
