"""What the formats of the OTB toolkits, MATLAB structs and JSON, have in common.

Both say of which kind the numbers are: ``rect`` has x, y, w, h a row; ``4corner`` has two rows
a frame, the x and the y of four corners. The other kinds need the template size and warps of
single trackers and are refused.
"""

from __future__ import annotations

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.geometry import pixel_corners_to_box
from bench.results.formats.base import Exported, RawResult, check_boxes, times_from_fps

_FROM_FPS = "times from the mean frame rate, which is all the format has"
_FROM_CORNERS = "boxes around corners, rounded as OTB corner2rect.m does"


def left_out(result: Exported) -> int:
    """Number of leading frames that a result leaves out (Tiger1)."""
    omitted = result.sequence.skippable_frames
    return omitted if len(result.boxes) == len(result.sequence) - omitted else 0


def raw_result(
    kind: object, numbers: FloatArray, fps: object, where: str, spelling: str | None = None
) -> RawResult:
    """What a struct or object of such a file says.

    Args:
        kind: its type, ``"rect"`` or ``"4corner"``.
        numbers: ``(N, 4)`` rows, or ``(2 N, 4)`` for corners.
        fps: mean frame rate; anything but a positive number gives no times.
        where: what messages call the file.
        spelling: the name of the sequence, if the content gives it.

    Raises:
        ResultError: another kind, or numbers that cannot be scored.
    """
    notes: tuple[str, ...] = ()
    if kind == "rect":
        boxes = numbers
    elif kind == "4corner":
        boxes, notes = _corners_to_boxes(numbers, where), (_FROM_CORNERS,)
    else:
        raise ResultError(
            f"{where}: results of type {kind!r} are not supported; rect and 4corner are. "
            "Convert them to rect with the toolkit that made them (OTB calcSeqErrRobust.m)."
        )
    rate = float(fps) if isinstance(fps, int | float | np.number) else float("nan")
    times = times_from_fps(rate, len(boxes))
    notes += (_FROM_FPS,) if times is not None else ()
    return RawResult(check_boxes(boxes, where), times, spelling, notes)


def _corners_to_boxes(rows: FloatArray, where: str) -> FloatArray:
    """``(2 N, 4)`` rows of x and of y in turn to boxes ``(N, 4)``."""
    if len(rows) % 2:
        raise ResultError(
            f"{where}: expected two rows of corners for each frame, found {len(rows)} rows"
        )
    return pixel_corners_to_box(rows.reshape(-1, 2, 4).transpose(0, 2, 1))


def numbers_of(value: object, where: str) -> FloatArray:
    """``value`` as ``(N, 4)`` float64.

    Raises:
        ResultError: it is anything but rows of four real numbers.
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
