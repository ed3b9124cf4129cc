"""Where to search, and which proposal to follow: pure functions on arrays.

The rules, their order and rounding are those of PySOT's ``SiamRPNTracker`` and its subclass in the
released SiamAttn. A *centred box* is cx, cy, w, h. *Crop pixels* are those of the square search
image that the network sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, Image
from trackers.siamattn.config import RPNConfig, TrackingConfig

Floats = NDArray[np.float32] | FloatArray

SMALLEST = 10.0  # minimum side of targets and proposals
DELTAS = np.array([0.1, 0.1, 0.2, 0.2])  # scale of the box head's output
_FIRST = -0.5  # shifts positions from pixel-corner to pixel-centre coordinates


@dataclass(frozen=True, eq=False)
class View:
    """The square of a frame that is searched.

    Attributes:
        centre: ``(2,)`` centre of the square in the frame.
        side: side of the square in whole pixels of the frame.
        zoom: k, crop pixels per frame pixel; computed before rounding ``side`` unless registered.
        instance: side of the search crop in crop pixels.
    """

    centre: FloatArray
    side: int
    zoom: float
    instance: int

    @property
    def origin(self) -> FloatArray:
        """``(2,)`` the top-left corner of the square in the frame."""
        corner: FloatArray = self.centre - self.side / 2
        return corner

    def to_crop(self, box: FloatArray) -> FloatArray:
        """A centred box ``(4,)`` from frame to crop pixels."""
        return np.concatenate([box[:2] - self.origin, box[2:]]) * self.zoom

    def to_frame(self, box: FloatArray) -> FloatArray:
        """A centred box ``(4,)`` from crop to frame pixels."""
        return offset(self.origin, box / self.zoom)

    def region_of_mask(self, box: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Corner ``(2,)`` and size ``(2,)`` in the frame of the mask of a centred box of the crop.

        The target's box is scaled to the crop by k, but the mask is scaled back by the rounded
        side.
        """
        region = box * (self.side / self.instance)
        return self.origin + region[:2] - region[2:] / 2, region[2:]


@dataclass(frozen=True, eq=False)
class Proposal:
    """The selected proposal.

    Attributes:
        box: centred, ``(4,)`` crop pixels from the centre of the crop.
        score: its target probability.
        penalty: factor on its score for changes of size and aspect ratio, 0..1.
        index: its index in the order of ``anchors``.
    """

    box: FloatArray
    score: float
    penalty: float
    index: int


def context_side(size: Floats, context: float) -> Floats:
    """Side of the square around targets with their context, ``(..., 2) -> (...)``."""
    margin = context * size.sum(axis=-1, keepdims=True)
    side: Floats = np.sqrt((size + margin).prod(axis=-1))
    return side


def view(centre: FloatArray, size: FloatArray, tracking: TrackingConfig) -> View:
    """The square to search for a target of ``size`` ``(2,)`` last seen at ``centre`` ``(2,)``."""
    exemplar = float(context_side(size, tracking.context))
    side = round(exemplar * (tracking.instance / tracking.exemplar))
    zoom = tracking.instance / side if tracking.registered else tracking.exemplar / exemplar
    return View(middle_of_crop(centre, side, tracking), side, zoom, tracking.instance)


def middle_of_crop(centre: FloatArray, side: int, tracking: TrackingConfig) -> FloatArray:
    """Centre ``(2,)`` of the square to crop around ``centre`` ``(2,)``.

    If registered, that of the nearest square of whole pixels; else ``centre`` itself.
    """
    if not tracking.registered:
        return centre
    corner: FloatArray = np.floor(centre - side / 2 + 0.5)
    return corner + side / 2


def crop(image: Image, centre: FloatArray, side: int, pixels: int, fill: FloatArray) -> Image:
    """A square of ``image`` resized to ``(pixels, pixels, 3)``.

    Args:
        image: ``(H, W, 3)``.
        centre: ``(2,)`` of the square.
        side: of the square in pixels of the image.
        pixels: side of the result.
        fill: ``(3,)`` colour outside the image, truncated to whole numbers.
    """
    import cv2

    x, y = np.floor(centre - (side + 1) / 2 + 0.5).astype(int)
    inside = image[max(y, 0) : max(y + side, 0), max(x, 0) : max(x + side, 0)]
    window = np.empty((side, side, 3), dtype=np.uint8)
    window[:] = fill.astype(np.uint8)
    top, left = max(-y, 0), max(-x, 0)
    window[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    if side == pixels:
        return window
    return np.asarray(cv2.resize(window, (pixels, pixels)), dtype=np.uint8)


def fade_surround(crop: Image, corners: FloatArray, surround: float) -> Image:
    """A template crop with reduced contrast around the target, which marks its box.

    Args:
        crop: ``(S, S, 3)``.
        corners: ``(4,)`` x1, y1, x2, y2 of the target, in pixels from the crop's corner. Pixels
            partly inside keep their contrast in part.
        surround: contrast factor outside, about the crop's mean colour.
    """
    if surround == 1:
        return crop
    pixels = np.arange(len(crop))[:, None]
    shares = np.minimum(pixels + 1, corners[2:]) - np.maximum(pixels, corners[:2])
    across, down = np.clip(shares, 0, 1).T
    kept = surround + (1 - surround) * np.outer(down, across)[..., None]
    mean = crop.mean(axis=(0, 1))
    return np.asarray(np.rint(mean + (crop - mean) * kept), dtype=np.uint8)


def anchors(rpn: RPNConfig, tracking: TrackingConfig) -> FloatArray:
    """All anchors as centred boxes ``(A * R * R, 4)``, in crop pixels from the crop's centre.

    Ordered by anchor, row, column, like the network's maps (R = 25). Sides are truncated to
    multiples of the scale, as in PySOT's ``Anchors.generate_anchors``.
    """
    sizes = []
    for ratio in rpn.ratios:
        width = int(math.sqrt(rpn.stride**2 / ratio))
        sizes += [(width * scale, int(width * ratio) * scale) for scale in rpn.scales]
    count = map_width(rpn, tracking)
    places = (np.arange(count) - count // 2) * float(rpn.stride)
    grid = np.empty((len(sizes), count, count, 4))
    grid[..., 0], grid[..., 1] = places, places[:, None]
    grid[..., 2:] = np.array(sizes)[:, None, None]
    return grid.reshape(-1, 4)


def map_width(rpn: RPNConfig, tracking: TrackingConfig) -> int:
    """R, the number of anchor positions per row and column."""
    return (tracking.instance - tracking.exemplar) // rpn.stride + 1 + tracking.base_size


def cosine_window(rpn: RPNConfig, tracking: TrackingConfig) -> FloatArray:
    """The cosine window that favours the crop's centre, one value per anchor, ``(A * R * R,)``."""
    line = np.hanning(map_width(rpn, tracking))
    return np.tile(np.outer(line, line).ravel(), rpn.anchors)


def foreground(cls: Floats) -> FloatArray:
    """Target probability of each anchor ``(A * R * R,)`` from scores ``(2A, R, R)``."""
    background, target = cls.reshape(2, -1).astype(np.float64)
    return 0.5 + 0.5 * np.tanh((target - background) / 2)  # softmax over the pair


def decode(loc: Floats, boxes: FloatArray) -> FloatArray:
    """Proposals ``(N, 4)`` from regressions ``(4A, R, R)``, dx of all anchors first."""
    return shift(boxes, loc.reshape(4, -1).T.astype(np.float64))


def shift(boxes: FloatArray, delta: FloatArray) -> FloatArray:
    """Centred boxes moved by dx, dy relative to their size, and scaled by exp(dw), exp(dh).

    ``(..., 4), (..., 4) -> (..., 4)``.
    """
    centre = boxes[..., :2] + delta[..., :2] * boxes[..., 2:]
    return np.concatenate([centre, boxes[..., 2:] * np.exp(delta[..., 2:])], axis=-1)


def penalties(sizes: FloatArray, size: FloatArray, tracking: TrackingConfig) -> FloatArray:
    """Score factors that penalise changes of scale and aspect ratio, ``(N, 2) -> (N,)``.

    Args:
        sizes: widths and heights of the proposals in crop pixels.
        size: ``(2,)`` of the target in the last frame, in crop pixels.
        tracking: ``penalty_k`` and ``context`` are used.
    """
    sides = context_side(sizes, tracking.context)
    scale = _change(sides / context_side(size, tracking.context))
    ratio = _change((size[0] / size[1]) / (sizes[:, 0] / sizes[:, 1]))
    kept: FloatArray = np.exp(-(ratio * scale - 1) * tracking.penalty_k)
    return kept


def _change(ratio: Floats) -> Floats:
    """The larger of a ratio and its inverse, so 1 means no change."""
    return np.maximum(ratio, 1 / ratio)


def best_proposal(
    scores: FloatArray,
    boxes: FloatArray,
    size: FloatArray,
    window: FloatArray,
    tracking: TrackingConfig,
) -> Proposal:
    """The proposal with the highest rank by score, penalty and window.

    Args:
        scores: ``(N,)`` probabilities.
        boxes: ``(N, 4)`` centred, in crop pixels from the crop's centre.
        size: ``(2,)`` of the target in the last frame, in crop pixels.
        window: ``(N,)``.
        tracking: weights of penalty and window.
    """
    kept = penalties(boxes[:, 2:], size, tracking)
    share = tracking.window_influence
    best = int(np.argmax(kept * scores * (1 - share) + window * share))
    return Proposal(boxes[best], float(scores[best]), float(kept[best]), best)


def proposal_in_crop(box: FloatArray, instance: int) -> FloatArray:
    """A proposal in crop pixels from the crop's corner, clipped to it: the box head's input.

    ``(4,)`` to ``(4,)``, centred; ``instance`` is the side of the crop.
    """
    return clip(offset(np.full(2, instance / 2), box), np.full(2, instance - 1.0))


def offset(place: FloatArray, box: FloatArray) -> FloatArray:
    """A centred box ``(4,)`` with its centre moved by ``place`` ``(2,)``."""
    return np.concatenate([place + box[:2], box[2:]])


def box_region(box: FloatArray, tracking: TrackingConfig) -> FloatArray:
    """Corners ``(4,)`` of the region in which a centred box of the crop ``(4,)`` is refined."""
    if tracking.registered:
        return roi_of(box) + _FIRST
    return roi_of(box, margin=0.5)


def mask_region(box: FloatArray, tracking: TrackingConfig) -> FloatArray:
    """Corners ``(4,)`` of the mask's region for a centred box of the crop ``(4,)``."""
    return roi_of(box) + (_FIRST if tracking.registered else 0.0)


def window_of(anchor: FloatArray, tracking: TrackingConfig) -> FloatArray:
    """The centred box ``(4,)`` of SiamMask's mask: the template's size at an anchor's place.

    ``anchor`` is measured from the centre of the crop, the result from its corner.
    """
    size = np.full(2, float(tracking.exemplar))
    return np.concatenate([anchor[:2] + tracking.instance / 2, size])


def roi_of(box: FloatArray, margin: float = 0.0) -> FloatArray:
    """Corners x1, y1, x2, y2 of a centred box, each ``margin`` inwards: ``(4,) -> (4,)``."""
    half = box[2:] / 2 - margin
    return np.concatenate([box[:2] - half, box[:2] + half])


def next_box(
    size: FloatArray, found: FloatArray, proposal: Proposal, limits: FloatArray, lr: float
) -> FloatArray:
    """The target's next box, centred ``(4,)``: new centre, smoothed size, clipped to the frame.

    Args:
        size: ``(2,)`` of the target in the last frame.
        found: centred box ``(4,)``; like ``size`` in pixels of the frame.
        proposal: its origin; the more confident, the greater the weight of its size.
        limits: ``(2,)`` largest x and y.
        lr: weight of a fully confident size.
    """
    share = proposal.penalty * proposal.score * lr
    smoothed = (1 - share) * size + share * found[2:]
    return clip(np.concatenate([found[:2], smoothed]), limits)


def clip(box: FloatArray, limits: FloatArray) -> FloatArray:
    """A centred box with centre in 0..limits and size in 10..limits, ``(4,) -> (4,)``."""
    centre = np.clip(box[:2], 0.0, limits)
    size = np.maximum(np.minimum(box[2:], limits), SMALLEST)
    return np.concatenate([centre, size])
