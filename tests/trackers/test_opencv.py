"""OpenCV's trackers: MIL on real images, clear errors for the others."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ConfigError, TrackerError
from bench.files import read_rows
from bench.geometry import box_iou
from bench.images import ImageFiles
from bench.registry import make_spec
from trackers.opencv import MIL, OpenCVTracker, _whole_pixels

NOISE = np.random.default_rng(5).integers(0, 256, (120, 160, 3), dtype=np.uint8)


class FakeCV:
    """Imitates an OpenCV tracker and records its inputs."""

    def __init__(self, answers: list[tuple[bool, tuple[int, int, int, int]]]) -> None:
        self.answers = answers

    def init(self, image: np.ndarray, box: tuple[int, int, int, int]) -> None:
        self.image, self.box = image, box

    def update(self, image: np.ndarray) -> tuple[bool, tuple[int, int, int, int]]:
        return self.answers.pop(0)


class Wrapped(OpenCVTracker):
    def __init__(self, fake: FakeCV) -> None:
        self.fake = fake

    def _create(self) -> FakeCV:
        return self.fake


def test_it_gets_bgr_and_whole_pixels() -> None:
    fake = FakeCV([])
    Wrapped(fake).init(NOISE, np.array([10.6, 5.4, 20.2, 30.0]))
    assert fake.box == (11, 5, 20, 30)
    assert np.array_equal(fake.image, NOISE[:, :, ::-1])
    assert fake.image.flags.c_contiguous


def test_a_lost_target_keeps_the_box_with_score_0() -> None:
    tracker = Wrapped(FakeCV([(True, (12, 6, 20, 30)), (False, (0, 0, 0, 0))]))
    tracker.init(NOISE, np.array([11.0, 5.0, 20.0, 30.0]))
    found, lost = tracker.update(NOISE), tracker.update(NOISE)
    assert (found.region.tolist(), found.score) == ([12.0, 6.0, 20.0, 30.0], 1.0)
    assert (lost.region.tolist(), lost.score) == ([12.0, 6.0, 20.0, 30.0], 0.0)


@given(
    box=st.tuples(*[st.floats(-300, 300)] * 2, *[st.floats(0, 400)] * 2),
    smallest=st.sampled_from([1, 8]),
)
def test_the_first_box_is_clipped_to_the_image(
    box: tuple[float, float, float, float], smallest: int
) -> None:
    x, y, w, h = _whole_pixels(np.array(box), NOISE, smallest)
    assert x >= 0
    assert y >= 0
    assert w >= smallest
    assert h >= smallest
    assert x + w <= 160
    assert y + h <= 120


@pytest.mark.parametrize("box", [[50, 50, 1, 1], [50, 50, 3, 9], [159, 119, 5, 5], [-20, 0, 4, 4]])
def test_mil_starts_on_tiny_targets(box: list[float]) -> None:
    tracker = MIL()
    tracker.init(NOISE, np.array(box, dtype=float))
    size = tracker.update(NOISE).region[2:]
    assert size == pytest.approx(box[2:])


def test_mil_refuses_a_box_of_the_whole_image() -> None:
    with pytest.raises(TrackerError, match="OpenCV cannot start on box"):
        MIL().init(NOISE, np.array([0.0, 0.0, 160.0, 120.0]))


def test_a_thin_target_is_named_when_a_frame_fails() -> None:
    class Fails(FakeCV):
        def update(self, image: np.ndarray) -> tuple[bool, tuple[int, int, int, int]]:
            cv2.resize(np.zeros((0, 0, 3), np.uint8), (1, 1))
            raise AssertionError

    tracker = Wrapped(Fails([]))
    tracker.init(NOISE, np.array([10.0, 10.0, 100.0, 2.0]))
    with pytest.raises(TrackerError) as caught:
        tracker.update(NOISE)
    assert str(caught.value) == (
        "OpenCV cannot go on from box (10, 10, 100, 2) in an image of 160 x 120: the target is "
        "too thin for Wrapped; use another tracker for such targets (OpenCV: !ssize.empty())"
    )


def test_networks_that_do_not_fit_are_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NanoTrack V3's files are read by OpenCV, which then fails on the first frame after."""

    class Fails(FakeCV):
        def update(self, image: np.ndarray) -> tuple[bool, tuple[int, int, int, int]]:
            cv2.resize(np.zeros((0, 0, 3), np.uint8), (1, 1))
            raise AssertionError

    monkeypatch.setattr("trackers.opencv.Nano._create", lambda self: Fails([]))
    path = tmp_path / "nanotrack_v3.onnx"
    path.write_bytes(b"network")
    with pytest.raises(ConfigError, match=r"reads .*v3\.onnx.* cannot track with it: expected"):
        make_spec("opencv-nano", dict.fromkeys(("backbone", "head"), str(path))).build()


def test_a_pointer_in_place_of_a_network(shared: Path) -> None:
    path = shared / "cases" / "checkpoints" / "object_tracking_vittrack_2023sep.onnx"
    with pytest.raises(ConfigError, match=r"2023sep\.onnx: expected .* found a Git LFS pointer"):
        make_spec("opencv-vit", {"weights": str(path)}).build()


def test_mil_on_a_real_sequence(shared: Path) -> None:
    folder = shared / "data/otb2015/sequences/Crossing"
    truth = read_rows(folder / "groundtruth_rect.txt") - [1, 1, 0, 0]
    frames = ImageFiles(tuple(sorted((folder / "img").glob("*.jpg"))[:30]))

    def boxes(seed: str) -> np.ndarray:
        tracker = make_spec("opencv-mil", {"seed": seed}).build()
        tracker.init(frames[0], truth[0])
        return np.array([tracker.update(frames[index]).region for index in range(1, 30)])

    first = boxes("0")
    assert box_iou(first, truth[1:30]).mean() > 0.4
    assert np.array_equal(boxes("0"), first)
    assert not np.array_equal(boxes("1"), first)


@pytest.mark.parametrize("name", ["opencv-csrt", "opencv-kcf"])
def test_contributed_trackers_name_the_build(name: str) -> None:
    if hasattr(cv2, "TrackerCSRT"):
        pytest.skip("this OpenCV has the contributed modules")
    with pytest.raises(TrackerError, match="opencv-contrib-python-headless"):
        make_spec(name).build()


@pytest.mark.parametrize(
    ("name", "option"),
    [("opencv-nano", "backbone"), ("opencv-vit", "weights"), ("opencv-dasiamrpn", "weights")],
)
def test_a_missing_network_names_option_and_source(name: str, option: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"'{option}'.*not given.*--set {option}.*github"):
        make_spec(name).build()
    with pytest.raises(ConfigError, match=rf"'{option}'.*none.onnx is not a file"):
        make_spec(name, {option: str(tmp_path / "none.onnx")}).build()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("opencv-nano", ["backbone", "head"]),
        ("opencv-vit", ["weights"]),
        ("opencv-dasiamrpn", ["weights", "kernel_cls", "kernel_r"]),
    ],
)
def test_a_file_that_is_not_a_network(name: str, options: list[str], tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ConfigError, match=r"cannot read .*broken\.onnx"):
        make_spec(name, dict.fromkeys(options, str(path))).build()
