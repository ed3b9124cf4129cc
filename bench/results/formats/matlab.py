"""MATLAB structs of the OTB toolkit, one file per sequence and tracker."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np

from bench.errors import ResultError
from bench.results.formats.base import Exported, Found, RawResult, Resolve
from bench.results.formats.mat5 import Value, read_variable
from bench.results.formats.otb import raw_result, single_segment
from bench.results.formats.source import Source


@dataclass(frozen=True)
class MatFormat:
    """``<sequence>_<tracker>.mat`` with boxes in ``results{1}.res``."""

    name: str = "otb-mat"

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """All ``.mat`` files, split after the sequence name; see ``Format.find``."""
        return [
            Found(_before_tracker(file.stem, resolve), file) for file in source.with_suffix(".mat")
        ]

    def read(self, found: Found) -> RawResult:
        """The struct of a one-pass run; see ``Format.read``."""
        where = found.boxes.where
        try:
            results = read_variable(found.boxes.load(), "results")
        except ValueError as error:
            raise ResultError(f"{where}: not a readable MATLAB file: {error}") from error
        struct = single_segment(results, where)
        fps = _scalar(struct.get("fps"))
        result = raw_result(struct.get("type"), struct.get("res"), fps, where)
        length = _scalar(struct.get("len"), default=len(result.boxes))
        if length != len(result.boxes):
            raise ResultError(
                f"{where}: expected len = {length:g} frames in res, found {len(result.boxes)}. "
                "Save the file again."
            )
        return result

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


def _before_tracker(stem: str, resolve: Resolve) -> str:
    """The longest prefix that is a sequence name, else all parts but the last.

    >>> _before_tracker("car1_1_SRDCF", {"car1": "car1", "car1_1": "car1_1"}.get)
    'car1_1'
    """
    parts = stem.split("_")
    lefts = ["_".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
    return next((left for left in lefts if resolve(left) is not None), (lefts or [stem])[0])


def _scalar(value: Value | None, default: float = math.nan) -> float:
    """The number in a 1 x 1 array; ``default`` for None, NaN for anything else."""
    if value is None:
        return default
    return float(value.item()) if isinstance(value, np.ndarray) and value.size == 1 else math.nan
