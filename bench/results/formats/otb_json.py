"""The JSON of the OTB Python benchmark, one file per sequence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import ResultError
from bench.results.formats.base import Exported, Found, RawResult, Resolve
from bench.results.formats.otb import left_out, numbers_of, raw_result
from bench.results.formats.source import Source


@dataclass(frozen=True)
class JsonFormat:
    """``<sequence>.json`` of the OTB Python benchmark: one object, or a list of one."""

    name: str = "otb-json"

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """Every ``.json`` at the top; see ``Format.find``."""
        return [Found(file.stem, file) for file in source.with_suffix(".json")]

    def read(self, found: Found) -> RawResult:
        """The one object of a one-pass evaluation; see ``Format.read``."""
        where = found.boxes.where
        record = _load_object(found.boxes.load(), where)
        numbers = numbers_of(record.get("res"), where)
        spelling = record.get("seqName")
        return raw_result(
            record.get("resType"),
            numbers,
            record.get("fps"),
            where,
            spelling if isinstance(spelling, str) else None,
        )

    def render(self, result: Exported) -> dict[str, bytes]:
        """A list of one object with the fields of the benchmark; see ``Format.render``."""
        start = result.sequence.first_frame + left_out(result)
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


def _load_object(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{where}: not readable as JSON ({error})") from error
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        found = f"{len(document)}" if isinstance(document, list) else type(document).__name__
        raise ResultError(
            f"{where}: expected one object, or a list of the one segment of a one-pass run, "
            f"found {found}"
        )
    return document
