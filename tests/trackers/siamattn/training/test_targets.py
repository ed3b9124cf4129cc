"""Labels, regions and masks of unusual pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trackers.siamattn.config import preset
from trackers.siamattn.training import targets
from trackers.siamattn.training.config import LabelConfig

CONFIG = preset("siamattn-nano")
ANCHORS = targets.training_anchors(CONFIG.rpn, CONFIG.tracking_for())
LABELS = LabelConfig()
SIDE = CONFIG.tracking_for().instance
places = st.floats(-300, 500)
sizes = st.floats(1, 400)


@given(places, places, sizes, sizes)
def test_any_box_gets_labels(x: float, y: float, w: float, h: float) -> None:
    """Including boxes larger than the crop, or outside it."""
    box = np.array([x, y, x + w, y + h])
    found = targets.label_anchors(box, ANCHORS, LABELS, np.random.default_rng(0))
    assert np.isfinite(found.loc).all()
    positive = (found.cls == 1).sum()
    assert positive <= LABELS.positives
    assert (found.cls == 0).sum() <= LABELS.negatives
    assert found.weight.sum() == pytest.approx(1.0 if positive else 0.0, abs=1e-5)
    assert np.array_equal(found.weight > 0, found.cls == 1)


@given(st.floats(60, 130), st.floats(60, 130), st.floats(34, 120), st.floats(34, 120))
def test_a_target_whose_size_matches_no_anchor_is_not_background(
    x: float, y: float, w: float, h: float
) -> None:
    """Thresholds fall until some anchors are positive; if enough are, nothing changes."""
    box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    plain = LabelConfig(positive=0.5, positives=999, negatives=999)
    lowered = LabelConfig(positive=0.5, positives=999, negatives=999, least=8)
    before, found = (
        targets.label_anchors(box, ANCHORS, labels, np.random.default_rng(0)).cls
        for labels in (plain, lowered)
    )
    overlap = targets.overlaps(targets.to_corners(ANCHORS), box)
    if (before == 1).sum() > 8:
        assert np.array_equal(before, found)
    assert not (overlap[found == 0] >= 0.3).any()
    assert (overlap[found == 1] > 0.25).all()
    assert overlap[found == 1].min(initial=1) >= overlap[found == 0].max()


def test_a_small_target_is_found_by_the_nearest_anchors() -> None:
    """At two thirds of the anchors' size, none would be positive and most background."""
    box = np.array([95 - 18.0, 95 - 18, 95 + 18, 95 + 18])
    plain, lowered = (
        targets.label_anchors(
            box, ANCHORS, LabelConfig(positive=0.5, least=least), np.random.default_rng(0)
        )
        for least in (0, 8)
    )
    assert not (plain.cls == 1).any()
    assert (lowered.cls == 1).sum() >= 6  # all except those tied with the ninth
    near = targets.overlaps(targets.to_corners(ANCHORS), box)[lowered.cls == 1]
    assert near.min() > 0.25


@given(places, places)
def test_a_distractor_anywhere(x: float, y: float) -> None:
    box = np.array([x, y, x + 40, y + 40])
    found = targets.label_absent(box, ANCHORS, LABELS, 8, np.random.default_rng(0))
    assert not (found.cls == 1).any()
    assert not found.weight.any()
    assert (found.cls == 0).sum() <= LABELS.absent


def regions(count: int, box: torch.Tensor, labels: LabelConfig = LABELS) -> torch.Tensor:
    """Regions sampled from ``count`` proposals near ``box`` and 50 far from it."""
    torch.manual_seed(0)
    near = box[:, None] + torch.rand(len(box), count, 4)
    far = box[:, None] + 500 + torch.rand(len(box), 50, 4)
    proposals = torch.cat([near, far], 1)
    return targets.choose_regions(
        proposals, box, torch.rand(len(box), proposals.shape[1] + 1), labels
    )


def test_regions_overlap_and_do_not_repeat() -> None:
    box = torch.tensor([[40.0, 50, 90, 100], [10, 20, 60, 50]])
    found = regions(60, box)
    assert found.shape == (2, 16, 4)
    assert (targets.batch_overlaps(found, box) >= 0.5).all()
    assert all(len(torch.unique(rows, dim=0)) == 16 for rows in found)


def test_few_regions_repeat_in_turn() -> None:
    found = regions(2, torch.tensor([[40.0, 50, 90, 100]]))[0]
    assert len(torch.unique(found, dim=0)) == 3  # two proposals, and the target's own box
    assert torch.equal(found[:3], found[3:6])


def test_without_proposals_the_targets_own_box_is_used() -> None:
    box = torch.tensor([[40.0, 50, 90, 100]])
    assert torch.equal(regions(0, box), box[:, None].expand(1, 16, 4))


def test_masks_are_clipped_to_the_crop() -> None:
    mask = torch.zeros(1, SIDE, SIDE)
    mask[0, 10:20, 30:50] = 1
    inside = torch.tensor([[[30.0, 10, 49, 19]]])
    assert targets.mask_targets(mask, inside).min() == 1
    outside = torch.tensor([[[-50.0, -50, -10, -10], [300, 300, 400, 400], [30, -9, 49, 9]]])
    assert targets.mask_targets(mask, outside).sum() == 0
