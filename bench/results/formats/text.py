"""Text formats: one file per sequence, one ``x,y,w,h`` a line.

They differ in the delimiter they write, in folders, and in where times lie. On reading, any
delimiter and either place of times is accepted, and what differs from the format is noted.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.files import format_exact, parse_rows
from bench.results.formats.base import (
    Exported,
    Found,
    RawResult,
    Resolve,
    check_boxes,
    check_times,
)
from bench.results.formats.source import Source, SourceFile

_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", " ": "blank"}
# Files that toolkits put beside the boxes.
_COMPANIONS = ("_time", "_score", "_scores", "_object_presence_scores", "_confidence")


@dataclass(frozen=True)
class TextFormat:
    """A text format.

    Attributes:
        name: how the format is called on the command line.
        delimiter: what it writes between numbers.
        folder: of one tracker, below the toolkit's results folder.
        times: where the seconds per frame are written below that; None for a format without.
    """

    name: str
    delimiter: str = ","
    folder: str = "{tracker}"
    times: str | None = None

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """Every text file but those with times or scores; see ``Format.find``."""
        return [
            Found(file.stem, file, times_beside(source, file))
            for file in source.with_suffix(".txt")
            if not is_companion(file)
        ]

    def read(self, found: Found) -> RawResult:
        """The rows as they are; see ``Format.read``."""
        data, where = found.boxes.load(), found.boxes.where
        boxes = check_boxes(parse_rows(data, where), where)
        times = None
        if found.times is not None:
            seconds = parse_rows(found.times.load(), found.times.where, columns=1)[:, 0]
            times = check_times(seconds, len(boxes), found.times.where)
        used = delimiter_of(data)
        if used == self.delimiter:
            return RawResult(boxes, times)
        note = f"separated by {_DELIMITERS[used]}, where {self.name} writes "
        return RawResult(boxes, times, notes=(note + _DELIMITERS[self.delimiter],))

    def render(self, result: Exported) -> dict[str, bytes]:
        """Boxes to the last bit, and times where the format has them; see ``Format.render``."""
        folder = self.folder.format(tracker=result.tracker, benchmark=result.benchmark)
        boxes = format_exact(result.boxes, self.delimiter)
        files = {f"{folder}/{result.spelling}.txt": boxes}
        if self.times is not None and result.times is not None:
            path = self.times.format(sequence=result.spelling)
            files[f"{folder}/{path}"] = format_exact(result.times[:, None])
        return files


def is_companion(file: SourceFile) -> bool:
    """True for a file that has times or scores instead of boxes."""
    return file.stem.endswith(_COMPANIONS)


def times_beside(source: Source, file: SourceFile) -> SourceFile | None:
    """The seconds per frame that belong to a file of boxes, in either place."""
    name = f"{file.stem}_time.txt"
    return source.get(f"times/{name}") or source.get(name)


def delimiter_of(data: bytes) -> str:
    """What separates the numbers of the first line.

    >>> delimiter_of(b"1.5, 2, 3, 4")
    ','
    """
    line = data.lstrip().partition(b"\n")[0].decode("ascii", errors="replace")
    return next((d for d in _DELIMITERS if d in line), ",")
