"""Which videos the miniature consists of: ``tables/mini.json`` with a type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bench.benchmarks import TABLES
from bench.errors import unknown_name


@dataclass(frozen=True)
class Rules:
    """Where the benchmarks' definitions of attributes differ.

    Attributes:
        low_resolution: a box of fewer pixels is of low resolution.
        fast_pixels: motion of more pixels per frame is fast; None: of more than the box's size.
        leaves_wholly: only a target that wholly leaves the view is out of view.
    """

    low_resolution: float = 400.0
    fast_pixels: float | None = 20.0
    leaves_wholly: bool = False


@dataclass(frozen=True)
class Entry:
    """One sequence, cut from a video.

    Attributes:
        name: the benchmark's own name.
        start: first frame of the video, 0-based.
        frames: number of frames.
        first: number of its first image in the benchmark's numbering.
        target: which of the video's targets.
        quirks: what its layout does differently for this one.
    """

    name: str
    frames: int
    start: int = 0
    first: int = 1
    target: int = 0
    quirks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Video:
    """One folder of images.

    Attributes:
        folder: its name.
        entries: the sequences cut from it.
        scenario: fields of ``scene.Scenario``; None for a random one.
        quirks: what its layout does differently for it.
    """

    folder: str
    entries: tuple[Entry, ...]
    scenario: Mapping[str, Any] | None
    quirks: Mapping[str, str] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Number of frames to render."""
        return max(entry.start + entry.frames for entry in self.entries)

    def numbers(self) -> list[int]:
        """Number of every image, in the benchmark's numbering."""
        numbers = [0] * self.frames
        for entry in self.entries:
            for index in range(entry.frames):
                numbers[entry.start + index] = entry.first + index
        return numbers


@dataclass(frozen=True)
class Plan:
    """The miniature of one benchmark.

    Attributes:
        source: where the names come from.
        size: (width, height) of the frames in pixels.
        rules: thresholds of its attributes.
        videos: what to render.
    """

    source: str
    size: tuple[int, int]
    rules: Rules
    videos: tuple[Video, ...]


@lru_cache(maxsize=1)
def plans() -> dict[str, Plan]:
    """The plan of every benchmark by name."""
    table = json.loads((TABLES / "mini.json").read_text(encoding="utf-8"))
    return {
        name: Plan(
            source=row["source"],
            size=(row["size"][0], row["size"][1]),
            rules=Rules(**row["rules"]),
            videos=tuple(_video(video) for video in row["videos"]),
        )
        for name, row in table.items()
    }


def get_plan(benchmark: str) -> Plan:
    """The plan of one benchmark.

    Raises:
        ConfigError: there is no miniature of that name.
    """
    if benchmark not in plans():
        raise unknown_name("miniature", benchmark, plans())
    return plans()[benchmark]


def _video(row: dict[str, Any]) -> Video:
    entries = tuple(Entry(**entry) for entry in row["entries"])
    return Video(row["folder"], entries, row["scenario"], row.get("quirks", {}))
