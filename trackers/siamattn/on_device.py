"""The choice of proposals where the network is: ``search.py``'s rules for B targets in PyTorch.

On a GPU the score maps then stay there, and a few numbers of each target come back. On a CPU the
engine uses ``search.py`` itself; the two agree to float64 rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bench.arrays import FloatArray
from trackers.siamattn.config import TrackingConfig
from trackers.siamattn.search import SMALLEST, Proposal


class Lanes(NamedTuple):
    """What the choice depends on, a row for each target, float64.

    Attributes:
        size: ``(B, 2)`` of the target in the last frame, in crop pixels.
        penalty_k: ``(B, 1)``.
        influence: ``(B, 1)`` of the window.
        context: ``(B, 1)``.
    """

    size: Tensor
    penalty_k: Tensor
    influence: Tensor
    context: Tensor


def lanes(
    sizes: Sequence[FloatArray], tracking: Sequence[TrackingConfig], device: torch.device
) -> Lanes:
    """The rows of B targets on a device, uploaded together."""
    rows = [
        [*size, each.penalty_k, each.window_influence, each.context]
        for size, each in zip(sizes, tracking, strict=True)
    ]
    uploaded = upload(torch.tensor(rows, dtype=torch.float64), device)
    return Lanes(uploaded[:, :2], uploaded[:, 2:3], uploaded[:, 3:4], uploaded[:, 4:])


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; to a GPU from pinned memory, while the CPU goes on."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def best_proposals(
    cls: Tensor, loc: Tensor, anchors: Tensor, window: Tensor, lanes: Lanes
) -> Tensor:
    """The proposal of each target as a row ``(B, 7)``, float64; see ``proposal_of``.

    Args:
        cls: ``(B, 2A, R, R)``.
        loc: ``(B, 4A, R, R)``.
        anchors: ``(N, 4)`` float64, ``search.anchors``.
        window: ``(N,)`` float64, ``search.cosine_window``.
        lanes: the targets.
    """
    background, target = cls.double().view(len(cls), 2, -1).unbind(1)
    scores = 0.5 + 0.5 * torch.tanh((target - background) / 2)
    delta = loc.double().view(len(loc), 4, -1).transpose(1, 2)
    centres = anchors[:, :2] + delta[..., :2] * anchors[:, 2:]
    sizes = anchors[:, 2:] * torch.exp(delta[..., 2:])
    kept = _penalties(sizes, lanes)
    rank = kept * scores * (1 - lanes.influence) + window * lanes.influence
    best = rank.argmax(1, keepdim=True)
    found = torch.cat([centres, sizes, torch.stack([scores, kept], -1)], -1)
    row = found.gather(1, best[..., None].expand(-1, -1, 6))[:, 0]
    return torch.cat([row, best.double()], 1)


def _penalties(sizes: Tensor, lanes: Lanes) -> Tensor:
    """As ``search.penalties``, ``(B, N, 2)`` to ``(B, N)``."""
    before = lanes.size[:, None]
    context = lanes.context[..., None]
    scale = _change(_context_side(sizes, context) / _context_side(before, context))
    shape = before[..., 0] / before[..., 1]
    ratio = _change(shape / (sizes[..., 0] / sizes[..., 1]))
    return torch.exp(-(ratio * scale - 1) * lanes.penalty_k)


def _context_side(sizes: Tensor, context: Tensor) -> Tensor:
    margin = context * sizes.sum(-1, keepdim=True)
    return (sizes + margin).prod(-1).sqrt()


def _change(ratio: Tensor) -> Tensor:
    return torch.maximum(ratio, 1 / ratio)


def box_regions(rows: Tensor, tracking: Sequence[TrackingConfig]) -> Tensor:
    """The regions ``(B, 5)`` in which proposals are refined, as ``search.box_region``.

    Args:
        rows: of ``best_proposals``.
        tracking: of each target; all have one form of crops.
    """
    instance, registered = tracking[0].instance, tracking[0].registered
    centres = (rows[:, :2] + instance / 2).clamp(0, instance - 1)
    halves = rows[:, 2:4].clamp(max=instance - 1).clamp(min=SMALLEST) / 2
    inwards, moved = (0.0, -0.5) if registered else (0.5, 0.0)
    halves = halves - inwards
    numbers = torch.arange(len(rows), device=rows.device).double()[:, None]
    return torch.cat([numbers, centres - halves + moved, centres + halves + moved], 1).float()


def proposal_of(row: FloatArray) -> Proposal:
    """The record of a row: box, score, penalty and index."""
    return Proposal(row[:4], float(row[4]), float(row[5]), int(row[6]))
