"""Behaviour of the plug-ins, on the smallest network with synthetic weights."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ConfigError, TrackerError
from bench.geometry import box_to_polygon
from bench.protocols.onepass import run_one_pass
from bench.registry import TrackerSpec, make_spec
from bench.sequence import Sequence
from trackers.siamattn.checkpoints import shapes
from trackers.siamattn.config import preset
from trackers.siamattn.records import join
from trackers.siamattn.target_state import first_box
from trackers.siamattn.tracker import SiamAttn, SiamRPNPlusPlus

TARGET = "trackers.siamattn.tracker:SiamAttn"
POLYGON = np.array([[100.0, 90.0], [150.0, 110.0], [140.0, 140.0], [90.0, 120.0]])


@pytest.fixture(scope="module")
def tracker(nano_file: Path) -> SiamAttn:
    return SiamAttn(weights=nano_file, preset="siamattn-nano", device="cpu")


@pytest.fixture(scope="module")
def moving(golden: Any) -> Sequence:
    """The start of the generated sequence, with the annotation of its first frame everywhere."""
    frames = golden.frames[:5]
    return Sequence("ellipse", np.tile(golden.first_box, (len(frames), 1)), frames=frames)


def changed(tracker: SiamAttn, **options: Any) -> SiamAttn:
    """The same network under other options."""
    other = copy.copy(tracker)
    for name, value in options.items():
        setattr(other, name, value)
    return other


def test_it_runs_through_the_protocol_and_repeats(tracker: SiamAttn, moving: Sequence) -> None:
    first = run_one_pass(tracker, moving)
    second = run_one_pass(tracker, moving)
    np.testing.assert_array_equal(first.boxes, second.boxes)
    assert ((first.scores[1:] > 0) & (first.scores[1:] < 1)).all()


def test_boxes_do_not_depend_on_masks(tracker: SiamAttn, golden: Any) -> None:
    modes = [changed(tracker, mode=mode, benchmark="vot") for mode in ("box", "mask")]
    for each in modes:
        each.init(golden.frames[0], golden.first_box)
    for image in golden.frames[1:5]:
        plain, masked = (each.update(image) for each in modes)
        np.testing.assert_allclose(masked.box, plain.box, atol=1e-9)
        assert plain.region.shape == (4,)
        assert masked.region.shape == (4, 2)


def test_the_prediction_has_the_form_of_the_initial_region(tracker: SiamAttn, golden: Any) -> None:
    shapes = {}
    mask = np.zeros(golden.frames[0].shape[:2], bool)
    mask[90:140, 80:150] = True
    starts = {"box": golden.first_box, "polygon": POLYGON, "mask": mask, "triangle": POLYGON[:3]}
    for name, region in starts.items():
        tracker.init(golden.frames[0], region)
        shapes[name] = tracker.update(golden.frames[1]).region.shape
    assert shapes == {"box": (4,), "polygon": (4, 2), "mask": (4,), "triangle": (4,)}


def test_no_mask_is_computed_for_a_box(
    tracker: SiamAttn, golden: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nobody asked for a mask")

    monkeypatch.setattr(tracker.engine.network, "refine_mask", refuse)
    tracker.init(golden.frames[0], golden.first_box)
    assert tracker.update(golden.frames[1]).mask is None


def test_masks_come_with_the_rectangles_around_them(nano_file: Path, golden: Any) -> None:
    kept = SiamAttn(nano_file, "siamattn-nano", "cpu", mode="mask")
    kept.init(golden.frames[0], golden.first_box)
    prediction = kept.update(golden.frames[1])
    assert prediction.mask is not None
    assert prediction.mask.shape == golden.frames[1].shape[:2]
    assert prediction.mask.dtype == bool


@settings(max_examples=5)
@given(order=st.permutations(range(4)))
def test_a_batch_is_the_same_as_one_at_a_time(
    tracker: SiamAttn, golden: Any, order: list[int]
) -> None:
    """Targets of different frames, sizes and kinds do not mix."""
    small = np.ascontiguousarray(golden.frames[3][40:200, 30:250])
    starts = [
        (golden.frames[0], golden.first_box),
        (golden.frames[5], POLYGON),
        (small, np.array([60.0, 40.0, 80.0, 70.0])),
        (golden.frames[2], np.array([300.0, 200.0, 60.0, 90.0])),
    ]
    lanes = [starts[index] for index in order]
    states = [tracker.start(*lane) for lane in lanes]
    images = [lane[0] for lane in lanes]
    _, answers = tracker.advance(states, images)
    for state, image, answer in zip(states, images, answers, strict=True):
        _, (single,) = tracker.advance([state], [image])
        np.testing.assert_allclose(answer.box, single.box, atol=1e-4)
        assert answer.region.shape == single.region.shape
        assert answer.score == pytest.approx(single.score, abs=1e-6)


def test_states_are_not_modified(tracker: SiamAttn, golden: Any) -> None:
    state = tracker.start(golden.frames[0], POLYGON)
    before = copy.deepcopy(state)
    first = tracker.advance([state, state], [golden.frames[1], golden.frames[2]])
    again = tracker.advance([state, state], [golden.frames[1], golden.frames[2]])
    assert equal(state, before)
    assert equal(first[0], again[0])
    assert not equal(first[0][0].box, first[0][1].box)


def equal(a: Any, b: Any) -> bool:
    """Whether two records have equal values."""
    if is_dataclass(a):
        return all(equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    return bool(np.array_equal(a, b))


def test_joining_keeps_the_order() -> None:
    rows = [torch.full((1, 2), float(lane)) for lane in range(3)]
    joined = join([(row, (row,), None) for row in rows])
    expected = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    assert equal(joined[:2], (expected, (expected,)))
    assert joined[2] is None


def test_four_corners_become_pysots_box() -> None:
    """PySOT's get_axis_aligned_bbox, by hand: sides 50 and 30 turned by 3-4-5, + 1 each."""
    corners = np.array([[18.0, 0.0], [58.0, 30.0], [40.0, 54.0], [0.0, 24.0]])
    ratio = np.sqrt(50 * 30 / (58 * 54))
    expected = [29, 27, 58 * ratio + 1, 54 * ratio + 1]
    np.testing.assert_allclose(first_box(corners), expected, rtol=1e-12)


def test_a_box_is_centred_as_pysots_test_script_does() -> None:
    np.testing.assert_array_equal(first_box(np.array([10.0, 20.0, 5.0, 8.0])), [12.5, 24, 5, 8])


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (np.array([10.0, 10.0, 0.0, 5.0]), "area"),
        (np.array([10.0, 10.0, np.nan, 5.0]), "finite"),
        (np.zeros((240, 320), bool), "empty"),
        (np.array([1.0, 2.0, 3.0]), "expected a box"),
    ],
)
def test_invalid_targets_are_refused(
    tracker: SiamAttn, golden: Any, region: np.ndarray, message: str
) -> None:
    with pytest.raises(TrackerError, match=message):
        tracker.init(golden.frames[0], region)


@pytest.mark.parametrize(
    "box",
    [
        [-40.0, -30.0, 60.0, 50.0],
        [310.0, 230.0, 100.0, 100.0],
        [0.0, 0.0, 320.0, 240.0],
        [100.0, 100.0, 1.0, 1.0],
        [10.0, 100.0, 300.0, 2.0],
    ],
)
def test_tiny_huge_and_border_targets(tracker: SiamAttn, golden: Any, box: list[float]) -> None:
    tracker.init(golden.frames[0], box_to_polygon(np.array(box)))
    for image in golden.frames[1:3]:
        prediction = tracker.update(image)
        assert np.isfinite(prediction.region).all()
        assert (prediction.box[2:] >= 10).all()


def test_hyper_parameters_follow_the_benchmark(tracker: SiamAttn) -> None:
    config = tracker.engine.config
    assert tracker.tracking(config, rotated=True) == config.tracking.vot
    assert tracker.tracking(config, rotated=False) == config.tracking.otb
    assert changed(tracker, benchmark="vot").tracking(config, False) == config.tracking.vot
    own = changed(tracker, settings={"lr": 0.1}).tracking(config, rotated=True)
    assert (own.lr, own.penalty_k) == (0.1, config.tracking.vot.penalty_k)


def test_an_image_s_colour_order_matters(tracker: SiamAttn, golden: Any) -> None:
    tracker.init(golden.frames[0], golden.first_box)
    right = tracker.update(golden.frames[1])
    tracker.init(golden.frames[0][..., ::-1], golden.first_box)
    wrong = tracker.update(golden.frames[1][..., ::-1])
    assert abs(right.score - wrong.score) > 1e-4


def test_missing_weights_name_their_source() -> None:
    with pytest.raises(ConfigError, match=r"--weights FILE.*checkpoint_vot2018.*CC BY-NC"):
        SiamAttn()


def test_options_from_the_command_line(nano_file: Path) -> None:
    given = {"preset": "siamattn-nano", "benchmark": "otb", "lr": "0.25"}
    spec = make_spec(TARGET, given, device="cpu", weights=nano_file)
    built = spec.build()
    assert isinstance(built, SiamAttn)
    assert built.tracking(built.engine.config, rotated=True).lr == 0.25
    assert spec.weights_hash()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "masks"}, "unknown value of option mode 'masks'. Did you mean 'mask'"),
        ({"benchmark": "lasot"}, "Known: auto, otb, vot"),
        ({"device": "cuda:7"}, "device 'cuda:7' cannot be used here"),
        ({"device": "toaster"}, "Expected auto, cpu, or a GPU"),
        ({"lr": 1.5}, "expected lr from 0 to 1, found 1.5"),
        ({"penalty_k": -1.0}, "expected penalty_k of 0 or more"),
        ({"preset": "siamatn"}, "Did you mean 'siamattn'"),
    ],
)
def test_invalid_options_are_refused(
    nano_file: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        TrackerSpec("x", TARGET, {"weights": nano_file, "device": "cpu", **options}).build()
    assert message in str(caught.value)


def test_weights_of_the_other_tracker_are_refused(nano_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"weights of siamrpn\+\+, found .*'siamattn-nano'"):
        SiamRPNPlusPlus(weights=nano_file, device="cpu")


def test_masks_need_a_mask_head(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    tensors = shapes(preset("siamrpn++")).items()
    torch.save({key: torch.ones(()).expand(shape) for key, shape in tensors}, path)
    with pytest.raises(ConfigError, match="needs a mask head"):
        SiamRPNPlusPlus(weights=path, mode="mask", device="cpu")
