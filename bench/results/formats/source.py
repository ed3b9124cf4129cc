"""Where somebody's raw results lie: a folder or a zip archive, read but never extracted."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bench.errors import ResultError

MAX_FILE_BYTES = 64 << 20
MAX_TOTAL_BYTES = 1 << 30
MAX_FILES = 50_000
_TIMES_FOLDER = "times"
_CLUTTER = ("__MACOSX", ".DS_Store", "Thumbs.db")
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,  # a compression or version that the zipfile module does not know
    RuntimeError,  # encrypted
    ValueError,
)


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        path: where it lies below the source.
        where: what messages call it.
        load: gives its content.
    """

    path: PurePosixPath
    where: str
    load: Callable[[], bytes]

    @property
    def stem(self) -> str:
        """The file name without its last suffix."""
        return self.path.stem


@dataclass(frozen=True)
class Source:
    """The files at the top of a folder or archive, and those of its ``times`` folder.

    Attributes:
        path: the folder or archive.
        files: in the order of their paths.
        ignored: names of the other sub-folders, which are not looked into.
    """

    path: Path
    files: tuple[SourceFile, ...]
    ignored: tuple[str, ...] = ()

    def with_suffix(self, suffix: str) -> tuple[SourceFile, ...]:
        """The files at the top whose name ends with ``suffix``."""
        return tuple(
            f for f in self.files if len(f.path.parts) == 1 and f.path.suffix.lower() == suffix
        )

    def get(self, path: str) -> SourceFile | None:
        """The file at ``path`` below the source, if there is one."""
        return next((f for f in self.files if str(f.path) == path), None)


def open_source(path: Path) -> Source:
    """What lies in a folder or zip archive of raw results.

    Raises:
        ResultError: it does not exist, cannot be read, or the archive is not safe to read.
    """
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise ResultError(
            f"{path}: no such folder or file; expected a folder (or .zip) of raw results"
        )
    if not zipfile.is_zipfile(path):
        raise ResultError(
            f"{path}: expected a folder or a .zip of raw results, found another kind of file. "
            "Give the folder it lies in."
        )
    return _arrange(path, read_archive(path, str(path)))


def open_tree(path: Path) -> tuple[SourceFile, ...]:
    """Every file below a folder or in a zip archive, in the order of their paths.

    Raises:
        ResultError: it does not exist, cannot be read, or is not safe to read.
    """
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*")) if p.is_file()]
        if len(found) > MAX_FILES:
            raise ResultError(f"{path}: expected at most {MAX_FILES} files, found {len(found)}")
        return tuple(
            SourceFile(PurePosixPath(p.relative_to(path).as_posix()), str(p), partial(_read, p))
            for p in found
        )
    if not zipfile.is_zipfile(path):
        raise ResultError(f"{path}: expected a folder or a .zip of raw results, found neither")
    contents = sorted(read_archive(path, str(path)).items())
    return tuple(SourceFile(p, f"{path}:{p}", partial(bytes, data)) for p, data in contents)


def _from_folder(path: Path) -> Source:
    files: dict[PurePosixPath, Callable[[], bytes]] = {}
    ignored = []
    for entry in sorted(path.iterdir()):
        if entry.name == _TIMES_FOLDER and entry.is_dir():
            inner = (e for e in sorted(entry.iterdir()) if e.is_file())
            files |= {PurePosixPath(_TIMES_FOLDER, e.name): partial(_read, e) for e in inner}
        elif entry.is_dir():
            ignored.append(entry.name)
        elif not entry.name.startswith("."):
            files[PurePosixPath(entry.name)] = partial(_read, entry)
    return Source(
        path,
        tuple(SourceFile(p, str(path / p), load) for p, load in files.items()),
        tuple(ignored),
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ResultError(f"{path}: expected a result of one sequence, found over 64 MiB")
        return path.read_bytes()
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror})") from error


def _safe_members(archive: zipfile.ZipFile, where: str) -> list[zipfile.ZipInfo]:
    """The members of an open archive but for folders, checked to be safe to read.

    Raises:
        ResultError: a member leads out of the archive, two have one name, or there are too many
            or too big ones.
    """
    members = [m for m in archive.infolist() if not m.is_dir()]
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise ResultError(
                f"{where}: the member {member.filename[:80]!r} leads out of the archive; "
                "make the archive anew"
            )
        if member.file_size > MAX_FILE_BYTES:
            raise ResultError(
                f"{where}: the member {member.filename[:80]!r} unpacks to {member.file_size} "
                f"bytes; expected at most {MAX_FILE_BYTES}"
            )
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES or len(members) > MAX_FILES:
        raise ResultError(
            f"{where}: {len(members)} members unpack to {total} bytes; expected at most "
            f"{MAX_FILES} and {MAX_TOTAL_BYTES}"
        )
    names = {member.filename for member in members}
    if len(names) != len(members):
        raise ResultError(f"{where}: two members have one name; make the archive anew")
    return members


def read_archive(stream: Path | BinaryIO, where: str) -> dict[PurePosixPath, bytes]:
    """Every member of a zip archive by its path, in memory.

    Raises:
        ResultError: it is no zip archive, broken, encrypted, or not safe to read.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = _safe_members(archive, where)
            return {PurePosixPath(m.filename): archive.read(m) for m in members}
    except _BROKEN_ZIP as error:
        raise ResultError(
            f"{where}: not a readable zip archive ({type(error).__name__}: {error}). "
            "Make the archive anew."
        ) from error


def _arrange(path: Path, contents: dict[PurePosixPath, bytes]) -> Source:
    """Take one folder around everything as the top, and leave out what archivers add."""
    contents = {p: data for p, data in contents.items() if not set(p.parts) & set(_CLUTTER)}
    tops = {p.parts[0] for p in contents}
    if len(tops) == 1 and all(len(p.parts) > 1 for p in contents):
        contents = {PurePosixPath(*p.parts[1:]): data for p, data in contents.items()}
    wanted = {
        p: data
        for p, data in sorted(contents.items())
        if len(p.parts) == 1 or (len(p.parts) == 2 and p.parts[0] == _TIMES_FOLDER)
    }
    return Source(
        path,
        tuple(SourceFile(p, f"{path}:{p}", partial(bytes, data)) for p, data in wanted.items()),
        tuple(sorted({p.parts[0] for p in contents if p not in wanted})),
    )
