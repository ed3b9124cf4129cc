"""More videos than the plan has, for narrower intervals: official names, random difficulties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench.datasets.tables import read_table
from bench.errors import ConfigError
from bench.mini.plan import Entry, Plan, Video

FRAMES = 80


def enlarged(plan: Plan, benchmark: str, sequences: int) -> Plan:
    """``plan`` with so many sequences, the further ones in the official order of their names.

    Only names are taken whose folder is theirs alone. The plan's own videos stay as they are, and
    a further one is the same in a miniature of any size. Training sequences do not count.

    Args:
        plan: of ``benchmark``.
        benchmark: identifier.
        sequences: how many there shall be; fewer than planned change nothing.

    Raises:
        ConfigError: more than the benchmark has names for.
    """
    own = sum(len(video.entries) for video in plan.videos if "split" not in video.quirks)
    taken = {video.folder for video in plan.videos}
    found = [video for video in _videos(benchmark) if video.folder not in taken]
    if sequences > own + len(found):
        raise ConfigError(
            f"expected at most {own + len(found)} sequences for the miniature of {benchmark}, "
            f"found {sequences}"
        )
    return replace(plan, videos=(*plan.videos, *found[: max(0, sequences - own)]))


def _videos(benchmark: str) -> Iterator[Video]:
    if benchmark == "otb2015":
        for row in read_table("otb_sequences.csv"):
            if row["name"] == row["folder"] and row["file"] == "groundtruth_rect.txt":
                yield _video(row["name"], first=int(row["first"]), digits=row["digits"])
    elif benchmark == "uav123":
        rows = read_table("uav123_sequences.csv")
        shared = {row["folder"] for row in rows if row["name"] != row["folder"]}
        for row in rows:
            if row["folder"] not in shared and row["first"] == "1":
                yield _video(row["name"])
    elif benchmark == "lasot":
        for row in read_table("lasot_sequences.csv"):
            if row["subset"] == "test":
                yield _video(row["name"], f"{row['name'].rpartition('-')[0]}/{row['name']}")
    elif benchmark == "trackingnet":
        for row in read_table("trackingnet_test.csv"):
            yield _video(row["name"], first=0)
    else:
        for row in read_table("vot_sequences.csv"):
            if row["benchmark"] == benchmark:
                yield _video(row["name"])


def _video(name: str, folder: str | None = None, first: int = 1, **quirks: str) -> Video:
    return Video(folder or name, (Entry(name, FRAMES, first=first),), None, quirks)
