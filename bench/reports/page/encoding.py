"""Numbers along a sequence, packed so that millions of boxes stay a few megabytes.

A page opened from disk may not fetch files, so data comes as scripts. Numbers are rounded to
a fixed step, turned into differences from frame to frame, and deflated; the browser undoes it
(``assets/player.js``).
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.arrays import BoolArray, FloatArray

PIXEL_STEPS = 4
"""Coordinates are kept to a quarter of a pixel."""
OVERLAP_STEPS = 1000
"""Overlaps are kept to a thousandth."""
_UNKNOWN = -(1 << 15)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def pack(columns: FloatArray, steps: int) -> str:
    """``(N, K)`` numbers as text: rounded to 1/steps, 16 bits, differences, deflate, base64.

    NaN is kept; what 16 bits cannot hold becomes the nearest they can.

    Args:
        columns: the numbers, a column for each quantity.
        steps: parts that one unit is divided into.
    """
    with np.errstate(invalid="ignore"):
        scaled = np.rint(columns.T * steps).clip(_UNKNOWN + 1, -_UNKNOWN - 1)
    whole = np.where(np.isnan(scaled), _UNKNOWN, scaled).astype("<i2")
    first = np.zeros((len(whole), 1), dtype="<i2")
    changes = np.diff(whole, axis=1, prepend=first)  # wraps around, as it does on the way back
    planes = (
        np.ascontiguousarray(changes, "<i2").view(np.uint8).reshape(-1, 2).T
    )  # low bytes, then high ones
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")


def spans(flags: BoolArray) -> list[list[int]]:
    """First and last index of each run of True.

    >>> spans(np.array([False, True, True, False, True]))
    [[1, 2], [4, 4]]
    """
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded)).reshape(-1, 2)
    return [[int(start), int(end) - 1] for start, end in edges]


def rounded(value: float | None, decimals: int = 4) -> float | None:
    """A number as data files carry it; None for what is no number."""
    return None if value is None or not np.isfinite(value) else round(float(value), decimals)


def script(key: str, content: Any) -> str:
    """A script that hands ``content`` to the page under ``key``.

    What HTML or JavaScript could take for something else is escaped, so that no name can end
    the script.
    """
    text = json.dumps([key, content], separators=(",", ":"), allow_nan=False)  # ASCII only
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"bench.receive(...{text});\n"


def file_names(names: Iterable[str]) -> list[str]:
    """A name for each that any file system and URL takes, unique without regard to case.

    >>> file_names(["Human4-2", "human4-2", "<b>", "auto"])
    ['Human4-2', 'human4-2-2', '-b-', 'auto']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        plain = _UNSAFE.sub("-", name)[:80].strip(".") or "sequence"
        unique, number = plain, 1
        while unique.casefold() in taken:
            number += 1
            unique = f"{plain}-{number}"
        taken.add(unique.casefold())
        found.append(unique)
    return found
