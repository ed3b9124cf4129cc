"""Shared reading of the OTB formats, MATLAB structs and JSON objects.

Both state the kind of their numbers: ``rect`` has x, y, w, h per row; ``4corner`` has two rows
per frame, the x and the y of four corners. Other kinds require the template size and warps of
individual trackers and are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.geometry import pixel_corners_to_box
from bench.results.formats.base import RawResult, check_boxes, times_from_fps

_FROM_FPS = "times derived from the mean frame rate, the only timing of the format"
_FROM_CORNERS = "boxes around corners, rounded as in OTB corner2rect.m"


def single_segment(results: object, where: str) -> Mapping[str, Any]:
    """The only segment of a one-pass run, stored alone or in a list.

    Raises:
        ResultError: anything else, e.g. several segments.
    """
    if isinstance(results, list) and len(results) == 1:
        results = results[0]
    if not isinstance(results, dict):
        found = f"{len(results)} segments" if isinstance(results, list) else repr(results)[:40]
        raise ResultError(f"{where}: expected the single segment of a one-pass run, found {found}")
    return results


def raw_result(
    kind: object, res: object, fps: object, where: str, spelling: str | None = None
) -> RawResult:
    """Interpret the fields of a segment.

    Args:
        kind: its type, ``"rect"`` or ``"4corner"``.
        res: rows ``(N, 4)``, or ``(2 N, 4)`` for corners.
        fps: mean frame rate; anything but a positive number gives no times.
        where: name of the file in messages.
        spelling: the sequence name stated in the content, or None.

    Raises:
        ResultError: unsupported kind or invalid numbers.
    """
    numbers = _rows(res, where)
    notes: tuple[str, ...] = ()
    if kind == "rect":
        boxes = numbers
    elif kind == "4corner":
        boxes, notes = _corners_to_boxes(numbers, where), (_FROM_CORNERS,)
    else:
        raise ResultError(
            f"{where}: expected results of type rect or 4corner, found {kind!r}. Convert them "
            "to rect with their own toolkit (OTB calcSeqErrRobust.m)."
        )
    rate = float(fps) if isinstance(fps, int | float | np.number) else float("nan")
    times = times_from_fps(rate, len(boxes))
    notes += (_FROM_FPS,) if times is not None else ()
    return RawResult(check_boxes(boxes, where), times, spelling, notes)


def _corners_to_boxes(rows: FloatArray, where: str) -> FloatArray:
    """Boxes ``(N, 4)`` around corners ``(2 N, 4)``, alternating rows of x and y."""
    if len(rows) % 2:
        raise ResultError(f"{where}: expected two rows of corners per frame, found {len(rows)}")
    return pixel_corners_to_box(rows.reshape(-1, 2, 4).transpose(0, 2, 1))


def _rows(value: object, where: str) -> FloatArray:
    """``value`` as ``(N, 4)`` float64.

    Raises:
        ResultError: it is not a list of rows of four real numbers.
    """
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        array = np.empty(0, dtype=object)  # ragged rows
    if array.ndim == 1 and len(array) == 4:
        array = array[None]  # a single frame
    if array.ndim != 2 or array.shape[1] != 4 or array.dtype.kind not in "iuf":
        found = f"shape {array.shape}, {array.dtype}" if array.ndim else repr(value)[:40]
        found = "nothing" if value is None else found
        raise ResultError(f"{where}: expected res with rows of 4 real numbers, found {found}")
    return array.astype(np.float64)
