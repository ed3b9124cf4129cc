"""Finds the class behind the name of a tracker, and adapts classes of other toolkits.

Three kinds of name exist: a registered name (entry point group ``bench.trackers``),
``module:Class`` and ``path/file.py:Class``.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
import typing
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import entry_points, requires
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from bench.errors import ConfigError, TrackerError, describe, install_extra, unknown_name

ROOT = str(Path(__file__).resolve().parent.parent)
"""The folder that this package was imported from."""

Adapter: TypeAlias = Callable[[type], type | None]

_put: set[str] = set()  # folders of plug-ins that were put on sys.path


def registered_trackers() -> dict[str, str]:
    """The ``module:Class`` of each registered name, sorted by name."""
    return {e.name: e.value for e in sorted(entry_points(group="bench.trackers"))}


def find_tracker(target: str) -> type:
    """The class that a target names, adapted if it was written for another toolkit.

    Args:
        target: registered name, ``module:Class`` or ``path/file.py:Class``.

    Raises:
        ConfigError: the name is unknown, or the module or file has no such class.
        TrackerError: importing the module failed.
    """
    registered = registered_trackers()
    location, _, class_name = registered.get(target, target).rpartition(":")
    if not (location and class_name):
        raise unknown_name("tracker", target, [*registered, "module:Class", "path/file.py:Class"])
    if target not in registered and location.endswith(".py"):
        location = str(Path(location).resolve())
    return _find(target, location, class_name, target in registered)


@lru_cache(maxsize=64)
def _find(target: str, location: str, class_name: str, registered: bool) -> type:
    module = _load(target, location, registered)
    found = getattr(module, class_name, None)
    if found is None:
        known = [name for name, value in vars(module).items() if inspect.isclass(value)]
        raise unknown_name(f"class in module {location!r}", class_name, known)
    if not inspect.isclass(found):
        raise ConfigError(
            f"tracker {target!r}: expected a class, found a {type(found).__name__}. Name a class "
            f"of {location!r} that has init and update."
        )
    adapted = adapt(found)
    missing = [n for n in ("init", "update") if not callable(getattr(adapted, n, None))]
    if missing:
        raise ConfigError(
            f"tracker {target!r}: expected a class with init(image, region) and update(image), "
            f"found {class_name} without {' and '.join(missing)}. Name another class."
        )
    return adapted


def _load(target: str, location: str, registered: bool) -> ModuleType:
    """The module of a tracker; whatever its import raises becomes an error of ours."""
    try:
        if registered:
            with installed_first(location):
                return importlib.import_module(location)
        if location.endswith(".py"):
            return _load_file(target, Path(location))
        put_first("")  # a plug-in may be in the folder that the command is called from
        return importlib.import_module(location)
    except ConfigError:
        raise
    except ModuleNotFoundError as error:
        raise _missing_module(target, location, error.name) from error
    except SystemExit as error:
        raise TrackerError(
            f"importing {location!r} for tracker {target!r} failed: it called "
            f"sys.exit({error.code!r}), {describe(error)}. Put what the module runs as a script "
            'under if __name__ == "__main__":'
        ) from error
    except Exception as error:
        raise TrackerError(
            f"importing {location!r} for tracker {target!r} failed: {describe(error)}"
        ) from error


def _missing_module(target: str, location: str, missing: str | None) -> Exception:
    if missing and not location.startswith(missing):
        return TrackerError(
            f"tracker {target!r} needs the module {missing!r}, which is not installed. "
            f"Install it{_extra_with(missing)} and try again."
        )
    return ConfigError(
        f"no module {location!r} for tracker {target!r}: looked in {Path.cwd()} and the "
        "installed packages. Give module:Class with a module that can be imported from here, "
        "or path/file.py:Class."
    )


def _extra_with(module: str) -> str:
    """The command for the extra of this package that brings ``module``, if one does."""
    wanted = re.compile(rf"{re.escape(module)}\b[^;]*;.*extra == ['\"]([\w-]+)")
    found = (wanted.match(line) for line in requires("siamattn-bench") or ())
    extra = next((match[1] for match in found if match), None)
    return f" with {install_extra(extra)}" if extra else ""


def _load_file(target: str, path: Path) -> ModuleType:
    """A Python file as a module whose name depends on its path only."""
    if not path.is_file():
        raise ConfigError(f"tracker {target!r}: expected a Python file, but {path} does not exist")
    name = f"_bench_tracker_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    put_first(str(path.parent))  # for the modules that it imports from its own folder
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"tracker {target!r}: {path} cannot be loaded as a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def put_first(folder: str) -> None:
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
        _put.add(folder)


def _put_working_folder_last() -> None:
    """Let no module of the working folder, or of the script's folder, hide an installed one."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    here = {"", str(Path.cwd()), script and str(Path(script).resolve().parent)}
    others = [entry for entry in sys.path if entry not in here]
    ours = [] if ROOT in others else [ROOT]
    sys.path[:] = [*others, *ours, *(entry for entry in sys.path if entry in here)]


def found_by_workers(module: str) -> bool:
    """Whether a worker process can import ``module``, which starts without plug-ins' folders."""
    package = module.partition(".")[0]
    path = [entry for entry in sys.path if entry not in _put]
    return package in sys.builtin_module_names or bool(PathFinder.find_spec(package, path))


@contextlib.contextmanager
def path_of_workers(registered: bool) -> Iterator[None]:
    """The ``sys.path`` that a worker process starts with, so that it finds this package.

    Folders of plug-ins are left out: the worker adds them itself. For a registered tracker the
    working folder comes last.
    """
    before = sys.path[:]
    sys.path[:] = [entry for entry in before if entry not in _put]
    if registered:
        _put_working_folder_last()
    try:
        yield
    finally:
        sys.path[:] = before


@contextlib.contextmanager
def installed_first(module: str) -> Iterator[dict[str, ModuleType]]:
    """Import ``module`` from where it is installed, whatever the working folder holds.

    Yields the modules of a like-named package from elsewhere, which had been imported before and
    were removed from ``sys.modules``.
    """
    before = sys.path[:]
    _put_working_folder_last()
    during = set(sys.path)
    package = module.partition(".")[0]
    hidden = _modules_of(package) if _is_other(package) else {}
    for name in hidden:
        del sys.modules[name]
    try:
        yield hidden
    finally:
        sys.path[:] = [*(entry for entry in sys.path if entry not in during), *before]


def _modules_of(package: str) -> dict[str, ModuleType]:
    within = f"{package}."
    return {n: m for n, m in sys.modules.items() if n == package or n.startswith(within)}


def _is_other(package: str) -> bool:
    """Whether the imported package of that name is not the one that would be imported now."""
    loaded, wanted = sys.modules.get(package), PathFinder.find_spec(package, sys.path)
    if loaded is None or wanted is None or loaded.__spec__ is None:
        return False
    origins = [spec.origin and os.path.realpath(spec.origin) for spec in (loaded.__spec__, wanted)]
    return origins[0] != origins[1]


def adapt(found: type) -> type:
    """``found`` itself, or a wrapper where an entry point of ``bench.adapters`` offers one.

    An adapter is a function that takes a class. It returns a class with our interface, or None if
    the class needs no adapter or is not one that it knows.
    """
    offers = (adapter(found) for adapter in _adapters())
    return next((adapted for adapted in offers if adapted is not None), found)


@lru_cache(maxsize=1)
def _adapters() -> tuple[Adapter, ...]:
    return tuple(map(_load_adapter, sorted(entry_points(group="bench.adapters"))))


def _load_adapter(entry: Any) -> Adapter:
    """An adapter; a package of the user's that has the same name is imported again as it was."""
    with installed_first(entry.module) as hidden:
        adapter = typing.cast(Adapter, entry.load())
    if hidden:
        for name in _modules_of(entry.module.partition(".")[0]):
            del sys.modules[name]
        sys.modules.update(hidden)
    return adapter


def class_around(tracker: object) -> type:
    """A class that takes no options and whose only instance is ``tracker``."""
    kind = type(tracker)

    def instance(cls: type) -> object:
        return tracker

    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), {"__new__": instance, "__init__": _no_options, **names})


def _no_options(self: object) -> None:
    """The constructor of a class whose instance exists already."""
