"""One target among many: its state, what is said of it, and how states share one network call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.arrays import BoolArray, FloatArray
from bench.errors import TrackerError
from bench.geometry import area_preserving_box
from bench.tracker import Prediction, Region, as_box
from trackers.siamattn.config import TrackingConfig
from trackers.siamattn.network import Template
from trackers.siamattn.search import View, view


@dataclass(frozen=True, eq=False)
class State:
    """One target, as its last frame left it.

    Attributes:
        box: centred, ``(4,)`` pixels of the frame.
        fill: ``(3,)`` mean colour of the first frame, shown beyond the border.
        template: what the network keeps of the first frame.
        tracking: the hyper-parameters.
        masked: whether a mask and the rectangle around it are wanted.
    """

    box: FloatArray
    fill: FloatArray
    template: Template
    tracking: TrackingConfig
    masked: bool

    @property
    def view(self) -> View:
        """Where the next frame is searched."""
        return view(self.box[:2], self.box[2:], self.tracking)


@dataclass(frozen=True, eq=False)
class SiamesePrediction(Prediction):
    """A prediction with what it was made of.

    Attributes:
        box: x, y, w, h, ``(4,)``; the region itself unless a mask was wanted.
        mask: ``(H, W)``, where one was wanted and is kept.
    """

    box: FloatArray | None = None
    mask: BoolArray | None = None


def is_rotated(region: Region) -> bool:
    """Whether a region is four corners ``(4, 2)``, as in the VOT challenge."""
    return region.shape == (4, 2) and region.dtype != bool


def first_box(region: Region) -> FloatArray:
    """The centred box ``(4,)`` that the target of a first frame is followed as.

    Of four corners, the area-preserving box with a pixel more on each side (PySOT
    ``get_axis_aligned_bbox``); of any other region, the box around it. PySOT's test script places
    the centre at ``x + w / 2`` either way.

    Raises:
        TrackerError: the region is not finite, or has no area.
    """
    box = as_box(region)
    if is_rotated(region):
        box = area_preserving_box(region.astype(np.float64)) + np.array([-0.5, -0.5, 1, 1])
    if not (box[2:] > 0).all():
        raise TrackerError(f"expected a target with an area, found {region.tolist()}")
    return np.concatenate([box[:2] + box[2:] / 2, box[2:]])


def join(parts: Sequence[Any]) -> Any:
    """Records of tensors of several lanes as one: tensors are joined along their first dimension.

    Args:
        parts: tensors, ``None``, or tuples or dataclasses of these, all built alike.
    """
    first = parts[0]
    if len(parts) == 1 or first is None:
        return first
    if isinstance(first, Tensor):
        return torch.cat(list(parts))
    if isinstance(first, tuple):
        return tuple(join(items) for items in zip(*parts, strict=True))
    return type(first)(
        **{f.name: join([getattr(p, f.name) for p in parts]) for f in fields(first)}
    )
