"""Sources of raw results: a folder or a zip archive, read without extraction."""

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
    NotImplementedError,  # unsupported compression or version
    RuntimeError,  # encrypted
    ValueError,
)


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        path: relative to the source.
        where: name of the file in messages.
        load: returns its content.
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
    """The top-level files of a folder or archive, and those in its ``times`` folder.

    Attributes:
        path: the folder or archive.
        files: sorted by path.
        ignored: names of all other folders.
    """

    path: Path
    files: tuple[SourceFile, ...]
    ignored: tuple[str, ...] = ()

    def with_suffix(self, suffix: str) -> tuple[SourceFile, ...]:
        """The top-level files with a suffix."""
        return tuple(
            f for f in self.files if len(f.path.parts) == 1 and f.path.suffix.lower() == suffix
        )

    def get(self, path: str) -> SourceFile | None:
        """The file at ``path`` below the source, or None."""
        return next((f for f in self.files if str(f.path) == path), None)


def open_source(path: Path) -> Source:
    """Open a folder or zip archive with the results of one tracker.

    Raises:
        ResultError: it does not exist, is unreadable, or the archive is unsafe.
    """
    return _from_folder(path) if path.is_dir() else _arrange(path, _open_archive(path))


def open_tree(path: Path) -> tuple[SourceFile, ...]:
    """Every file below a folder or in a zip archive, sorted by path.

    Raises:
        ResultError: it does not exist, is unreadable, or is unsafe.
    """
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*")) if p.is_file()]
        if len(found) > MAX_FILES:
            raise ResultError(f"{path}: expected at most {MAX_FILES} files, found {len(found)}")
        return tuple(
            SourceFile(PurePosixPath(p.relative_to(path).as_posix()), str(p), partial(_read, p))
            for p in found
        )
    contents = sorted(_open_archive(path).items())
    return tuple(SourceFile(p, f"{path}:{p}", partial(bytes, data)) for p, data in contents)


def _open_archive(path: Path) -> dict[PurePosixPath, bytes]:
    if not zipfile.is_zipfile(path):  # also False for a missing file
        found = "another kind of file" if path.is_file() else "nothing"
        raise ResultError(
            f"{path}: expected a folder or a .zip of raw results, found {found}. "
            "Give the folder with the result files."
        )
    return read_archive(path, str(path))


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
            raise ResultError(f"{path}: expected the result of one sequence, found over 64 MiB")
        return path.read_bytes()
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror})") from error


def _safe_members(archive: zipfile.ZipFile, where: str) -> list[zipfile.ZipInfo]:
    """The file members of an open archive, after safety checks.

    Raises:
        ResultError: a member path leaves the archive, names repeat, or the sizes or the number
            of members exceed the limits.
    """
    members = [m for m in archive.infolist() if not m.is_dir()]
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise ResultError(
                f"{where}: the path of member {member.filename[:80]!r} leaves the archive. "
                "Create the archive again."
            )
        if member.file_size > MAX_FILE_BYTES:
            raise ResultError(
                f"{where}: expected at most {MAX_FILE_BYTES} bytes in a member, found "
                f"{member.file_size} in {member.filename[:80]!r}"
            )
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES or len(members) > MAX_FILES:
        raise ResultError(
            f"{where}: expected at most {MAX_FILES} members and {MAX_TOTAL_BYTES} bytes, found "
            f"{len(members)} members and {total} bytes"
        )
    names = {member.filename for member in members}
    if len(names) != len(members):
        raise ResultError(f"{where}: two members have the same name. Create the archive again.")
    return members


def read_archive(stream: Path | BinaryIO, where: str) -> dict[PurePosixPath, bytes]:
    """The content of every member of a zip archive, by path.

    Raises:
        ResultError: it is not a zip archive, corrupt, encrypted, or unsafe.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = _safe_members(archive, where)
            return {PurePosixPath(m.filename): archive.read(m) for m in members}
    except _BROKEN_ZIP as error:
        raise ResultError(
            f"{where}: not a readable zip archive ({type(error).__name__}: {error}). "
            "Create the archive again."
        ) from error


def _arrange(path: Path, contents: dict[PurePosixPath, bytes]) -> Source:
    """Strip a single enclosing folder, and drop clutter added by archivers."""
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
