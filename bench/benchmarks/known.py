"""The benchmarks that are known: built in, from installed packages, and declared by files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench.benchmarks.declaration import (
    SUFFIXES,
    parse_declaration,
    read_content,
    read_declaration,
)
from bench.benchmarks.record import TABLES, Benchmark
from bench.errors import ConfigError, describe, unknown_name

ENTRY_POINTS = "bench.benchmarks"
_FOLDER = TABLES / "benchmarks"
_declared: dict[str, tuple[Path, Benchmark]] = {}
"""Benchmarks declared in this process, with their file; only functions below add to it."""


def benchmarks() -> dict[str, Benchmark]:
    """All benchmarks by name: those of the paper in its order, others by title, declared ones."""
    declared = {name: row for name, (_, row) in _declared.items()}
    return {**_built_in(), **_of_packages(), **declared}


@cache
def _built_in() -> dict[str, Benchmark]:
    found = [_shipped(path.stem) for path in _FOLDER.glob("*.json")]
    found.sort(key=lambda row: (row.open, row.overview or 99, row.title.lower()))
    return {row.name: row for row in found}


@cache
def _shipped(name: str) -> Benchmark:
    """One of those inside the package; tests check their content."""
    path = _FOLDER / f"{name}.json"
    return parse_declaration(read_content(path), path, name)


@cache
def _of_packages() -> dict[str, Benchmark]:
    """Benchmarks that installed packages bring: an entry point names the path of a declaration.

    Raises:
        ConfigError: an entry point cannot be loaded, or its declaration is malformed.
    """
    from importlib.metadata import entry_points

    found: dict[str, Benchmark] = {}
    for point in entry_points(group=ENTRY_POINTS):
        try:
            path = Path(point.load())
        except Exception as error:
            raise ConfigError(
                f"entry point {point.name!r} of {ENTRY_POINTS}: expected the path of a "
                f"declaration in {point.value}, found {describe(error)}. Repair or remove the "
                "package that brings it."
            ) from error
        benchmark = read_declaration(path)
        _refuse_taken(benchmark, path, {**_built_in(), **found})
        found[benchmark.name] = benchmark
    return found


def declare(path: str | Path) -> Benchmark:
    """Make a benchmark known in this process; a file that was changed is read anew.

    Raises:
        ConfigError: the declaration is malformed, or another benchmark has its name.
    """
    file = Path(path).expanduser().absolute()
    benchmark = read_declaration(file)
    origin, _ = _declared.get(benchmark.name, (file, None))
    others = {name: row for name, row in benchmarks().items() if name not in _declared}
    others |= {name: row for name, (_, row) in _declared.items() if name != benchmark.name}
    if origin != file and origin.suffix in SUFFIXES and origin.is_file():
        others[benchmark.name] = benchmark
    _refuse_taken(benchmark, file, others)
    _declared[benchmark.name] = (file, benchmark)
    return benchmark


def declare_stored(content: Mapping[str, Any], path: Path) -> None:
    """Make a benchmark known whose declaration lies beside results, unless it is known already.

    Raises:
        ConfigError: the declaration is malformed.
    """
    name = str(content.get("name", path.parent.name))
    if name not in _built_in() and name not in _declared:
        _declared[name] = (path.parent, read_declaration(path))


def declared_here() -> dict[str, tuple[Path, Benchmark]]:
    """What was declared in this process, for another process to `adopt`."""
    return dict(_declared)


def adopt(declared: Mapping[str, tuple[Path, Benchmark]]) -> None:
    """Know what was declared in the process that started this one."""
    _declared.update(declared)


def _refuse_taken(benchmark: Benchmark, path: Path, others: Mapping[str, Benchmark]) -> None:
    """Raise ConfigError if a name of the benchmark is one of another."""
    taken = _spellings(others)
    for name in (benchmark.name, benchmark.title, *benchmark.aliases):
        if other := taken.get(_squeezed(name)):
            raise ConfigError(
                f"{path}: {name!r} is the name of another benchmark, {other}. Choose another "
                "name, title or alias."
            )


def get_benchmark(name: str) -> Benchmark:
    """The benchmark called ``name``, or that ``name`` is a spelling, an alias or the file of.

    >>> get_benchmark("OTB-100").name
    'otb2015'
    >>> get_benchmark("uav123").length_hint(3085, 1029)
    'As many rows as UAV123@10fps has, which keeps one frame in 3: another benchmark.'

    Raises:
        ConfigError: unknown benchmark; the message lists the known ones. Or the declaration that
            ``name`` is the path of is malformed.
    """
    if name.isidentifier() and (_FOLDER / f"{name}.json").is_file():
        return _shipped(name)
    near = {**_built_in(), **{key: row for key, (_, row) in _declared.items()}}
    if found := near.get(name) or near.get(_spellings(near).get(_squeezed(name), "")):
        return found
    if Path(name).suffix in SUFFIXES:
        return declare(name)
    known = benchmarks()
    found = known.get(_spellings(known).get(_squeezed(name), ""))
    if found is None:
        error = unknown_name("benchmark", name, known)
        raise ConfigError(f"{error} Bring in another with --benchmarks FILE (a declaration).")
    return found


def _spellings(known: Mapping[str, Benchmark]) -> dict[str, str]:
    """Names of benchmarks by name, title and alias without case and punctuation."""
    return {
        _squeezed(spelling): name
        for name, row in known.items()
        for spelling in (name, row.title, *row.aliases)
    }


def _squeezed(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
