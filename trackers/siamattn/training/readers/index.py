"""Boxes of many targets in flat arrays, for layouts that must be scanned file by file.

Reading a million small files takes minutes, so an index can be cached on disk.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray
from bench.errors import DatasetError
from bench.files import write_atomically


@dataclass(frozen=True)
class Found:
    """A target found by a scan, or a file that could not be read.

    Attributes:
        group: folder or stem of its files, with slashes.
        track: which target of the group; empty for an unreadable file.
        boxes: x, y, width, height in each frame.
        numbers: frame numbers.
        problem: why the file could not be read.
    """

    group: str
    track: str = ""
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    numbers: tuple[int, ...] = ()
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Index:
    """The T targets of a training set, with M boxes in total.

    Attributes:
        root: folder of the set; identifies the index.
        groups, tracks, problems: ``(T,)`` text, as in ``Found``.
        starts: ``(T + 1,)``: first row of each target.
        boxes: ``(M, 4)`` x, y, width, height.
        numbers: ``(M,)`` frame numbers.
    """

    root: NDArray[np.str_]
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
    """The cached index if it belongs to ``root``, else a new one.

    Args:
        store: cache file; None keeps the index in memory.
        root: folder of the set; identifies the index.
        scan: finds the targets.

    Raises:
        DatasetError: the cache file cannot be written.
    """
    stored = None if store is None else _read(store)
    if stored is not None and str(stored.root) == root:
        return stored
    index = _build(root, list(scan()))
    if store is not None:
        _write(store, index)
    return index


def _build(root: str, found: list[Found]) -> Index:
    lengths = [len(target.numbers) for target in found]
    return Index(
        root=np.array(root),
        groups=np.array([target.group for target in found], dtype=np.str_),
        tracks=np.array([target.track for target in found], dtype=np.str_),
        problems=np.array([target.problem for target in found], dtype=np.str_),
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        boxes=np.array([b for t in found for b in t.boxes], dtype=np.float64).reshape(-1, 4),
        numbers=np.array([n for t in found for n in t.numbers], dtype=np.int64),
    )


def _read(store: Path) -> Index | None:
    """The cached index; None if the file is missing or is not an index."""
    try:
        with np.load(store, allow_pickle=False) as arrays:
            return Index(**{field.name: arrays[field.name] for field in fields(Index)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(store: Path, index: Index) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{f.name: getattr(index, f.name) for f in fields(Index)})
    try:
        write_atomically(store, buffer.getvalue())
    except OSError as error:
        raise DatasetError(
            f"{store}: the index cannot be written ({error.strerror}). Choose another folder."
        ) from error
