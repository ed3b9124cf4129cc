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
    fitting_masks,
    fitting_scores,
    fitting_times,
)
from bench.results.formats.source import TEXTS, Source, SourceFile

_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", " ": "space"}
# Suffixes of files that toolkits write beside the boxes.
_SCORES = ("_score", "_scores", "_object_presence_scores", "_confidence")
_COMPANIONS = ("_time", *_SCORES)


@dataclass(frozen=True)
class TextFormat:
    """A text format.

    Attributes:
        name: name on the command line.
        delimiter: separator between numbers.
        folder: folder of a tracker, below the toolkit's results folder.
        times: file of seconds per frame, below ``folder``; None if the format has no times.
        scores: file of confidences, likewise.
    """

    name: str
    delimiter: str = ","
    folder: str = "{tracker}"
    times: str | None = None
    scores: str | None = None

    def find(self, source: Source, resolve: Resolve) -> list[Found]:
        """All text files except times and scores; see ``Format.find``."""
        return [
            Found(
                file.stem,
                file,
                beside(source, file, "times", ("_time",)),
                scores=beside(source, file, "scores", _SCORES),
                masks=beside(source, file, "masks", ("_mask",)),
            )
            for file in source.with_suffix(*TEXTS)
            if not is_companion(file)
        ]

    def read(self, found: Found) -> RawResult:
        """Rows in the numbers of the file; see ``Format.read``."""
        data, where = found.boxes.load(), found.boxes.where
        boxes = check_boxes(parse_rows(data, where, foreign=True), where)
        check_digits(data, where)
        rows = len(boxes)
        times, problem = _times(found.times, rows)
        scores, scoreless = fitting_scores(found.scores, rows)
        masks, maskless = fitting_masks(found.masks, rows)
        problems = filter(None, (problem, scoreless, maskless))
        notes = [f"{found.spelling}: {each}" for each in problems]
        used = delimiter_of(data)
        if used != self.delimiter:
            theirs, ours = _DELIMITERS[used], _DELIMITERS[self.delimiter]
            notes.append(f"separated by {theirs}, {self.name} uses {ours}")
        return RawResult(boxes, times, notes=tuple(notes), scores=scores, masks=masks)

    def render(self, result: Exported) -> dict[str, bytes]:
        """Boxes, times and scores, if the format has them, to the last bit; see ``Format``."""
        folder = self.folder.format(tracker=result.tracker, benchmark=result.benchmark)
        boxes = format_exact(result.boxes, self.delimiter)
        files = {f"{folder}/{result.spelling}.txt": boxes}
        for path, values in ((self.times, result.times), (self.scores, result.scores)):
            if path is not None and values is not None:
                name = path.format(sequence=result.spelling)
                files[f"{folder}/{name}"] = format_exact(values[:, None])
        return files


def _times(file: SourceFile | None, frames: int) -> tuple[FloatArray | None, str]:
    """The times in a file, or None and why they are left out."""
    if file is None:
        return None, ""
    return fitting_times(lambda: parse_rows(file.load(), file.where, columns=1)[:, 0], frames)


def is_companion(file: SourceFile) -> bool:
    """True for a file of times or scores instead of boxes."""
    return file.stem.endswith(_COMPANIONS)


def beside(
    source: Source, file: SourceFile, folder: str, endings: tuple[str, ...]
) -> SourceFile | None:
    """The file of one kind that belongs to a file of boxes, in ``folder`` or beside it."""
    names = [f"{file.stem}{ending}.txt" for ending in endings]
    found = (source.get(f"{folder}/{name}") or source.get(name) for name in names)
    return next(filter(None, found), None)


def delimiter_of(data: bytes) -> str:
    """The delimiter of the last line, below any header.

    >>> delimiter_of(b"1.5, 2, 3, 4")
    ','
    """
    line = data.strip().rpartition(b"\n")[2].decode("ascii", errors="replace")
    return next((d for d in _DELIMITERS if d in line), ",")
