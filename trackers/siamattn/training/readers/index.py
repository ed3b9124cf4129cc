"""What a scan of a training set found, in flat arrays, kept on disk and mapped from there.

Reading a million small files takes minutes, and their contents much memory in every process.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike, NDArray

from bench.arrays import FloatArray
from bench.errors import DatasetError
from bench.files import temporary_name

_HEADER, _LENGTHS = 30, 26  # of a zip member, and where it states the lengths of what follows
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Found:
    """A target found by a scan, or a file that could not be read.

    Attributes:
        group: folder or stem of its files, with slashes.
        track: which target of the group; empty for an unreadable file.
        boxes: ``(N, 4)`` x, y, width, height in each frame.
        numbers: ``(N,)`` frame numbers.
        problem: why the file could not be read.
    """

    group: str
    track: str = ""
    boxes: ArrayLike = ()
    numbers: ArrayLike = ()
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Index:
    """The T targets of a training set, with M boxes in total.

    Attributes:
        groups, tracks, problems: ``(T,)`` text, as in ``Found``.
        starts: ``(T + 1,)``: first row of each target.
        boxes: ``(M, 4)`` x, y, width, height.
        numbers: ``(M,)`` frame numbers.
    """

    groups: NDArray[np.str_]
    tracks: NDArray[np.str_]
    problems: NDArray[np.str_]
    starts: NDArray[np.int64]
    boxes: FloatArray
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def videos(self) -> int:
        """Number of groups."""
        return len(np.unique(self.groups))

    def rows(self, target: int) -> tuple[FloatArray, NDArray[np.int64]]:
        """Boxes ``(N, 4)`` and frame numbers ``(N,)`` of a target.

        Raises:
            DatasetError: its file could not be read.
        """
        if self.problems[target]:
            raise DatasetError(str(self.problems[target]))
        part = slice(self.starts[target], self.starts[target + 1])
        return self.boxes[part], self.numbers[part]


def load_or_build(store: Path | None, root: str, scan: Callable[[], Iterable[Found]]) -> Index:
    """The index kept in ``store`` if it belongs to ``root``, else a new one.

    Args:
        store: file of the index; None keeps it in memory.
        root: folder of the set; identifies the index.
        scan: finds the targets.

    Raises:
        DatasetError: the file cannot be written.
    """
    arrays = kept(store, root, lambda: _flat(scan()))
    return Index(**{field.name: arrays[field.name] for field in fields(Index)})


def _flat(found: Iterable[Found]) -> Arrays:
    targets = list(found)
    boxes = [np.asarray(t.boxes, dtype=np.float64).reshape(-1, 4) for t in targets]
    numbers = [np.asarray(t.numbers, dtype=np.int64) for t in targets]
    return {
        "groups": np.array([target.group for target in targets], dtype=np.str_),
        "tracks": np.array([target.track for target in targets], dtype=np.str_),
        "problems": np.array([target.problem for target in targets], dtype=np.str_),
        "starts": np.cumsum([0, *map(len, numbers)], dtype=np.int64),
        "boxes": np.concatenate(boxes) if boxes else np.zeros((0, 4)),
        "numbers": np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64),
    }


def kept(store: Path | None, identity: str, build: Callable[[], Arrays]) -> Arrays:
    """Arrays by name, mapped from the file ``store`` and so read when used.

    If the file is missing, damaged or of another ``identity``, the arrays are built and written.
    Without a file they are built, and stay in memory.

    Raises:
        DatasetError: the file cannot be written.
    """
    if store is None:
        return build()
    found = _mapped(store)
    if found is None or str(found["identity"]) != identity:
        _write(store, {**build(), "identity": np.array(identity)})
        found = _mapped(store)
    assert found is not None
    return found


def _mapped(store: Path) -> Arrays | None:
    """The arrays of an uncompressed ``.npz``; None if it is missing or none of ours."""
    try:
        with zipfile.ZipFile(store) as archive, store.open("rb") as stream:
            found = {
                info.filename.removesuffix(".npy"): _member(store, stream, info.header_offset)
                for info in archive.infolist()
            }
    except (OSError, ValueError, struct.error, zipfile.BadZipFile):
        return None
    return found if "identity" in found else None


def _member(store: Path, stream: Any, header: int) -> NDArray[Any]:
    stream.seek(header + _LENGTHS)
    stream.seek(header + _HEADER + sum(struct.unpack("<HH", stream.read(4))))
    read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else None
    if read is None:
        raise ValueError("expected version 1.0 of the format")
    shape, by_columns, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("expected numbers and text")
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(store, dtype, "r", stream.tell(), shape, "F" if by_columns else "C")


def _write(store: Path, arrays: Arrays) -> None:
    partial = store.with_name(temporary_name(store.name))
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(store)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise DatasetError(
            f"{store}: the index cannot be written ({error.strerror}). Choose another folder."
        ) from error
