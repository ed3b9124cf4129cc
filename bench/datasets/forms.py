"""Benchmarks whose layout is a list of paths: OTB, UAV123, LaSOT, GOT-10k, NfS, TNL2K and others.

``bench/tables/layouts.json`` has the paths; a declaration may bring its own. Where the list of
sequences is not known, whatever the folder holds is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from bench.arrays import BoolArray, FloatArray
from bench.benchmarks import Benchmark, Form, Listed
from bench.datasets import pysot_json
from bench.datasets.files import (
    attributes_in,
    begins_with_a_box,
    children,
    image_names,
    read_boxes,
    read_bytes,
    read_flags,
    read_short_flags,
)
from bench.datasets.frames import SortedFrames, numbered_frames
from bench.datasets.rows import refuse_impossible
from bench.datasets.scan import Entry, Scan, compare, is_miniature, others_of, require_subset
from bench.errors import DatasetError
from bench.files import parse_rows
from bench.images import image_size
from bench.sequence import Frames, Sequence

_AUXILIARY = frozenset(
    {"anno", "annos", "att", "absent", "gt_rect", "full_occlusion", "out_of_view"}
)
_SAME = {"folder": "name"}  # where no list tells them apart
_RATIO = 8  # NfS annotates video of 240 frames per second, of which the 30 fps one has every 8th


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """The first form of the layout that holds any sequence, then a JSON as PySOT has them."""
    require_subset(benchmark, subset, benchmark.subsets)
    places = [_Places(root, benchmark, form, subset) for form in benchmark.layout.forms]
    looked = list(dict.fromkeys(folder for each in places for folder in each.looked))
    for place in places if root.is_dir() else ():
        rows = benchmark.rows or place.unlisted()
        found = {name: at for name, row in rows.items() if (at := place.of(row))}
        if not found:
            continue
        wanted = benchmark.listed(subset) or rows
        load = partial(_load, root, benchmark, place.form)
        entries = {
            name: Entry(
                name, partial(load, rows[name], at), rows[name].frames, rows[name].surplus_images
            )
            for name, at in found.items()
            if name in wanted
        }
        if not benchmark.table:
            return Scan(tuple(entries.values()), looked=tuple(looked), unlisted=True)
        others = others_of(benchmark, subset)
        return compare(entries, wanted, place.surplus({*others, *rows}), looked, others)
    return pysot_json.scan(root, benchmark, subset, looked)


@dataclass
class _Places:
    """Where one form of a layout has its sequences, whatever the case of their names."""

    root: Path
    benchmark: Benchmark
    form: Form
    subset: str
    listings: dict[Path, dict[str, Path]] = field(default_factory=dict)

    @property
    def looked(self) -> Iterator[Path]:
        """The folders that sequences are looked for in, for messages."""
        for at in self._filled(self.form.at):
            yield (self.root / at[: at.index("{")]).joinpath("x").parent

    def of(self, row: Listed) -> str | None:
        """Where a sequence lies, as a path below the root; None if it is not here."""
        for name in (row.name, *row.spellings):
            known = replace(row, name=name, folder=row.folder or row.name)
            for at in self.form.at:
                if found := self._find(filled(at, self.benchmark, known)):
                    return str(found.relative_to(self.root))
        return None

    def unlisted(self) -> dict[str, Listed]:
        """Whatever the form's paths match, for a benchmark without a list."""
        names = {
            name
            for at in self._filled(self.form.at)
            for name, path in _matches(self.root, at)
            if (self.root / filled(self.form.boxes, self.benchmark, Listed(name), path)).is_file()
            and _is_annotation(self.root / path)
        }
        return {name: Listed(name, self.subset) for name in sorted(names)}

    def surplus(self, known: Iterable[str]) -> set[str]:
        """Names where sequences or their images may be that belong to none."""
        rows = self.benchmark.rows.values()
        usual = {name.lower() for row in rows for name in (*row.places.values(), *row.spellings)}
        usual |= {
            *_AUXILIARY,
            *(name.lower() for name in (*known, *self.benchmark.layout.options.values())),
        }
        images = [path for path in self.form.images if "{at}" not in path]
        return {
            name
            for path in self._filled((*self.form.at, *images))
            for name, place in _matches(self.root, path)
            if name.lower() not in usual
            and _is_annotation(self.root / place)
            and _known_category(path, place, usual)
        }

    def _filled(self, paths: Iterable[str]) -> list[str]:
        """Paths with only the placeholders of a sequence left."""
        given = {**self.benchmark.layout.options, "subset": self.subset}
        return [
            re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], found[0]), path)
            for path in paths
        ]

    def _find(self, relative: str) -> Path | None:
        path = self.root
        for part in Path(relative).parts:
            inside = self.listings.get(path)
            if inside is None:
                inside = {child.name.lower(): child for child in children(path)}
                self.listings[path] = inside
            if part.lower() not in inside:
                return None
            path = inside[part.lower()]
        return path


def filled(path: str, benchmark: Benchmark, row: Listed, at: str = "") -> str:
    """A path of a layout with its placeholders filled in."""
    layout = benchmark.layout
    file = row.file or layout.file
    return path.format(**{**layout.options, **row.places, "file": file, "at": at})


def _matches(root: Path, template: str) -> Iterator[tuple[str, str]]:
    """Name and path below the root of everything that a path with placeholders matches."""
    seen: set[str] = set()

    def group(found: re.Match[str]) -> str:
        name = _SAME.get(found[1], found[1])
        again = name in seen
        seen.add(name)
        return f"(?P={name})" if again else f"(?P<{name}>[^/]+)"

    pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(template)))
    for path in root.glob(re.sub(r"\{\w+\}", "*", template)):
        place = path.relative_to(root).as_posix()
        if (found := pattern.fullmatch(place)) and not found["name"].startswith("."):
            yield found["name"], place


def _is_annotation(path: Path) -> bool:
    """Whether a path may be of a sequence: a folder, or a text file that begins with numbers."""
    return path.is_dir() or begins_with_a_box(path)


def _known_category(path: str, place: str, usual: set[str]) -> bool:
    """Below a category, whether it is one of the benchmark's: other folders are not its own."""
    return "{category}" not in path or Path(place).parent.name.lower() in usual


def _load(root: Path, benchmark: Benchmark, form: Form, row: Listed, at: str) -> Sequence:
    layout = benchmark.layout
    fill = partial(filled, benchmark=benchmark, row=row, at=at)
    path = root / fill(form.boxes)
    folders = (root / fill(images) for images in form.images)
    images = next((folder for folder in folders if folder.is_dir()), None)
    boxes = _boxes(form, path, row, images)
    refuse_impossible(boxes, f"{path}:", nan=not benchmark.numbers_only)
    first = _first(root / fill(form.range)) if form.range else row.first
    first = layout.first if first is None else first
    hidden = layout.first_box_only and len(boxes) == 1
    frames: Frames | None = numbered_frames(images, first, None if hidden else len(boxes))
    if images is not None and layout.frames == "sorted":
        frames = SortedFrames(images)
    attributes = row.attributes
    if attributes is None or is_miniature(root):
        attributes = _attributes(root, benchmark, form, row, at)
    return Sequence(
        name=row.name,
        ground_truth=boxes,
        frames=frames,
        index_base=benchmark.index_base,
        absent=None if hidden else _absent(root, form, fill, len(boxes)),
        attributes=attributes,
        hidden=hidden,
        first_frame=first,
        skippable_frames=row.skippable,
        size=_size(root / fill(form.size), images) if form.size else row.size,
        stated_size=row.size,
    )


def _attributes(
    root: Path, benchmark: Benchmark, form: Form, row: Listed, at: str
) -> frozenset[str]:
    """From files of one flag per attribute, or from files of one flag per frame."""
    spelled = [replace(row, name=name) for name in (row.name, *row.spellings)]
    paths = [root / filled(p, benchmark, each, at) for p in form.attributes for each in spelled]
    marks = zip(benchmark.attributes, form.marked, strict=False)
    labels = {name: root / filled(path, benchmark, row, at) for name, path in marks}
    marked = {n for n, path in labels.items() if path.is_file() and read_short_flags(path).any()}
    return attributes_in(benchmark, paths) | marked


def _boxes(form: Form, path: Path, row: Listed, images: Path | None) -> FloatArray:
    """``(N, 4)`` x, y, w, h in file coordinates."""
    if form.rows == "xywh":
        return read_boxes(path)
    lines = [line.split(b'"')[0].split() for line in read_bytes(path).splitlines() if line.strip()]
    text = b"\n".join(b",".join(line[1:5]) for line in lines)
    corners = parse_rows(text, str(path), 4, DatasetError)
    frames = row.frames or (len(image_names(images)) if images else len(corners))
    if abs(len(corners) / max(1, frames) - _RATIO) < 1:
        corners = corners[::_RATIO]
    if len(corners) - frames == 1:  # some files have one row more than there are images
        corners = corners[:frames]
    boxes = corners.copy()
    boxes[:, 2:] -= corners[:, :2]
    return boxes


def _first(path: Path) -> int:
    """The number of the first image, from a file with those of the first and the last."""
    numbers = re.findall(rb"\d+", read_bytes(path))
    if len(numbers) != 2:
        raise DatasetError(
            f"{path}: expected the numbers of the first and the last image, found "
            f"{len(numbers)} numbers. Restore the file from the official site."
        )
    return int(numbers[0])


def _absent(root: Path, form: Form, fill: partial[str], rows: int) -> BoolArray | None:
    """``(rows,)`` True where the target is absent, None where no file tells."""
    if form.visible:
        path = root / fill(form.visible)
        shares = parse_rows(read_bytes(path), str(path), 1, DatasetError)[:, 0]
        return _of_length(shares <= 0, rows, path)
    paths = [root / fill(path) for path in form.absent]
    if form.absent_may_lack:
        paths = [path for path in paths if path.is_file()][:1]
    flags = [read_flags(path, rows, longer=form.absent_longer) for path in paths]
    return np.logical_or.reduce(flags) if flags else None


def _of_length(flags: BoolArray, rows: int, path: Path) -> BoolArray:
    if len(flags) != rows:
        raise DatasetError(
            f"{path}: expected {rows} values, one per row of the ground truth, found "
            f"{len(flags)}. Restore the file from the official site."
        )
    return flags


def _size(path: Path, images: Path | None) -> tuple[int, int] | None:
    """(width, height) from a line ``resolution: (w, h)``, else from the first image."""
    text = read_bytes(path) if path.is_file() else b""
    if found := re.search(rb"resolution: *\((\d{1,6}), *(\d{1,6})\)", text):
        return int(found[1]), int(found[2])
    names = image_names(images) if images else []
    return image_size(images / names[0]) if images and names else None
