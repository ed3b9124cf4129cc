"""Sources of raw results: a folder or a zip archive, read without extraction."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bench.archives import MAX_MEMBER_BYTES, MAX_MEMBERS, read_members
from bench.errors import ResultError
from bench.files import read_whole
from bench.results.checksums import CACHE

_INNER = ("times", "scores", "masks")  # folders of files that belong to those beside them
_CLUTTER = ("__MACOSX", ".DS_Store", "Thumbs.db", CACHE)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
TEXTS = (".txt", ".csv")
"""Suffixes of files of boxes as text."""
_RESULTS = (*TEXTS, ".mat", ".json", ".bin")
_RUN = re.compile(r"(.+)_(\d{3})")
_REPETITIONS = "repetitions"
_DEEPEST = 5  # folders that are entered while looking for the results of one tracker


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
    """The top-level files of a folder or archive, and those in its ``times`` and like folders.

    Attributes:
        path: the folder or archive.
        files: sorted by path.
        ignored: names of all other folders.
        enter: opens one of these folders.
    """

    path: Path
    files: tuple[SourceFile, ...]
    ignored: tuple[str, ...] = ()
    enter: Callable[[str], Source] | None = None

    def with_suffix(self, *suffixes: str) -> tuple[SourceFile, ...]:
        """The top-level files with one of these suffixes."""
        return tuple(
            f for f in self.files if len(f.path.parts) == 1 and f.path.suffix.lower() in suffixes
        )

    def get(self, path: str) -> SourceFile | None:
        """The file at ``path`` below the source, or None."""
        return next((f for f in self.files if str(f.path) == path), None)

    def inside(self, folder: str) -> Source:
        """One of its folders as a source."""
        return self if self.enter is None else self.enter(folder)


def open_source(path: Path) -> Source:
    """Open a folder, a zip archive, or a folder in an archive (``results.zip/SiamFC``).

    Raises:
        ResultError: it does not exist, is unreadable, or the archive is unsafe.
    """
    if path.is_dir():
        return _from_folder(path)
    archive, inner = _split(path)
    contents = _open_archive(archive)
    return _arrange(path, _below(contents, inner, archive))


def open_tree(path: Path) -> tuple[SourceFile, ...]:
    """Every file below a folder or in a zip archive, sorted by path.

    Raises:
        ResultError: it does not exist, is unreadable, or is unsafe.
    """
    if path.is_dir():
        found = sorted(_walk(path))
        if len(found) > MAX_MEMBERS:
            raise ResultError(f"{path}: expected at most {MAX_MEMBERS} files, found more")
        return tuple(
            SourceFile(PurePosixPath(p.relative_to(path).as_posix()), str(p), partial(_read, p))
            for p in found
        )
    archive, inner = _split(path)
    contents = sorted(_below(_open_archive(archive), inner, archive).items())
    return tuple(SourceFile(p, f"{path}:{p}", partial(bytes, data)) for p, data in contents)


def _walk(path: Path) -> Iterator[Path]:
    """Everything below a folder but folders and their clutter; links to files included."""

    def fail(error: OSError) -> None:
        raise ResultError(f"{error.filename}: cannot be read ({error.strerror})") from error

    for folder, _, names in os.walk(path, onerror=fail):
        yield from (Path(folder, name) for name in names)


def runs_of(source: Source, name: str) -> tuple[list[Source], list[str]]:
    """The folders of one tracker's runs in a source, and remarks on what was chosen.

    A source without results of its own may hold them in one folder, in folders of several
    trackers, of which the one called ``name`` is taken, or in numbered folders, one per run of
    one tracker (``dimp50_000``, ``dimp50_001``, as pytracking writes them). GOT-10k's results
    are in folders of sequences instead, each with its runs.
    """
    notes: list[str] = []
    for _ in range(_DEEPEST):
        if source.with_suffix(*_RESULTS):
            return [source, *_repetitions(source)], notes
        if by_sequence := _by_sequence(source):
            return by_sequence, notes
        numbered = _numbered(source.ignored, name)
        if numbered:
            runs = [runs_of(source.inside(folder), name)[0][0] for folder in numbered]
            if len(runs) > 1:
                notes.append(f"{len(runs)} runs: {numbered[0]} to {numbered[-1]}")
            return runs, notes
        archives = {file.stem: file for file in source.with_suffix(".zip")}
        inner = [*source.ignored, *archives]
        chosen = [each for each in inner if each.casefold() == name.casefold()] or inner
        if len(chosen) != 1:
            break
        if archive := archives.get(chosen[0]):
            notes.append(f"read from the archive {archive.path}")
            contents = read_archive(io.BytesIO(archive.load()), archive.where)
            source = _arrange(Path(archive.where), contents)
        else:
            notes.append(f"read from the folder {chosen[0]}")
            source = source.inside(chosen[0])
    return [source], notes


def _by_sequence(source: Source) -> list[Source]:
    """Runs in folders of sequences, ``<sequence>/<sequence>_001.txt``, as GOT-10k has them.

    A single run may be called ``<sequence>/<sequence>.txt``.
    """
    if not source.ignored or not _runs_in(source.inside(source.ignored[0]), source.ignored[0]):
        return []
    runs: dict[int, list[SourceFile]] = {}
    for folder in source.ignored:
        inner = source.inside(folder)
        times = inner.get(f"{folder}_time.txt")
        for number, file in _runs_in(inner, folder).items():
            own = runs.setdefault(number, [])
            own.append(SourceFile(PurePosixPath(f"{folder}.txt"), file.where, file.load))
            if times is not None:
                path = PurePosixPath(_INNER[0], f"{folder}_time.txt")
                column = partial(_column, times, number - 1)
                own.append(SourceFile(path, times.where, column))
    return [Source(source.path, tuple(files)) for _, files in sorted(runs.items())]


def _runs_in(source: Source, sequence: str) -> dict[int, SourceFile]:
    """The files of one sequence by the number of their run."""
    files = source.with_suffix(*TEXTS)
    found = ((_RUN.fullmatch(file.stem), file) for file in files)
    runs = {int(match[2]): file for match, file in found if match and match[1] == sequence}
    alone = [file for file in files if file.stem == sequence]
    return runs or dict(enumerate(alone, start=1))


def _column(file: SourceFile, index: int) -> bytes:
    """One column of a table, empty where a row is shorter."""
    rows = (re.split(rb"[,\s]+", line.strip()) for line in file.load().splitlines())
    return b"".join(row[index] + b"\n" for row in rows if index < len(row))


def _repetitions(source: Source) -> list[Source]:
    """Further runs as our own stores keep them, ``repetitions/002`` and so on."""
    if _REPETITIONS not in source.ignored:
        return []
    folder = source.inside(_REPETITIONS)
    return [folder.inside(name) for name in folder.ignored if name.isdecimal()]


def _numbered(folders: tuple[str, ...], name: str) -> list[str]:
    """Folders that differ in a final number of three digits alone; those of ``name`` first."""
    by_stem: dict[str, list[str]] = {}
    for folder in folders:
        if match := _RUN.fullmatch(folder):
            by_stem.setdefault(match[1], []).append(folder)
    own = [runs for stem, runs in by_stem.items() if stem.casefold() == name.casefold()]
    if own:
        return own[0]
    only = len(by_stem) == 1 and sum(map(len, by_stem.values())) == len(folders)
    return next(iter(by_stem.values())) if only else []


def _split(path: Path) -> tuple[Path, PurePosixPath]:
    """The archive of a path, and the folder in it that the path goes on to."""
    for above in (path, *path.parents):
        if above.is_file():
            return above, PurePosixPath(path.relative_to(above).as_posix())
    return path, PurePosixPath()


def _below(
    contents: dict[PurePosixPath, bytes], inner: PurePosixPath, archive: Path
) -> dict[PurePosixPath, bytes]:
    """The files below a folder of an archive, wherever in it that folder lies."""
    if not inner.parts:
        return contents
    depth = len(inner.parts)
    places = {
        p.parts[: start + depth]
        for p in contents
        for start in range(len(p.parts) - depth)
        if p.parts[start : start + depth] == inner.parts
    }
    if len(places) != 1:
        known = sorted({str(p.parent) for p in contents if p.parent.parts})
        found = f"{len(places)} of them" if places else "none"
        raise ResultError(
            f"{archive}: expected one folder {inner} in the archive, found {found}. "
            f"Its folders: {', '.join(known[:10]) or 'none'}{', ...' if len(known) > 10 else ''}."
        )
    (place,) = places
    return {
        PurePosixPath(*p.parts[len(place) :]): data
        for p, data in contents.items()
        if p.parts[: len(place)] == place
    }


def _open_archive(path: Path) -> dict[PurePosixPath, bytes]:
    if not path.is_file() or not _is_zip(path):
        found = "another kind of file" if path.exists() else "nothing"
        raise ResultError(
            f"{path}: expected a folder or a .zip of raw results, found {found}. "
            "Give the folder with the result files."
        )
    return read_archive(path, str(path))


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) in _ZIP
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror})") from error


def read_archive(source: Path | BinaryIO, where: str) -> dict[PurePosixPath, bytes]:
    """The content of every member of a zip archive, by path.

    Raises:
        ResultError: it is not a zip archive, corrupt, encrypted, or unsafe.
    """
    members = read_members(source, lambda _: True, ResultError, where=where)
    return {path: member.content for path, member in members.items()}


def _from_folder(path: Path) -> Source:
    files: dict[PurePosixPath, Callable[[], bytes]] = {}
    ignored = []
    for entry in _entries(path):
        if entry.name in _INNER and entry.is_dir():
            inner = (e for e in _entries(entry) if not e.is_dir())
            files |= {PurePosixPath(entry.name, e.name): partial(_read, e) for e in inner}
        elif entry.name.startswith(".") or entry.name in _CLUTTER:
            continue
        elif entry.is_dir():
            ignored.append(entry.name)
        else:
            files[PurePosixPath(entry.name)] = partial(_read, entry)
    return Source(
        path,
        tuple(SourceFile(p, str(path / p), load) for p, load in files.items()),
        tuple(ignored),
        lambda name: _from_folder(path / name),
    )


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror})") from error


def _read(path: Path) -> bytes:
    return read_whole(path, ResultError, MAX_MEMBER_BYTES)


def _arrange(path: Path, contents: dict[PurePosixPath, bytes]) -> Source:
    """Strip a single enclosing folder, and drop clutter added by archivers."""
    contents = {p: data for p, data in contents.items() if not set(p.parts) & set(_CLUTTER)}
    tops = {p.parts[0] for p in contents}
    if len(tops) == 1 and all(len(p.parts) > 1 for p in contents):
        contents = {PurePosixPath(*p.parts[1:]): data for p, data in contents.items()}
    wanted = {
        p: data
        for p, data in sorted(contents.items())
        if len(p.parts) == 1 or (len(p.parts) == 2 and p.parts[0] in _INNER)
    }

    def enter(name: str) -> Source:
        inner = {PurePosixPath(*p.parts[1:]): d for p, d in contents.items() if p.parts[0] == name}
        return _arrange(path / name, {p: data for p, data in inner.items() if p.parts})

    return Source(
        path,
        tuple(SourceFile(p, f"{path}:{p}", partial(bytes, data)) for p, data in wanted.items()),
        tuple(sorted({p.parts[0] for p in contents if p not in wanted})),
        enter,
    )
