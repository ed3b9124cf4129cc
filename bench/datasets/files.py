"""Helpers shared by the readers: folder listings, boxes, per-frame flags, attribute files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from collections.abc import Sequence as Rows
from pathlib import Path
from typing import Protocol

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import Benchmark
from bench.datasets.rows import refuse_impossible
from bench.errors import DatasetError
from bench.files import MAX_ROWS, check_digits, parse_rows, read_rows, read_whole
from bench.geometry import box_to_polygon, polygon_to_box

IMAGE_SUFFIXES = frozenset({"jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"})
_BOX = re.compile(rb"\s*(?:(?:nan|[-+]?[\d.]+(?:e[-+]?\d+)?)(?:[\s,;]+|$)){4}", re.IGNORECASE)
_CLUTTER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


def is_clutter(name: str) -> bool:
    """True for what systems and archivers leave behind: hidden files, ``._0001.jpg``, caches."""
    return name.startswith(".") or name in _CLUTTER


def children(folder: Path) -> list[Path]:
    """Files and folders in a folder but for clutter; none if it does not exist.

    Raises:
        DatasetError: the folder cannot be read.
    """
    return [folder / entry.name for entry in _listing(folder)]


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder but for clutter; nothing if the folder does not exist.

    Raises:
        DatasetError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not is_clutter(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DatasetError(
            f"{folder}: cannot be read ({error.strerror}). Allow reading it, or leave it out."
        ) from error


def subfolders(folder: Path) -> list[Path]:
    """Subfolders in natural order; none if the folder does not exist."""
    names = [entry.name for entry in _listing(folder) if entry.is_dir()]
    return [folder / name for name in sorted(names, key=natural_key)]


def stems(folder: Path, suffix: str = ".txt") -> dict[str, Path]:
    """Files with a suffix by stem; none if the folder does not exist."""
    paths = sorted(folder / entry.name for entry in _listing(folder))
    return {path.stem: path for path in paths if path.suffix == suffix}


def image_names(folder: Path) -> list[str]:
    """Names of the image files in a folder, sorted as text, from a single listing."""
    names = sorted(entry.name for entry in _listing(folder))
    return [name for name in names if name.rpartition(".")[2].lower() in IMAGE_SUFFIXES]


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that compares digits as numbers: ``2.jpg`` before ``10.jpg``."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (0, part.lower()) for part in parts]


class Readable(Protocol):
    """A file on disk or in an archive."""

    def read_bytes(self) -> bytes: ...


def read_bytes(path: Readable) -> bytes:
    """The content of a file.

    Raises:
        DatasetError: it cannot be read.
    """
    return read_whole(path, DatasetError) if isinstance(path, Path) else path.read_bytes()


def read_boxes(path: Readable) -> FloatArray:
    """Boxes of an annotation file, ``(N, 4)`` in file coordinates, N >= 1.

    Raises:
        DatasetError: the file cannot be read, is empty, or has a line that is malformed or no
            box of any image, which is named.
    """
    data = read_bytes(path)
    boxes = parse_rows(data, str(path), 4, DatasetError, foreign=True)
    check_digits(data, str(path), DatasetError)
    if not len(boxes):
        raise DatasetError(f"{path}:1: expected one box x,y,w,h per line, found an empty file")
    refuse_impossible(boxes, f"{path}:")
    return boxes


def read_values(path: Path, rows: int) -> FloatArray:
    """One number per row of the ground truth, ``(rows,)``.

    Raises:
        DatasetError: the file cannot be read, or does not hold exactly ``rows`` numbers.
    """
    values: FloatArray = read_rows(path, 1, DatasetError)[:, 0]
    if len(values) != rows:
        raise DatasetError(
            f"{path}: expected {rows} values, one per row of the ground truth, found "
            f"{len(values)}. Restore the file from the official site."
        )
    return values


def read_flags(path: Path, rows: int, *, longer: bool = False) -> BoolArray:
    """One 0 or 1 per frame, ``(rows,)``, on one or several lines, with or without commas.

    Raises:
        DatasetError: the file cannot be read, does not hold exactly ``rows`` flags (with
            ``longer``, more are cut), or has an empty line before the last flag, as it has where
            lines were sorted or moved.
    """
    data = read_bytes(path)
    flags = _flags(data, path)
    flags = flags[:rows] if longer else flags
    if len(flags) != rows:
        raise DatasetError(
            f"{path}: expected {rows} flags of 0 or 1, one per row of the ground truth, found "
            f"{len(flags)}. Restore the file from the official site."
        )
    lines = b"\n" + data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip()
    if (gap := lines.find(b"\n\n")) >= 0:
        number = lines.count(b"\n", 0, gap) + 1
        raise DatasetError(
            f"{path}:{number}: expected a flag of 0 or 1, found an empty "
            "line. Restore the file from the official site."
        )
    return flags


def read_short_flags(path: Path) -> BoolArray:
    """As ``read_flags``, for any number of flags, and with empty lines."""
    return _flags(read_bytes(path), path)


def _flags(data: bytes, path: Path) -> BoolArray:
    digits = data.translate(None, b", ;\t\r\n")
    if other := digits.translate(None, b"01"):
        raise DatasetError(
            f"{path}: expected flags of 0 or 1, found {other[:20]!r}. "
            "Restore the file from the official site."
        )
    flags: BoolArray = np.frombuffer(digits, dtype=np.uint8) == ord("1")
    return flags


def attributes_in(benchmark: Benchmark, paths: Iterable[Path]) -> frozenset[str]:
    """Attributes from the first flag file that exists; none of a benchmark without any."""
    if not benchmark.attributes:
        return frozenset()
    found = next((path for path in paths if path.is_file()), None)
    return attributes_from_flags(benchmark, found) if found else frozenset()


def begins_with_a_box(path: Path) -> bool:
    """Whether a text file begins with a row of four numbers or more."""
    if path.suffix != ".txt" or not path.is_file():
        return False
    with path.open("rb") as stream:
        return _BOX.match(stream.readline(4096)) is not None


def polygons_and_boxes(
    rows: Rows[Rows[float]], where: str
) -> tuple[FloatArray | None, FloatArray]:
    """Corners ``(N, 4, 2)`` and bounding boxes ``(N, 4)`` of rows that are boxes or polygons.

    Rows of four numbers are copied into the boxes exactly. If all rows are boxes (VOT2018's
    conduction1), the corners are None, since conventions disagree about where a box ends.

    Raises:
        DatasetError: there are no rows, or a row (named, counted from 1) does not have 4 or 8
            numbers, or is not a region of any image.
    """
    if not len(rows):
        raise DatasetError(f"{where}: expected 4 or 8 numbers per frame, found no rows")
    if len(rows) > MAX_ROWS:
        raise DatasetError(f"{where}: expected at most {MAX_ROWS} rows, found {len(rows)}")
    widths = np.array([len(row) for row in rows])
    for number in np.flatnonzero((widths != 4) & (widths != 8))[:1]:
        raise DatasetError(
            f"{where}: row {number + 1}: expected 4 numbers (x, y, w, h) or 8 (four corners), "
            f"found {widths[number]}. Restore the file from the official site."
        )
    is_box = widths == 4
    if is_box.all():
        whole = np.array(rows, dtype=np.float64)
        refuse_impossible(whole, f"{where}: row ")
        return None, whole
    polygons = np.empty((len(rows), 4, 2))
    boxes = np.empty((len(rows), 4))
    if is_box.any():
        boxes[is_box] = [row for row in rows if len(row) == 4]
        polygons[is_box] = box_to_polygon(boxes[is_box])
    corners = np.array([row for row in rows if len(row) == 8], dtype=np.float64)
    refuse_impossible(corners, f"{where}: row ", np.flatnonzero(~is_box))
    refuse_impossible(boxes[is_box], f"{where}: row ", np.flatnonzero(is_box))
    polygons[~is_box] = corners.reshape(-1, 4, 2)
    boxes[~is_box] = polygon_to_box(polygons[~is_box])
    return polygons, boxes


def attributes_from_flags(benchmark: Benchmark, path: Path) -> frozenset[str]:
    """Attributes set in a flag file: 0 and 1 in the benchmark's order.

    Raises:
        DatasetError: the file cannot be read or has the wrong number of flags.
    """
    names = tuple(benchmark.attributes)
    data = read_whole(path, DatasetError, 1 << 20)
    fields = re.split(r"[\s,;]+", data.decode("utf-8", errors="replace").strip())
    if len(fields) != len(names) or not set(fields) <= {"0", "1"}:
        raise DatasetError(
            f"{path}:1: expected {len(names)} flags of 0 or 1 ({', '.join(names)}), "
            f"found {len(fields)}: {' '.join(fields)[:80]!r}. Restore the file from the "
            "benchmark's toolkit."
        )
    return frozenset(name for name, flag in zip(names, fields, strict=True) if flag == "1")
