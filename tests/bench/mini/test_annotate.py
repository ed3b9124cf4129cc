from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.geometry import mask_to_box
from bench.mini.annotate import (
    Annotation,
    annotate,
    canonical,
    frame_tags,
    rotated_box,
    sequence_attributes,
)
from bench.mini.plan import Rules
from bench.mini.render import render_frame
from bench.mini.scenario import Scenario
from bench.mini.scene import Scene, draw_scene
from bench.mini.signals import stream

CALM = Scenario(
    frames=40, shape="plate", place="room", size=64, legs=1, spread=0.4, pan=0.5, bystanders=0
)


@cache
def annotated(scenario: Scenario, seed: int = 0) -> tuple[Scene, Annotation]:
    scene = draw_scene(stream(seed, "test"), scenario)
    return scene, annotate(render_frame(scene, t) for t in range(len(scene)))[0]


def attributes(scenario: Scenario, rules: Rules | None = None, seed: int = 0) -> frozenset[str]:
    scene, annotation = annotated(scenario, seed)
    return sequence_attributes(scene, 0, annotation, rules or Rules())


def test_rotated_box_of_one_pixel_is_its_area() -> None:
    mask = np.zeros((5, 7), dtype=bool)
    mask[2, 4] = True
    assert rotated_box(mask) == pytest.approx(np.array([[4, 2], [5, 2], [5, 3], [4, 3]]))


@pytest.mark.parametrize("angle", [0, 10, 30, 45, 70, 89])
def test_rotated_box_recovers_a_drawn_rectangle(angle: float) -> None:
    """Pixels with centres in the rectangle extend at most 1 beyond a corner."""
    turn = np.radians(angle)
    y, x = np.mgrid[0:100, 0:120] + 0.5
    along = np.cos(turn) * (x - 60) + np.sin(turn) * (y - 50)
    across = np.cos(turn) * (y - 50) - np.sin(turn) * (x - 60)
    mask = (np.abs(along) < 32) & (np.abs(across) < 15)
    corners = cv2.boxPoints(((60.0, 50.0), (64.0, 30.0), float(angle))).astype(float)
    found = rotated_box(mask)
    distance = np.linalg.norm(found[:, None] - corners[None], axis=2)
    assert distance.min(axis=1).max() < 1.2
    assert set(distance.argmin(axis=1)) == {0, 1, 2, 3}


@given(st.floats(-180, 180), st.floats(5, 80), st.floats(5, 80), st.permutations(range(4)))
def test_canonical_order_depends_on_the_rectangle_alone(
    angle: float, width: float, height: float, order: list[int]
) -> None:
    corners = cv2.boxPoints(((3.0, -7.0), (width, height), angle)).astype(float)
    ordered = canonical(corners)
    assert np.array_equal(canonical(corners[order]), ordered)
    x, y = ordered.T
    shoelace = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    assert shoelace > 0  # clockwise on screen, where y points down
    assert y[0] <= y.min() + 0.01


def test_boxes_and_shares_come_from_the_masks() -> None:
    scenario = replace(CALM, occluders=2, leave="fully", pan=2.0, frames=50)
    scene, annotation = annotated(scenario)
    for time in range(0, 50, 3):
        view = render_frame(scene, time).targets[0]
        pixels = view.silhouette.sum()
        if view.full.any():
            assert (annotation.boxes[time] == mask_to_box(view.full)).all()
        else:
            assert np.isnan(annotation.boxes[time]).all()
        assert annotation.visible[time] == view.visible.sum() / pixels
        assert annotation.in_view[time] == view.full.sum() / pixels
        low = annotation.polygons[time].min(axis=0)
        whole = mask_to_box(view.silhouette)[:2] + view.offset
        assert (low <= whole + 0.01).all()
    assert annotation.out_of_view.any()
    assert not annotation.absent[0]
    assert (annotation.absent == (annotation.out_of_view | annotation.occluded)).all()


def test_a_calm_scene_has_no_attribute_of_change() -> None:
    assert attributes(CALM) <= {"BC", "LR"}


@pytest.mark.parametrize(
    ("change", "attribute"),
    [
        ({"grow": 1.3}, "SV"),
        ({"roll": 40.0}, "IPR"),
        ({"tilt": 40.0}, "IPR"),
        ({"yaw": 80.0}, "OPR"),
        ({"yaw": 80.0}, "VC"),
        ({"light": 1.0}, "IV"),
        ({"leave": "partly"}, "OV"),
        ({"size": 18.0}, "LR"),
        ({"pan": 14.0, "shutter": 1.0, "legs": 9, "spread": 1.0}, "MB"),
        ({"shake": 6.0}, "CM"),
        ({"legs": 20, "spread": 1.0}, "FM"),
        ({"shape": "walker", "deform": 0.8}, "DEF"),
        ({"lookalikes": 2}, "SOB"),
        ({"occluders": 4, "spread": 0.8, "legs": 3}, "POC"),
    ],
)
def test_what_was_done_is_what_is_said(change: dict[str, float | str], attribute: str) -> None:
    scenario = replace(CALM, **change)
    assert attribute in attributes(scenario)
    if attribute not in ("LR",):
        assert attribute not in attributes(CALM)


def test_benchmarks_differ_in_what_out_of_view_means() -> None:
    partly = replace(CALM, leave="partly")
    assert "OV" not in attributes(partly, Rules(leaves_wholly=True))
    assert "OV" in attributes(replace(CALM, leave="fully"), Rules(leaves_wholly=True))


def test_tags_follow_the_frames() -> None:
    scene, annotation = annotated(replace(CALM, light=1.0, grow=1.0, pan=0.0))
    tags = frame_tags(scene, annotation)
    assert set(tags) == {
        "camera_motion", "illum_change", "motion_change", "occlusion", "size_change",
    }  # fmt: skip
    assert all(flags.shape == (40,) for flags in tags.values())
    assert not tags["camera_motion"].any()
    assert not tags["occlusion"].any()
    assert tags["illum_change"].any()
    area = annotation.whole[:, 2] * annotation.whole[:, 3]
    grown = np.abs(np.log2(area[10:] / area[:-10])) > 0.3
    assert (tags["size_change"][10:] == grown).all()
