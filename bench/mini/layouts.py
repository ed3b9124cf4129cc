"""Layouts of the benchmarks on disk: paths of images and format of annotation.

Layouts keep the quirks of each benchmark: counting from 1 or 0, delimiters, NaN or zeros for
absence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import get_benchmark
from bench.datasets.tables import attribute_names
from bench.files import format_rows
from bench.mini.annotate import Annotation
from bench.mini.plan import Entry, Video
from bench.sequence import to_file


@dataclass(frozen=True, eq=False)
class Clip:
    """One sequence to write.

    Attributes:
        benchmark: identifier.
        entry: its name and quirks.
        folder: name of its image folder.
        annotation: its boxes and visibility.
        attributes: abbreviations of its attributes.
        tags: per-frame tags by name, ``(N,)`` each.
        sentence: description in words.
    """

    benchmark: str
    entry: Entry
    folder: str
    annotation: Annotation
    attributes: frozenset[str]
    tags: dict[str, BoolArray]
    sentence: str

    @property
    def boxes(self) -> FloatArray:
        """``(N, 4)`` in file coordinates; NaN where out of view."""
        return to_file(self.annotation.boxes, get_benchmark(self.benchmark).index_base)

    @property
    def flags(self) -> bytes:
        """Attributes as the benchmark's row of 0 and 1."""
        known = attribute_names(self.benchmark)
        return (",".join(str(int(name in self.attributes)) for name in known) + "\n").encode()


@dataclass(frozen=True)
class Layout:
    """Layout of one benchmark.

    Attributes:
        path: template for the path of an image under the root.
        write: writes the annotation of one sequence under a root.
    """

    path: str
    write: Callable[[Path, Clip], None]

    def image(self, video: Video, number: int) -> str:
        """Path of an image under the root."""
        quirks = {"digits": "4", "split": "TEST", **video.quirks}
        return self.path.format(folder=video.folder, number=number, **quirks)


def _write_otb(root: Path, clip: Clip) -> None:
    quirks, whole = clip.entry.quirks, clip.annotation.whole
    seen = np.isfinite(clip.boxes)
    boxes = np.where(seen, clip.boxes, to_file(whole, 1.0))
    folder = root / clip.folder
    if "empty_file" in quirks:
        _put(folder / quirks["empty_file"], b"")
    text = format_rows(boxes, decimals=0, delimiter=quirks.get("delimiter", ","))
    _put(folder / quirks.get("file", "groundtruth_rect.txt"), text)
    _put(root / "att" / f"{clip.entry.name}.txt", clip.flags)


def _write_uav(root: Path, clip: Clip) -> None:
    absent = clip.annotation.absent[:, None]
    boxes = np.where(absent, np.nan, clip.boxes)
    folder = root / "anno" / "UAV123"
    text = format_rows(boxes, decimals=0).replace(b"nan", b"NaN")
    _put(folder / f"{clip.entry.name}.txt", text)
    _put(folder / "att" / f"{clip.entry.name}.txt", clip.flags)


def _write_vot(root: Path, clip: Clip) -> None:
    folder, annotation = root / clip.folder, clip.annotation
    regions = annotation.polygons.reshape(-1, 8)
    if clip.entry.quirks.get("region") == "box":
        regions = annotation.whole
    _put(folder / "groundtruth.txt", format_rows(regions, decimals=2))
    for name, flags in clip.tags.items():
        _put(folder / f"{name}.tag", format_rows(flags[:, None].astype(float), decimals=0))
    practical = np.full((len(annotation), 1), _practical_difference(annotation.whole))
    _put(folder / "practical.value", format_rows(practical, decimals=6))


def _practical_difference(boxes: FloatArray, slip: float = 1.0) -> float:
    """Mean overlap lost when the annotation is off by ``slip`` pixels in x and y."""
    w, h = boxes[:, 2], boxes[:, 3]
    common = np.maximum(w - slip, 0) * np.maximum(h - slip, 0)
    return float(np.mean(1 - common / (2 * w * h - common)))


def _write_lasot(root: Path, clip: Clip) -> None:
    annotation, name = clip.annotation, clip.entry.name
    folder = root / clip.folder
    boxes = np.where(annotation.absent[:, None], 0.0, clip.boxes)
    _put(folder / "groundtruth.txt", format_rows(boxes, decimals=0))
    _put(folder / "full_occlusion.txt", _flag_line(annotation.occluded))
    _put(folder / "out_of_view.txt", _flag_line(annotation.out_of_view))
    _put(folder / "nlp.txt", f"{clip.sentence}\n".encode())
    _put(root / "att" / f"{name}.txt", clip.flags)


def _flag_line(flags: BoolArray) -> bytes:
    return (",".join(str(int(flag)) for flag in flags) + "\n").encode()


def _write_trackingnet(root: Path, clip: Clip) -> None:
    seen = np.isfinite(clip.boxes)
    rows = format_rows(np.where(seen, clip.boxes, clip.annotation.whole), decimals=2)
    name, split = f"{clip.entry.name}.txt", clip.entry.quirks.get("split", "TEST")
    if split == "TEST":
        first = rows.splitlines(keepends=True)[0]
        _put(root / split / "anno" / name, first)
        _put(root / split / "anno_full" / name, rows)
    else:
        _put(root / split / "anno" / name, rows)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


LAYOUTS: dict[str, Layout] = {
    "otb2015": Layout("{folder}/img/{number:0{digits}d}.jpg", _write_otb),
    "uav123": Layout("data_seq/UAV123/{folder}/{number:06d}.jpg", _write_uav),
    "vot2016": Layout("{folder}/{number:08d}.jpg", _write_vot),
    "vot2018": Layout("{folder}/color/{number:08d}.jpg", _write_vot),
    "lasot": Layout("{folder}/img/{number:08d}.jpg", _write_lasot),
    "trackingnet": Layout("{split}/frames/{folder}/{number}.jpg", _write_trackingnet),
}
