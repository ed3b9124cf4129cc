"""Own clips: folders of images or video files, each with a text file of boxes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.benchmarks import Benchmark
from bench.datasets.files import image_names, natural_key, read_boxes
from bench.datasets.frames import SortedFrames, VideoFrames
from bench.datasets.scan import Entry, Scan, missing_dataset, require_subset
from bench.errors import DatasetError
from bench.sequence import Frames, Sequence

BOX_FILES = ("groundtruth.txt", "groundtruth_rect.txt", "init.txt")
IMAGE_FOLDERS = ("img", "color")
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """Every clip in the root, or the root itself if it is a clip."""
    require_subset(benchmark, subset)
    if not root.exists():
        raise missing_dataset(benchmark, root, [root])
    inside: list[Path] = []
    if root.is_dir() and not any((root / name).is_file() for name in BOX_FILES):
        inside = sorted(root.iterdir(), key=lambda path: natural_key(path.name))
    outer = (path for path in inside if path.name not in IMAGE_FOLDERS)
    clips = [clip for path in outer if (clip := _clip(path, benchmark))]
    own = None if clips else _clip(root.absolute(), benchmark)
    entries = (own,) if own else tuple(clips)
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(
            f"{root}: expected unique clip names, found several clips called {', '.join(twice)}. "
            "Rename all but one of each."
        )
    return Scan(entries, looked=(root,))


def _clip(path: Path, benchmark: Benchmark) -> Entry | None:
    """Entry of a video file or a folder of images; None for anything else."""
    if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
        return Entry(path.stem, partial(_load_video, benchmark, path))
    images = next((f for f in (path, *map(path.joinpath, IMAGE_FOLDERS)) if image_names(f)), None)
    return Entry(path.name, partial(_load_images, benchmark, path, images)) if images else None


def _load_video(benchmark: Benchmark, path: Path) -> Sequence:
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        raise DatasetError(_no_boxes(path.stem, f"{beside}"))
    return _sequence(benchmark, path.stem, beside, VideoFrames(path))


def _load_images(benchmark: Benchmark, folder: Path, images: Path) -> Sequence:
    found = next((folder / name for name in BOX_FILES if (folder / name).is_file()), None)
    if found is None:
        raise DatasetError(_no_boxes(folder.name, f"{folder} holding {' or '.join(BOX_FILES)}"))
    return _sequence(benchmark, folder.name, found, SortedFrames(images))


def _sequence(benchmark: Benchmark, name: str, path: Path, frames: Frames) -> Sequence:
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
