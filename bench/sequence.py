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
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import DatasetError, unknown_name
from bench.geometry.regions import FAILED, Regions
from bench.scores import Caveat


class Frames(Protocol):
    """Frames decoded on demand; indexing returns an RGB image ``uint8 (H, W, 3)``."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...


@dataclass(frozen=True)
class ImageFiles:
    """Frames that lie on disk as one image file each.

    Raises:
        DatasetError: on indexing, when a file is missing or cannot be decoded.
    """

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image:
        return read_image(self.paths[index])


def read_image(path: Path) -> Image:
    """An image file as RGB ``uint8 (H, W, 3)``.

    Raises:
        DatasetError: the file is missing or cannot be decoded.
    """
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        state = "cannot be decoded" if path.is_file() else "does not exist"
        raise DatasetError(
            f"{path} {state}; expected an image file. "
            "Run `bench check` on the dataset to list every missing frame."
        )
    return np.ascontiguousarray(image[:, :, ::-1])


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
        size: (width, height) of the frames in pixels if the annotation tells it, else None.
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
    """

    boxes: FloatArray
    times: FloatArray
    scores: FloatArray

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
    """

    regions: Regions
    times: FloatArray
    scores: FloatArray

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
    """

    benchmark: str
    root: Path
    sequences: tuple[Sequence, ...]
    expected: int | None = None
    miniature: bool = False

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self.sequences)

    def __getitem__(self, key: str | int) -> Sequence:
        """The sequence of that name, or at that place.

        Raises:
            ConfigError: the dataset has no such sequence.
        """
        if isinstance(key, int) and -len(self) <= key < len(self):
            return self.sequences[key]
        if isinstance(key, str) and key in self._by_name:
            return self._by_name[key]
        raise unknown_name("sequence", str(key), self._by_name)

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

    @property
    def partial(self) -> bool:
        """True where sequences of the whole benchmark are missing."""
        return self.expected is not None and len(self) != self.expected

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Restrictions to name beside every number computed on this dataset."""
        if self.miniature:
            return (Caveat("miniature", "generated video, not the benchmark"),)
        if self.partial:
            return (Caveat("partial", f"{len(self)} of {self.expected} sequences"),)
        return ()
