"""The full-size SiamAttn, frame by frame, against the released one with the same weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from trackers.siamattn.target_state import SiamesePrediction
from trackers.siamattn.tracker import SiamAttn

Tensors = dict[str, torch.Tensor]
BOX, SCORE = 1e-2, 1e-4  # px; probability
MASK, POLYGON = 0.999, 0.99  # intersection over union
TOGETHER = 1e-4  # px between batch and single, and between numbers of threads
FRAMES = 10


@dataclass(frozen=True, eq=False)
class Lane:
    """A sequence, a set of hyper-parameters, and the released tracker's results."""

    benchmark: str
    frames: list[np.ndarray]
    first_box: np.ndarray
    rows: list[dict[str, Any]]
    masks: dict[int, np.ndarray]


@pytest.fixture(scope="module")
def siamattn(recipe_weights: Tensors, tmp_path_factory: pytest.TempPathFactory) -> SiamAttn:
    """The released architecture from a file in the authors' format, with masks."""
    path = tmp_path_factory.mktemp("weights") / "checkpoint.pth"
    torch.save({"epoch": 20, "state_dict": recipe_weights, "optimizer": {}}, path)
    tracker = SiamAttn(weights=path, device="cpu", mode="mask")
    path.unlink()
    return tracker


@pytest.fixture(scope="module")
def generated(golden: Any) -> list[Lane]:
    """The generated sequence with both sets of hyper-parameters."""
    return [
        Lane(
            name[:3],
            golden.frames,
            golden.first_box,
            rows,
            {n: golden.masks[f"{name}_maskimg{n}"] for n in (1, 2, 5, 10)},
        )
        for name, rows in golden.numbers["siamattn"].items()
    ]


@pytest.fixture(scope="module")
def filmed(shared: Path) -> list[Lane]:
    """A real sequence with both sets, if third-party data is available."""
    folder = shared / "golden" / "siamattn"
    with np.load(folder / "frames_real.npz") as file:
        frames = [np.ascontiguousarray(frame[..., ::-1]) for frame in file["frames"]]
        box = file["init"] - [0.5, 0.5, 0, 0]
    tracks = json.loads((folder / "trajectory.json").read_text())
    with np.load(folder / "trajectory_masks.npz") as file:
        return [
            Lane(
                name[:3],
                frames,
                box,
                tracks[f"real_{name}"],
                {n: file[f"real_{name}_maskimg{n}"] for n in (1, 2, 5, 10)},
            )
            for name in ("vot2018", "otb100")
        ]


@pytest.fixture(scope="module")
def followed(siamattn: SiamAttn, generated: list[Lane]) -> list[list[SiamesePrediction]]:
    """Our predictions on the generated sequence, computed once for all tests."""
    return follow(siamattn, generated)


def test_every_generated_frame_equals_the_release(
    followed: list[list[SiamesePrediction]], generated: list[Lane]
) -> None:
    check_frames(followed, generated)


def test_every_real_frame_equals_the_release(siamattn: SiamAttn, filmed: list[Lane]) -> None:
    check_frames(follow(siamattn, filmed), filmed)


def follow(tracker: SiamAttn, lanes: list[Lane]) -> list[list[SiamesePrediction]]:
    """Predictions of every frame, all lanes in one batch."""
    states = [start(tracker, lane) for lane in lanes]
    found = []
    for index in range(FRAMES):
        states, predictions = tracker.advance(states, [lane.frames[index + 1] for lane in lanes])
        found.append(predictions)
    return found


def check_frames(found: list[list[SiamesePrediction]], lanes: list[Lane]) -> None:
    """Box, score, polygon and, where recorded, the mask of every frame and lane."""
    assert len(found) == FRAMES
    for index, predictions in enumerate(found):
        for lane, prediction in zip(lanes, predictions, strict=True):
            row = lane.rows[index]
            np.testing.assert_allclose(prediction.box, row["bbox"], atol=BOX)
            assert prediction.score == pytest.approx(row["score"], abs=SCORE)
            polygon = np.array(row["polygon"]).reshape(4, 2)
            assert polygon_overlap(prediction.region, polygon) >= POLYGON
            if index + 1 in lane.masks:
                assert prediction.mask is not None
                assert mask_overlap(prediction.mask, lane.masks[index + 1]) >= MASK


def test_alone_without_masks_on_any_threads_is_the_same(
    siamattn: SiamAttn, generated: list[Lane], followed: list[list[SiamesePrediction]]
) -> None:
    lane, batched = generated[0], followed[0][0]
    for threads in (1, 2):
        with thread_count(threads):
            (_,), (single,) = siamattn.advance([start(siamattn, lane, "box")], [lane.frames[1]])
        assert single.region is single.box
        np.testing.assert_allclose(single.region, batched.box, atol=TOGETHER)
        assert single.score == pytest.approx(batched.score, abs=1e-6)


def start(tracker: SiamAttn, lane: Lane, mode: str = "mask") -> Any:
    """The state of a lane's first frame, with its hyper-parameters and the given mode."""
    other = copy.copy(tracker)
    other.benchmark, other.mode = lane.benchmark, mode
    return other.start(lane.frames[0], lane.first_box)


def mask_overlap(mask: np.ndarray, packed: np.ndarray) -> float:
    """Intersection over union of a mask and one as packed bits."""
    expected = np.unpackbits(packed)[: mask.size].reshape(mask.shape) > 0
    return float((mask & expected).sum() / (mask | expected).sum())


def polygon_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two convex polygons, by OpenCV."""
    hulls = [cv2.convexHull(p.astype(np.float32)) for p in (a, b)]
    common, _ = cv2.intersectConvexConvex(*hulls)
    return float(common / (sum(cv2.contourArea(hull) for hull in hulls) - common))


@contextmanager
def thread_count(number: int) -> Iterator[None]:
    """Run PyTorch on the given number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
