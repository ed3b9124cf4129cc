"""Adapters that run trackers written for other toolkits by name, without changing their classes.

A class is recognised by its methods, so the other toolkits need not be installed:

============  ============================================  ====================================
written for   methods                                       images and output
============  ============================================  ====================================
pytracking    initialize(image, info), track(image, info)   RGB array; dict with ``target_bbox``
got10k        init, update, track(files, box)               PIL image, or RGB array; box
PySOT         init(image, box), track(image)                BGR array; dict with ``bbox``
no toolkit    init(image, box), update(image)               RGB array; box, or a Prediction
============  ============================================  ====================================

Boxes are x, y, w, h in 0-based pixels in all of them. The options of an adapted tracker are those
of the original constructor, and three of the adapter:

* ``images``: what the tracker reads, ``rgb``, ``bgr``, ``gray`` or ``pil``; ``auto`` offers PIL
  images, and arrays to a tracker that cannot read these.
* ``first_box``: ``as-is``, or ``pysot``: moved by half a pixel, as PySOT's test script does.
* ``origin``: coordinate of the first pixel in the tracker's boxes, 0 or 1.

Where the original constructor has an option of that name, the adapter's is ``adapter_images`` etc.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from bench.errors import BenchError, ConfigError, TrackerError
from bench.protocols.steps import describe
from bench.tracker import Prediction
from trackers.adapted import (
    Adapted,
    Bare,
    BatchBare,
    FirstBox,
    FromGot10k,
    FromPySOT,
    FromPyTracking,
    Images,
    Origin,
    parameters,
)
from trackers.answers import absent, as_prediction, from_answer
from trackers.foreign_options import is_declared_deterministic, read_signature, read_values


def adapter_for(found: type) -> type | None:
    """A class with our interface around a foreign one; None for one that needs none.

    The new class keeps the foreign one's name and options; options without annotation get the
    type of their default.

    Raises:
        ConfigError: the class has the methods of no kind of tracker.
    """
    if _is_ours(found):
        return None
    base = _kind(found)
    if base is None:
        raise ConfigError(missing_methods(found) or f"{found.__name__} is not a tracker")
    return type(found.__name__, (base,), {"__init__": _constructor(found, base), **_said(found)})


def missing_methods(found: type) -> str | None:
    """What a class lacks to be a tracker of any kind, as a message; None if it lacks nothing."""
    if _kind(found) is not None:
        return None
    known = ("init", "update", "initialize", "track", "forward", "__call__", "predict", "start")
    own = [n for n in known if any(n in vars(kind) for kind in found.__mro__[:-1])]
    return (
        f"class {found.__qualname__} ({_where(found)}) is not a tracker: expected methods init "
        "and update, as of this toolkit and got10k; init and track, as of PySOT; or initialize "
        f"and track, as of pytracking; found {', '.join(own) or 'none of them'}. Name another "
        "class, or write one with init(image, region) and update(image) around it "
        "(docs/plugins.md)."
    )


def _where(found: type) -> str:
    try:
        return f"{inspect.getsourcefile(found)}:{inspect.getsourcelines(found)[1]}"
    except (OSError, TypeError):
        return f"of module {found.__module__}"


def _kind(found: type) -> type[Adapted] | None:
    """The adapter that fits a class's methods; None if it has not those of a tracker."""

    def has(*names: str) -> bool:
        return all(callable(getattr(found, name, None)) for name in names)

    if not inspect.isclass(found):
        return None
    if has("initialize", "track"):
        return FromPyTracking
    if has("init", "update", "track") and _tracks_files(found):
        return FromGot10k
    if has("init", "track"):
        return FromPySOT
    if has("init", "update"):
        return BatchBare if has("start", "advance") else Bare
    return None


def _tracks_files(found: Any) -> bool:
    """True for got10k's ``track(img_files, box)``, False for PySOT's ``track(img)``."""
    required = [p for p in parameters(found.track) if p.default is p.empty]
    return len(required) > 2  # with self


def _is_ours(found: type) -> bool:
    """Whether ``update`` is known to give a Prediction, so that the class needs no adapter.

    It need not be found out of every class of ours: an adapter makes no difference to one.
    """
    update = inspect.unwrap(getattr(found, "update", None) or _is_ours)
    names = getattr(update, "__globals__", {})
    code = getattr(update, "__code__", None)
    used = () if code is None else code.co_names
    declared = getattr(update, "__annotations__", {}).get("return")
    if isinstance(declared, str):
        declared = names.get(declared.rpartition(".")[2])
    answers = [declared, *(names.get(name) for name in used)]
    return callable(getattr(found, "init", None)) and any(
        inspect.isclass(each) and issubclass(each, Prediction) for each in answers
    )


def _said(found: type) -> dict[str, Any]:
    """Attributes that the adapted class copies from the foreign one."""
    said: dict[str, Any] = {
        "__doc__": found.__doc__,
        "__module__": found.__module__,
        "foreign": found,
        "deterministic": is_declared_deterministic(found),
    }
    if isinstance(inspect.getattr_static(found, "convert", None), staticmethod):
        said["convert"] = staticmethod(found.convert)  # type: ignore[attr-defined]
    return said


def _constructor(found: type, base: type[Adapted]) -> Callable[..., None]:
    """An ``__init__`` that builds the foreign tracker, with its options and the adapter's."""
    foreign = read_signature(found.__init__)  # type: ignore[misc]
    taken = foreign.parameters
    offered = {
        "images": (Images, base.default_images),
        "first_box": (FirstBox, "as-is"),
        "origin": (Origin, 0),
    }
    names = {(f"adapter_{name}" if name in taken else name): name for name in offered}

    def construct(self: Adapted, *args: Any, **options: Any) -> None:
        chosen = {own: options.pop(name, offered[own][1]) for name, own in names.items()}
        built = _built(found, args, read_values(foreign, options))
        base.__init__(self, built, **chosen)
        said = getattr(built, "is_deterministic", None)  # got10k's, known only now
        if isinstance(said, bool):
            self.deterministic = said

    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, keyword, default=offered[own][1], annotation=offered[own][0])
        for name, own in names.items()
    ]
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    listed = sorted((this, *taken.values(), *added), key=lambda p: p.kind)
    construct.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    construct.__annotations__ = {p.name: p.annotation for p in (*taken.values(), *added)}
    return construct


def _built(found: type, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The foreign tracker.

    Raises:
        TrackerError: its constructor raised, or tried to end the process.
    """
    try:
        return found(*args, **options)
    except BenchError:
        raise
    except (Exception, SystemExit) as error:
        raise TrackerError(
            f"tracker {found.__qualname__} could not be built with options {options}: "
            f"{describe(error)}"
        ) from error


__all__ = ["Adapted", "absent", "adapter_for", "as_prediction", "from_answer", "missing_methods"]
