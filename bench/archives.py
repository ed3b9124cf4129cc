"""Zip archives read into memory, never extracted, with limits before any work."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bench.errors import BenchError
from bench.files import shown

MAX_MEMBER_BYTES = 64 << 20
MAX_TOTAL_BYTES = 1 << 30
MAX_MEMBERS = 50_000
MAX_RATIO = 200
_NO_BOMB = 64 << 20  # whatever its ratio, so little may be unpacked
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,  # a compression or version that the zipfile module does not know
    RuntimeError,  # encrypted
    ValueError,  # also names that are not UTF-8
)


@dataclass(frozen=True)
class Member:
    """One file of an archive, in memory; ``str`` says where it is from."""

    where: str
    content: bytes

    def __str__(self) -> str:
        return self.where

    def read_bytes(self) -> bytes:
        """The content."""
        return self.content


def read_members(
    source: Path | BinaryIO,
    wanted: Callable[[PurePosixPath], bool],
    error: type[BenchError],
    total: int = MAX_TOTAL_BYTES,
    where: str = "",
) -> dict[PurePosixPath, Member]:
    """The wanted files of a zip archive by their path in it; the others are not unpacked.

    Args:
        source: the archive, or a stream of its content.
        wanted: tells by its path whether a file is read.
        error: kind of error to raise.
        total: how many bytes the wanted files may unpack to.
        where: what messages call the archive; its path by default.

    Raises:
        error: it is not a regular file or a zip archive, is damaged, encrypted or a bomb, holds
            more than ``MAX_MEMBERS`` files, a name without text, twice, or that leaves the
            archive, or the wanted ones unpack to more than ``total`` bytes.
    """
    path = where or str(source)
    try:
        if isinstance(source, Path) and not source.is_file():
            raise error(f"{path}: expected a zip archive, found no regular file")
        with zipfile.ZipFile(source) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise error(f"{path}: expected at most {MAX_MEMBERS} files, found {len(members)}")
            chosen = [m for m in members if wanted(PurePosixPath(m.filename))]
            _check_names(path, chosen, error)
            _check_sizes(path, chosen, total, error)
            return {
                PurePosixPath(m.filename): Member(
                    f"{path}/{m.filename}", _unpack(archive, m, path, error)
                )
                for m in chosen
            }
    except BROKEN_ZIP as problem:
        reason = " ".join(str(problem).split())[:200]
        raise error(
            f"{path}: cannot be read as a zip archive ({reason}). Download it again."
        ) from problem


def _check_names(path: str, members: list[zipfile.ZipInfo], error: type[BenchError]) -> None:
    seen = set()
    for member in members:
        inside = PurePosixPath(member.filename)
        if inside.is_absolute() or ".." in inside.parts or "\\" in member.filename:
            raise error(
                f"{path}: the path of member {shown(member.filename)} leaves the archive. "
                "Create the archive again."
            )
        if not inside.parts:
            raise error(f"{path}: a member has no name. Create the archive again.")
        if inside in seen:
            raise error(
                f"{path}: two members have the same name {shown(member.filename)}. "
                "Create the archive again."
            )
        seen.add(inside)


def _check_sizes(
    path: str, members: list[zipfile.ZipInfo], limit: int, error: type[BenchError]
) -> None:
    for member in members:
        if member.file_size > MAX_MEMBER_BYTES:
            raise error(
                f"{path}: {shown(member.filename)} unpacks to {member.file_size >> 20} MiB; "
                f"expected at most {MAX_MEMBER_BYTES >> 20} MiB. Download the archive again."
            )
    total = sum(member.file_size for member in members)
    if total > limit:
        raise error(
            f"{path}: {len(members)} files unpack to {total >> 20} MiB; expected at most "
            f"{limit >> 20} MiB. Download the archive again."
        )
    packed = sum(member.compress_size for member in members)
    if total > max(_NO_BOMB, MAX_RATIO * packed):
        raise error(
            f"{path}: {packed} bytes unpack to {total >> 20} MiB, over {MAX_RATIO} times as much: "
            "no archive of results or annotation is like that. Download the archive again."
        )


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, error: type[BenchError]
) -> bytes:
    """The content of a member, at most the size that the archive states for it."""
    try:
        return archive.read(member)
    except (*BROKEN_ZIP, MemoryError) as problem:
        raise error(
            f"{path}: {shown(member.filename)[1:-1]} is damaged; expected an intact archive. "
            "Download it again."
        ) from problem
