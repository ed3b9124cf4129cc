"""Videos of the miniature: those of ``tables/mini.json``, and more with random scenarios."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from bench.benchmarks import TABLES, Benchmark, Listed, get_benchmark
from bench.datasets.forms import filled
from bench.errors import ConfigError

FRAMES = 80  # of an additional video
_PLANNED = 4  # sequences of a subset without a plan of its own
_SIZE = (320, 240)
_NAMES = tuple(f"clip-{number}" for number in range(1, 33))  # where no list is known


@dataclass(frozen=True)
class Rules:
    """Thresholds in which the benchmarks' definitions of attributes differ.

    Attributes:
        low_resolution: box area in pixels below which resolution is low.
        fast_pixels: motion in pixels per frame above which it is fast; None: the box's size.
        leaves_wholly: a target is out of view only if all of it is.
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
        target: index of the target in the video.
        quirks: exceptions of its layout.
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
        scenario: fields of ``scenario.Scenario``; None for a random one.
        quirks: exceptions of its layout.
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
        """Numbers of all images, in the benchmark's numbering."""
        numbers = [0] * self.frames
        for entry in self.entries:
            for index in range(entry.frames):
                numbers[entry.start + index] = entry.first + index
        return numbers


@dataclass(frozen=True)
class Plan:
    """The miniature of one benchmark.

    Attributes:
        source: origin of the names.
        size: (width, height) of the frames in pixels.
        rules: thresholds of its attributes.
        videos: the videos to render.
    """

    source: str
    size: tuple[int, int]
    rules: Rules
    videos: tuple[Video, ...]


@lru_cache(maxsize=1)
def plans() -> dict[str, Plan]:
    """Plans by benchmark."""
    table = json.loads((TABLES / "mini.json").read_text(encoding="utf-8"))
    return {
        name: Plan(
            source=row["source"],
            size=(row["size"][0], row["size"][1]),
            rules=Rules(**row["rules"]),
            videos=tuple(map(_planned, row["videos"])),
        )
        for name, row in table.items()
    }


def get_plan(benchmark: str) -> Plan:
    """The plan of one benchmark: of ``tables/mini.json``, or of its first sequences.

    Raises:
        ConfigError: an unknown benchmark, or its layout cannot be written.
    """
    if benchmark in plans():
        return plans()[benchmark]
    facts = get_benchmark(benchmark)
    if not facts.layout.written and not any(form.images for form in facts.layout.forms):
        raise ConfigError(
            f"{facts.title} has no miniature: its layout {facts.layout.name!r} says nothing about "
            "images. Choose another benchmark."
        )
    source = f"names of {facts.title}'s list" if facts.table else "generated names"
    videos = [video for subset in facts.subsets for video in _first(facts, subset)]
    return Plan(source, _SIZE, Rules(), tuple(videos))


def _first(benchmark: Benchmark, subset: str) -> list[Video]:
    """Videos of the first sequences of a subset that somebody may want scored."""
    skipped = ("all", "train") if benchmark.table else ("all",)
    return [] if subset in skipped else list(islice(_additional(benchmark, subset), _PLANNED))


def _planned(row: dict[str, Any]) -> Video:
    entries = tuple(Entry(**entry) for entry in row["entries"])
    return Video(row["folder"], entries, row["scenario"], row.get("quirks", {}))


def enlarged(plan: Plan, benchmark: str, sequences: int) -> Plan:
    """``plan`` with more videos, for narrower confidence intervals.

    Additional sequences take the official names in order, skipping folders shared by several
    sequences. An additional video is the same in a miniature of any size.

    Args:
        plan: the plan of ``benchmark``.
        benchmark: identifier.
        sequences: total number of test sequences; ``plan`` is kept if it has as many.

    Raises:
        ConfigError: the benchmark has too few names.
    """
    own = sum(len(video.entries) for video in plan.videos if "split" not in video.quirks)
    taken = {video.folder for video in plan.videos}
    additional = _additional(get_benchmark(benchmark), "test")
    found = [video for video in additional if video.folder not in taken]
    if sequences > own + len(found):
        raise ConfigError(
            f"expected at most {own + len(found)} sequences for the miniature of {benchmark}, "
            f"found {sequences}"
        )
    return replace(plan, videos=(*plan.videos, *found[: max(0, sequences - own)]))


def _additional(benchmark: Benchmark, subset: str) -> Iterator[Video]:
    """Videos named after sequences that have a folder of their own, from its usual first image."""
    layout, rows = benchmark.layout, benchmark.listed(subset).values()
    shared = {row.folder for row in rows if row.folder}
    folder = layout.written.get("folder", "{folder}")
    for row in rows or map(Listed, _NAMES):
        if row.name in shared or row.folder or row.file:
            continue
        first = layout.first if row.first is None else row.first
        quirks = {"digits": str(row.digits)} if layout.name == "otb" else {}
        yield _video(row.name, filled(folder, benchmark, row), first, **quirks)


def _video(name: str, folder: str, first: int, **quirks: str) -> Video:
    return Video(folder, (Entry(name, FRAMES, first=first),), None, quirks)
