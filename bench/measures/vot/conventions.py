"""Conventions of the VOT measures: a type for ``tables/vot_conventions.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.measures import conventions
from bench.measures.conventions import find_row, read_table
from bench.measures.vot.expected_overlap import Cut


@dataclass(frozen=True)
class VotConvention:
    """One toolkit's definition of the VOT measures.

    Attributes:
        name: identifier for ``--convention``.
        title: display name.
        source: files of the toolkit that define it.
        overlap: rule of ``bench.geometry.region_overlaps``.
        accuracy_bounds: last column and row counted in accuracy: the image size W, H as the
            MATLAB code passes it, or W - 1, H - 1 as it does for expected overlaps. The latter
            also reproduces the fourth digit of the challenge's results; no printed digit
            depends on it.
        accuracy: averaging of accuracy and failures: over all frames, over sequences weighted
            by length, or over tags weighted by frames.
        expected_overlap: the official definition; ``"late"``: a failure 5 frames before the end
            of a sequence ends a segment; ``"shifted"``: averaged one frame later, repetitions
            unweighted, and any failure near the end ends a segment; or none.
        repetitions: runs that count: all, or the first unless there are exactly 15.
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
        """How runs are cut into segments for expected overlaps."""
        return "official" if self.expected_overlap == "none" else self.expected_overlap


_TABLE = "vot_conventions.json"


def convention_names() -> tuple[str, ...]:
    """Names of all conventions of the VOT measures."""
    return tuple(read_table(_TABLE))


def get_convention(name: str) -> VotConvention:
    """The convention called ``name``.

    Raises:
        ConfigError: unknown convention.
    """
    return VotConvention(**find_row(_TABLE, name))


def differences(convention: VotConvention, official: VotConvention) -> list[str]:
    """Rules in which ``convention`` deviates from ``official``, one phrase each."""
    return conventions.differences("vot", convention, official)
