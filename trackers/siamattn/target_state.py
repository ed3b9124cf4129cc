"""State of a tracked target, and its predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import FloatArray
from bench.errors import TrackerError
from bench.geometry import area_preserving_box
from bench.tracker import Prediction, Region, as_box
from trackers.siamattn.config import TrackingConfig
from trackers.siamattn.search import View, view

if TYPE_CHECKING:
    from trackers.siamattn.network import Template


@dataclass(frozen=True, eq=False)
class State:
    """A target as of its last frame.

    Attributes:
        box: centred, ``(4,)`` pixels of the frame.
        fill: ``(3,)`` mean colour of the first frame, used outside the image.
        template: the network's terms of the first frame.
        tracking: the hyper-parameters.
        masked: whether to predict a mask and the rectangle around it.
    """

    box: FloatArray
    fill: FloatArray
    template: Template
    tracking: TrackingConfig
    masked: bool

    @property
    def view(self) -> View:
        """The square to search in the next frame."""
        return view(self.box[:2], self.box[2:], self.tracking)


@dataclass(frozen=True, eq=False)
class SiamesePrediction(Prediction):
    """A prediction with its box, x, y, w, h, ``(4,)``: the region unless a mask is predicted."""

    box: FloatArray | None = None


def is_rotated(region: Region) -> bool:
    """Whether a region is four corners ``(4, 2)``, as in the VOT challenge."""
    return region.shape == (4, 2) and region.dtype != bool


def first_box(region: Region) -> FloatArray:
    """The initial centred box ``(4,)`` of a target.

    For four corners, the area-preserving box enlarged by a pixel per dimension (PySOT
    ``get_axis_aligned_bbox``); for other regions, the bounding box. The centre is ``x + w / 2``,
    as in PySOT's test script.

    Raises:
        TrackerError: the region is not finite, or has no area.
    """
    box = as_box(region)
    if is_rotated(region):
        box = area_preserving_box(region.astype(np.float64)) + np.array([-0.5, -0.5, 1, 1])
    if not (box[2:] > 0).all():
        raise TrackerError(f"expected a target with an area, found {region.tolist()}")
    return np.concatenate([box[:2] + box[2:] / 2, box[2:]])
