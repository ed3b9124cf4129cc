"""The tracker interface.

A tracker is any class with ``init(image, region)`` and ``update(image)``. The keyword arguments
of its constructor are its options.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NewType, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import TrackerError, unknown_name

if TYPE_CHECKING:
    from bench.geometry import Regions, Runs

Region = NDArray[Any]
"""A box ``(4,)`` x, y, w, h; a polygon ``(K, 2)`` of corners; or a mask ``(H, W)`` bool.
0-based continuous pixels."""
StartsOn = Literal["bounding", "area-preserving", "polygon"]
BenchmarkName = NewType("BenchmarkName", str)
"""Type of an option that a run fills with the name of its benchmark; give it a default."""
ABSENT = (-10_000.0, -10_000.0, 1.0, 1.0)
"""The box, in 0-based pixels, that stands for "not visible" in one-pass results.

It lies outside every image, so that it overlaps nothing under the rules of every toolkit. A row
without a size would not do: OTB's official code replaces it by the row before."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A tracker's answer for one frame.

    Attributes:
        region: box ``(4,)``, polygon ``(K, 2)`` or mask ``(H, W)``; None where the target is not
            visible, as is a mask without a pixel or the box 0, 0, 0, 0.
        score: confidence, higher is surer; None if the tracker gives none.
        mask: ``(H, W)`` of bool beside a box or polygon, kept with the results if the run is
            asked to; None if there is none, or if the region is the mask.
    """

    region: Region | None
    score: float | None = None
    mask: BoolArray | None = None


class Tracker(Protocol):
    """The interface of a tracker."""

    def init(self, image: Image, region: Region) -> None:
        """Start on ``region`` in ``image``, RGB ``uint8 (H, W, 3)``."""

    def update(self, image: Image) -> Prediction:
        """Find the target in the next frame."""


class BatchTracker(Protocol):
    """A tracker that can follow many targets in one call (``--lockstep``)."""

    def start(self, image: Image, region: Region) -> Any:
        """The state of a target that starts on ``region``; opaque, never changed in place."""

    def advance(
        self, states: List[Any], images: List[Image]
    ) -> tuple[list[Any], list[Prediction]]:
        """The next state and the prediction of each target in its next frame."""


def starts_on(tracker: object) -> StartsOn:
    """The form of a rotated ground truth that a tracker starts on.

    The tracker's attribute ``starts_on``: the ``"bounding"`` box (the default), the
    ``"area-preserving"`` box, or the ``"polygon"`` itself.

    Raises:
        ConfigError: the attribute is something else.
    """
    wanted = getattr(tracker, "starts_on", "bounding")
    if wanted not in typing.get_args(StartsOn):
        raise unknown_name(
            f"starts_on of {type(tracker).__name__}", str(wanted), typing.get_args(StartsOn)
        )
    return typing.cast(StartsOn, wanted)


def is_absent(region: Region | None) -> bool:
    """Whether a region says "not visible": None, a mask without a pixel, or 0, 0, 0, 0."""
    if region is None:
        return True
    array = np.asarray(region)
    if array.dtype == bool:
        return array.ndim == 2 and not array.any()
    return array.shape == (4,) and array.dtype.kind in "biuf" and not array.any()


def absent_boxes(boxes: FloatArray, index_base: float) -> BoolArray:
    """``(N,)`` True where a stored box ``(N, 4)`` in file coordinates says "not visible".

    It is ``ABSENT``, or 0, 0, 0, 0 as vot-toolkit writes an empty mask.
    """
    left = boxes[:, 0]
    if left.min(initial=1) > 0:
        return np.zeros(len(boxes), dtype=bool)
    absent: BoolArray = (left == ABSENT[0] + index_base) | (left == 0)
    if absent.any():  # rare, and four columns cost four times as much
        shifted = np.add(ABSENT, [index_base, index_base, 0, 0])
        absent &= (boxes == shifted).all(axis=1) | ~boxes.any(axis=1)
    return absent


def seen_boxes(boxes: FloatArray) -> FloatArray:
    """Stored boxes ``(N, 4)``, NaN where they say "not visible", whatever the first pixel is."""
    if boxes[:, 0].min(initial=1) > 0:  # False for NaN
        return boxes
    absent = absent_boxes(boxes, 0) | absent_boxes(boxes, 1)
    return np.where(absent[:, None], np.nan, boxes)


def absent_rows(regions: Regions, index_base: float) -> BoolArray:
    """``absent_boxes`` for rows that may be codes or polygons, which say nothing of the kind."""
    absent: BoolArray = absent_boxes(regions.values[:, :4], index_base) & (regions.counts == 4)
    return absent


def mask_of(answer: Prediction) -> Runs | None:
    """The mask of an answer, an empty one if it says "not visible"; None if it has no mask."""
    from bench import geometry

    if is_absent(answer.region):
        return geometry.EMPTY
    region = np.asarray(answer.region)
    mask = region if region.dtype == bool else answer.mask
    return None if mask is None else geometry.mask_to_runs(np.asarray(mask))


def as_box(region: Region) -> NDArray[np.float64]:
    """The axis-aligned box ``(4,)`` x, y, w, h that bounds a box, polygon or mask.

    Raises:
        TrackerError: the region has another shape or type, is not finite, has a negative size, or
            is an empty mask.
    """
    from bench import geometry

    region = np.asarray(region)
    if region.ndim == 2 and region.dtype == bool:
        return geometry.mask_to_box(region)
    if region.dtype.kind in "cmM":
        raise TrackerError(f"expected real numbers, found {region.dtype} in {region.tolist()}")
    if region.dtype.kind in "SU":
        raise TrackerError(f"expected numbers, found the text {str(region.tolist())[:80]!r}")
    region = region.astype(np.float64)
    if region.shape == (4,):
        box = region
    elif region.ndim == 2 and region.shape[1] == 2 and len(region) >= 3:
        box = geometry.polygon_to_box(region)
    else:
        raise TrackerError(
            "expected a box (4,), a polygon (K, 2) or a boolean mask (H, W), "
            f"found shape {region.shape}"
        )
    if not np.isfinite(box).all():
        raise TrackerError(f"expected finite numbers, found {region.tolist()}")
    if (box[2:] < 0).any():
        raise TrackerError(
            f"expected a width and a height of at least 0, found x, y, w, h = {box.tolist()}"
        )
    return box
