"""The options of foreign trackers: parameters of their constructors, typed if unannotated."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError

_PLAIN = (bool, int, float, str, Path)


class Number:
    """Type of an option without annotation whose default is a whole number: any number."""


class Value:
    """Type of an option about whose type nothing is known: None, true, a number, or text."""


def read_signature(constructor: Callable[..., Any]) -> inspect.Signature:
    """The parameters of a constructor without ``self``, each with a type that can be parsed.

    An annotation that cannot be resolved, or is not a type of an option, counts as none; then the
    type of the default decides. Constructors of C code have no parameters.
    """
    try:
        signature = inspect.signature(constructor)
    except (TypeError, ValueError):
        return inspect.Signature()
    try:
        hints = typing.get_type_hints(constructor)
    except Exception:  # annotations may evaluate anything, or be for type checkers only
        hints = dict(getattr(constructor, "__annotations__", {}))
    parameters = list(signature.parameters.values())[1:]
    return inspect.Signature([p.replace(annotation=_option_type(p, hints)) for p in parameters])


def _option_type(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
    declared = hints.get(parameter.name)
    if declared is not None and _is_option_type(declared):
        return declared
    kind = type(parameter.default)
    if kind is int:
        return Number
    return kind if kind in _PLAIN else Value


def _is_option_type(declared: Any) -> bool:
    """Whether the command line can make a value of a type."""
    if declared in _PLAIN or typing.get_origin(declared) is Literal:
        return True
    if typing.get_origin(declared) not in (typing.Union, types.UnionType):
        return False
    inner = [choice for choice in typing.get_args(declared) if choice is not type(None)]
    return len(inner) == 1 and _is_option_type(inner[0])


def read_values(signature: inspect.Signature, options: Mapping[str, Any]) -> dict[str, Any]:
    """``options`` with the text of those of type ``Number`` and ``Value`` read.

    Raises:
        ConfigError: a ``Number`` is none.
    """
    return {name: _read_value(signature, name, value) for name, value in options.items()}


def _read_value(signature: inspect.Signature, name: str, value: Any) -> Any:
    parameter = signature.parameters.get(name)
    kind = Value if parameter is None else parameter.annotation
    if not isinstance(value, str) or kind not in (Number, Value):
        return value
    found = literal(value)
    if kind is Number and type(found) not in (int, float):
        raise ConfigError(f"option {name!r}: expected a number, found {value!r}")
    return found


def literal(text: str) -> Any:
    """A Python literal, or the words true, false and none in any case; else the text itself."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def is_declared_deterministic(found: type) -> bool:
    """Whether a class says that all its runs are equal.

    Its attribute ``deterministic`` or ``is_deterministic`` says so; or, as got10k has it, a call
    ``super().__init__(name, is_deterministic=True)`` in its constructor. Nothing said means no.
    """
    for name in ("deterministic", "is_deterministic"):
        said = getattr(found, name, None)
        if isinstance(said, bool):
            return said
    constructors = [vars(kind)["__init__"] for kind in found.__mro__ if "__init__" in vars(kind)]
    told = [said for said in map(_passed_on, constructors) if said is not None]
    return told[0] if told else False


def _passed_on(constructor: Any) -> bool | None:
    """What a constructor passes to got10k's as ``is_deterministic``; None if it passes nothing."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(constructor)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", None) == "__init__":
            of_super = isinstance(getattr(call.func, "value", None), ast.Call)
            place = (
                1 if of_super else 2
            )  # after the name; Tracker.__init__(self, ...) has self too
            named = [k.value for k in call.keywords if k.arg == "is_deterministic"]
            for value in named or call.args[place : place + 1]:
                return isinstance(value, ast.Constant) and value.value is True
    return None
