"""Training targets: anchor labels, regions to refine, and the heads' desired outputs.

Boxes are corners x1, y1, x2, y2 in pixels of the search crop, relative to the centre of its first
pixel. The crop's centre is at ``side // 2``, as in PySOT's training; tracking measures from the
middle of the crop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from bench.arrays import FloatArray
from trackers.siamattn import search
from trackers.siamattn.config import RPNConfig, TrackingConfig
from trackers.siamattn.search import SMALLEST
from trackers.siamattn.training.config import LabelConfig

_LOWEST = 0.5  # lowest factor on the label thresholds
_NEAR = 3  # radius in cells around a distractor for its negatives
DELTAS = (0.1, 0.1, 0.2, 0.2)  # scale of the box head's output
MASK_SIDE = 64

IntArray = NDArray[np.int64]


class Shuffler(Protocol):
    """``numpy.random.Generator`` and ``RandomState``."""

    def shuffle(self, x: NDArray[Any]) -> None:
        """Shuffle in place."""


@dataclass(frozen=True, eq=False)
class AnchorLabels:
    """Desired proposals of one image.

    Attributes:
        cls: ``(A, R, R)`` 1 for the target, 0 for background, -1 for ignored.
        loc: ``(4, A, R, R)`` dx, dy, dw, dh from each anchor to the target.
        weight: ``(A, R, R)`` weight of each anchor in the regression.
    """

    cls: IntArray
    loc: FloatArray
    weight: FloatArray


@lru_cache(maxsize=8)
def training_anchors(rpn: RPNConfig, tracking: TrackingConfig) -> FloatArray:
    """All anchors as centred boxes ``(A, R, R, 4)`` in crop pixels; cached, do not modify."""
    width = search.map_width(rpn, tracking)
    boxes = search.anchors(rpn, tracking).reshape(-1, width, width, 4)
    return boxes + np.array([1, 1, 0, 0]) * float(tracking.instance // 2)


def label_anchors(
    box: FloatArray, anchors: FloatArray, labels: LabelConfig, rng: Shuffler
) -> AnchorLabels:
    """Labels of an image that shows the target (PySOT ``anchor_target.py``).

    Args:
        box: corners ``(4,)`` of the target.
        anchors: centred boxes ``(A, R, R, 4)``.
        labels: thresholds and maximum numbers.
        rng: samples among the eligible anchors.
    """
    centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    loc = np.concatenate(
        [(centre - anchors[..., :2]) / anchors[..., 2:], np.log(size / anchors[..., 2:])], -1
    )
    overlap = overlaps(to_corners(anchors), box)
    share = _threshold_factor(overlap, labels)
    positive = _sample(np.flatnonzero(overlap > share * labels.positive), labels.positives, rng)
    negative = _sample(np.flatnonzero(overlap < share * labels.negative), labels.negatives, rng)
    cls = np.full(overlap.shape, -1, dtype=np.int64)
    weight = np.zeros(overlap.shape)
    cls.flat[positive], cls.flat[negative] = 1, 0
    weight.flat[positive] = 1 / (len(positive) + 1e-6)
    return AnchorLabels(cls, np.moveaxis(loc, -1, 0), weight)


def _threshold_factor(overlap: FloatArray, labels: LabelConfig) -> float:
    """Factor on both thresholds, at least one half, that makes ``labels.least`` anchors positive.

    Anchors no better than the next best stay ignored.
    """
    if not labels.least:
        return 1.0
    next_best = np.partition(overlap, -labels.least - 1, axis=None)[-labels.least - 1]
    return float(np.clip(next_best / labels.positive, _LOWEST, 1.0))


def label_absent(
    box: FloatArray, anchors: FloatArray, labels: LabelConfig, stride: int, rng: Shuffler
) -> AnchorLabels:
    """Labels of an image that shows a distractor at ``box``: negatives around it.

    Arguments as ``label_anchors``; ``stride`` is the distance of anchors in pixels.
    """
    width = anchors.shape[1]
    middle = anchors[0, width // 2, width // 2, :2]
    steps = np.ceil(((box[:2] + box[2:]) / 2 - middle) / stride + 0.5).astype(int) + width // 2
    near = np.zeros(anchors.shape[:-1], dtype=bool)
    x, y = (slice(max(0, k - _NEAR), max(0, min(width, k + _NEAR + 1))) for k in steps)
    near[:, y, x] = True
    cls = np.full(near.shape, -1, dtype=np.int64)
    cls.flat[_sample(np.flatnonzero(near), labels.absent, rng)] = 0
    return AnchorLabels(cls, np.zeros((4, *near.shape)), np.zeros(near.shape))


def _sample(found: IntArray, most: int, rng: Shuffler) -> IntArray:
    """A random sample of at most ``most`` of ``found``."""
    if len(found) <= most:
        return found
    order = np.arange(len(found))
    rng.shuffle(order)
    return found[order[:most]]


def to_corners(boxes: FloatArray) -> FloatArray:
    """Centred boxes ``(..., 4)`` to corners."""
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def overlaps(boxes: FloatArray, box: FloatArray) -> FloatArray:
    """Intersection over union of corners ``(..., 4)`` with one box ``(4,)``: ``(...)``."""
    inner = np.minimum(boxes[..., 2:], box[2:]) - np.maximum(boxes[..., :2], box[:2])
    inter = inner.clip(min=0).prod(-1)
    total = (boxes[..., 2:] - boxes[..., :2]).prod(-1) + (box[2:] - box[:2]).prod()
    shares: FloatArray = inter / (total - inter)
    return shares


def decode_proposals(loc: Tensor, anchors: Tensor, side: int) -> Tensor:
    """All proposals of B images as corners ``(B, A * R * R, 4)``, without gradients.

    Args:
        loc: ``(B, 4A, R, R)``, dx of all anchors first.
        anchors: centred boxes ``(A * R * R, 4)``.
        side: side of the search crop; centres are clipped to it, sizes to 10..side - 1.
    """
    delta = loc.detach().reshape(len(loc), 4, -1).transpose(1, 2)
    centre = anchors[:, :2] + delta[..., :2] * anchors[:, 2:]
    size = anchors[:, 2:] * delta[..., 2:].exp()
    centre, size = centre.clamp(0, side - 1), size.clamp(SMALLEST, side - 1)
    return torch.cat([centre - size / 2, centre + size / 2], -1)


def choose_regions(
    proposals: Tensor, box: Tensor, sampling_keys: Tensor, labels: LabelConfig
) -> Tensor:
    """Regions of B images that overlap the target enough, always including the target's own box.

    Samples without repetition, or repeats all candidates in turn if there are too few:
    ``(B, regions, 4)`` corners.

    Args:
        proposals: corners ``(B, N, 4)``.
        box: corners ``(B, 4)`` of the target.
        sampling_keys: ``(B, N + 1)`` random keys from 0 to 1; the highest are sampled.
        labels: ``overlap`` and ``regions`` are used.
    """
    candidates = torch.cat([proposals, box[:, None]], 1)
    good = batch_overlaps(candidates, box) >= labels.overlap
    good[:, -1] = True  # regardless of rounding
    ranks = sampling_keys.masked_fill(~good, -1.0).topk(labels.regions, dim=1).indices
    count = good.sum(1, keepdim=True).clamp(max=labels.regions)
    turns = torch.arange(labels.regions, device=ranks.device) % count
    chosen = ranks.gather(1, turns)
    return candidates.gather(1, chosen[..., None].expand(-1, -1, 4))


def batch_overlaps(boxes: Tensor, box: Tensor) -> Tensor:
    """Intersection over union of corners ``(B, N, 4)`` with ``(B, 4)``: ``(B, N)``."""
    box = box[:, None]
    inner = torch.minimum(boxes[..., 2:], box[..., 2:]) - torch.maximum(
        boxes[..., :2], box[..., :2]
    )
    inter = inner.clamp(min=0).prod(-1)
    areas = [(each[..., 2:] - each[..., :2]).prod(-1) for each in (boxes, box)]
    return inter / (areas[0] + areas[1] - inter)


def box_targets(regions: Tensor, box: Tensor) -> Tensor:
    """Desired output of the box head: corners ``(B, K, 4)``, ``(B, 4)`` to ``(B, K, 4)``."""
    size = regions[..., 2:] - regions[..., :2]
    wanted = (box[:, 2:] - box[:, :2])[:, None]
    middle = (box[:, 2:] + box[:, :2])[:, None] / 2 - (regions[..., 2:] + regions[..., :2]) / 2
    delta = torch.cat([middle / size, (wanted / size).log()], -1)
    return delta / delta.new_tensor(DELTAS)


def mask_targets(mask: Tensor, regions: Tensor) -> Tensor:
    """Desired output of the mask head in each region, nearest pixels: ``(B, K, 64, 64)``.

    Args:
        mask: ``(B, S, S)`` 0 or 1.
        regions: corners ``(B, K, 4)``; clipped to the crop.
    """
    side = mask.shape[-1]
    first = regions[..., :2].int().clamp(0, side - 1)
    last = regions[..., 2:].int().clamp(0, side - 1)
    cut = [
        [image[y1 : y2 + 1, x1 : x2 + 1] for (x1, y1), (x2, y2) in zip(a, b, strict=True)]
        for image, a, b in zip(mask.float(), first.tolist(), last.tolist(), strict=True)
    ]
    size = (MASK_SIDE, MASK_SIDE)
    rows = [torch.cat([F.interpolate(c[None, None], size)[0] for c in row]) for row in cut]
    return torch.stack(rows)
