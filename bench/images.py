"""Image files: decoding to RGB, and what the header and the end of a file tell without it.

A file that was cut short is an error: OpenCV decodes what is there and fills the rest with grey.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from bench.arrays import Image
from bench.errors import DatasetError
from bench.files import read_whole

MAX_IMAGE_BYTES = 512 << 20
MAX_PIXELS = 1 << 28  # more than any camera; a header may state what no memory holds
_HEAD = 1 << 16
_TAIL = 1 << 12
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_CUT_SHORT = "the image is cut short. Unpack it again"
_SIXTEEN_BITS = (
    "expected 8 bits a channel, found {bits}. Convert all frames of the sequence to 8 bits with "
    "one common scale, since a tracker would see almost black or flickering images"
)


@dataclass(frozen=True)
class Header:
    """What the header of an image file states.

    Attributes:
        width, height: in pixels, before any rotation that EXIF asks for.
        bits: bits a channel.
        data: where the pixels begin in the file.
    """

    width: int
    height: int
    bits: int = 8
    data: int = 0


@dataclass(frozen=True)
class ImageFiles:
    """Frames that lie on disk as one image file each.

    Raises:
        DatasetError: on indexing, when a file is missing or cannot be decoded.
    """

    decodes: ClassVar[bool] = True
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image:
        return read_image(self.paths[index])

    def where(self, index: int) -> str:
        """The file of a frame."""
        return str(self.paths[index])


def read_image(path: Path) -> Image:
    """An image file as RGB ``uint8 (H, W, 3)``.

    Grey images get three equal channels, and transparency is left out. Images of 16 bits a channel
    are refused: how they are to be scaled is known only for the whole sequence.

    Raises:
        DatasetError: the file is missing, cut short, of more than 8 bits, or cannot be decoded.
    """
    header, data = _check_ends(path), b""
    if header is None:
        data = _content(path)
        header = parse_header(data)
        _check_end(path, data, header)
    if header and header.width * header.height > MAX_PIXELS:
        raise DatasetError(
            f"{path}: expected at most {MAX_PIXELS >> 20} million pixels, found "
            f"{header.width}x{header.height}. Resize the frames and their boxes."
        )
    image = _decode(data) if data else _decode_file(path)
    if image is None:
        raise _no_image(path, "cannot be decoded")
    if image.dtype != np.uint8:
        raise DatasetError(f"{path}: {_SIXTEEN_BITS.format(bits=image.dtype.itemsize * 8)}.")
    return image


def _content(path: Path) -> bytes:
    try:
        exists = path.exists()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    if not exists:
        raise _no_image(path, "does not exist")
    return read_whole(path, DatasetError, MAX_IMAGE_BYTES)


def _no_image(path: Path, state: str) -> DatasetError:
    return DatasetError(
        f"{path} {state}; expected an image file. "
        "Run `bench check` on the dataset to list every missing frame."
    )


@lru_cache(maxsize=1)
def _flags() -> tuple[int, bool]:
    """Flags for ``imdecode``, and whether the result is in RGB order already."""
    import cv2

    rgb = getattr(cv2, "IMREAD_COLOR_RGB", None)  # OpenCV 4.10; half the time, the same bytes
    colour = cv2.IMREAD_COLOR if rgb is None else rgb
    return colour | cv2.IMREAD_ANYDEPTH, rgb is not None


def _decode_file(path: Path) -> Image | None:
    """An image file, decoded straight into NumPy's memory: ``imdecode`` copies it there."""
    import cv2

    flags, is_rgb = _flags()
    image = None
    # OpenCV before 4.11 takes no destination; a path that is not UTF-8 would crash it.
    with contextlib.suppress(cv2.error, UnicodeEncodeError):
        image = cv2.imread(str(path).encode().decode(), None, flags)
    if image is None:  # also where OpenCV takes no such path, as outside ASCII on Windows
        return _decode(_content(path))
    return _rgb(image, is_rgb)


def _decode(data: bytes) -> Image | None:
    import cv2

    flags, is_rgb = _flags()
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:  # for example more pixels than OpenCV allows
        return None
    return None if image is None else _rgb(image, is_rgb)


def _rgb(image: np.ndarray, is_rgb: bool) -> Image:  # of another depth if the file is
    import cv2

    return image if is_rgb else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _check_end(path: Path, data: bytes, header: Header | None) -> None:
    """DatasetError for a JPEG or PNG file without its end marker."""
    if data.startswith(_JPEG):
        # Searched from the end, where it normally is; before the pixels, a preview may have one.
        complete = data.rfind(_JPEG_END) >= (header.data if header else 2)
    elif data.startswith(_PNG):
        complete = data.rfind(_PNG_END) > 0
    else:
        return
    if not complete:
        raise DatasetError(f"{path}: {_CUT_SHORT}.")


def image_size(path: Path) -> tuple[int, int] | None:
    """(width, height) in pixels from the header of a JPEG or PNG file, or None without one."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            header = parse_header(stream.read(_HEAD))
    except OSError:
        return None
    return (header.width, header.height) if header else None


def check_image(path: Path, *, deep: bool = False) -> tuple[int, int]:
    """(width, height) of an image file, whose beginning and end are read, or all if ``deep``.

    Raises:
        DatasetError: as ``read_image``, as far as it shows without decoding.
    """
    header = None if deep else _check_ends(path)
    if header is None:
        with _decoder_words() as words:
            height, width = read_image(path).shape[:2]
        if deep and words:
            raise DatasetError(f"{path}: decoded in part only ({words[0]}). Unpack it again.")
        return width, height
    if header.bits > 8:
        raise DatasetError(f"{path}: {_SIXTEEN_BITS.format(bits=header.bits)}.")
    return header.width, header.height


@contextlib.contextmanager
def _decoder_words() -> Iterator[list[str]]:
    """What the decoder complains of; it tells nobody but standard error of the process.

    libjpeg goes on after damage inside the pixels. Not for a process with other threads at work.
    """
    words: list[str] = []
    with tempfile.TemporaryFile() as kept:
        before = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield words
        finally:
            os.dup2(before, 2)
            os.close(before)
            kept.seek(0)
            lines = kept.read(1 << 16).decode("ascii", errors="replace").splitlines()
            words += [line[:100] for line in lines if "orrupt" in line or "remature" in line]


def _check_ends(path: Path) -> Header | None:
    """The header of a JPEG or PNG whose end is there; None if only decoding can tell."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            header = parse_header(head)
            if header is None:
                return None
            stream.seek(max(path.stat().st_size - _TAIL, header.data))
            tail = stream.read()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    end = _JPEG_END if head.startswith(_JPEG) else _PNG_END
    if end not in tail:
        _check_end(path, _content(path), header)
    return header


def parse_header(data: bytes) -> Header | None:
    """The header of a JPEG or PNG file, whose first 64 KiB at least ``data`` holds, or None.

    Source: ISO/IEC 10918-1 B.2 (markers) and ISO/IEC 15948 11.2.2 (IHDR).
    """
    if data.startswith(_PNG) and len(data) >= 29:
        width, height, bits = struct.unpack_from(">IIB", data, 16)
        return Header(width, height, bits, 29)
    return _jpeg_header(data) if data.startswith(_JPEG) else None


def _jpeg_header(data: bytes) -> Header | None:
    position, size = 2, None
    while position + 9 <= len(data):
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == 0xFFDA:  # start of scan: the pixels follow
            return Header(*size, position + 2 + length) if size else None
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            bits = data[position + 4]
            height, width = struct.unpack_from(">HH", data, position + 5)
            size = (width, height, bits)
        if marker >> 8 != 0xFF or length < 2:
            break
        position += 2 + length
    return Header(*size, position) if size else None
