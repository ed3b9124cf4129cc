"""One video with its annotation, a set of them, and a trajectory along one.

Knows no benchmark by name.

Two coordinate systems meet here. Trackers work in 0-based continuous pixels; a benchmark's
files may count from 1. ``Sequence.ground_truth`` keeps the numbers of the file, because the
official scores are computed from them and shifting a decimal is not exact; ``index_base`` says
what the file calls the first pixel, and ``to_tracker`` / ``to_file`` are the only shifts.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import DatasetError, unknown_name
from bench.geometry.masks import Runs
from bench.geometry.regions import FAILED, Regions
from bench.scores import Caveat

Masks: TypeAlias = tuple[Runs | None, ...]
"""A mask of each frame in 0-based pixels, None where there is none."""


class Frames(Protocol):
    """Frames decoded on demand; indexing returns an RGB image ``uint8 (H, W, 3)``.

    May have ``where(index) -> str``, which messages call the frame, and ``decodes = True`` if
    every indexing makes a new image, which a tracker may then modify without a copy being made.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...


@dataclass(frozen=True, eq=False)
class Sequence:
    """One sequence of a benchmark.

    Attributes:
        name: the name used for result files, unique in its dataset.
        ground_truth: ``(N, 4)`` x, y, w, h **in the numbers of the annotation file**; NaN where
            the file says NaN. For rotated annotation, the bounding box of ``polygons``.
        frames: the images; None for annotation only.
        index_base: what the file calls the first pixel: 1.0 for OTB, UAV123 and LaSOT, else 0.0.
        polygons: ``(N, 4, 2)`` corners in file coordinates for rotated annotation, else None.
        absent: ``(N,)`` True where the target is not visible, or None if not annotated.
        attributes: names of the sequence's attributes, e.g. ``{"OCC", "SV"}``.
        tags: per-frame tags by name, each ``(N,)`` bool (VOT).
        practical: ``(N,)`` practical difference per frame (VOT), or None.
        hidden: True where only the first row of the ground truth is public (TrackingNet TEST).
        all_frames: True where every frame must have a row (own clips); benchmarks may hold
            images beyond their annotated range.
        first_frame: number of the first frame in the official numbering (David starts at 300).
        skippable_frames: leading frames that some toolkits leave out (Tiger1: 5), so that a
            result shorter by as many is scored against the rest.
        size: (width, height) of the frames in pixels if they or the annotation tell it, else None.
        stated_size: that of the benchmark's own frames, where a table of ours has it.
        benchmark: identifier of the benchmark it belongs to.
    """

    name: str
    ground_truth: FloatArray
    frames: Frames | None = None
    index_base: float = 0.0
    polygons: FloatArray | None = None
    absent: BoolArray | None = None
    attributes: frozenset[str] = frozenset()
    tags: Mapping[str, BoolArray] = field(default_factory=dict)
    practical: FloatArray | None = None
    hidden: bool = False
    all_frames: bool = False
    first_frame: int = 1
    skippable_frames: int = 0
    size: tuple[int, int] | None = None
    stated_size: tuple[int, int] | None = None
    benchmark: str = ""

    def __repr__(self) -> str:
        where = f" of {self.benchmark}" if self.benchmark else ""
        images = "" if self.frames is not None else ", annotation only"
        return f"<{self.name}{where}: {len(self)} frames{images}>"

    def __len__(self) -> int:
        """Number of frames to track: of images if there are any, else of annotation rows."""
        if self.hidden and self.frames is not None:
            return len(self.frames)
        return len(self.ground_truth)

    def leading(self, rows: int) -> int:
        """How many leading frames a result of so many rows leaves out, as some toolkits do.

        Either ``skippable_frames`` (Tiger1's first five), or 0.
        """
        missing = len(self.ground_truth) - rows
        return self.skippable_frames if missing == self.skippable_frames else 0

    @property
    def regions(self) -> Regions:
        """Ground truth as regions in file coordinates: the polygons if there are any."""
        if self.polygons is not None:
            return Regions.from_polygons(self.polygons)
        return Regions.from_boxes(self.ground_truth)

    @property
    def initial_box(self) -> FloatArray:
        """``(4,)`` x, y, w, h of the first frame, 0-based, as a tracker gets it."""
        return to_tracker(self.ground_truth[0], self.index_base)


def check_first_box(sequence: Sequence, image: Image) -> None:
    """Refuse to start a tracker on a box that no pixel of the first frame lies in.

    Args:
        sequence: names the box and its frame.
        image: the first frame, decoded.

    Raises:
        DatasetError: the box is not finite, has no size, or lies wholly outside the frame.
    """
    height, width = image.shape[:2]
    if problem := first_box_problem(sequence, (width, height)):
        raise DatasetError(f"{sequence.name}: {frame_name(sequence, 0)}: {problem}")


def first_box_problem(sequence: Sequence, size: tuple[int, int]) -> str:
    """What is wrong with the first box in a frame of ``size`` (width, height); empty if nothing.

    A box that a pixel of the frame lies in is right, however far it reaches beyond the border.
    """
    box, file_row = sequence.initial_box, sequence.ground_truth[0].tolist()
    numbers = ", ".join(f"{value:g}" for value in file_row)
    if not (np.isfinite(box).all() and (box[2:] > 0).all()):
        return (
            f"the first box ({numbers}) is not a box of finite position and positive size. "
            "Correct row 1 of the ground truth."
        )
    if max(file_row) <= 1 and not all(map(float.is_integer, file_row)):
        return (
            f"the first box ({numbers}) lies within one pixel; expected x, y, w, h in pixels, not "
            "in fractions of the image. Multiply them by its width and height."
        )
    if (box[:2] < size).all() and (box[:2] + box[2:] > 0).all():
        return ""
    return (
        f"the first box ({numbers}) lies wholly outside the frame of {size[0]}x{size[1]} pixels; "
        "expected x, y, w, h in pixels of this frame. Check whether the boxes are of another "
        "resolution, or x1, y1, x2, y2."
    )


def frame_name(sequence: Sequence, index: int) -> str:
    """What messages call a frame: its file where it is known, else its number from 1."""
    where = getattr(sequence.frames, "where", None)
    return str(where(index)) if where is not None else f"frame {index + 1}"


def to_tracker(boxes: FloatArray, index_base: float) -> FloatArray:
    """File coordinates to 0-based pixels; ``boxes`` is ``(..., 4)`` x, y, w, h."""
    shifted: FloatArray = boxes - np.array([index_base, index_base, 0.0, 0.0])
    return shifted


def to_file(boxes: FloatArray, index_base: float) -> FloatArray:
    """0-based pixels to file coordinates; ``boxes`` is ``(..., 4)`` x, y, w, h."""
    shifted: FloatArray = boxes + np.array([index_base, index_base, 0.0, 0.0])
    return shifted


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a tracker answered along one sequence; NumPy takes it as its boxes.

    Attributes:
        boxes: ``(N, 4)`` x, y, w, h, 0-based pixels; row 0 is the box it was started on.
        times: ``(N,)`` seconds spent inside the tracker per frame; row 0 is ``init``.
        scores: ``(N,)`` confidence, NaN where the tracker gave none.
        masks: run lengths of the mask of each frame, None where the tracker gave none; empty if
            masks are not kept.
    """

    boxes: FloatArray
    times: FloatArray
    scores: FloatArray
    masks: Masks = ()

    def __len__(self) -> int:
        return len(self.boxes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.boxes, dtype) if copy is not False else np.asarray(self.boxes, dtype)

    def __repr__(self) -> str:
        return f"<{len(self)} boxes, {_speed(self.times)}>"


@dataclass(frozen=True, eq=False)
class RegionTrajectory:
    """What a tracker answered along one sequence in an experiment of the VOT challenge.

    Attributes:
        regions: ``N`` rows in file coordinates: a region, or a code (1 initialised, 2 failed,
            0 skipped).
        times: ``(N,)`` seconds spent inside the tracker per frame; 0 where it was not called.
        scores: ``(N,)`` confidence, NaN where the tracker gave none or was not called.
        masks: as those of a ``Trajectory``.
    """

    regions: Regions
    times: FloatArray
    scores: FloatArray
    masks: Masks = ()

    def __len__(self) -> int:
        return len(self.regions)

    def __repr__(self) -> str:
        failures = int((self.regions.codes == FAILED).sum())
        return f"<{len(self)} regions, {failures} failures, {_speed(self.times)}>"


def _speed(times: FloatArray) -> str:
    total = float(np.nansum(times))
    return f"{np.count_nonzero(times) / total:.1f} frames per second" if total else "no times"


@dataclass(frozen=True, eq=False)
class Dataset:
    """The sequences of one benchmark, as found under one folder.

    Attributes:
        benchmark: identifier, e.g. ``"otb2015"``.
        root: where it was read from.
        sequences: in the benchmark's order.
        expected: number of sequences of the whole benchmark, None for one's own clips.
        miniature: True for the generated stand-in that `bench mini` writes.
        missing: names of the benchmark's sequences without annotation here.
        others: names that belong to no sequence of this dataset, and what they are instead,
            e.g. ``{"airplane-10": "of LaSOT's training set"}``.
        doubts: rows of annotation that the benchmark's own files do not hold.
        unlisted: True where the benchmark's list of sequences is not known.
    """

    benchmark: str
    root: Path
    sequences: tuple[Sequence, ...]
    expected: int | None = None
    miniature: bool = False
    missing: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    unlisted: bool = False

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self.sequences)

    def __getitem__(self, key: str | int) -> Sequence:
        """The sequence of that name, or at that place.

        Raises:
            ConfigError: the dataset has no such sequence.
        """
        if isinstance(key, int | np.integer) and -len(self) <= key < len(self):
            return self.sequences[key]
        if isinstance(key, str) and key in self._by_name:
            return self._by_name[key]
        raise unknown_name("sequence", str(key), self._by_name)

    def describe(self, name: str) -> str:
        """What a name that is none of these sequences belongs to; empty if that is unknown.

        For messages on files that somebody brings: of another subset, or of a sequence of the
        benchmark whose annotation is not here.
        """
        lowered = name.lower()
        if lowered in self._missing_names:
            return "a sequence of the benchmark without annotation here"
        return next((what for key, what in self.others.items() if key.lower() == lowered), "")

    @property
    def without_attributes(self) -> str:
        """A line on why no sequence has attributes, empty if any has."""
        if any(sequence.attributes for sequence in self):
            return ""
        return f"no attributes: none of the {len(self)} sequences in {self.root} has any annotated"

    def __repr__(self) -> str:
        caveats = "".join(f", {caveat.kind}" for caveat in self.caveats)
        return f"<{self.benchmark}: {len(self)} sequences{caveats}, {self.root}>"

    def _repr_html_(self) -> str:
        """The sequences as a table, for a notebook."""
        rows = "".join(
            f"<tr><td>{index}</td><td>{html.escape(each.name)}</td><td>{len(each)}</td>"
            f"<td>{html.escape(' '.join(sorted(each.attributes)))}</td></tr>"
            for index, each in enumerate(self.sequences)
        )
        head = "<tr><th></th><th>Sequence</th><th>Frames</th><th>Attributes</th></tr>"
        caveats = "".join(f"<p>{html.escape(str(caveat))}</p>" for caveat in self.caveats)
        return (
            f"<details open><summary>{html.escape(repr(self))}</summary>{caveats}"
            f"<table>{head}{rows}</table></details>"
        )

    @cached_property
    def _by_name(self) -> dict[str, Sequence]:
        return {sequence.name: sequence for sequence in self.sequences}

    @cached_property
    def _missing_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.missing)

    @property
    def partial(self) -> bool:
        """True where sequences of the whole benchmark are missing."""
        return self.expected is not None and len(self) != self.expected

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Restrictions to name beside every number computed on this dataset."""
        if self.miniature:
            return (Caveat("miniature", "generated video, not the benchmark"),)
        found = [Caveat("doubtful", "; ".join(self.doubts))] if self.doubts else []
        if self.unlisted:
            text = f"list not known, {len(self)} sequences found"
            found.insert(0, Caveat("unlisted", text))
        if self.partial:
            found.insert(0, Caveat("partial", f"{len(self)} of {self.expected} sequences"))
        return tuple(found)
