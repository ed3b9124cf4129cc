"""The losses (equation 5 and section 3.3), each the mean over what it is asked of.

With several processes the means are those over all of them: sums are divided by the number of
all processes' terms, so that averaged gradients are those of one process with all pairs.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def classification_loss(cls: Tensor, label: Tensor) -> Tensor:
    """Negative log-likelihood, positives and negatives with half the weight each.

    Args:
        cls: ``(B, 2A, R, R)``, background of the A anchors first.
        label: ``(B, A, R, R)`` 1, 0, or -1 for anchors that do not count.
    """
    logits = cls.view(len(cls), 2, -1, *cls.shape[2:]).log_softmax(1)
    terms = [
        _mean(-logits[:, kind][label == kind], logits) for kind in (1, 0)
    ]  # target, background
    return 0.5 * (terms[0] + terms[1])


def regression_loss(loc: Tensor, wanted: Tensor, weight: Tensor, form: str = "l1") -> Tensor:
    """Distance of the positive anchors' regressions, mean over images.

    Args:
        loc: ``(B, 4A, R, R)``.
        wanted: ``(B, 4, A, R, R)``.
        weight: ``(B, A, R, R)``; of an image they sum to 1 or are all 0.
        form: ``l1`` as released, or the paper's ``smooth_l1``.
    """
    found = loc.view(len(loc), 4, -1, *loc.shape[2:])
    function = F.l1_loss if form == "l1" else F.smooth_l1_loss
    return (function(found, wanted, reduction="none").sum(1) * weight).sum() / len(loc)


def box_loss(found: Tensor, wanted: Tensor, used: Tensor) -> Tensor:
    """Smooth L1 of the box head, mean over the images ``used`` ``(B,)`` bool.

    ``found`` and ``wanted`` are ``(B, K, 4)``.
    """
    terms = F.smooth_l1_loss(found, wanted, reduction="none")
    return _mean(terms[used], terms)


def mask_loss(logits: Tensor, wanted: Tensor, used: Tensor, hardest: float = 1.0) -> Tensor:
    """Binary cross-entropy of the mask head, mean over the images ``used`` ``(B,)`` bool.

    ``logits`` and ``wanted`` are ``(B, K, 64, 64)``; ``hardest`` is the share of pixels that
    count, those with the largest loss.
    """
    terms = F.binary_cross_entropy_with_logits(logits[used], wanted[used], reduction="none")
    terms = terms.flatten()
    if hardest < 1:
        terms = terms.topk(int(hardest * len(terms)), sorted=False).values
    return _mean(terms, logits)


def _mean(terms: Tensor, graph: Tensor) -> Tensor:
    """Mean over the terms of all processes; 0 where there are none.

    ``graph`` keeps the backward pass the same in all processes where this one has no terms.
    """
    count = torch.tensor(float(terms.numel()), device=terms.device)
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(count)
        count = count / dist.get_world_size()
    return (terms.sum() if terms.numel() else graph.sum() * 0) / count.clamp(min=1e-12)
