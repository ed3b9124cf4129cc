"""Losses: batches without terms, and hard pixel mining."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trackers.siamattn.training import graph


def test_losses_without_terms_are_zero_with_gradients() -> None:
    """A batch of negatives has nothing to regress, refine or segment."""
    cls = torch.randn(2, 10, 17, 17, requires_grad=True)
    label = torch.full((2, 5, 17, 17), -1)
    assert graph.classification_loss(cls, label).item() == 0
    label[:, :, 3:5] = 0
    only = graph.classification_loss(cls, label)
    assert only.item() > 0
    none = torch.zeros(2, dtype=torch.bool)
    box = torch.randn(2, 3, 4, requires_grad=True)
    mask = torch.randn(2, 3, 64, 64, requires_grad=True)
    total = graph.box_loss(box, torch.zeros(2, 3, 4), none)
    total = total + graph.mask_loss(mask, torch.zeros(2, 3, 64, 64), none, 0.7)
    assert total.item() == 0
    (total + only).backward()  # type: ignore[no-untyped-call]
    assert box.grad is not None
    assert not box.grad.any()
    assert mask.grad is not None


def test_only_the_hardest_pixels_count() -> None:
    logits, wanted = torch.zeros(1, 1, 2, 5), torch.zeros(1, 1, 2, 5)
    logits[0, 0, 0] = 4.0
    yes = torch.ones(1, dtype=torch.bool)
    half = graph.mask_loss(logits, wanted, yes, 0.5).item()
    assert half == pytest.approx(np.log1p(np.exp(4.0)), rel=1e-6)
    assert graph.mask_loss(logits, wanted, yes, 1.0).item() == pytest.approx(
        (half + np.log(2)) / 2, rel=1e-6
    )
