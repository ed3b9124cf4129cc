"""Trackers by name, and their typed options.

A tracker is named either by a registered name (entry point group ``bench.trackers``) or as
``module:Class``; the keyword arguments of its constructor are its options.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError, TrackerError, unknown_name
from bench.tracker import Tracker


@dataclass(frozen=True)
class TrackerSpec:
    """A tracker by name, with the options to build it: everything a worker process needs.

    Attributes:
        name: name of the result folder.
        target: registered name or ``module:Class``.
        options: option values by name, already of the declared types.
    """

    name: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> Tracker:
        """A new tracker.

        Raises:
            TrackerError: its constructor raised.
        """
        factory = find_tracker(self.target)
        try:
            return typing.cast(Tracker, factory(**self.options))
        except (ConfigError, TrackerError):
            raise
        except Exception as error:
            raise TrackerError(
                f"tracker {self.target!r} could not be built with options {dict(self.options)}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def is_deterministic(self) -> bool:
        """Whether the class says ``deterministic = True``: two runs are the same."""
        return bool(getattr(find_tracker(self.target), "deterministic", False))

    def is_batch(self) -> bool:
        """Whether the tracker has a batch form."""
        found = find_tracker(self.target)
        return all(callable(getattr(found, name, None)) for name in ("start", "advance"))

    def weights_hash(self) -> str | None:
        """SHA-256 over the files named by options (weights and the like), None without any."""
        files = [Path(v) for v in self.options.values() if isinstance(v, Path) and v.is_file()]
        if not files:
            return None
        digest = hashlib.sha256()
        for path in files:
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()


def registered_trackers() -> dict[str, str]:
    """Registered names with the ``module:Class`` each stands for, sorted by name."""
    return {e.name: e.value for e in sorted(entry_points(group="bench.trackers"))}


@lru_cache(maxsize=64)
def find_tracker(target: str) -> type:
    """The class behind a registered name or ``module:Class``, adapted if it is foreign.

    Raises:
        ConfigError: the name is not known, or the module has no such class.
        TrackerError: importing the module failed.
    """
    location = registered_trackers().get(target, target)
    module_name, colon, class_name = location.partition(":")
    if not (module_name and colon and class_name):
        raise unknown_name("tracker", target, [*registered_trackers(), "module:Class"])
    if "" not in sys.path:
        sys.path.insert(0, "")  # a plug-in may lie in the folder the command is called from
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and not module_name.startswith(error.name):
            raise TrackerError(
                f"tracker {target!r} needs the module {error.name!r}, which is not installed. "
                f"Install it (see the extras in setup.cfg) and try again."
            ) from error
        raise ConfigError(
            f"no module {module_name!r} for tracker {target!r}: looked in {Path.cwd()} and the "
            "installed packages. Give module:Class with the module importable from here."
        ) from error
    except Exception as error:
        raise TrackerError(
            f"importing {module_name!r} for tracker {target!r} failed: "
            f"{type(error).__name__}: {error}"
        ) from error
    try:
        found = getattr(module, class_name)
    except AttributeError:
        known = [n for n, v in vars(module).items() if inspect.isclass(v)]
        raise unknown_name(f"class in module {module_name!r}", class_name, known) from None
    if not inspect.isclass(found):
        raise ConfigError(
            f"tracker {target!r}: expected a class, found a {type(found).__name__}. Name a class "
            f"of {module_name!r} that has init and update."
        )
    return adapt(found)


def adapt(found: type) -> type:
    """``found`` itself, or a wrapper where an entry point of ``bench.adapters`` offers one.

    An adapter is a function from a class to a class with our interface, or None for a class it
    does not know.
    """
    for entry in sorted(entry_points(group="bench.adapters")):
        adapted = entry.load()(found)
        if adapted is not None:
            return typing.cast(type, adapted)
    return found


def tracker_options(target: str) -> dict[str, inspect.Parameter]:
    """The options of a tracker: its constructor's keyword parameters with resolved types."""
    factory = find_tracker(target)
    constructor = factory.__init__  # type: ignore[misc]
    try:
        hints = typing.get_type_hints(constructor)
    except NameError:  # annotations imported for type checkers only: options are then text
        hints = {}
    parameters = inspect.signature(factory).parameters.values()
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        p.name: p.replace(annotation=hints.get(p.name, str)) for p in parameters if p.kind in named
    }


def make_spec(
    target: str,
    settings: Mapping[str, str] | None = None,
    name: str | None = None,
    device: str | None = None,
    weights: Path | None = None,
) -> TrackerSpec:
    """A checked specification from what a person typed.

    Args:
        target: registered name or ``module:Class``.
        settings: option values as text, from ``--set name=value``.
        name: name of the result folder; by default the registered or class name.
        device: given as option ``device``.
        weights: given as option ``weights``.

    Raises:
        ConfigError: unknown option, a value of the wrong type, or a tracker that needs weights
            without them, or that takes no weights or device and is given them.
    """
    known = tracker_options(target)
    options: dict[str, Any] = {}
    for key, text in (settings or {}).items():
        if key not in known:
            raise unknown_name(f"option of tracker {target!r}", key, known)
        options[key] = parse_value(text, known[key].annotation, f"{target}: option {key!r}")
    if weights is not None:
        if "weights" not in known:
            raise ConfigError(
                f"tracker {target!r} takes no weights, but --weights {weights} given"
            )
        if not weights.is_file():
            raise ConfigError(f"--weights {weights}: no such file")
        options["weights"] = weights
    if device is not None:
        if "device" not in known:
            raise ConfigError(
                f"tracker {target!r} has no option to choose where it runs, but --device {device} "
                "given; leave it out"
            )
        options["device"] = device
    missing = [k for k, p in known.items() if p.default is p.empty and k not in options]
    if missing:
        raise ConfigError(
            f"tracker {target!r} needs the option(s) {', '.join(missing)}: "
            f"give them with --set {missing[0]}=VALUE"
        )
    return TrackerSpec(name or target.rpartition(":")[2], target, options)


def parse_value(text: str, annotation: Any, where: str) -> Any:
    """``text`` as the declared type: bool, int, float, str, Path, Literal, or one ``| None``.

    Raises:
        ConfigError: the text is not a value of that type.
    """
    choices = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        if text in map(str, choices):
            return next(c for c in choices if str(c) == text)
        raise unknown_name(f"value of {where}", text, map(str, choices))
    if type(None) in choices:
        if text.lower() == "none":
            return None
        return parse_value(text, next(c for c in choices if c is not type(None)), where)
    if annotation is bool:
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        raise ConfigError(f"{where}: expected true or false, found {text!r}")
    if annotation not in (int, float, Path):
        return text
    try:
        return annotation(text)
    except ValueError:
        raise ConfigError(f"{where}: expected {annotation.__name__}, found {text!r}") from None
