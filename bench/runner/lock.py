"""One run at a time in a result folder, and no rubbish left by one that was killed."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bench.errors import ResultError

_TEMPORARY = re.compile(r"\..+\.(txt|json|value)\.[a-z0-9_]{8}")  # as write_atomically names them


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder``, made if need be, for this process; the system lets go if it is killed.

    Raises:
        ResultError: another run holds it, or the folder cannot be made or locked.
    """
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+")
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written to ({error.strerror})") from error
    with stream:
        _take(stream, path)
        stream.truncate(0)
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield


def sweep(folder: Path) -> None:
    """Remove the temporary files of a writer that was killed. Only for who holds the lock."""
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _take(stream: IO[str], path: Path) -> None:
    try:
        _lock(stream)
    except (BlockingIOError, PermissionError) as error:
        stream.seek(0)
        holder = stream.read().strip() or "unknown"
        raise ResultError(
            f"{path.parent}: another run (process {holder}) is writing there. "
            "Wait for it to end, or give this run another --name."
        ) from error
    except OSError as error:
        raise ResultError(
            f"{path}: cannot be locked ({error.strerror}), and without a lock two runs could mix. "
            "Choose --results on a file system that supports locks."
        ) from error


def _lock(stream: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(stream.fileno(), 1 << 30, os.SEEK_SET)  # so that the holder's name stays readable
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
