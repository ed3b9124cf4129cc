"""Records of tensors: nested tuples and dataclasses, with plain values beside the tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, cast

import torch
from torch import Tensor


def join(parts: Sequence[Any]) -> Any:
    """Concatenate the tensors of several records along their first dimension.

    Args:
        parts: all with the same structure.
    """
    if len(parts) == 1:
        return parts[0]
    return _mapped(lambda _, tensors: torch.cat(tensors), "", parts)


def named_tensors(record: Any) -> dict[str, Tensor]:
    """The tensors of a record by the names and numbers that lead to them, e.g. ``terms.0.z``."""
    return dict(_walk(record, ""))


def filled(record: Any, tensors: Mapping[str, Tensor]) -> Any:
    """A copy of a record with other ``tensors``, as ``named_tensors`` names them.

    Tensors without another stay.
    """
    return _mapped(lambda name, parts: tensors.get(name, parts[0]), "", [record])


def _walk(part: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(part, Tensor):
        yield name, part
    for key, value in _members(part).items():
        yield from _walk(value, f"{name}.{key}" if name else key)


def _mapped(work: Callable[[str, list[Tensor]], Tensor], name: str, parts: Sequence[Any]) -> Any:
    """A record of what ``work`` makes of each name and the tensors that ``parts`` have there."""
    first = parts[0]
    if isinstance(first, Tensor):
        return work(name, list(parts))
    members = [_members(part) for part in parts]
    made = {
        key: _mapped(work, f"{name}.{key}" if name else key, [each[key] for each in members])
        for key in members[0]
    }
    if isinstance(first, tuple):
        return tuple(made.values())
    return cast(Any, type(first))(**made) if is_dataclass(first) else first


def _members(part: Any) -> dict[str, Any]:
    """The members of a tuple or dataclass; of anything else none."""
    if isinstance(part, tuple):
        return {str(number): value for number, value in enumerate(part)}
    return {f.name: getattr(part, f.name) for f in fields(part)} if is_dataclass(part) else {}
