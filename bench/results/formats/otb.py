"""The JSON of the OTB Python benchmark, and the reading it shares with OTB's MATLAB structs.

Both state the kind of their numbers: ``rect`` has x, y, w, h per row; ``4corner`` and ``affine``
have two rows per frame, the x and the y of four corners; the others are warps of the template,
as individual trackers write them. All are read as OTB ``calcSeqErrRobust.m`` reads them.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.files import read_json
from bench.geometry import (
    pixel_corners_to_box,
    warped_pixels_to_box,
    warped_rows_to_box,
    warped_template_to_box,
)
from bench.results.formats.base import (
    Exported,
    Found,
    RawResult,
    Resolve,
    check_boxes,
    times_from_fps,
)
from bench.results.formats.source import Source

_FROM_FPS = "times derived from the mean frame rate, the only timing of the format"


@dataclass(frozen=True)
class _Kind:
    """How the numbers of a kind become boxes.

    Attributes:
        columns: of its matrix.
        read: rows ``(N, lines, columns)`` and the template's two sizes to boxes ``(N, 4)``.
        lines: rows of the matrix per frame.
        warp: whether the template's size is needed.
        note: what is remarked.
    """

    columns: int
    read: Callable[[FloatArray, float, float], FloatArray]
    lines: int = 1
    warp: bool = True
    note: str = "boxes around the warped template, in whole pixels as in OTB getLKcorner.m"


def _corners(rows: FloatArray, *_: float) -> FloatArray:
    return pixel_corners_to_box(rows.transpose(0, 2, 1))


def _lucas_kanade(rows: FloatArray, height: float, width: float) -> FloatArray:
    """Warps as their difference from the identity."""
    return warped_pixels_to_box(rows + np.eye(2, 3), height, width)


def _similarity(rows: FloatArray, height: float, width: float) -> FloatArray:
    """Warps as scale, angle in radians, x and y (``parameters_to_projective_matrix.m``)."""
    scale, angle, x, y = rows[:, 0].T
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    warps = np.array([[cos, -sin, x], [sin, cos, y]])
    return warped_pixels_to_box(warps.transpose(2, 0, 1), height, width)


def _sparse(rows: FloatArray, height: float, width: float) -> FloatArray:
    """Warps of rows and columns: a11, a12, a21, a22, and the shifts (``aff2image.m``)."""
    warps = rows[:, 0][:, [0, 1, 4, 2, 3, 5]].reshape(-1, 2, 3)
    return warped_rows_to_box(warps, height, width)


_FROM_CORNERS = "boxes around corners, rounded as in OTB corner2rect.m"
_FROM_ROWS = "boxes around the warped template, in whole pixels as in OTB calcCenter_L1.m"
_FROM_WARPS = "boxes around the warped template, cut to whole pixels as in OTB calcRectCenter.m"
_KINDS = {
    "rect": _Kind(4, lambda rows, *_: rows[:, 0], warp=False, note=""),
    "4corner": _Kind(4, _corners, lines=2, warp=False, note=_FROM_CORNERS),
    "affine": _Kind(4, _corners, lines=2, warp=False, note=_FROM_CORNERS),
    "ivtAff": _Kind(6, lambda r, *size: warped_template_to_box(r[:, 0], *size), note=_FROM_WARPS),
    "L1Aff": _Kind(6, _sparse, note=_FROM_ROWS),
    "LK_Aff": _Kind(3, _lucas_kanade, lines=2),
    "SIMILARITY": _Kind(4, _similarity),
}


def first_segment(results: object, where: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The segment of a one-pass run, stored alone or in a list, and remarks.

    A file of many segments is of a robustness evaluation; its first is the one-pass run, which
    OTB's own one-pass evaluation takes (``results{1}``).

    Raises:
        ResultError: anything else.
    """
    notes: tuple[str, ...] = ()
    if isinstance(results, list) and results:
        if len(results) > 1:
            notes = (f"the first of {len(results)} segments, as OTB's one-pass evaluation reads",)
        results = results[0]
    if not isinstance(results, dict):
        found = "0 segments" if isinstance(results, list) else repr(results)[:40]
        raise ResultError(f"{where}: expected the single segment of a one-pass run, found {found}")
    return results, notes


def raw_result(
    kind: object,
    res: object,
    fps: object,
    where: str,
    spelling: str | None = None,
    template: object = None,
) -> RawResult:
    """Interpret the fields of a segment.

    Args:
        kind: its type, a name of ``_KINDS``.
        res: one or two rows per frame, as many columns as the kind has.
        fps: mean frame rate; anything but a positive number gives no times.
        where: name of the file in messages.
        spelling: the sequence name stated in the content, or None.
        template: the two sizes of the template of a warp.

    Raises:
        ResultError: unsupported kind or invalid numbers.
    """
    kind = "rect" if res is None else kind
    known = _KINDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise ResultError(
            f"{where}: expected results of a type that OTB calcSeqErrRobust.m reads "
            f"({', '.join(_KINDS)}), found {repr(kind)[:40]}. Convert them to rect with their "
            "own toolkit."
        )
    rows = _rows(res, where, known.columns)
    if len(rows) % known.lines:
        raise ResultError(f"{where}: expected two rows of {kind} per frame, found {len(rows)}")
    size = _template(template, kind, where) if known.warp else (0.0, 0.0)
    boxes = known.read(rows.reshape(-1, known.lines, known.columns), *size)
    notes: tuple[str, ...] = (known.note,) if known.note else ()
    rate = float("nan")
    if isinstance(fps, int | float | np.number) and not isinstance(fps, bool):
        with contextlib.suppress(OverflowError):
            rate = float(fps)
    times = times_from_fps(rate, len(boxes))
    notes += (_FROM_FPS,) if times is not None else ()
    return RawResult(check_boxes(boxes, where), times, spelling, notes)


def _template(template: object, kind: object, where: str) -> tuple[float, float]:
    """The two sizes of a template."""
    size = np.asarray(template if template is not None else [], dtype=object).ravel()
    try:
        first, second = (float(each) for each in size)
    except (TypeError, ValueError):
        raise ResultError(
            f"{where}: expected tmplsize, the two sizes of the template, with results of type "
            f"{kind}, found {repr(template)[:40]}"
        ) from None
    return first, second


def _rows(value: object, where: str, columns: int) -> FloatArray:
    """``value`` as ``(N, columns)`` float64.

    Raises:
        ResultError: it is not a list of rows of so many real numbers.
    """
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        array = np.empty(0, dtype=object)  # ragged rows
    if array.ndim == 1 and len(array) == columns:
        array = array[None]  # a single frame
    if array.ndim != 2 or array.shape[1] != columns or array.dtype.kind not in "iuf":
        found = f"shape {array.shape}, {array.dtype}" if array.ndim else repr(value)[:40]
        found = "nothing" if value is None else found
        raise ResultError(
            f"{where}: expected res with rows of {columns} real numbers, found {found}"
        )
    return array.astype(np.float64)


@dataclass(frozen=True)
class JsonFormat:
    """``<sequence>.json`` of the OTB Python benchmark: one object, or a list of one."""

    name: str = "otb-json"

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """All ``.json`` files at the top level; see ``Format.find``."""
        return [Found(file.stem, file) for file in source.with_suffix(".json")]

    def read(self, found: Found) -> RawResult:
        """The object of a one-pass run; see ``Format.read``."""
        where = found.boxes.where
        document = read_json(found.boxes.load().removeprefix(codecs.BOM_UTF8), where)
        record, notes = first_segment(document, where)
        spelling = record.get("seqName")
        result = raw_result(
            record.get("resType"),
            record.get("res"),
            record.get("fps"),
            where,
            spelling if isinstance(spelling, str) else None,
            record.get("tmplsize"),
        )
        return dataclasses.replace(result, notes=(*result.notes, *notes))

    def render(self, result: Exported) -> dict[str, bytes]:
        """A list of one object with the benchmark's fields; see ``Format.render``."""
        start = result.start_frame
        record = {
            "tracker": result.tracker,
            "seqName": result.spelling,
            "startFrame": start,
            "endFrame": start + len(result.boxes) - 1,
            "evalType": "OPE",
            "fps": None if math.isnan(result.fps) else result.fps,
            "shiftType": None,
            "resType": "rect",
            "tmplsize": None,
            "res": result.boxes.tolist(),
        }
        content = json.dumps([record]).encode()
        return {f"{result.tracker}/{result.spelling}.json": content}
