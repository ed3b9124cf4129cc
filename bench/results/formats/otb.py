"""The JSON of the OTB Python benchmark, and the reading it shares with OTB's MATLAB structs.

Both state the kind of their numbers: ``rect`` has x, y, w, h per row; ``4corner`` has two rows
per frame, the x and the y of four corners; ``ivtAff`` has the six parameters of an affine warp of
the template per row. Other kinds are warps of individual trackers and are rejected.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ResultError
from bench.files import read_json
from bench.geometry import pixel_corners_to_box, warped_template_to_box
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
_FROM_WARPS = "boxes around the warped template, cut to whole pixels as in OTB calcRectCenter.m"
_FROM_CORNERS = "boxes around corners, rounded as in OTB corner2rect.m"


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
        kind: its type, ``"rect"``, ``"4corner"`` or ``"ivtAff"``.
        res: rows ``(N, 4)``, ``(2 N, 4)`` for corners, or ``(N, 6)`` for warps.
        fps: mean frame rate; anything but a positive number gives no times.
        where: name of the file in messages.
        spelling: the sequence name stated in the content, or None.
        template: width and height of the template of a warp.

    Raises:
        ResultError: unsupported kind or invalid numbers.
    """
    notes: tuple[str, ...] = ()
    if kind == "rect" or res is None:
        boxes = _rows(res, where)
    elif kind == "4corner":
        boxes, notes = _corners_to_boxes(_rows(res, where), where), (_FROM_CORNERS,)
    elif kind == "ivtAff":
        boxes, notes = _warps_to_boxes(_rows(res, where, 6), template, where), (_FROM_WARPS,)
    else:
        raise ResultError(
            f"{where}: expected results of type ivtAff, rect or 4corner, found "
            f"{repr(kind)[:40]}. Convert them to rect with their own toolkit (OTB "
            "calcSeqErrRobust.m)."
        )
    rate = float("nan")
    if isinstance(fps, int | float | np.number) and not isinstance(fps, bool):
        with contextlib.suppress(OverflowError):
            rate = float(fps)
    times = times_from_fps(rate, len(boxes))
    notes += (_FROM_FPS,) if times is not None else ()
    return RawResult(check_boxes(boxes, where), times, spelling, notes)


def _warps_to_boxes(rows: FloatArray, template: object, where: str) -> FloatArray:
    """Boxes ``(N, 4)`` of a template warped by ``(N, 6)`` parameters (OTB calcRectCenter.m)."""
    size = np.asarray(template if template is not None else [], dtype=object).ravel()
    try:
        width, height = (float(each) for each in size)
    except (TypeError, ValueError):
        raise ResultError(
            f"{where}: expected tmplsize, the width and height of the template, with results of "
            f"type ivtAff, found {repr(template)[:40]}"
        ) from None
    return warped_template_to_box(rows, width, height)


def _corners_to_boxes(rows: FloatArray, where: str) -> FloatArray:
    """Boxes ``(N, 4)`` around corners ``(2 N, 4)``, alternating rows of x and y."""
    if len(rows) % 2:
        raise ResultError(f"{where}: expected two rows of corners per frame, found {len(rows)}")
    return pixel_corners_to_box(rows.reshape(-1, 2, 4).transpose(0, 2, 1))


def _rows(value: object, where: str, columns: int = 4) -> FloatArray:
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
