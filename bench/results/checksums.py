"""What stored files held when they were written, so that a changed one is named.

``SHA256SUMS`` in a tracker's folder has one line per file written, hash and path, as ``sha256sum``
writes and checks it. A line is added before its file is replaced, and an older one stays until
the folder is written anew: a writer killed in between leaves no file that looks changed.

``Contents`` is what a folder's files hold now; scores kept in its ``CACHE`` are keyed by it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.errors import ResultError
from bench.files import MAX_MASK_BYTES, MAX_TEXT_BYTES, read_whole

SUMS = "SHA256SUMS"
CACHE = ".cache"
"""Folder in a tracker's folder for what can be computed again; no part of the results."""
_READ = (".txt", ".bin", ".value", ".json", SUMS)
_DEPTH = 3  # repetitions/002/times/

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Contents:
    """What the files that scoring may read held at one moment.

    Attributes:
        folder: of a tracker's results.
        digests: SHA-256 by path below the folder.
        stamps: size, times of change and inode, likewise.
    """

    folder: Path
    digests: Mapping[str, str]
    stamps: Mapping[str, Stamp]

    def unchanged(self) -> bool:
        """Whether nothing was written since: for the same process to notice, no proof later."""
        try:
            now = {name: _stamp(f"{self.folder}/{name}") for name in _names(self.folder)}
        except (OSError, ResultError):
            return False
        return now == self.stamps


def contents_of(folder: Path) -> Contents | None:
    """The contents of a folder; None if not all of it can be read."""
    stamps: dict[str, Stamp] = {}
    digests: dict[str, str] = {}
    try:
        for name in _names(folder):
            path = f"{folder}/{name}"
            stamps[name] = _stamp(path)
            content = read_whole(path, limit=MAX_MASK_BYTES)
            digests[name] = hashlib.sha256(content).hexdigest()
    except (OSError, ResultError):
        return None
    return Contents(folder, digests, stamps)


def _names(folder: Path) -> list[str]:
    """Paths below a folder that scoring may read: by their endings, or recorded."""
    recorded = (name for name in _recorded(folder) if os.path.isfile(f"{folder}/{name}"))  # noqa: PTH113
    return sorted({*_walk(str(folder), "", _DEPTH), *recorded})


def _walk(folder: str, inner: str, depth: int) -> Iterator[str]:
    with os.scandir(f"{folder}/{inner}") as entries:
        for entry in entries:
            if entry.name.endswith(_READ):
                yield f"{inner}{entry.name}"
            elif depth and entry.name != CACHE and entry.is_dir():
                yield from _walk(folder, f"{inner}{entry.name}/", depth - 1)


def _stamp(path: str) -> Stamp:
    status = os.stat(path)  # noqa: PTH116, called for every file of every tracker
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def record_hashes(folder: Path, files: Mapping[Path, bytes]) -> None:
    """Record what files below a folder are about to hold.

    Raises:
        OSError: the record cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{hashlib.sha256(content).hexdigest()}  {path.relative_to(folder).as_posix()}"
        for path, content in files.items()
    ]
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(folder / SUMS, flags, 0o666), "r+b", buffering=0) as stream:
        _alone(stream)
        known = set(_text(stream.read(MAX_TEXT_BYTES)).splitlines())
        new = "".join(f"{line}\n" for line in lines if line not in known)
        stream.write(new.encode("utf-8", "surrogateescape"))


def _alone(stream: IO[bytes]) -> None:
    """Let shards on several machines append one after the other, until the stream is closed.

    Best effort: a folder that several write to has a file system with locks.
    """
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def changed_files(folder: Path, contents: Contents | None = None) -> list[str]:
    """Recorded files of a folder whose content is none that was written, sorted.

    Files without a record, and files that are gone, are not listed.

    Args:
        folder: of a tracker's results.
        contents: of the folder, if they are known, so that no file is read again.

    Raises:
        ResultError: the record or a file cannot be read.
    """
    known = contents.digests if contents is not None else {}
    return sorted(
        name
        for name, digests in _recorded(folder).items()
        if os.path.isfile(file := folder / name)  # noqa: PTH113, any name is safe
        and (known.get(name) or _digest(file)) not in digests
    )


def _recorded(folder: Path) -> dict[str, set[str]]:
    """The hashes that each file of a folder was written with, by path."""
    path = folder / SUMS
    recorded: dict[str, set[str]] = {}
    for line in _text(read_whole(path)).splitlines() if path.is_file() else ():
        digest, _, name = line.partition("  ")
        if name and ".." not in name.split("/") and not name.startswith("/"):
            recorded.setdefault(name, set()).add(digest)
    return recorded


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_whole(path, limit=MAX_MASK_BYTES)).hexdigest()
    except ResultError:
        return ""
