"""Names of folders as names of trackers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.errors import ResultError


def tracker_names(folder: Path, names: Iterable[str]) -> list[str]:
    """Names of trackers, sorted without regard to case.

    Args:
        folder: that holds the folders; for messages.
        names: of folders with results.

    Raises:
        ResultError: a name is not text in UTF-8, so no table, page or file could hold it.
    """
    found = sorted(names, key=str.lower)
    for name in found:
        if not _is_text(name):
            raise ResultError(
                f"{folder}: expected folders named after trackers, in UTF-8, found {name!a}. "
                "Rename it, or move it elsewhere."
            )
    return found


def _is_text(name: str) -> bool:
    """Whether a name from the file system has no byte that stands for no letter."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
