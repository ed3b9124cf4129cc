"""The structs that the OTB toolkit for MATLAB stores, one file per sequence and tracker."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.errors import ResultError
from bench.results.formats.base import Exported, Found, RawResult, Resolve
from bench.results.formats.mat5 import Value, read_variable
from bench.results.formats.otb import left_out, numbers_of, raw_result
from bench.results.formats.source import Source


@dataclass(frozen=True)
class MatFormat:
    """``<sequence>_<tracker>.mat`` with ``results{1}.res`` and its kind."""

    name: str = "otb-mat"

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """Every ``.mat``, split where the left part is a sequence; see ``Format.find``."""
        return [
            Found(_before_tracker(file.stem, resolve), file) for file in source.with_suffix(".mat")
        ]

    def read(self, found: Found) -> RawResult:
        """The one struct of a one-pass evaluation; see ``Format.read``."""
        where = found.boxes.where
        struct = _load_struct(found.boxes.load(), where)
        numbers = numbers_of(struct.get("res"), where)
        result = raw_result(struct.get("type"), numbers, _scalar(struct.get("fps")), where)
        length = _scalar(struct.get("len"), default=len(result.boxes))
        if length != len(result.boxes):
            raise ResultError(
                f"{where}: the struct says len = {length:g}, but res has {len(result.boxes)} "
                "frames. Save it again from the tracker's run."
            )
        return result

    def render(self, result: Exported) -> dict[str, bytes]:
        """A struct of kind ``rect``, in the same bytes every time; see ``Format.render``."""
        from scipy.io import savemat

        first = result.sequence.first_frame
        struct = {
            "type": "rect",
            "res": result.boxes,
            "fps": result.fps,
            "len": float(len(result.boxes)),
            "annoBegin": float(first),
            "startFrame": float(first + left_out(result)),
        }
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = struct
        stream = io.BytesIO()
        savemat(stream, {"results": cell}, do_compression=True)
        title = b"MATLAB 5.0 MAT-file, raw results of one sequence".ljust(116)
        content = title + stream.getvalue()[len(title) :]
        return {f"{result.spelling}_{result.tracker}.mat": content}


def _before_tracker(stem: str, resolve: Resolve) -> str:
    """``car1_1_SRDCF`` -> ``car1_1``: the longest left part that is a sequence, else all but one.

    >>> _before_tracker("car1_1_SRDCF", {"car1": "car1", "car1_1": "car1_1"}.get)
    'car1_1'
    """
    parts = stem.split("_")
    lefts = ["_".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
    return next((left for left in lefts if resolve(left) is not None), (lefts or [stem])[0])


def _scalar(value: Value | None, default: float = math.nan) -> float:
    """A 1 x 1 array as a number; ``default`` for nothing, NaN for anything else."""
    if value is None:
        return default
    return float(value.item()) if isinstance(value, np.ndarray) and value.size == 1 else math.nan


def _load_struct(data: bytes, where: str) -> Mapping[str, Value]:
    """The struct in ``results``, in a cell or alone.

    Raises:
        ResultError: the file is broken, or has no such variable, or several segments.
    """
    try:
        results = read_variable(data, "results")
    except ValueError as error:
        raise ResultError(f"{where}: not a readable MATLAB file: {error}") from error
    if isinstance(results, list) and len(results) == 1:
        results = results[0]
    if not isinstance(results, dict):
        found = f"{len(results)} cells" if isinstance(results, list) else "no struct"
        raise ResultError(
            f"{where}: expected the one segment of a one-pass run in results{{1}}, found {found}"
        )
    return results
