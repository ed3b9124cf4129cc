"""Proposals chosen in PyTorch are those that NumPy chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import TrackerError
from trackers.siamattn import on_device, search
from trackers.siamattn.config import preset
from trackers.siamattn.engine import Engine
from trackers.siamattn.tracker import SiamAttn

CPU = torch.device("cpu")


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["siamattn", "siamattn-nano", "siamrpn"]),
    lanes=st.integers(1, 4),
    seed=st.integers(0, 999),
)
def test_the_choice_is_the_same(name: str, lanes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = preset(name)
    tracking = [config.tracking_for(rng.choice(["vot", "otb"])) for _ in range(lanes)]
    anchors = search.anchors(config.rpn, tracking[0])
    window = search.cosine_window(config.rpn, tracking[0])
    side, count = search.map_width(config.rpn, tracking[0]), config.rpn.anchors
    cls = rng.normal(0, 3, (lanes, 2 * count, side, side)).astype(np.float32)
    loc = rng.normal(0, 0.5, (lanes, 4 * count, side, side)).astype(np.float32)
    sizes = list(rng.uniform(10, 150, (lanes, 2)))
    rows = on_device.best_proposals(
        torch.from_numpy(cls), torch.from_numpy(loc), torch.from_numpy(anchors),
        torch.from_numpy(window), on_device.lanes(sizes, tracking, CPU),
    )  # fmt: skip
    regions = on_device.box_regions(rows, tracking)
    for lane in range(lanes):
        boxes, scores = search.decode(loc[lane], anchors), search.foreground(cls[lane])
        wanted = search.best_proposal(scores, boxes, sizes[lane], window, tracking[lane])
        found = on_device.proposal_of(rows[lane].numpy())
        assert found.index == wanted.index
        np.testing.assert_allclose(found.box, wanted.box, rtol=1e-12)
        assert found.score == pytest.approx(wanted.score, rel=1e-12)
        assert found.penalty == pytest.approx(wanted.penalty, rel=1e-12)
        box = search.proposal_in_crop(wanted.box, tracking[lane].instance)
        region = search.box_region(box, tracking[lane])
        np.testing.assert_allclose(regions[lane], [lane, *region], rtol=1e-6, atol=1e-4)


def test_the_track_is_the_same(nano_file: Path, golden: Any) -> None:
    """Several targets, with boxes and masks."""
    tracker = SiamAttn(nano_file, "siamattn-nano", "cpu")
    polygon = np.array([[76.0, 94], [144, 94], [144, 146], [76, 146]])
    boxes = []
    for chosen in (False, True):
        tracker.engine = Engine(tracker.engine.network, on_device=chosen)
        states = [tracker.start(golden.frames[0], each) for each in (golden.first_box, polygon)]
        for image in golden.frames[1:6]:
            states, _ = tracker.advance(states, [image, image])
        boxes.append(np.stack([state.box for state in states]))
    np.testing.assert_allclose(boxes[1], boxes[0], atol=1e-6)


def test_infinite_scores_are_refused_there_too(nano_file: Path, golden: Any) -> None:
    tracker = SiamAttn(nano_file, "siamattn-nano", "cpu")
    tracker.engine = Engine(tracker.engine.network, on_device=True)
    for parameter in tracker.engine.network.rpn_head.parameters():
        parameter.data.fill_(float("nan"))
    tracker.init(golden.frames[0], golden.first_box)
    with pytest.raises(TrackerError, match="expected a finite score or box of a proposal"):
        tracker.update(golden.frames[1])


def test_templates_of_the_same_targets_are_stacked_once(nano_file: Path, golden: Any) -> None:
    tracker = SiamAttn(nano_file, "siamattn-nano", "cpu")
    seen = []
    search_of = tracker.engine.network.search
    tracker.engine.network.search = lambda x, template: (
        seen.append(template) or search_of(x, template)
    )
    states = [tracker.start(golden.frames[k], golden.first_box) for k in (0, 1)]
    for image in golden.frames[1:3]:
        states, _ = tracker.advance(states, [image, image])
    tracker.advance(states[::-1], [golden.frames[3]] * 2)
    assert seen[0] is seen[1]
    assert seen[2] is not seen[1]
    z = [each.terms[0].z for each in (seen[1], seen[2])]
    torch.testing.assert_close(z[1], z[0].flip(0))
