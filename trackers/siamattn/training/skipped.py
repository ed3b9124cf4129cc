"""What of the training sets could not be read: counted and named, by all processes together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DatasetError

_NAMED = 5  # problems of a source that a report names


@dataclass(frozen=True)
class Skips:
    """What could not be read of one source, each thing once however often it was drawn.

    Attributes:
        source: name of the training set.
        count: number of different problems.
        first: the first of them.
    """

    source: str
    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = self.count - len(self.first)
        lines = [f"{self.source}: {self.count} could not be read", *self.first]
        return "\n  ".join(lines + ([f"... and {more} more"] if more else []))


class Ledger:
    """Where problems are noted.

    Args:
        path: file that every process appends its problems to, a line each; None keeps those of
            this process in memory. Those of an earlier start stay in it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._noted: dict[tuple[str, str], None] = {}

    def note(self, source: str, problem: str) -> None:
        """Note a problem of a source.

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
        """Every source with a problem, in order of the first."""
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
        """In one write, so that lines of several processes do not mix."""
        try:
            with path.open("ab", buffering=0) as stream:
                stream.write(line.encode())
        except OSError as error:
            raise DatasetError(
                f"{path}: what was skipped cannot be written down ({error.strerror})"
            ) from error


def _parsed(line: str) -> tuple[str, str] | None:
    """A line's source and problem; None for one cut short when its process was killed."""
    try:
        source, problem = json.loads(line)
    except ValueError:
        return None
    return str(source), str(problem)
