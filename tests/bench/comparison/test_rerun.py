"""A change under which the other run's rows come out is the cause."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.comparison.inputs import input_tests
from bench.comparison.pairs import Pair, Track
from bench.comparison.rerun import proven_causes, rerun, spec_of
from bench.errors import ConfigError
from bench.geometry import Regions
from bench.registry import make_spec
from bench.results.record import RunRecord
from bench.runner.unit import Unit, build_tracker, run_unit
from bench.sequence import Sequence


@pytest.fixture(scope="module")
def clip() -> Sequence:
    """A coloured patch that moves over another, 24 frames of 96 x 96."""
    random = np.random.default_rng(0)
    back, patch = (
        cv2.resize(random.integers(0, 255, (n, n, 3), dtype=np.uint8), (size, size))
        for n, size in ((12, 96), (6, 24))
    )
    frames, boxes = [], []
    for at in range(24):
        x, y = 20 + at, 30 + at // 2
        image = back.copy()
        image[y : y + 24, x : x + 24] = patch
        frames.append(image)
        boxes.append([x, y, 24, 24])
    return Sequence("clip", np.array(boxes, dtype=float), frames=frames, benchmark="folder")


def run_kcf(clip: Sequence, **options: float) -> FloatArray:
    boxes = run_unit(build_tracker(make_spec("kcf", options), 0), Unit(clip)).boxes  # type: ignore[union-attr]
    rounded: FloatArray = np.round(boxes, 4)
    return rounded


def named(clip: Sequence, a: FloatArray, b: FloatArray) -> list[str]:
    tracks = (Track.of([Regions.from_boxes(rows)], clip) for rows in (a, b))
    done = rerun([Pair(clip, *tracks)], make_spec("kcf"), [], "onepass")
    assert done[0].equal == 1  # the control
    return [cause.name for cause in proven_causes(done)]


def test_the_order_of_colours_is_found(clip: Sequence) -> None:
    swapped = [np.ascontiguousarray(image[..., ::-1]) for image in clip.frames or ()]
    other = run_kcf(dataclasses.replace(clip, frames=swapped))
    assert named(clip, other, run_kcf(clip)) == ["colour-order"]


def test_a_first_box_half_a_pixel_off_is_found(clip: Sequence) -> None:
    truth = clip.ground_truth.copy()
    truth[0, :2] += 0.5
    assert named(clip, run_kcf(dataclasses.replace(clip, ground_truth=truth)), run_kcf(clip)) == [
        "half-pixel"
    ]


def test_another_option_is_none_of_the_changes(clip: Sequence) -> None:
    assert named(clip, run_kcf(clip, learning_rate=0.5), run_kcf(clip)) == []


def test_a_reference_that_does_not_come_out_tests_nothing(clip: Sequence) -> None:
    rows = run_kcf(clip, padding=1.0)
    tracks = (Track.of([Regions.from_boxes(r)], clip) for r in (run_kcf(clip), rows))
    done = rerun([Pair(clip, *tracks)], make_spec("kcf"), [], "onepass")
    assert len(done) == 1
    assert "do not come out here" in done[0].problem


def test_changes_of_the_frame_where_runs_part_are_measured(clip: Sequence) -> None:
    rows = run_kcf(clip)
    moved = rows.copy()
    moved[6:, 0] += 3
    tracks = (Track.of([Regions.from_boxes(r)], clip) for r in (moved, rows))
    found = {test.change: test for test in input_tests([Pair(clip, *tracks)])}
    assert set(found) == {"BGR for RGB", "grey", "halved and enlarged"}  # no file for Pillow
    assert all(test.frame == 6 for test in found.values())
    image = np.asarray((clip.frames or ())[6][33:57, 26:50], dtype=int)
    off = np.abs(image[..., ::-1] - image)
    assert found["BGR for RGB"].mean == pytest.approx(off.mean())
    assert found["BGR for RGB"].largest == off.max()


def test_the_tracker_is_that_of_the_record(tmp_path: Path) -> None:
    facts = {"target": "kcf", "options": {"window": 88}, "seed": 0}
    assert spec_of(RunRecord(facts)).options["window"] == 88
    with pytest.raises(ConfigError, match=r"run\.json"):
        spec_of(RunRecord({}, kind="import"))
