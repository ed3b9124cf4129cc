"""OTB-2015: 98 folders with 100 sequences; ``tables/otb_sequences.csv`` lists the exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from bench.benchmarks import Benchmark
from bench.datasets import pysot_json
from bench.datasets.files import attributes_beside, read_boxes, stems, subfolders
from bench.datasets.frames import numbered_frames
from bench.datasets.scan import Entry, Scan, compare, is_miniature, require_subset
from bench.datasets.tables import listed_attributes, read_table
from bench.sequence import Sequence


@dataclass(frozen=True)
class OtbEntry:
    """One row of the table.

    Attributes:
        name: canonical (PySOT) name.
        folder: official folder; Jogging, Skating2 and Human4 have numbered ground truths.
        file: ground-truth file in the folder.
        first, last: numbers of the first and last annotated image.
        alternative_first: first frame in toolkits that skip some, None if none do. Tiger1 is
            annotated from frame 1, where the official one-pass evaluation starts; several
            toolkits skip five frames, so their results have 349 rows for frames 6-354.
        surplus_images: True if the folder may hold images outside first..last.
        spellings: names in other toolkits.
    """

    name: str
    folder: str
    file: str
    first: int
    last: int
    alternative_first: int | None
    surplus_images: bool
    spellings: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Number of annotation rows."""
        return self.last - self.first + 1


@lru_cache(maxsize=1)
def otb_entries() -> dict[str, OtbEntry]:
    """The 100 sequences by canonical name, in table order."""
    return {
        row["name"]: OtbEntry(
            name=row["name"],
            folder=row["folder"],
            file=row["file"],
            first=int(row["first"]),
            last=int(row["last"]),
            alternative_first=int(row["alternative_first"] or 0) or None,
            surplus_images=row["surplus_images"] == "yes",
            spellings=tuple(filter(None, row["spellings"].split("|"))),
        )
        for row in read_table("otb_sequences.csv")
    }


def scan(root: Path, benchmark: Benchmark, subset: str) -> Scan:
    """Official folders, then text files in ``anno``, then a PySOT-style JSON."""
    require_subset(benchmark, subset)
    annotation = [root / "anno", root]
    if root.is_dir():
        found = _from_folders(root, benchmark)
        surplus = _surplus_folders(root) if found else ()
        for folder in annotation:
            found = found or _from_texts(folder, benchmark)
        if found:
            return compare(found, otb_entries(), surplus, annotation)
    rows = {entry.name: entry.rows for entry in otb_entries().values()}
    return pysot_json.scan(root, benchmark, rows, annotation)


def _from_folders(root: Path, benchmark: Benchmark) -> dict[str, Entry]:
    folders = {folder.name.lower(): folder for folder in subfolders(root)}
    found = {}
    for entry in otb_entries().values():
        folder = folders.get(entry.folder.lower())
        if folder is not None:
            load = partial(_load, benchmark, entry, folder / entry.file, folder / "img", root)
            found[entry.name] = Entry(entry.name, load, entry.rows, entry.surplus_images)
    return found


def _from_texts(folder: Path, benchmark: Benchmark) -> dict[str, Entry]:
    files = {stem.lower(): path for stem, path in stems(folder).items()}
    found = {}
    for entry in otb_entries().values():
        path = _first_spelled(entry, files)
        if path is not None:
            load = partial(_load, benchmark, entry, path, None, folder)
            found[entry.name] = Entry(entry.name, load, entry.rows)
    return found


def _first_spelled(entry: OtbEntry, files: dict[str, Path]) -> Path | None:
    spelled = (name.lower() for name in (entry.name, *entry.spellings))
    return next((files[name] for name in spelled if name in files), None)


def _load(
    benchmark: Benchmark, entry: OtbEntry, path: Path, images: Path | None, root: Path
) -> Sequence:
    boxes = read_boxes(path)
    return Sequence(
        name=entry.name,
        ground_truth=boxes,
        frames=numbered_frames(images, entry.first, len(boxes)),
        index_base=benchmark.index_base,
        attributes=_attributes(benchmark, entry, root),
        first_frame=entry.first,
        skippable_frames=(entry.alternative_first or entry.first) - entry.first,
    )


def _attributes(benchmark: Benchmark, entry: OtbEntry, root: Path) -> frozenset[str]:
    """By the authors' list; generated videos have flag files of their own."""
    if not is_miniature(root):
        return listed_attributes(benchmark.name, entry.name) or frozenset()
    names = [entry.name, *entry.spellings]
    return attributes_beside(benchmark.name, [root / "att", root / "anno" / "att"], names)


def _surplus_folders(root: Path) -> Iterable[str]:
    known = {entry.folder.lower() for entry in otb_entries().values()} | {"anno", "att"}
    return [folder.name for folder in subfolders(root) if folder.name.lower() not in known]
