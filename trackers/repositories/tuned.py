"""What a tracker sets differently for one benchmark than for a video of no benchmark."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

NEUTRAL = "video"
"""What these repositories call a video of no benchmark (their ``tracking/video_demo.py``)."""
_DEPTH = 6  # of nested configurations
_SHOWN = 3  # differences that a note lists


def reads_name(kind: type) -> bool:
    """Whether a constructor ``(params, dataset_name)`` does anything with its second argument."""
    constructor = kind.__init__  # type: ignore[misc]
    name = positional(constructor)[2:3]
    if not (name and inspect.isfunction(constructor)):
        return takes_name(kind)
    used = (instruction.argval for instruction in dis.get_instructions(constructor))
    return any(name[0] == each or (isinstance(each, tuple) and name[0] in each) for each in used)


def takes_name(kind: type) -> bool:
    """Whether a constructor takes ``(params, dataset_name)``, and not ``params`` alone."""
    constructor = kind.__init__  # type: ignore[misc]
    starred = inspect.Parameter.VAR_POSITIONAL
    kinds = [each.kind for each in inspect.signature(constructor).parameters.values()]
    return len(positional(constructor)) > 2 or starred in kinds


def positional(function: Callable[..., Any]) -> list[str]:
    """Names of the parameters that can be given by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind in kinds]


def settings_of(tracker: object) -> dict[str, Any]:
    """The plain settings of a tracker by dotted name: its attributes, parameters, configuration.

    Numbers, truths, text and lists of these count; tensors and networks do not.
    """
    attributes = dict(getattr(tracker, "__dict__", {}))
    params = attributes.pop("params", None)
    found = dict(_plain(attributes))
    return {**found, **dict(_plain(getattr(params, "__dict__", {}), "params."))}


def _plain(values: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> Iterator[Any]:
    for name, value in values.items():
        full = f"{prefix}{name}"
        if isinstance(value, Mapping) and depth < _DEPTH:
            yield from _plain(value, f"{full}.", depth + 1)
        elif value is None or isinstance(value, bool | int | float | str):
            yield full, value
        elif isinstance(value, list | tuple) and all(
            isinstance(each, bool | int | float | str) for each in value
        ):
            yield full, list(value)


def difference(name: str, here: Mapping[str, Any], there: Mapping[str, Any] | None) -> str:
    """What a tracker built for the benchmark ``name`` has that one for no benchmark has not.

    Args:
        name: what the tracker was told.
        here: its settings.
        there: its settings when it is told ``NEUTRAL``; None if it cannot be built so.

    Returns:
        The difference in words; empty if there is none.
    """
    if there is None:
        return f"it can be built for {name!r}, but not for a video of no benchmark"
    differing = {k: v for k, v in here.items() if there.get(k) != v}
    kept = [k for k, v in differing.items() if _is(v, name) and _is(there.get(k), NEUTRAL)]
    listed = [
        f"{k} {v!r} instead of {there.get(k)!r}" for k, v in differing.items() if k not in kept
    ]
    if listed:
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        return f"for {name!r} it has {', '.join(listed[:_SHOWN])}{more}"
    return f"it keeps the name {name!r} in {kept[0]}, and may act on it" if kept else ""


def _is(value: object, name: str) -> bool:
    return isinstance(value, str) and value.lower() == name.lower()
