"""The elements of a large JSON file's arrays, one at a time, and where each stands in the file.

A file is one object, as in COCO; of its values only the arrays' elements are kept in memory, and
only one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

_CHUNK = 4 << 20
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


class Elements:
    """A JSON file that holds one object.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[tuple[str, Any, int, int]]:
        """Name of the array, element, and its first byte and length, in the file's order.

        Text in the elements is decoded as Latin-1, so that characters are bytes; ``text`` decodes
        it again.

        Raises:
            ValueError: the file is not JSON, or not an object.
            OSError: it cannot be read.
        """
        with self.path.open(encoding="latin-1", newline="") as stream:
            window = _Window(stream)
            window.expect("{")
            while window.peek() != "}":
                name, _, _ = window.value()
                window.expect(":")
                if window.peek() == "[":
                    window.expect("[")
                    while window.peek() != "]":
                        yield name, *window.value()
                        window.skip(",", "]")
                    window.expect("]")
                else:
                    window.value()
                window.skip(",", "}")


def text(value: str) -> str:
    """A string of an element as it was meant."""
    return value.encode("latin-1", errors="ignore").decode("utf-8", errors="replace")


class _Window:
    """The part of a file that is being parsed."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.held, self.start, self.at = "", 0, 0  # start: the file's position of held[0]

    def peek(self) -> str:
        """The next character that is not a space; empty at the end."""
        while True:
            while self.at < len(self.held) and self.held[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self.held):
                return self.held[self.at]
            if not self._more():
                return ""

    def expect(self, character: str) -> None:
        """Move past a character, which must come next."""
        if self.peek() != character:
            place = self.start + self.at
            raise ValueError(f"expected {character!r} at byte {place}, found {self.peek()!r}")
        self.at += 1

    def skip(self, separator: str, end: str) -> None:
        """Move past a separator, unless the end comes next."""
        if self.peek() != end:
            self.expect(separator)

    def value(self) -> tuple[Any, int, int]:
        """The next value, its first byte and its length."""
        self.peek()
        while True:
            try:
                found, end = _DECODER.raw_decode(self.held, self.at)
                if end < len(self.held) or not self._more():  # a number may go on
                    break
            except json.JSONDecodeError:
                if not self._more():
                    raise
        first, self.at = self.start + self.at, end
        return found, first, self.start + end - first

    def _more(self) -> bool:
        """Read on, as much again as is held; whether there was more."""
        read = self.stream.read(max(_CHUNK, len(self.held) - self.at))
        self.held, self.start, self.at = self.held[self.at :] + read, self.start + self.at, 0
        return bool(read)
