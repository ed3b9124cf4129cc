"""A cause of a difference, with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.arrays import FloatArray
from bench.comparison.pairs import Pair

Remade = Callable[[Pair], FloatArray]
"""Boxes of the suspect as the reference's rows give them under a cause."""


@dataclass(frozen=True)
class Cause:
    """One cause.

    Attributes:
        name: identifier, e.g. ``"one-based"``.
        title: in words.
        evidence: what was seen.
        side: ``"a"`` or ``"b"``, the run that it is a trait of; empty for both.
        weight: how sure, from 0 to 1; causes are ranked by it.
        sequences: on which it is seen.
        explains: part of the difference that it makes, by measure, where that was tested.
        remedy: what to do.
        mutual: whether boxes cannot tell which of the two runs it is a trait of.
        remade: how the rows of the other run become those of this one, where that is known.
    """

    name: str
    title: str
    evidence: str
    side: str = ""
    weight: float = 0.5
    sequences: tuple[str, ...] = ()
    explains: Mapping[str, float] = field(default_factory=dict)
    remedy: str = ""
    mutual: bool = False
    remade: Remade | None = field(default=None, compare=False, repr=False)

    def plain(self) -> dict[str, Any]:
        """The same as JSON facts."""
        own = {k: v for k, v in vars(self).items() if k != "remade"}
        return {**own, "explains": dict(self.explains), "sequences": list(self.sequences)}
