"""How each toolkit turns runs into accuracy, robustness and expected overlap, as data."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from bench.benchmarks import TABLES
from bench.errors import unknown_name
from bench.measures.vot.expected_overlap import Cut


@dataclass(frozen=True)
class VotConvention:
    """One toolkit's definition of the measures of the VOT challenge.

    Attributes:
        name: identifier for ``--convention``.
        title: how it is printed.
        source: the files the definition was read from.
        overlap: rule of ``bench.geometry.region_overlaps``.
        accuracy_bounds: last column and row that count in accuracy: the image's size W, H as the
            MATLAB code passes it, or W - 1, H - 1 as it does for expected overlaps. The latter
            gives the fourth digit of the challenge's results too; no printed digit depends on it.
        accuracy: averaged over all frames, over sequences weighted by their length, or over tags
            weighted by their frames; failures go the same way.
        expected_overlap: the official one; ``"late"``: a failure 5 frames before the end of a
            sequence ends a piece; ``"shifted"``: averaged one frame later, repetitions not
            weighted, and any failure near the end ends a piece; or none at all.
        repetitions: which runs count: all, or the first unless there are exactly 15.
    """

    name: str
    title: str
    source: str
    overlap: str
    accuracy_bounds: Literal["size", "size less one"]
    accuracy: Literal["pooled", "by sequence", "by tag"]
    expected_overlap: Literal["official", "late", "shifted", "none"]
    repetitions: Literal["all", "first unless 15"]

    @property
    def cut(self) -> Cut:
        """How runs are cut into pieces for expected overlaps."""
        return "official" if self.expected_overlap == "none" else self.expected_overlap


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads(
        (TABLES / "vot_conventions.json").read_text(encoding="utf-8")
    )
    return table


def convention_names() -> tuple[str, ...]:
    """Every known convention of the VOT measures."""
    return tuple(_table())


def get_convention(name: str) -> VotConvention:
    """The convention called ``name``.

    Raises:
        ConfigError: no convention has that name.
    """
    try:
        return VotConvention(name=name, **_table()[name])
    except KeyError:
        raise unknown_name("convention", name, _table()) from None


_WORDS = {
    "overlap": {
        "vot": "rectangles span x..x+w",
        "vot-matlab-head": "rectangles span x..x+w-1",
        "vot-toolkit": "another raster: halves rounded to even, horizontal edges filled",
        "analytic": "exact areas in place of the raster",
    },
    "accuracy_bounds": {
        "size": "accuracy counts pixels up to column W and row H",
        "size less one": "accuracy counts pixels up to column W-1 and row H-1",
    },
    "accuracy": {
        "pooled": "accuracy is pooled over all frames",
        "by sequence": "accuracy is a mean of sequences weighted by length",
        "by tag": "accuracy and failures are means of tags weighted by frames, failures of a "
        "sequence set are not summed",
    },
    "expected_overlap": {
        "official": "the official expected overlap",
        "late": "a failure 5 frames before the end of a sequence ends a piece in expected overlap",
        "shifted": "expected overlap is averaged one frame later, repetitions are not weighted "
        "and a failure at the end of a sequence is one",
        "none": "no expected overlap",
    },
    "repetitions": {
        "all": "every repetition counts",
        "first unless 15": "only the first repetition counts unless there are exactly 15",
    },
}


def differences(convention: VotConvention, official: VotConvention) -> list[str]:
    """Where ``convention`` deviates from ``official``, one phrase a rule."""
    mine, theirs = dataclasses.asdict(convention), dataclasses.asdict(official)
    return [words[mine[rule]] for rule, words in _WORDS.items() if mine[rule] != theirs[rule]]
