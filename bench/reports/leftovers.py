"""Removes what a killed writer of plots, tables or videos left beside them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

# As write_atomically and write_video name files that are not complete yet.
_UNFINISHED = re.compile(
    r"\..+\.(pdf|svg|png|md|tex|csv|html|json|mp4|webm|avi)(\..+)?\.[a-z0-9_]{8}"
)


@contextlib.contextmanager
def swept(folder: Path) -> Iterator[None]:
    """While inside, unfinished files in ``folder`` are those of living writers only.

    Writers share a hold on the folder. Whoever finds that nobody else has one removes what is
    unfinished there, since its writer was killed. The hold leaves no file behind, and the system
    lets go for a process that ends. Without such holds (Windows, some network drives), nothing
    is removed.
    """
    try:
        import fcntl

        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # the writer itself names what is wrong with the folder
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_unfinished(folder)
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove_unfinished(folder: Path) -> None:
    for path in folder.glob(".*"):
        if _UNFINISHED.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)
