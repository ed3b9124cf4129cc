"""Zip archives read into memory, never extracted, with limits before any work."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.errors import BenchError
from bench.files import shown

MAX_MEMBER_BYTES = 64 << 20
MAX_TOTAL_BYTES = 1 << 30
MAX_MEMBERS = 50_000
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
    path: Path,
    wanted: Callable[[PurePosixPath], bool],
    error: type[BenchError],
    total: int = MAX_TOTAL_BYTES,
) -> dict[PurePosixPath, Member]:
    """The wanted files of a zip archive by their path in it; the others are not unpacked.

    Raises:
        error: it is no regular file or no zip archive, is damaged or encrypted, or holds more
            than ``MAX_MEMBERS`` files, or the wanted ones unpack to more than ``total`` bytes.
    """
    try:
        if not path.is_file():
            raise error(f"{path}: expected a zip archive, found no regular file")
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise error(f"{path}: expected at most {MAX_MEMBERS} files, found {len(members)}")
            chosen = [m for m in members if wanted(PurePosixPath(m.filename))]
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


def _check_sizes(
    path: Path, members: list[zipfile.ZipInfo], limit: int, error: type[BenchError]
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


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, error: type[BenchError]
) -> bytes:
    """The content of a member, at most the size that the archive states for it."""
    try:
        return archive.read(member)
    except (*BROKEN_ZIP, MemoryError) as problem:
        raise error(
            f"{path}: {shown(member.filename)[1:-1]} is damaged; expected an intact archive. "
            "Download it again."
        ) from problem
