"""One writer at a time in a folder, and the cleanup after a writer that was killed."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import ResultError

_TEMPORARY = re.compile(r"\..+\.(txt|json|value)\.[a-z0-9_]{8}")  # as write_atomically names them


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process, and create it if necessary.

    The file ``.lock`` names the process that holds the folder. The system releases the lock of a
    process that is killed.

    Raises:
        ResultError: another process holds the folder, or it cannot be created or locked.
    """
    path = folder / ".lock"
    lock = FileLock(path, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written to ({error.strerror})") from error
    try:
        lock.acquire(blocking=False)
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except Timeout as error:
        raise ResultError(
            f"{folder}: another run (process {_holder(path)}) is writing there. "
            "Wait for it to end, or give this run another --name."
        ) from error
    except OSError as error:
        lock.release()
        raise ResultError(
            f"{path}: cannot be locked ({error.strerror}), and without a lock two runs could mix. "
            "Choose a folder that you can write to, on a file system that supports locks."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    """The process that holds a lock, as its file names it."""
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").strip() or "unknown"
    return "unknown"


def sweep(folder: Path) -> None:
    """Remove the temporary files of a killed writer; call this only while holding the lock."""
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)
