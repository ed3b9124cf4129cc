"""Settings of a machine or a project: ``bench.toml`` here, and the user's.

::

    results = "/data/results"
    data = "/data"            # the folder that holds <benchmark>/, or, for single benchmarks:

    [data]
    otb2015 = "/data/OTB2015"
    default = "/data"

An option on the command line wins over the environment (``BENCH_DATA``, ``BENCH_RESULTS``), that
over ``bench.toml`` in the working folder, and that over the user's. Relative paths count from the
file they stand in.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, unknown_name

NAME = "bench.toml"
_KEYS = ("data", "results")
_OTHERS = "default"


@dataclass(frozen=True)
class Configuration:
    """What configuration files say.

    Attributes:
        files: those that were read, the first wins.
        results: folder of results, None if none says so.
        data: folders by benchmark; ``default`` for all others.
    """

    files: tuple[Path, ...] = ()
    results: Path | None = None
    data: Mapping[str, Path] = field(default_factory=dict)

    def data_of(self, benchmark: str) -> Path | None:
        """The folder of a benchmark, None if nothing says so."""
        try:
            name = get_benchmark(benchmark).name
        except ConfigError:  # the verb will say so
            name = _OTHERS
        return self.data.get(name) or self.data.get(_OTHERS)


def configuration_files() -> list[Path]:
    """Where settings may stand, the first wins."""
    import platformdirs

    return [Path.cwd() / NAME, Path(platformdirs.user_config_dir("bench")) / NAME]


def configuration() -> Configuration:
    """What applies here.

    Raises:
        ConfigError: a file is malformed.
    """
    files = [path for path in configuration_files() if path.is_file()]
    results: Path | None = None
    data: dict[str, Path] = {}
    for path in reversed(files):
        content = _read(path)
        folders = content.get("data", {})
        named = folders if isinstance(folders, Mapping) else {_OTHERS: folders}
        if not isinstance(folders, Mapping):
            data.clear()  # one folder for everything hides the user's single ones
        data |= {name: _path(path, f"data.{name}", value) for name, value in named.items()}
        if "results" in content:
            results = _path(path, "results", content["results"])
    return Configuration(tuple(files), results, _by_benchmark(data, results))


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ConfigError: it cannot be read.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error})") from error
    return content


def _read(path: Path) -> dict[str, Any]:
    content = read_toml(path)
    for key in content:
        if key not in _KEYS:
            raise unknown_name(f"setting in {path}", key, _KEYS)
    return content


def _by_benchmark(data: Mapping[str, Path], results: Path | None) -> dict[str, Path]:
    """Folders by the benchmarks' own names; a benchmark may be declared beside its results."""
    from bench.results.declared import benchmark_of

    beside = results or Path("results")
    return {
        name if name == _OTHERS else benchmark_of(name, beside).name: path
        for name, path in data.items()
    }


def _path(file: Path, key: str, value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{file}: {key}: expected a path in quotes, found {value!r}")
    return file.parent / Path(value).expanduser()
