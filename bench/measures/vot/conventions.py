"""How each toolkit turns runs into accuracy, robustness and expected overlap, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.measures import conventions
from bench.measures.conventions import find_row, read_table
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


_TABLE = "vot_conventions.json"


def convention_names() -> tuple[str, ...]:
    """Every known convention of the VOT measures."""
    return tuple(read_table(_TABLE))


def get_convention(name: str) -> VotConvention:
    """The convention called ``name``.

    Raises:
        ConfigError: no convention has that name.
    """
    return VotConvention(**find_row(_TABLE, name))


def differences(convention: VotConvention, official: VotConvention) -> list[str]:
    """Where ``convention`` deviates from ``official``, one phrase per rule."""
    return conventions.differences("vot", convention, official)
