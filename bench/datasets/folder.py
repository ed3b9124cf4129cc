"""Own clips: images or a video with boxes, or boxes alone.

``<root>`` holds any number of clips, or is itself one. A clip is

* a folder of images (or with the images in ``img/`` or ``color/``) and a text file of boxes:
  ``groundtruth.txt``, ``groundtruth_rect.txt`` or ``init.txt``;
* a video, with the boxes in a text file of the same name beside it;
* the text file alone, in a folder of its own or as ``<clip>.txt``: it can be scored, not run.

A row of the file is ``x,y,w,h`` in 0-based pixels, of every frame or of the first one only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.benchmarks import Benchmark, Listed
from bench.datasets.files import (
    begins_with_a_box,
    image_names,
    is_clutter,
    natural_key,
    read_boxes,
    stems,
)
from bench.datasets.frames import SortedFrames, VideoFrames
from bench.datasets.scan import (
    Entry,
    Scan,
    compare,
    missing_dataset,
    others_of,
    require_subset,
)
from bench.errors import DatasetError
from bench.sequence import Frames, Sequence

BOX_FILES = ("groundtruth.txt", "groundtruth_rect.txt", "init.txt")
IMAGE_FOLDERS = ("img", "color")
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """Every clip in the root, or the root itself if it is a clip; of a list, those on it."""
    require_subset(benchmark, subset, benchmark.subsets)
    if not root.exists():
        raise missing_dataset(benchmark, root, [root])
    inside: list[Path] = []
    if root.is_dir() and _box_file(root) is None:
        paths = (path for path in root.iterdir() if not is_clutter(path.name))
        inside = sorted(paths, key=lambda path: natural_key(path.name))
    outer = [path for path in inside if path.name not in IMAGE_FOLDERS]
    clips = {path: clip for path in outer if (clip := _clip(path, benchmark))}
    known = {clip.name for clip in clips.values()}
    clips |= {path: clip for path in outer if (clip := _boxes_alone(path, benchmark, known))}
    own = None if clips else _clip(root.absolute(), benchmark) or _alone(root, benchmark)
    entries = (own,) if own else tuple(clips[path] for path in outer if path in clips)
    _require_unique(root, [entry.name for entry in entries])
    ignored = [path.name for path in outer if path.is_dir() and path not in clips]
    if benchmark.table:
        rows = benchmark.listed(subset)
        listed = {e.name: _listed(e, rows[e.name]) for e in entries if e.name in rows}
        surplus = {*ignored, *(e.name for e in entries)} - benchmark.rows.keys()
        return compare(listed, rows, surplus, (root,), others_of(benchmark, subset))
    return Scan(entries, surplus=() if own else tuple(ignored), looked=(root,))


def _listed(entry: Entry, row: Listed) -> Entry:
    """A clip with what the list says of it."""

    def load() -> Sequence:
        attributes = row.attributes or frozenset()
        return replace(entry.load(), attributes=attributes, size=row.size, stated_size=row.size)

    return replace(entry, load=load, rows=row.frames)


def _require_unique(root: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(
            f"{root}: expected unique clip names, found several clips called {', '.join(twice)}. "
            "Rename all but one of each."
        )


def _box_file(folder: Path) -> Path | None:
    return next((folder / name for name in BOX_FILES if (folder / name).is_file()), None)


def _clip(path: Path, benchmark: Benchmark) -> Entry | None:
    """Entry of a video, or of a folder with images or boxes; None for anything else."""
    if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
        return Entry(path.stem, partial(_load_video, benchmark, path))
    images = next((f for f in (path, *map(path.joinpath, IMAGE_FOLDERS)) if image_names(f)), None)
    if images is None and _box_file(path) is None:
        return None
    return Entry(path.name, partial(_load_folder, benchmark, path, images))


def _boxes_alone(path: Path, benchmark: Benchmark, known: Iterable[str]) -> Entry | None:
    """Entry of ``<clip>.txt`` without any images; None for other texts, and beside a clip."""
    return None if path.stem in known else _alone(path, benchmark)


def _alone(path: Path, benchmark: Benchmark) -> Entry | None:
    if not begins_with_a_box(path):
        return None
    return Entry(path.stem, partial(_sequence, benchmark, path.stem, path, None))


def _load_video(benchmark: Benchmark, path: Path) -> Sequence:
    beside = stems(path.parent).get(path.stem)
    if beside is None:
        raise DatasetError(_no_boxes(path.stem, f"{path.with_suffix('.txt')}"))
    return _sequence(benchmark, path.stem, beside, VideoFrames(path))


def _load_folder(benchmark: Benchmark, folder: Path, images: Path | None) -> Sequence:
    found = _box_file(folder)
    if found is None:
        raise DatasetError(_no_boxes(folder.name, f"{folder} holding {' or '.join(BOX_FILES)}"))
    frames = None if images is None else SortedFrames(images)
    return _sequence(benchmark, folder.name, found, frames)


def _sequence(benchmark: Benchmark, name: str, path: Path, frames: Frames | None) -> Sequence:
    boxes = read_boxes(path)
    return Sequence(
        name=name,
        ground_truth=boxes,
        frames=frames,
        index_base=benchmark.index_base,
        hidden=len(boxes) == 1,
        all_frames=True,
    )


def _no_boxes(clip: str, expected: str) -> str:
    return (
        f"clip {clip!r} has no initial box: expected {expected} with x,y,w,h of the target "
        "for every frame or for the first frame only."
    )
