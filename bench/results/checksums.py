"""What stored files held when they were written, so that a changed one is named.

``SHA256SUMS`` in a tracker's folder has one line per file written, hash and path, as ``sha256sum``
writes and checks it. A line is added before its file is replaced, and an older one stays until
the folder is written anew: a writer killed in between leaves no file that looks changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from bench.errors import ResultError
from bench.files import MAX_MASK_BYTES, MAX_TEXT_BYTES, read_whole

SUMS = "SHA256SUMS"


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


def changed_files(folder: Path) -> list[str]:
    """Recorded files of a folder whose content is none that was written, sorted.

    Files without a record, and files that are gone, are not listed.

    Raises:
        ResultError: the record or a file cannot be read.
    """
    path = folder / SUMS
    if not path.is_file():
        return []
    recorded: dict[str, set[str]] = {}
    for line in _text(read_whole(path)).splitlines():
        digest, _, name = line.partition("  ")
        if name and ".." not in name.split("/") and not name.startswith("/"):
            recorded.setdefault(name, set()).add(digest)
    changed = []
    for name, digests in recorded.items():
        file = folder / name
        if os.path.isfile(file) and _digest(file) not in digests:  # noqa: PTH113, any name is safe
            changed.append(name)
    return sorted(changed)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_whole(path, limit=MAX_MASK_BYTES)).hexdigest()
    except ResultError:
        return ""
