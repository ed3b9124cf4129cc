"""Trackers by name, class or object, and their typed options.

The options of a tracker are the keyword arguments of its constructor.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import keyword
import pickle
import sys
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError, TrackerError, describe, unknown_name
from bench.files import sha256
from bench.loading import (
    adapt,
    class_around,
    find_tracker,
    found_by_workers,
    registered_trackers,
)
from bench.tracker import BenchmarkName, Tracker

__all__ = [
    "TrackerSpec",
    "adapt",
    "find_tracker",
    "make_spec",
    "parse_value",
    "registered_trackers",
    "tracker_options",
]


_WRITTEN = frozenset(("log", "logs", "out", "output", "save", "dump", "debug", "trace", "cache"))


@dataclass(frozen=True)
class TrackerSpec:
    """Everything a worker process needs to build a tracker.

    Attributes:
        name: name of the result folder.
        target: registered name, ``module:Class`` or ``path/file.py:Class``.
        options: option values by name, already of the declared types.
        factory: builds the tracker in place of the class that ``target`` names: a class, or a
            function. It may come from a notebook: processes exchange it by value.
    """

    name: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)
    factory: Callable[..., Any] | None = None

    @property
    def builder(self) -> Callable[..., Any]:
        """The tracker's class, adapted if it is foreign; or a function that builds it.

        Raises:
            ConfigError: the target is unknown.
            TrackerError: its module cannot be imported.
        """
        if self.factory is None:
            return find_tracker(self.target)
        return adapt(self.factory) if inspect.isclass(self.factory) else self.factory

    def build(self) -> Tracker:
        """A new tracker.

        Raises:
            TrackerError: its constructor raised.
        """
        builder = self.builder
        try:
            return typing.cast(Tracker, builder(**self.options))
        except (ConfigError, TrackerError):
            raise
        except (Exception, SystemExit) as error:
            raise TrackerError(
                f"tracker {self.target!r} could not be built with options {dict(self.options)}: "
                f"{describe(error)}"
            ) from error

    def on(self, benchmark: str) -> TrackerSpec:
        """The same tracker, told the benchmark if one of its options is a ``BenchmarkName``."""
        known = tracker_options(self.factory if inspect.isclass(self.factory) else self.target)
        asked = [k for k, p in known.items() if p.annotation is BenchmarkName]
        told = {name: benchmark for name in asked if name not in self.options}
        return dataclasses.replace(self, options={**self.options, **told}) if told else self

    def is_registered(self) -> bool:
        """Whether the target is a registered name."""
        return self.factory is None and self.target in registered_trackers()

    def is_deterministic(self) -> bool:
        """Whether the class has ``deterministic = True``: every run gives the same result."""
        return bool(getattr(self.builder, "deterministic", False))

    def is_batch(self) -> bool:
        """Whether the tracker has a batch form."""
        builder = self.builder
        return all(callable(getattr(builder, name, None)) for name in ("start", "advance"))

    def files(self) -> list[Path]:
        """The existing files that options name (weights, configuration), defaults included.

        Text counts as a path where such a file exists, unless the option is named like one that
        a tracker writes to (``log``, ``out_file``).
        """
        return self._named(named_file)

    def folders(self) -> list[Path]:
        """The existing folders that options name, in the same way.

        Those that the class lists in ``folders`` are left out: it hashes what it uses of them.
        """
        return self._named(named_folder, getattr(self.builder, "folders", ()))

    def _named(
        self, find: Callable[[Any], Path | None], left_out: Collection[str] = ()
    ) -> list[Path]:
        named = dict(self.options)
        with contextlib.suppress(TypeError, ValueError):
            for parameter in inspect.signature(self.builder).parameters.values():
                if parameter.default is not parameter.empty:
                    named.setdefault(parameter.name, parameter.default)
        kept = {k: v for k, v in named.items() if k not in left_out}
        read = [v for k, v in kept.items() if isinstance(v, Path) or not is_written(k)]
        return list(dict.fromkeys(_found_in(read, find)))

    def weights_hash(self) -> str | None:
        """SHA-256 over the files that options name; None without any."""
        files = self.files()
        return sha256(files) if files else None

    def __getstate__(self) -> dict[str, Any]:
        """A factory and its options may be defined in a notebook, so they go by value."""
        if self.factory is None:
            return dict(vars(self))
        with _by_value(self.factory) as cloudpickle:
            pickled = cloudpickle.dumps((self.factory, self.options))
        return {**vars(self), "factory": pickled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["factory"], bytes):
            factory, options = pickle.loads(state["factory"])
            state = {**state, "factory": factory, "options": options}
        vars(self).update(state)


def is_written(option: str) -> bool:
    """Whether an option is named like a file that a tracker writes to."""
    return bool(_WRITTEN.intersection(option.lower().split("_")))


def named_file(value: Any) -> Path | None:
    """The existing file that the value of an option names, as text or as a path."""
    return _named_path(value, Path.is_file)


def named_folder(value: Any) -> Path | None:
    """The same of a folder. One that holds the working folder does not hold a tracker's data."""
    path = _named_path(value, Path.is_dir)
    return None if path is None or Path.cwd().is_relative_to(path.resolve()) else path


def _named_path(value: Any, exists: Callable[[Path], bool]) -> Path | None:
    if not isinstance(value, str | Path) or not str(value):
        return None
    try:
        return Path(value) if exists(Path(value)) else None
    except (OSError, ValueError):  # too long, or with a null
        return None


def _found_in(value: Any, find: Callable[[Any], Path | None]) -> Iterator[Path]:
    """What values of options name, lists and dictionaries included."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _found_in(each, find)
    elif (path := find(value)) is not None:
        yield path


@contextlib.contextmanager
def _by_value(factory: Callable[..., Any]) -> Iterator[Any]:
    """cloudpickle; it copies the code of a factory whose module other processes cannot import."""
    import cloudpickle

    module = sys.modules.get(getattr(factory, "__module__", None) or "__main__")
    copied = module and module.__name__ != "__main__" and not found_by_workers(module.__name__)
    if copied:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield cloudpickle
    finally:
        if copied:
            cloudpickle.unregister_pickle_by_value(module)


def tracker_options(tracker: str | type) -> dict[str, inspect.Parameter]:
    """The options of a tracker: its constructor's keyword parameters with resolved types.

    Raises:
        ConfigError: the tracker is unknown.
        TrackerError: its module cannot be imported.
    """
    found = find_tracker(tracker) if isinstance(tracker, str) else adapt(tracker)
    try:
        hints = typing.get_type_hints(found.__init__)  # type: ignore[misc]
    except Exception:  # for type checkers only, or of a newer Python: options are then text
        hints = {}
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):  # a class written in C may not tell
        return {}
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {
        p.name: p.replace(annotation=hints.get(p.name, _declared(p)))
        for p in parameters
        if p.kind in named
    }


def _declared(parameter: inspect.Parameter) -> Any:
    """The type of a parameter whose annotation was not evaluated; text by default."""
    annotation = parameter.annotation
    return str if annotation is parameter.empty or isinstance(annotation, str) else annotation


def spelled(option: str) -> str:
    """An option as a user writes it; Python code adds an underscore to a reserved word.

    >>> spelled("as_"), spelled("step")
    ('as', 'step')
    """
    return option[:-1] if keyword.iskeyword(option[:-1]) else option


def make_spec(
    tracker: str | type | object,
    settings: Mapping[str, Any] | None = None,
    name: str | None = None,
    device: str | None = None,
    weights: Path | None = None,
    *,
    images: str | None = None,
    first_box: str | None = None,
) -> TrackerSpec:
    """A checked specification of a tracker.

    Args:
        tracker: registered name, ``module:Class``, ``path/file.py:Class``, a class, or an object
            with ``init`` and ``update``, which takes no options.
        settings: option values by name. Text, as ``--set name=value`` gives it, is converted to
            the option's type; any other value is passed on as it is.
        name: name of the result folder; by default what the class's static method
            ``result_name(options)`` gives, else the registered or class name.
        device: value of the option ``device``.
        weights: value of the option ``weights``.
        images: what a tracker written for another toolkit reads, e.g. ``"bgr"``.
        first_box: how such a tracker is started, ``"as-is"`` or ``"pysot"``.

    Raises:
        ConfigError: an unknown option, a value of the wrong type, a required option without a
            value, or weights or a device for a tracker that does not take them.
    """
    bare = _without_options(tracker)
    known = tracker_options(bare.factory if inspect.isclass(bare.factory) else bare.target)
    options = _parse_settings(bare.target, settings or {}, known)
    if weights is not None:
        options["weights"] = _checked_weights(bare.target, weights, known)
    if device is not None:
        if "device" not in known:
            raise ConfigError(
                f"tracker {bare.target!r} has no option to choose where it runs, but "
                f"--device {device} was given; leave it out"
            )
        options["device"] = device
    for option, chosen in (("images", images), ("first_box", first_box)):
        if chosen is not None:
            taken = _adapter_option(bare, option, chosen, known)
            options[taken] = parse_value(chosen, known[taken].annotation, f"--{option}")
    missing = [k for k, p in known.items() if p.default is p.empty and k not in options]
    if missing:
        raise ConfigError(
            f"tracker {bare.target!r} needs the option(s) {', '.join(missing)}: "
            f"give them with --set {missing[0]}=VALUE"
        )
    if name is None and bare.factory is None and hasattr(bare.builder, "result_name"):
        name = str(bare.builder.result_name(options))
    return TrackerSpec(name or bare.name, bare.target, options, bare.factory)


def _adapter_option(
    bare: TrackerSpec, option: str, chosen: str, known: Mapping[str, inspect.Parameter]
) -> str:
    """The name of an adapter's option in the options of an adapted tracker.

    Raises:
        ConfigError: the tracker is not of another toolkit.
    """
    if not hasattr(bare.builder, "foreign"):
        raise ConfigError(
            f"tracker {bare.target!r} has this toolkit's own interface, which takes RGB images "
            f"and boxes as they are, but --{option.replace('_', '-')} {chosen} was given; leave "
            "it out"
        )
    return f"adapter_{option}" if f"adapter_{option}" in known else option


def _without_options(tracker: str | type | object) -> TrackerSpec:
    """The name, target and factory of a tracker."""
    if isinstance(tracker, str):
        return TrackerSpec(tracker.rpartition(":")[2], tracker)
    if not inspect.isclass(tracker) and not _is_tracker(tracker):
        raise ConfigError(
            "expected a tracker: a name, module:Class, path/file.py:Class, a class, or an object "
            f"with init and update, found {type(tracker).__name__}"
        )
    kind = tracker if inspect.isclass(tracker) else type(tracker)
    target = f"{kind.__module__}:{kind.__qualname__}"
    if inspect.isclass(tracker):
        return TrackerSpec(kind.__name__, target, factory=tracker)
    return TrackerSpec(kind.__name__, f"{target} (object)", factory=class_around(tracker))


def _is_tracker(tracker: object) -> bool:
    """Whether an object has our interface, or one that an adapter knows."""
    own = all(callable(getattr(tracker, name, None)) for name in ("init", "update"))
    with contextlib.suppress(ConfigError):  # of no kind of tracker
        return own or adapt(type(tracker)) is not type(tracker)
    return False


def _parse_settings(
    target: str, settings: Mapping[str, Any], known: Mapping[str, inspect.Parameter]
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for given, value in settings.items():
        name = f"{given}_" if keyword.iskeyword(given) else given
        if name not in known:
            raise unknown_name(f"option of tracker {target!r}", name, map(spelled, known))
        where = f"{target}: option {name!r}"
        text = isinstance(value, str)
        options[name] = parse_value(value, known[name].annotation, where) if text else value
    return options


def _checked_weights(target: str, weights: Path, known: Mapping[str, inspect.Parameter]) -> Path:
    if "weights" not in known:
        raise ConfigError(
            f"tracker {target!r} takes no weights, but --weights {weights} was given"
        )
    if not weights.is_file():
        raise ConfigError(f"--weights {weights}: no such file")
    return weights


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
        return _parse_bool(text, where)
    if annotation not in (int, float, Path):
        return text
    try:
        return Path(text).expanduser() if annotation is Path else annotation(text)
    except (ValueError, RuntimeError):  # no such home folder
        raise ConfigError(f"{where}: expected {annotation.__name__}, found {text!r}") from None


def _parse_bool(text: str, where: str) -> bool:
    for value, words in ((True, ("true", "yes", "on", "1")), (False, ("false", "no", "off", "0"))):
        if text.lower() in words:
            return value
    raise ConfigError(f"{where}: expected true or false, found {text!r}")
