"""MATLAB structs of the OTB toolkit, one file per sequence and tracker."""

from __future__ import annotations

import dataclasses
import io
import math
from dataclasses import dataclass

import numpy as np

from bench.errors import ResultError
from bench.results.formats.base import Exported, Found, RawResult, Resolve
from bench.results.formats.mat5 import Value, read_first
from bench.results.formats.otb import first_segment, raw_result
from bench.results.formats.source import Source

_BARE = ("result", "res", "boxes", "rects", "bboxes")  # names of matrices without a struct


@dataclass(frozen=True)
class MatFormat:
    """``<sequence>_<tracker>.mat`` with boxes in ``results{1}.res``."""

    name: str = "otb-mat"

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """All ``.mat`` files, split after the sequence name; see ``Format.find``."""
        return [
            Found(*_split(file.stem, resolve)[:1], file, tracker=_split(file.stem, resolve)[1])
            for file in source.with_suffix(".mat")
        ]

    def read(self, found: Found) -> RawResult:
        """The struct of a one-pass run, or a bare matrix of boxes; see ``Format.read``."""
        where = found.boxes.where
        try:
            name, results = read_first(found.boxes.load(), "results", *_BARE)
        except ValueError as error:
            raise ResultError(
                f"{where}: not a readable MATLAB file: {str(error)[:300]}"
            ) from error
        if isinstance(results, np.ndarray):
            bare = raw_result("rect", results, None, where)
            note = f"boxes of the matrix {name!r}, x, y, w, h per row"
            return dataclasses.replace(bare, notes=(*bare.notes, note))
        struct, notes = first_segment(results, where)
        fps = _scalar(struct.get("fps"))
        result = raw_result(
            struct.get("type"), struct.get("res"), fps, where, template=struct.get("tmplsize")
        )
        length = _scalar(struct.get("len"), default=len(result.boxes))
        if length != len(result.boxes):
            raise ResultError(
                f"{where}: expected len = {length:g} frames in res, found {len(result.boxes)}. "
                "Save the file again."
            )
        return dataclasses.replace(result, notes=(*result.notes, *notes))

    def render(self, result: Exported) -> dict[str, bytes]:
        """A struct of type ``rect``, with reproducible bytes; see ``Format.render``."""
        from scipy.io import savemat

        struct = {
            "type": "rect",
            "res": result.boxes,
            "fps": result.fps,
            "len": float(len(result.boxes)),
            "annoBegin": float(result.sequence.first_frame),
            "startFrame": float(result.start_frame),
        }
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = struct
        stream = io.BytesIO()
        savemat(stream, {"results": cell}, do_compression=True)
        title = b"MATLAB 5.0 MAT-file, raw results of one sequence".ljust(116)
        content = title + stream.getvalue()[len(title) :]
        return {f"{result.spelling}_{result.tracker}.mat": content}


def _split(stem: str, resolve: Resolve) -> tuple[str, str]:
    """The longest prefix that is a sequence name, else all parts but the last; and the rest.

    >>> _split("car1_1_SRDCF", {"car1": "car1", "car1_1": "car1_1"}.get)
    ('car1_1', 'SRDCF')
    """
    parts = stem.split("_")
    ends = range(len(parts), 0, -1)
    lefts = ["_".join(parts[:end]) for end in ends]
    known = next((left for left in lefts if _known(left, resolve)), (lefts[1:] or [stem])[0])
    return known, stem[len(known) + 1 :]


def _known(spelling: str, resolve: Resolve) -> bool:
    try:
        return resolve(spelling) is not None
    except ResultError:  # ambiguous
        return True


def _scalar(value: Value | None, default: float = math.nan) -> float:
    """The number in a 1 x 1 array; ``default`` for None, NaN for anything else."""
    if value is None:
        return default
    return float(value.item()) if isinstance(value, np.ndarray) and value.size == 1 else math.nan
