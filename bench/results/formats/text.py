"""Text formats: one file per sequence, one line ``x,y,w,h`` per frame.

They differ in delimiters, folders and the location of times. Reading accepts any delimiter and
location, and notes an unusual delimiter.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.arrays import FloatArray
from bench.files import check_digits, format_exact, parse_rows
from bench.results.formats.base import (
    Exported,
    Found,
    RawResult,
    Resolve,
    check_boxes,
    fitting_times,
)
from bench.results.formats.source import Source, SourceFile

_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", " ": "space"}
# Suffixes of files that toolkits write beside the boxes.
_COMPANIONS = ("_time", "_score", "_scores", "_object_presence_scores", "_confidence")


@dataclass(frozen=True)
class TextFormat:
    """A text format.

    Attributes:
        name: name on the command line.
        delimiter: separator between numbers.
        folder: folder of a tracker, below the toolkit's results folder.
        times: file of seconds per frame, below ``folder``; None if the format has no times.
    """

    name: str
    delimiter: str = ","
    folder: str = "{tracker}"
    times: str | None = None

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """All text files except times and scores; see ``Format.find``."""
        return [
            Found(file.stem, file, times_beside(source, file))
            for file in source.with_suffix(".txt")
            if not is_companion(file)
        ]

    def read(self, found: Found) -> RawResult:
        """Rows in the numbers of the file; see ``Format.read``."""
        data, where = found.boxes.load(), found.boxes.where
        boxes = check_boxes(parse_rows(data, where), where)
        check_digits(data, where)
        times, problem = _times(found.times, len(boxes))
        notes = [f"{found.spelling}: {problem}"] if problem else []
        used = delimiter_of(data)
        if used != self.delimiter:
            theirs, ours = _DELIMITERS[used], _DELIMITERS[self.delimiter]
            notes.append(f"separated by {theirs}, {self.name} uses {ours}")
        return RawResult(boxes, times, notes=tuple(notes))

    def render(self, result: Exported) -> dict[str, bytes]:
        """Boxes, and times if the format has them, to the last bit; see ``Format.render``."""
        folder = self.folder.format(tracker=result.tracker, benchmark=result.benchmark)
        boxes = format_exact(result.boxes, self.delimiter)
        files = {f"{folder}/{result.spelling}.txt": boxes}
        if self.times is not None and result.times is not None:
            path = self.times.format(sequence=result.spelling)
            files[f"{folder}/{path}"] = format_exact(result.times[:, None])
        return files


def _times(file: SourceFile | None, frames: int) -> tuple[FloatArray | None, str]:
    """The times in a file, or None and why they are left out."""
    if file is None:
        return None, ""
    return fitting_times(lambda: parse_rows(file.load(), file.where, columns=1)[:, 0], frames)


def is_companion(file: SourceFile) -> bool:
    """True for a file of times or scores instead of boxes."""
    return file.stem.endswith(_COMPANIONS)


def times_beside(source: Source, file: SourceFile) -> SourceFile | None:
    """The file of seconds per frame for a file of boxes, in either location."""
    name = f"{file.stem}_time.txt"
    return source.get(f"times/{name}") or source.get(name)


def delimiter_of(data: bytes) -> str:
    """The delimiter of the first line.

    >>> delimiter_of(b"1.5, 2, 3, 4")
    ','
    """
    line = data.lstrip().partition(b"\n")[0].decode("ascii", errors="replace")
    return next((d for d in _DELIMITERS if d in line), ",")
