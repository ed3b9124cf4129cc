"""The files of a tracker's own code: what it imports, and what it names itself."""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import TrackerError
from bench.files import sha256

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = ("site-packages", "dist-packages")
_SHORT = 16  # hexadecimal digits of a hash
_MOST_FILES, _MOST_BYTES = 2000, 4 << 30  # of a folder that is read whole


def own_paths(tracker: object) -> dict[str, Path]:
    """The files of a tracker in a worker process by name: its modules, and what it names itself.

    All loaded modules count that are neither installed nor of Python itself: nothing else in a
    worker imports any.

    Raises:
        TrackerError: a file that the tracker names does not exist.
    """
    modules = (module for module in list(sys.modules.values()) if _is_own(module))
    return {**_paths(modules), **paths_of(tracker)}


def imported_files(modules: Iterable[str]) -> dict[str, str]:
    """The same of modules by name and what they import, as far as it is loaded.

    Imports inside functions count too; what they will load later is not known yet.
    """
    found: dict[str, ModuleType] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if name in found or module is None or not _is_own(module):
            continue
        found[name] = module
        waiting.extend(_imports(module))
    return hashes(_paths(found.values()))


def files_of(tracker: object) -> dict[str, str]:
    """Hashes of the files that ``paths_of`` gives."""
    return hashes(paths_of(tracker))


def hashes(paths: Mapping[str, Path]) -> dict[str, str]:
    """Hashes of files by name."""
    return {name: hash_of(path) for name, path in paths.items()}


def paths_of(tracker: object) -> dict[str, Path]:
    """The files that a tracker, or its class, names as ``files``: paths or a method.

    A relative path counts from the working folder, else from the folder of its module.

    Raises:
        TrackerError: there is no such file.
    """
    kind = tracker if inspect.isclass(tracker) else type(tracker)
    source = getattr(tracker, "foreign", kind) if inspect.isclass(tracker) else tracker
    named = getattr(source, "files", None)
    if callable(named):
        if inspect.isclass(source) and not inspect.ismethod(named):
            return {}  # a method of the tracker: known once it is built
        named = named()
    if named is None or isinstance(named, Mapping):
        return {}
    listed = [named] if isinstance(named, str | Path) else list(named)
    if not all(isinstance(each, str | Path) for each in listed):
        return {}  # something else of that name
    found = [_existing(each, kind) for each in listed]
    often = Counter(path.name for path in found)
    return {
        path.name if often[path.name] == 1 else f"{path.parent.name}/{path.name}": path
        for path in found
    }


def hash_of(path: Path) -> str:
    """The first digits of a file's SHA-256.

    Raises:
        TrackerError: it cannot be read.
    """
    status = path.stat()
    return _hash_of(path, status.st_mtime_ns, status.st_size)


def folder_hash(folder: Path) -> str:
    """A hash over the names and contents of all files below a folder, and how many there are.

    Of more than 2,000 files or 4 GiB, sizes and times of change stand for the contents, and the
    text says so. Hidden names and ``__pycache__`` do not count.

    Raises:
        TrackerError: a file cannot be read.
    """
    files = sorted(_files_below(folder))
    sizes = [path.stat().st_size for path in files]
    whole = len(files) <= _MOST_FILES and sum(sizes) <= _MOST_BYTES
    digest = hashlib.sha256()
    for path, size in zip(files, sizes, strict=True):
        seen = hash_of(path) if whole else f"{size} {path.stat().st_mtime_ns}"
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name!r} {seen}\n".encode("utf-8", "surrogateescape"))
    how = "" if whole else ", by size and time of change"
    return f"{digest.hexdigest()[:_SHORT]} ({len(files)} files{how})"


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [n for n in folders if not n.startswith(".") and n != "__pycache__"]
        paths = (Path(place, name) for name in names if not name.startswith("."))
        yield from (path for path in paths if path.is_file())


@lru_cache(maxsize=4096)
def _hash_of(path: Path, changed: int, size: int) -> str:
    try:
        return sha256([path])[:_SHORT]
    except OSError as error:
        raise TrackerError(f"{path}: cannot be read ({error.strerror})") from error


def _existing(named: str | Path, kind: type) -> Path:
    home = getattr(sys.modules.get(kind.__module__), "__file__", None)
    places = [Path(named), *([Path(home).parent / named] if home else [])]
    for place in places:
        if place.is_file():
            return place
    raise TrackerError(
        f"{kind.__name__}.files names {str(named)!r}, but there is no such file: looked for "
        f"{' and '.join(map(str, places))}"
    )


def _paths(modules: Iterable[ModuleType]) -> dict[str, Path]:
    found = {}
    for module in modules:
        file = _file(module)
        if file is not None and file.is_file():
            plain = module.__name__.startswith("_bench_tracker_")  # its name tells the folder
            found[file.name if plain else module.__name__] = file
    return dict(sorted(found.items()))


def _is_own(module: object) -> bool:
    file = _file(module)
    return file is not None and _is_own_file(file)


def _file(module: object) -> Path | None:
    if not isinstance(module, ModuleType):
        return None
    named = vars(module).get("__file__")
    return Path(named) if isinstance(named, str) else None


@lru_cache(maxsize=8192)
def _is_own_file(file: Path) -> bool:
    if any(part in _INSTALLED for part in file.parts):
        return False
    full = file.resolve()
    return not any(full.is_relative_to(folder) for folder in _foreign_folders())


@lru_cache(maxsize=1)
def _foreign_folders() -> tuple[Path, ...]:
    """Folders of Python, of installed packages, and of this package, which is hashed by itself."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return (*(Path(sysconfig.get_path(name)).resolve() for name in names), _PACKAGE)


def _imports(module: ModuleType) -> Iterator[str]:
    """Names of modules that a module's source imports, and the packages they are in."""
    file = _file(module)
    if file is None or file.suffix != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = module.__name__ if file.name == "__init__.py" else module.__name__.rpartition(".")[0]
    for node in ast.walk(tree):
        for name in _names(node, package):
            parts = name.split(".")
            yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def _names(node: Any, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")
        base = ".".join(above[: len(above) - node.level + 1]) if node.level else ""
        full = ".".join(part for part in (base, node.module) if part)
        yield full
        yield from (f"{full}.{alias.name}" for alias in node.names)
