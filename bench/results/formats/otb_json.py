"""The JSON of the OTB Python benchmark, one file per sequence."""

from __future__ import annotations

import codecs
import dataclasses
import json
import math
from dataclasses import dataclass

from bench.files import read_json
from bench.results.formats.base import Exported, Found, RawResult, Resolve
from bench.results.formats.otb import first_segment, raw_result
from bench.results.formats.source import Source


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
