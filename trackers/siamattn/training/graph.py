"""One training pass: a batch of pairs to losses (equation 5 and section 3.3).

Each loss is averaged over the anchors, regions or pixels it applies to. With several processes
the averages run over all of them: sums are divided by the total number of terms, so averaged
gradients equal those of one process with all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from trackers.siamattn.network import Network
from trackers.siamattn.training import targets
from trackers.siamattn.training.config import LabelConfig, LossConfig


@dataclass(frozen=True, eq=False)
class Batch:
    """B pairs of template and search image, S x S pixels.

    Attributes:
        template: BGR crops ``(B, 3, 127, 127)`` uint8.
        search: BGR crops ``(B, 3, S, S)`` uint8.
        cls, loc, weight: ``(B, A, R, R)``, ``(B, 4, A, R, R)``, ``(B, A, R, R)``; see
            ``targets.AnchorLabels``.
        box: ``(B, 4)`` corners of the object in the search image, crop pixels.
        positive: ``(B,)`` bool: the object is the template's target.
        mask: ``(B, S, S)`` uint8, 1 on the target.
        masked: ``(B,)`` bool: the pair is positive with a known, non-empty mask.
        sampling_keys: ``(B, A * R * R + 1)`` random keys for sampling regions.
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
    sampling_keys: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        return Batch(*(getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)))

    def pin_memory(self) -> Batch:
        """The batch in memory from which a GPU copies without waiting."""
        return Batch(*(getattr(self, f.name).pin_memory() for f in fields(self)))

    def __len__(self) -> int:
        return len(self.box)


@dataclass(frozen=True, eq=False)
class Losses:
    """Unweighted losses and their weighted sum.

    A loss is 0, and its head not computed, if the network lacks the head or the weight is 0.
    """

    total: Tensor
    cls: Tensor
    loc: Tensor
    box: Tensor
    mask: Tensor

    def numbers(self) -> dict[str, Tensor]:
        """Losses by name, detached."""
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
        network: in training mode, or in evaluation mode for losses on held-out pairs.
        batch: on the network's device.
        labels: determines which proposals are refined.
        weights: weights of the losses.
        regions: corners ``(B, K, 4)`` to refine instead of sampled proposals.
    """
    proposals = network.search(batch.search.float(), network.template(batch.template.float()))
    cls = classification_loss(proposals.cls, batch.cls)
    loc = regression_loss(proposals.loc, batch.loc, batch.weight, weights.regression)
    box, mask = cls.new_zeros(()), cls.new_zeros(())
    refined = network.config.refine.box and weights.box > 0
    masked = network.config.refine.mask and weights.mask > 0
    if refined or masked:
        if regions is None:
            regions = _regions(network, proposals.loc, batch, labels)
        if refined:
            deltas = network.refine_box(proposals.features, _rows(regions))
            wanted = targets.box_targets(regions, batch.box)
            box = box_loss(deltas.view_as(wanted), wanted, batch.positive)
        if masked:
            regions = regions[:, : labels.mask_regions]
            logits = network.refine_mask(proposals.features, _rows(regions))
            wanted = targets.mask_targets(batch.mask, regions)
            mask = mask_loss(logits.view_as(wanted), wanted, batch.masked, weights.hardest)
    total = weights.cls * cls + weights.loc * loc + weights.box * box + weights.mask * mask
    return Losses(total, cls, loc, box, mask)


def _regions(network: Network, loc: Tensor, batch: Batch, labels: LabelConfig) -> Tensor:
    tracking = network.config.tracking_for()
    grid = targets.training_anchors(network.config.rpn, tracking).reshape(-1, 4)
    anchors = torch.from_numpy(grid).to(loc)
    found = targets.decode_proposals(loc, anchors, batch.search.shape[-1])
    return targets.choose_regions(found, batch.box, batch.sampling_keys, labels)


def _rows(regions: Tensor) -> Tensor:
    """Corners ``(B, K, 4)`` to rows ``(B * K, 5)`` as the heads expect, image index first."""
    batch, count, _ = regions.shape
    image = torch.arange(batch, device=regions.device).repeat_interleave(count)
    return torch.cat([image[:, None].to(regions), regions.reshape(-1, 4)], 1)


def classification_loss(cls: Tensor, label: Tensor) -> Tensor:
    """Negative log-likelihood; positives and negatives each have half the weight.

    Args:
        cls: ``(B, 2A, R, R)``, background scores of the A anchors first.
        label: ``(B, A, R, R)`` 1, 0, or -1 for ignored anchors.
    """
    logits = cls.view(len(cls), 2, -1, *cls.shape[2:]).log_softmax(1)
    target, background = (_mean(-logits[:, kind][label == kind], logits) for kind in (1, 0))
    return 0.5 * (target + background)


def regression_loss(loc: Tensor, wanted: Tensor, weight: Tensor, form: str = "l1") -> Tensor:
    """Distance of the positive anchors' regressions, averaged over the images of all processes.

    Args:
        loc: ``(B, 4A, R, R)``.
        wanted: ``(B, 4, A, R, R)``.
        weight: ``(B, A, R, R)``; the weights of an image sum to 1 or are all 0.
        form: ``l1`` as released, or ``smooth_l1`` as in the paper.
    """
    found = loc.view(len(loc), 4, -1, *loc.shape[2:])
    function = F.l1_loss if form == "l1" else F.smooth_l1_loss
    return (function(found, wanted, reduction="none").sum(1) * weight).sum() / _share(
        len(loc), loc
    )


def box_loss(found: Tensor, wanted: Tensor, used: Tensor) -> Tensor:
    """Smooth L1 of the box head, averaged over the images ``used`` ``(B,)`` bool.

    ``found`` and ``wanted`` are ``(B, K, 4)``.
    """
    terms = F.smooth_l1_loss(found, wanted, reduction="none")
    return _mean(terms[used], terms)


def mask_loss(logits: Tensor, wanted: Tensor, used: Tensor, hardest: float = 1.0) -> Tensor:
    """Binary cross-entropy of the mask head, averaged over the images ``used`` ``(B,)`` bool.

    ``logits`` and ``wanted`` are ``(B, K, 64, 64)``; ``hardest`` is the share of pixels that
    count, those with the largest loss.
    """
    terms = F.binary_cross_entropy_with_logits(logits[used], wanted[used], reduction="none")
    terms = terms.flatten()
    if hardest < 1:
        terms = terms.topk(int(hardest * len(terms)), sorted=False).values
    return _mean(terms, logits)


def _mean(terms: Tensor, graph: Tensor) -> Tensor:
    """Mean over the terms of all processes; 0 if there are none.

    ``graph`` keeps the backward pass the same in every process when this one has no terms.
    """
    count = _share(terms.numel(), terms)
    return (terms.sum() if terms.numel() else graph.sum() * 0) / count.clamp(min=1e-12)


def _share(count: int, like: Tensor) -> Tensor:
    """The mean of ``count`` over all processes: sums divided by it average to the mean of all."""
    total = torch.tensor(float(count), device=like.device)
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(total)
        total = total / dist.get_world_size()
    return total
