"""Log of unreadable training data, shared by all processes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DatasetError

_NAMED = 5  # problems listed per source


@dataclass(frozen=True)
class Skips:
    """Distinct problems of one source.

    Attributes:
        source: name of the training set.
        count: number of distinct problems.
        first: the first few of them.
    """

    source: str
    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = self.count - len(self.first)
        lines = [f"{self.source}: {self.count} could not be read", *self.first]
        return "\n  ".join(lines + ([f"... and {more} more"] if more else []))


class SkipLog:
    """Collects problems.

    Args:
        path: file to which every process appends its problems, one per line; it also keeps those
            of earlier starts. None keeps this process's problems in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._noted: dict[tuple[str, str], None] = {}

    def add(self, source: str, problem: str) -> None:
        """Log a problem of a source.

        Raises:
            DatasetError: the file cannot be written.
        """
        key = (source, problem)
        if key in self._noted:
            return
        self._noted[key] = None
        if self.path is not None:
            self._append(self.path, json.dumps(key, ensure_ascii=False) + "\n")

    def report(self) -> list[Skips]:
        """Every source with problems, in order of first occurrence."""
        problems: dict[str, list[str]] = {}
        for source, problem in dict.fromkeys(self._lines()):
            problems.setdefault(source, []).append(problem)
        return [Skips(name, len(p), tuple(p[:_NAMED])) for name, p in problems.items()]

    def _lines(self) -> Iterable[tuple[str, str]]:
        if self.path is None or not self.path.is_file():
            return self._noted
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [pair for line in lines if (pair := _parsed(line))]

    @staticmethod
    def _append(path: Path, line: str) -> None:
        """Append in one write, so that lines of several processes do not interleave."""
        try:
            with path.open("ab", buffering=0) as stream:
                stream.write(line.encode())
        except OSError as error:
            raise DatasetError(
                f"{path}: skipped data cannot be logged ({error.strerror})"
            ) from error


def _parsed(line: str) -> tuple[str, str] | None:
    """The source and problem of a line; None for a line cut short by a killed process."""
    try:
        source, problem = json.loads(line)
    except ValueError:
        return None
    return str(source), str(problem)
