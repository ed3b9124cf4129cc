"""One writer at a time in a folder, and the cleanup after a writer that was killed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import ResultError
from bench.files import is_litter, temporary_name

_FORMER = re.compile(r"\..+\.(txt|json|value)\.[a-z0-9_]{8}")  # temporary names of old versions
LOCK = ".lock"
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def locked(
    folder: Path, *, name: str = LOCK, keep: bool = True, wait: float = 0.0
) -> Iterator[None]:
    """Hold ``folder`` for this process, and create it if necessary.

    The file ``.lock`` names the process that holds the folder. The system releases the lock of a
    process that is killed.

    Args:
        folder: the folder.
        name: of the file that is locked in it.
        keep: leave that file, empty of meaning, for the next holder.
        wait: seconds to wait for another process to end.

    Raises:
        ResultError: another process holds the folder, or it cannot be created or locked.
    """
    path = folder / name
    lock = FileLock(path, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written to ({error.strerror})") from error
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise ResultError(
            f"{folder}: another run (process {_holder(path)}) is writing there. "
            "Wait for it to end, or give this run another --name or folder."
        ) from error
    except OSError as error:
        lock.release()
        if error.errno in _FULL:
            raise ResultError(f"{folder}: cannot be written to ({error.strerror})") from error
        raise ResultError(
            f"{path}: cannot be locked ({error.strerror}), and without a lock two runs could mix. "
            "Choose a folder that you can write to, on a file system that supports locks."
        ) from error
    with contextlib.suppress(OSError):  # on a full disk the holder has no name
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    try:
        yield
    finally:
        if not keep:
            path.unlink(missing_ok=True)
        lock.release()


def locked_beside(path: Path) -> contextlib.AbstractContextManager[None]:
    """Hold a file, or a folder that gets files, by a lock beside it that goes away afterwards.

    Raises:
        ResultError: another process holds it, or its folder cannot be written to.
    """
    path = path.absolute()
    return locked(path.parent, name=f".{path.name}.lock", keep=False)


@contextlib.contextmanager
def rebuilt(folder: Path) -> Iterator[Path]:
    """A new folder to build in, which takes the place of ``folder`` once the block ends well.

    One process at a time; a reader sees the old content or the new, and after a kill the next
    call removes what was left.

    Raises:
        ResultError: another process rebuilds the folder, or its parent cannot be written to.
    """
    with locked_beside(folder):
        _sweep_beside(folder)
        with replaced(folder) as fresh:
            yield fresh


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """The same for a caller that already keeps other processes away, and sweeps."""
    fresh, old = (folder.with_name(temporary_name(folder.name)) for _ in range(2))
    fresh.mkdir()
    try:
        yield fresh
        if folder.exists():
            folder.replace(old)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _sweep_beside(folder: Path) -> None:
    """Remove the unfinished copies of a folder that killed processes left."""
    for entry in folder.parent.iterdir():
        if entry.name.startswith(f".{folder.name}.") and is_litter(entry.name):
            shutil.rmtree(entry, ignore_errors=True)


def _holder(path: Path) -> str:
    """The process that holds a lock, as its file names it."""
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").strip() or "unknown"
    return "unknown"


def sweep(folder: Path) -> None:
    """Remove the temporary files of a killed writer; call this only while holding the lock.

    Those of processes that live, or of other machines, stay.
    """
    _sweep_beside(folder)
    for path in folder.rglob(".*"):
        if _FORMER.fullmatch(path.name) or is_litter(path.name):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
