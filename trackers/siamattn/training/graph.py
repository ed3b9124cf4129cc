"""One pass of the network in training: pairs in, losses out (equation 5)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from trackers.siamattn.network import Network
from trackers.siamattn.training import losses, targets
from trackers.siamattn.training.config import LabelConfig, LossConfig


@dataclass(frozen=True, eq=False)
class Batch:
    """B pairs of a template and a search image of S x S pixels.

    Attributes:
        template: BGR crops ``(B, 3, 127, 127)`` uint8.
        search: BGR crops ``(B, 3, S, S)`` uint8.
        cls, loc, weight: ``(B, A, R, R)``, ``(B, 4, A, R, R)``, ``(B, A, R, R)``; see
            ``targets.AnchorLabels``.
        box: ``(B, 4)`` corners of what the search image shows, in pixels of the crop.
        positive: ``(B,)`` bool: it is the template's target.
        mask: ``(B, S, S)`` uint8, 1 on the target.
        masked: ``(B,)`` bool: the mask is known, not empty, and the target's.
        lottery: ``(B, A * R * R + 1)`` random numbers that regions are drawn with.
    """

    template: Tensor
    search: Tensor
    cls: Tensor
    loc: Tensor
    weight: Tensor
    box: Tensor
    positive: Tensor
    mask: Tensor
    masked: Tensor
    lottery: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(*(getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)))

    def __len__(self) -> int:
        return len(self.box)


@dataclass(frozen=True, eq=False)
class Losses:
    """Each loss before its weight, and the weighted sum.

    0 where the network has no such head, or the head's loss has no weight: neither is computed.
    """

    total: Tensor
    cls: Tensor
    loc: Tensor
    box: Tensor
    mask: Tensor

    def numbers(self) -> dict[str, Tensor]:
        """By name, without their graphs."""
        return {f.name: getattr(self, f.name).detach() for f in fields(self)}


def training_pass(
    network: Network,
    batch: Batch,
    labels: LabelConfig,
    weights: LossConfig,
    regions: Tensor | None = None,
) -> Losses:
    """The losses of a batch.

    Args:
        network: in training mode, or not for losses on held-out pairs.
        batch: on the network's device.
        labels: which proposals are refined.
        weights: of the losses.
        regions: corners ``(B, K, 4)`` to refine in place of those chosen among the proposals.
    """
    proposals = network.search(batch.search.float(), network.template(batch.template.float()))
    cls = losses.classification_loss(proposals.cls, batch.cls)
    loc = losses.regression_loss(proposals.loc, batch.loc, batch.weight, weights.regression)
    box, mask = cls.new_zeros(()), cls.new_zeros(())
    refined = network.config.refine.box and weights.box > 0
    masked = network.config.refine.mask and weights.mask > 0
    if refined or masked:
        if regions is None:
            regions = _regions(network, proposals.loc, batch, labels)
        if refined:
            deltas = network.refine_box(proposals.features, _rows(regions))
            wanted = targets.box_targets(regions, batch.box)
            box = losses.box_loss(deltas.view_as(wanted), wanted, batch.positive)
        if masked:
            regions = regions[:, : labels.mask_regions]
            logits = network.refine_mask(proposals.features, _rows(regions))
            wanted = targets.mask_targets(batch.mask, regions)
            mask = losses.mask_loss(logits.view_as(wanted), wanted, batch.masked, weights.hardest)
    total = weights.cls * cls + weights.loc * loc + weights.box * box + weights.mask * mask
    return Losses(total, cls, loc, box, mask)


def _regions(network: Network, loc: Tensor, batch: Batch, labels: LabelConfig) -> Tensor:
    tracking = network.config.tracking_for()
    grid = targets.training_anchors(network.config.rpn, tracking).reshape(-1, 4)
    anchors = torch.from_numpy(grid).to(loc)
    found = targets.decode_proposals(loc, anchors, batch.search.shape[-1])
    return targets.choose_regions(found, batch.box, batch.lottery, labels)


def _rows(regions: Tensor) -> Tensor:
    """Corners ``(B, K, 4)`` as the heads want them: ``(B * K, 5)``, the image first."""
    batch, count, _ = regions.shape
    image = torch.arange(batch, device=regions.device).repeat_interleave(count)
    return torch.cat([image[:, None].to(regions), regions.reshape(-1, 4)], 1)
