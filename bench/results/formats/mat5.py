"""Safe reader of level 5 MATLAB files (saved with -v6 or -v7).

``scipy.io.loadmat`` indexes a table with an unchecked number from the file: one changed byte
crashes the process with a segmentation fault. This reader supports what raw results need:
cells, structs, text and real full arrays. Source: MathWorks, "MAT-File Format", chapter "Level
5 MAT-File Format".
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bench.arrays import FloatArray

MAX_UNPACKED = 64 << 20
"""Maximum unpacked size of the compressed variables that are read, in bytes."""
MAX_ARRAYS = 20_000
"""Maximum number of arrays in one variable; 20 segments of a real result have 200."""

Value: TypeAlias = "FloatArray | str | list[Value] | dict[str, Value]"

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"
}  # fmt: skip
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CELL, _STRUCT, _CHAR, _NUMERIC = 1, 2, 4, range(6, 16)
_SIZES = (5, 6)
_COMPLEX_FLAG = 0x0800
_DEEPEST = 16
_MOST_SIZES = 8
_SMALLEST_ARRAY = 8  # bytes of an element without content


@dataclass(frozen=True)
class _Element:
    """A data element.

    Attributes:
        kind: numeric data type, as in the document.
        data: its content.
        order: byte order, ``"<"`` or ``">"``.
    """

    kind: int
    data: memoryview
    order: str

    def numbers(self) -> FloatArray:
        """The content as ``(N,)`` float64."""
        if self.kind not in _NUMBERS:
            raise ValueError(f"element: expected numbers, found type {self.kind}")
        if not len(self.data):
            return np.empty(0)
        return np.frombuffer(self.data, self.order + _NUMBERS[self.kind]).astype(np.float64)

    def integers(self) -> tuple[int, ...]:
        """The content as 32-bit integers, the type of sizes and flags."""
        if self.kind not in _SIZES:
            raise ValueError(f"element: expected sizes, found type {self.kind}")
        return tuple(map(int, self.numbers()))

    def text(self) -> str:
        """The content as text."""
        if self.kind not in _TEXTS:
            raise ValueError(f"element: expected text, found type {self.kind}")
        encoding = _TEXTS[self.kind]
        if encoding in ("utf-16", "utf-32"):
            encoding += "-le" if self.order == "<" else "-be"
        return bytes(self.data).decode(encoding)


def read_variable(data: bytes, name: str) -> Value:
    """The variable ``name`` of a MATLAB file; see ``read_first``."""
    return read_first(data, name)[1]


def read_first(data: bytes, *names: str) -> tuple[str, Value]:
    """The first of the variables ``names`` that a MATLAB file holds, and its name.

    Returns:
        float64 for a full array, ``str`` for text, a flat list for a cell array, a dict for a
        struct.

    Raises:
        ValueError: the file is malformed, of another level, or lacks these variables.
    """
    found: dict[str, _Matrix] = {}
    for element in _variables(data):
        matrix = _header(element)
        found[matrix.name] = matrix
        if matrix.name == names[0]:
            break
    name = next((name for name in names if name in found), None)
    if name is None:
        known = ", ".join(list(found)[:10]) or "none"
        raise ValueError(f"expected a variable {names[0]!r}, found {known[:200]}")
    return name, _Reader().value(found[name], 0)


def _variables(data: bytes) -> Iterator[_Element]:
    """The unpacked top-level elements of a file."""
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None or data[124:126] not in (b"\x00\x01", b"\x01\x00"):
        level = "level 7.3 (HDF5)" if data.startswith(b"MATLAB 7.3") else "another format"
        raise ValueError(f"expected level 5, found {level}. Save it with -v7")
    if b" Created on: " in data[:_HEADER_BYTES] and b", Created on: " not in data[:_HEADER_BYTES]:
        raise ValueError("its header was changed after it was saved, as in a transfer as text")
    left = MAX_UNPACKED
    for element in _elements(memoryview(data)[_HEADER_BYTES:], order):
        if element.kind != _COMPRESSED:
            yield element
            continue
        unpacked = _unpack(element.data, left)
        left -= len(unpacked)
        inner = next(_elements(memoryview(unpacked), order), None)
        if inner is None:
            raise ValueError("a variable unpacks to nothing")
        yield inner


def _unpack(data: memoryview, limit: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise ValueError(f"corrupt compressed data ({error})") from error
    if len(unpacked) > limit:
        raise ValueError(f"its variables unpack to more than {MAX_UNPACKED} bytes")
    if not unpacker.eof:
        raise ValueError("truncated")
    return unpacked


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """Consecutive elements in ``data``; raises ValueError if it is truncated."""
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise ValueError("truncated")
        kind, size = struct.unpack_from(f"{order}II", data, at)
        small = kind >> 16
        start = at + (4 if small else 8)
        kind, size = (kind & 0xFFFF, small) if small else (kind, size)
        end = start + size
        if end > len(data) or small > 4:
            raise ValueError("truncated")
        yield _Element(kind, data[start:end], order)
        at = end if kind == _COMPRESSED else at + 8 if small else end + -end % 8


@dataclass(frozen=True)
class _Matrix:
    """Header of a matrix element, and the elements of its content."""

    name: str
    kind: int
    shape: tuple[int, ...]
    content: Iterator[_Element]
    size: int


def _header(element: _Element) -> _Matrix:
    if element.kind != _MATRIX:
        raise ValueError(f"element: expected an array, found type {element.kind}")
    content = _elements(element.data, element.order)
    flags, shape, name = (_next(content) for _ in range(3))
    if len(shape.data) > 4 * _MOST_SIZES:
        raise ValueError(f"an array has {len(shape.data) // 4} dimensions")
    bits, sizes = (*flags.integers(), 0)[0], shape.integers()
    if any(size < 0 for size in sizes) or bits & _COMPLEX_FLAG:
        raise ValueError("an array is complex or has a negative size")
    return _Matrix(name.text()[:100], bits & 0xFF, sizes, content, len(element.data))


def _next(elements: Iterator[_Element]) -> _Element:
    element = next(elements, None)
    if element is None:
        raise ValueError("truncated")
    return element


class _Reader:
    """Reads the value of one variable, of at most ``MAX_ARRAYS`` arrays."""

    def __init__(self) -> None:
        self._arrays = 0

    def value(self, matrix: _Matrix, depth: int) -> Value:
        """The value of an array and of all in it."""
        self._arrays += 1
        if depth > _DEEPEST or self._arrays > MAX_ARRAYS:
            raise ValueError(f"more than {MAX_ARRAYS} arrays, or nested over {_DEEPEST} deep")
        if matrix.kind == _CELL:
            return [self._nested(matrix, depth) for _ in range(_count(matrix))]
        if matrix.kind == _STRUCT:
            return self._struct(matrix, depth)
        if matrix.kind == _CHAR:
            return _next(matrix.content).text()
        if matrix.kind not in _NUMERIC:
            raise ValueError(
                f"arrays of class {matrix.kind} are not supported (sparse, object, ...)"
            )
        numbers = _next(matrix.content).numbers()
        if len(numbers) != math.prod(matrix.shape):
            raise ValueError(f"arrays of shape {matrix.shape} cannot hold {len(numbers)} numbers")
        return numbers.reshape(matrix.shape, order="F")

    def _nested(self, matrix: _Matrix, depth: int) -> Value:
        element = _next(matrix.content)
        # An element without content represents an empty array.
        return self.value(_header(element), depth + 1) if len(element.data) else np.empty((0, 0))

    def _struct(self, matrix: _Matrix, depth: int) -> dict[str, Value]:
        if math.prod(matrix.shape) != 1:
            raise ValueError(f"expected one struct, found an array of shape {matrix.shape}")
        width = (*_next(matrix.content).integers(), 0)[0]
        text = _next(matrix.content).text()
        if width < 1 or len(text) % width or len(text) // width > MAX_ARRAYS:
            raise ValueError("malformed field names of a struct")
        names = [text[at : at + width].rstrip("\x00") for at in range(0, len(text), width)]
        return {name: self._nested(matrix, depth) for name in names}


def _count(matrix: _Matrix) -> int:
    """Number of arrays in a cell array, checked against the bytes that are there for them."""
    count = math.prod(matrix.shape)
    if count > MAX_ARRAYS or count * _SMALLEST_ARRAY > matrix.size:
        raise ValueError(f"a cell array of shape {matrix.shape} is truncated, or too large")
    return count
