"""PySOT's trackers with its own numbers: weights of the same seeds, and its released keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shapely.geometry import Polygon

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.registry import TrackerSpec
from trackers.siamattn.checkpoints import choose, shapes
from trackers.siamattn.config import Config, preset
from trackers.siamattn.network import Network

Tensors = dict[str, torch.Tensor]
Recipe = Callable[[Config], Tensors]

PRESETS = {
    "siamrpn_r50_l234_dwxcorr": "siamrpn++",
    "siamrpn_r50_l234_dwxcorr_otb": "siamrpn++-otb",
    "siamrpn_mobilev2_l234_dwxcorr": "siamrpn++-mobile",
    "siamrpn_alex_dwxcorr": "siamrpn",
    "siammask_r50_l3": "siammask",
}
BOX, SCORE = 1e-2, 1e-4  # px; probability
POLYGON = 0.99  # intersection over union
PIXELS = 5  # of masks
EVERY = 401  # the recorded values of a network's output


@dataclass(frozen=True, eq=False)
class Released:
    """What is recorded of a configuration: shapes by key, and network outputs and tracks."""

    shapes: dict[str, list[int]]
    numbers: dict[str, Any]


@pytest.fixture(scope="module", params=PRESETS)
def model(request: pytest.FixtureRequest) -> str:
    """The name of a configuration in PySOT's model zoo."""
    name: str = request.param
    return name


@pytest.fixture
def released(shared: Path, model: str) -> Released:
    golden = shared / "golden"
    path = golden / "pysot-zoo" / f"{model}.json"
    if path.exists():
        content = json.loads(path.read_text())
        return Released(content["state_dict"], content["trajectory"])
    tracks = json.loads((golden / "siamrpnpp" / "trajectory.json").read_text())
    listed = json.loads((golden / "siamrpnpp" / "state_dict.json").read_text())[model]
    own = {k.rpartition("/")[2]: v for k, v in tracks.items() if k.startswith(f"{model}/")}
    return Released(listed, own)


def test_the_released_keys_name_the_preset(released: Released, model: str) -> None:
    state = {key: torch.ones(()).expand(shape) for key, shape in released.shapes.items()}
    assert choose(state, None, Path(model)).name == PRESETS[model]
    wanted = {key: tuple(shape) for key, shape in released.shapes.items()}
    assert shapes(preset(PRESETS[model])) == wanted


def test_hyper_parameters_are_the_released_ones(released: Released, model: str) -> None:
    config = preset(PRESETS[model])
    recorded = released.numbers["config"]
    ours = config.tracking_for()
    for name in {"penalty_k", "window_influence", "lr", "instance", "context"} & set(recorded):
        assert getattr(ours, name) == recorded[name]
    if config.refine.mask:
        assert ours.mask_threshold == recorded["mask_threshold"]


@pytest.fixture(scope="module")
def weights(recipe: Recipe, model: str) -> Tensors:
    """The weights of a configuration; do not modify."""
    return recipe(preset(PRESETS[model]))


def test_network_outputs_equal_pysots(
    shared: Path, released: Released, weights: Tensors, model: str
) -> None:
    config = preset(PRESETS[model])
    with torch.device("meta"):
        network = Network(config)
    network.load_state_dict(weights, assign=True)
    network.eval().requires_grad_(False)
    with np.load(shared / "golden" / "siamattn" / "inputs.npz") as file:
        z, x = (file[name].astype(np.float32) for name in "zx")
    missing = config.tracking_for().instance - x.shape[-1]
    x = np.pad(x, ((0, 0), (0, 0), (0, missing), (0, missing)), constant_values=100)
    with torch.inference_mode():
        template = network.template(torch.from_numpy(z))
        cls, loc, features = network.search(torch.from_numpy(x), template)
        outputs = {"cls": cls, "loc": loc}
        if config.refine.mask:
            outputs["mask"] = network.mask_head(features.attended[0], features.kernels.mask[0])
    for kind, found in outputs.items():
        expected = released.numbers[kind]
        assert list(found.shape) == expected["shape"]
        assert float(found.double().norm()) == pytest.approx(expected["l2"], rel=1e-4)
        sample = found.flatten()[::EVERY].numpy()
        limit = 1e-5 * float(found.abs().max())
        np.testing.assert_allclose(sample, expected["sample"], rtol=0, atol=limit)


@pytest.fixture(scope="module")
def tracker(weights: Tensors, model: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tracker of a configuration, optimised, from PySOT's file format."""
    config = preset(PRESETS[model])
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save({f"module.{key}": value for key, value in weights.items()}, path)
    options: dict[str, Any] = {"weights": path, "device": "cpu"}
    if config.refine.mask:
        options["mode"] = "mask"
    found: Any = TrackerSpec("x", config.tracker, options).build()
    path.unlink()
    assert found.engine.config == config
    return found


def test_tracks_equal_pysots(golden: Any, tracker: Any, model: str) -> None:
    rows = golden.numbers["pysot"][model]
    check_track(tracker, golden.frames[:4], golden.first_box, rows[:3])


def test_real_tracks_equal_pysots(shared: Path, released: Released, tracker: Any) -> None:
    with np.load(shared / "golden" / "siamattn" / "frames_real.npz") as file:
        frames = [np.ascontiguousarray(frame[..., ::-1]) for frame in file["frames"]]
        box = file["init"] - [0.5, 0.5, 0, 0]
    check_track(tracker, frames[:5], box, released.numbers["real"][:4])


def check_track(
    tracker: Any, frames: list[np.ndarray], box: FloatArray, rows: list[dict[str, Any]]
) -> None:
    """Box, score and, where recorded, mask and polygon of every frame."""
    tracker.init(frames[0], box)
    for image, row in zip(frames[1:], rows, strict=True):
        prediction = tracker.update(image)
        np.testing.assert_allclose(prediction.box, row["bbox"], rtol=0, atol=BOX)
        assert prediction.score == pytest.approx(row["best_score"], abs=SCORE)
        if "polygon" in row:
            assert prediction.mask.sum() == pytest.approx(row["mask_pixels"], abs=PIXELS)
            polygon = np.array(row["polygon"]).reshape(4, 2)
            assert polygon_overlap(prediction.region, polygon) >= POLYGON


def polygon_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two convex polygons."""
    first, second = Polygon(a), Polygon(b)
    return float(first.intersection(second).area / first.union(second).area)


@pytest.mark.parametrize(
    ("given", "tracker_name"),
    [
        ("siamrpn", "siamrpn++"),
        ("siamrpn++", "siamrpn"),
        ("siamrpn++-mobile", "siamrpn++"),
        ("siamrpn++-otb", "siamrpn++-mobile"),
        ("siammask", "siamattn"),
        ("siamattn-ml", "siammask"),
    ],
)
def test_weights_of_another_tracker_are_refused_by_name(
    tmp_path: Path, given: str, tracker_name: str
) -> None:
    path = tmp_path / "model.pth"
    tensors = shapes(preset(given)).items()
    torch.save({key: torch.ones(()).expand(shape) for key, shape in tensors}, path)
    with pytest.raises(ConfigError) as caught:
        TrackerSpec("x", tracker_name, {"weights": path, "device": "cpu"}).build()
    own = preset(given).tracker
    assert f"expected weights of {tracker_name}, found those of preset '{given}'" in str(
        caught.value
    )
    assert f"Use --tracker {own}, or other weights." in str(caught.value)


@pytest.mark.parametrize("model", PRESETS, indirect=True)
def test_missing_weights_name_the_file(model: str) -> None:
    with pytest.raises(ConfigError, match=f"{model}.*CC BY-SA 3.0.*MODEL_ZOO"):
        TrackerSpec("x", preset(PRESETS[model]).tracker, {}).build()
