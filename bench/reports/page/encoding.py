"""Packs numbers along a sequence, so that millions of boxes take a few megabytes.

A page opened from disk cannot fetch files, so data is written as scripts. Numbers are rounded to
a fixed step, stored as differences from frame to frame, and deflated; ``assets/unpack.js``
reverses it.
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
from bench.geometry import Runs

PIXEL_STEPS = 4
"""Coordinates are stored to a quarter of a pixel."""
OVERLAP_STEPS = 1000
"""Overlaps are stored to a thousandth."""
_UNKNOWN = -(1 << 15)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def pack(columns: FloatArray, steps: int) -> str:
    """``(N, K)`` numbers as text: rounded to 1/steps, 16 bits, differences, deflate, base64.

    NaN is kept; numbers out of range are clipped.

    Args:
        columns: the numbers, one column per quantity.
        steps: steps per unit.
    """
    with np.errstate(invalid="ignore"):
        scaled = np.rint(columns.T * steps).clip(_UNKNOWN + 1, -_UNKNOWN - 1)
    whole = np.where(np.isnan(scaled), _UNKNOWN, scaled).astype("<i2")
    first = np.zeros((len(whole), 1), dtype="<i2")
    changes = np.diff(whole, axis=1, prepend=first)  # wraps around, as unpacking does
    planes = (
        np.ascontiguousarray(changes, "<i2").view(np.uint8).reshape(-1, 2).T
    )  # low bytes, then high ones
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")


def short_runs(runs: Runs) -> Runs:
    """The same mask with runs that ``pack`` can hold: a long one becomes several.

    >>> short_runs(np.array([0, 0, 300, 300, 40000, 9])).tolist()
    [0, 0, 300, 300, 32767, 0, 7233, 9]
    """
    longest = -_UNKNOWN - 1
    pieces: list[int] = []
    for length in runs[4:].tolist():
        whole, rest = divmod(length, longest) if length > longest else (0, length)
        pieces += [longest, 0] * whole + [rest]
    return np.array([*runs[:4].tolist(), *pieces], dtype=np.int64)


def spans(flags: BoolArray) -> list[list[int]]:
    """First and last index of each run of True.

    >>> spans(np.array([False, True, True, False, True]))
    [[1, 2], [4, 4]]
    """
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded)).reshape(-1, 2)
    return [[int(start), int(end) - 1] for start, end in edges]


def rounded(value: float | None, decimals: int = 4) -> float | None:
    """A number for a data file; None instead of NaN and infinity."""
    return None if value is None or not np.isfinite(value) else round(float(value), decimals)


def script(key: str, content: Any) -> str:
    """A script that hands ``content`` to the page under ``key``.

    Characters with a meaning in HTML are escaped, so that no name can end the script.
    """
    text = json.dumps([key, content], separators=(",", ":"), allow_nan=False)  # ASCII only
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"bench.receive(...{text});\n"


def file_names(names: Iterable[str]) -> list[str]:
    """File names that are safe on any file system and in URLs, unique regardless of case.

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
