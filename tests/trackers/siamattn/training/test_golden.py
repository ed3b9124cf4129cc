"""Targets, losses and gradients against those of the released training code."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trackers.siamattn.training.conftest import GOLDEN, needs_golden
from trackers.siamattn.config import preset
from trackers.siamattn.network import Network
from trackers.siamattn.training import graph, targets
from trackers.siamattn.training.config import LabelConfig, recipe
from trackers.siamattn.training.graph import Batch, Losses, training_pass

pytestmark = needs_golden
Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def golden() -> Arrays:
    return dict(np.load(GOLDEN / "training.npz"))


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / "training.json").read_text())
    return found


@pytest.fixture(scope="module")
def anchors() -> np.ndarray[Any, Any]:
    config = preset("siamattn")
    return targets.training_anchors(config.rpn, config.tracking_for())


def tensor(array: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def test_anchors(golden: Arrays, anchors: np.ndarray[Any, Any]) -> None:
    part = anchors[:, ::6, ::6]
    assert part.shape[:-1] == golden["all_center"].shape[1:]
    assert np.moveaxis(part, -1, 0) == pytest.approx(golden["all_center"], abs=1e-5)
    corners = targets.to_corners(part)
    assert np.moveaxis(corners, -1, 0) == pytest.approx(golden["all_corner"], abs=1e-5)


@pytest.mark.parametrize("case", range(4))
def test_anchor_labels(
    case: int, golden: Arrays, numbers: dict[str, Any], anchors: np.ndarray[Any, Any]
) -> None:
    expected, key = numbers[f"at{case}"], f"at{case}"
    box, rng = golden[f"{key}_bbox"], np.random.RandomState(10 + case)
    labels = LabelConfig()
    if expected["neg"]:
        found = targets.label_absent(box, anchors, labels, 8, rng)
    else:
        found = targets.label_anchors(box, anchors, labels, rng)
        overlap = targets.overlaps(targets.to_corners(anchors), box)
        assert overlap == pytest.approx(golden[f"{key}_overlap"], abs=1e-6)
        assert (overlap > labels.positive).sum() == expected["n_pos_all"]
        assert (overlap < labels.negative).sum() == expected["n_neg_all"]
        part = found.loc[..., ::4, ::4]
        assert part == pytest.approx(golden[f"{key}_delta"], abs=1e-5)
    assert (found.cls == 1).sum() == expected["n_pos"]
    assert (found.cls == 0).sum() == expected["n_neg"]
    assert np.array_equal(found.cls, golden[f"{key}_cls_seeded"])
    assert found.weight == pytest.approx(golden[f"{key}_dw"], abs=1e-7)


def test_losses_of_proposals(golden: Arrays, numbers: dict[str, Any]) -> None:
    label = tensor(golden["L_cls_label"])
    cls = graph.classification_loss(tensor(golden["L_cls_pred"]), label)
    assert cls.item() == pytest.approx(numbers["L_cls"], rel=1e-6)
    loc = graph.regression_loss(
        *(tensor(golden[f"L_loc_{name}"]) for name in ("pred", "label", "w")), form="l1"
    )
    assert loc.item() == pytest.approx(numbers["L_loc"], rel=1e-6)


def test_losses_of_refinement(golden: Arrays, numbers: dict[str, Any]) -> None:
    used = tensor(golden["L_mask_w"])[:, 0] == 1
    box = graph.box_loss(tensor(golden["L_box_pred"]), tensor(golden["L_box_gt"]), used)
    assert box.item() == pytest.approx(numbers["L_box"], rel=1e-6)
    pair = tensor(golden["L_mask_pred"]), tensor(golden["L_mask_gt"])
    mask = graph.mask_loss(*pair, used, hardest=0.7)
    assert mask.item() == pytest.approx(numbers["L_mask"][0], rel=1e-6)


def test_proposals_and_their_targets(
    golden: Arrays, numbers: dict[str, Any], anchors: np.ndarray[Any, Any]
) -> None:
    grid = tensor(anchors.reshape(-1, 4).astype(np.float32))
    found = targets.decode_proposals(tensor(golden["P_loc"]), grid, 255)
    assert list(found.transpose(1, 2).shape) == numbers["P_shape"]
    part = found.transpose(1, 2)[..., ::13]
    assert part.numpy() == pytest.approx(golden["P_bbox"], abs=1e-3)
    pair = tensor(golden["P_ex"])[:, None], tensor(golden["P_gt"])
    wanted = targets.box_targets(*pair)[:, 0]
    assert wanted.numpy() == pytest.approx(golden["P_targets"], abs=1e-5)


@pytest.fixture(scope="module")
def batch(golden: Arrays) -> Batch:
    """The golden pair and its mirror image."""
    inputs = np.load(GOLDEN / "inputs.npz")
    z, x = (tensor(inputs[name]) for name in ("z", "x"))
    boxes = tensor(golden["T_boxes"])
    ys, xs = torch.meshgrid(torch.arange(255.0), torch.arange(255.0), indexing="ij")
    centre, radius = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    ellipses = [
        ((xs - c[0]) / r[0]) ** 2 + ((ys - c[1]) / r[1]) ** 2 < 1
        for c, r in zip(centre, radius, strict=True)
    ]
    config = preset("siamattn")
    anchors = targets.training_anchors(config.rpn, config.tracking_for())
    rng = np.random.default_rng(0)
    loc = [targets.label_anchors(b, anchors, LabelConfig(), rng).loc for b in golden["T_boxes"]]
    yes = torch.ones(2, dtype=torch.bool)
    return Batch(
        template=torch.cat([z, z.flip(-1)]),
        search=torch.cat([x, x.flip(-1)]),
        cls=tensor(golden["T_cls"]),
        loc=tensor(np.stack(loc).astype(np.float32)),
        weight=tensor(golden["T_locw"]),
        box=boxes,
        positive=yes,
        mask=torch.stack(ellipses).to(torch.uint8),
        masked=yes,
        sampling_keys=torch.zeros(2, 3126),
    )


@pytest.fixture(scope="module")
def passed(
    golden: Arrays, batch: Batch, recipe_weights: dict[str, Tensor]
) -> tuple[Network, Losses]:
    network = Network(preset("siamattn")).eval()
    network.load_state_dict(recipe_weights)
    chosen = recipe("released")
    found = training_pass(network, batch, chosen.labels, chosen.weights, tensor(golden["T_rois"]))
    found.total.backward()  # type: ignore[no-untyped-call]
    return network, found


def test_losses_of_the_whole_pass(passed: tuple[Network, Losses], numbers: dict[str, Any]) -> None:
    expected = numbers["train"]
    found = passed[1].numbers()
    for name, key in (("cls", "cls_loss"), ("loc", "loc_loss"), ("box", "bbox_loss")):
        assert found[name].item() == pytest.approx(expected[key], rel=2e-5), name
    assert found["mask"].item() == pytest.approx(expected["mask_loss"], rel=2e-5)
    assert found["total"].item() == pytest.approx(expected["total_loss"], rel=2e-5)


def test_gradients_of_every_parameter(
    passed: tuple[Network, Losses], numbers: dict[str, Any]
) -> None:
    """Norm and largest entry of all 360.

    The slope of a sample by its position jumps where the sample crosses a cell's border, so what
    moves samples of the mask head's 4096 bins is known to a hundredth only; everything else to
    the rounding of float32, below which gradients that are zero in theory are.
    """
    expected = numbers["train_grad"]
    found = dict(passed[0].named_parameters())
    assert set(found) == set(expected)
    assert len(expected) == 360
    for name, (norm, most) in expected.items():
        gradient = found[name].grad
        assert gradient is not None, name
        close = {"rel": 2e-2 if "roi_pool_m.offset_fc" in name else 2e-3, "abs": 1e-6}
        assert gradient.norm().item() == pytest.approx(norm, **close), name
        assert gradient.abs().max().item() == pytest.approx(most, **close), name


def test_gradients_entry_by_entry(passed: tuple[Network, Losses], golden: Arrays) -> None:
    """Every 97th entry of large gradients, all of small ones; distance relative to the norm."""
    found = dict(passed[0].named_parameters())
    names = [key.removeprefix("TG_") for key in golden if key.startswith("TG_")]
    assert len(names) == 11
    for name in names:
        wanted, gradient = golden[f"TG_{name}"], found[name].grad
        assert gradient is not None, name
        part = gradient.numpy()
        if part.shape != wanted.shape:
            part = part.ravel()[::97]
        share = 2e-2 if "roi_pool_m" in name else 1e-3
        assert np.linalg.norm(part - wanted) <= share * np.linalg.norm(wanted), name
