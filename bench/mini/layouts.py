"""Layouts of the benchmarks on disk: paths of images and format of annotation.

Layouts keep the quirks of each benchmark: counting from 1 or 0, delimiters, NaN or zeros for
absence. What has none is written as its layout's first form says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import Benchmark, Listed, get_benchmark
from bench.datasets.forms import filled
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
        size: (width, height) of its frames in pixels.
    """

    benchmark: str
    entry: Entry
    folder: str
    annotation: Annotation
    attributes: frozenset[str]
    tags: dict[str, BoolArray]
    sentence: str
    size: tuple[int, int]

    @property
    def boxes(self) -> FloatArray:
        """``(N, 4)`` in file coordinates; NaN where out of view."""
        return to_file(self.annotation.boxes, get_benchmark(self.benchmark).index_base)

    @property
    def flags(self) -> bytes:
        """Attributes as the benchmark's row of 0 and 1."""
        known = get_benchmark(self.benchmark).attributes
        return (",".join(str(int(name in self.attributes)) for name in known) + "\n").encode()


def image_path(benchmark: str, video: Video, number: int) -> str:
    """Path of an image under the root of a miniature."""
    layout = get_benchmark(benchmark).layout
    quirks = {"digits": "4", "split": "TEST", **layout.options, **video.quirks}
    if template := layout.written.get("image"):
        return template.format(folder=video.folder, number=number, **quirks)
    name = layout.written.get("name", "{number:08d}.jpg").format(number=number)
    form, entry = layout.forms[0], video.entries[0]
    return f"{_filled(form.images[0], benchmark, entry)}/{name}"


def write_annotation(root: Path, clip: Clip) -> None:
    """Write the annotation of one sequence."""
    writer = get_benchmark(clip.benchmark).layout.written.get("writer")
    (WRITERS[writer] if writer else _write_form)(root, clip)


def list_path(benchmark: str, entry: Entry) -> str:
    """Path of the list that names a sequence; empty where the layout has none."""
    template = get_benchmark(benchmark).layout.written.get("list", "")
    return _filled(template, benchmark, entry)


def _filled(path: str, benchmark: str, entry: Entry) -> str:
    facts = get_benchmark(benchmark)
    row = _listed(facts, entry)
    at = filled(facts.layout.forms[0].at[0], facts, row) if facts.layout.forms else ""
    return filled(path, facts, row, at)


def _listed(benchmark: Benchmark, entry: Entry) -> Listed:
    return benchmark.rows.get(entry.name) or Listed(entry.name)


def _write_form(root: Path, clip: Clip) -> None:
    """As the first form of the layout says; every file that it may have."""
    benchmark = get_benchmark(clip.benchmark)
    form, absent = benchmark.layout.forms[0], clip.annotation.absent
    whole = to_file(clip.annotation.whole, benchmark.index_base)
    boxes = np.where(np.isfinite(clip.boxes), clip.boxes, whole)
    if benchmark.boxless:
        missing = np.nan if "nan" in benchmark.boxless else 0.0
        boxes = np.where(absent[:, None], missing, boxes)
    rows = format_rows(boxes, decimals=2)
    hidden = benchmark.layout.first_box_only and _listed(benchmark, clip.entry).subset == "test"
    if hidden:
        rows = rows.splitlines(keepends=True)[0]
    if form.rows != "xywh":
        rows = _corner_rows(boxes)

    def put(path: str, content: bytes) -> None:
        if path:
            _put(root / _filled(path, clip.benchmark, clip.entry), content)

    put(form.boxes, rows)
    for path, flags in zip(form.absent, (absent, np.zeros_like(absent)), strict=False):
        put(path, format_rows(flags[:, None].astype(float), decimals=0))
    put(form.range, f"{clip.entry.first},{clip.entry.first + len(boxes) - 1}\n".encode())
    if form.visible and not hidden:
        shares = np.where(absent, 0, np.ceil(8 * np.clip(1 - clip.annotation.cover, 0.01, 1)))
        put(form.visible, format_rows(shares[:, None], decimals=0))
    if form.size:
        width, height = clip.size
        put(form.size, f"[METAINFO]\nurl: generated\nresolution: ({width}, {height})".encode())
    if form.attributes and benchmark.attributes:
        put(form.attributes[0], clip.flags)


def _corner_rows(boxes: FloatArray) -> bytes:
    """Rows as NfS has them at 30 frames per second: id x1 y1 x2 y2 frame and flags."""
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    lines = (
        f'0 {" ".join(f"{value:.0f}" for value in row)} {number} 0 0 0 "target"\n'
        for number, row in enumerate(corners.tolist(), start=1)
    )
    return "".join(lines).encode()


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
    folder = root / "anno" / get_benchmark(clip.benchmark).layout.options["set"]
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


WRITERS: dict[str, Callable[[Path, Clip], None]] = {
    "otb": _write_otb,
    "uav": _write_uav,
    "vot": _write_vot,
    "lasot": _write_lasot,
    "trackingnet": _write_trackingnet,
}
"""How quirks are written, by the name in ``tables/layouts.json``."""
