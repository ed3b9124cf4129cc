"""Synthetic weights, a generated sequence, and the released trackers' results on it."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trackers.siamattn.checkpoints import shapes
from trackers.siamattn.config import Config, preset

GOLDEN = Path(__file__).parents[2] / "golden" / "siamattn_tracks"

# Standard deviations of weights relative to He's; the first matching suffix applies.
GAINS = {
    "backbone.conv1.weight": 1 / 64,  # inputs are pixels in 0..255
    "backbone.features.0.weight": 1 / 64,
    "query_conv.weight": 6.0,
    "key_conv.weight": 6.0,
    "conv_offset.weight": 2.0,
    "roi_pool_m.offset_fc.4.weight": 0.1,
    "roi_pool_b.offset_fc.4.weight": 0.1,
    ".cls.head.3.weight": 0.05,
    ".loc.head.3.weight": 0.1,
    "tail_det_box.weight": 0.1,
    "mask_head.conv_logits.weight": 0.5,
}


def recipe_tensor(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The tensor of a key: noise seeded by the key, the same on every machine."""
    leaf = key.rpartition(".")[2]
    if leaf == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode("ascii"))))
    noise = generator.standard_normal(shape)
    if leaf == "gamma":
        noise = 0.5 + 0.1 * noise
    elif leaf in ("cls_weight", "loc_weight"):
        noise = 1.0 + 0.5 * noise
    elif leaf == "running_var":
        noise = 0.8 + 0.4 * np.abs(noise)
    elif leaf == "running_mean":
        noise *= 0.05
    elif leaf == "bias":
        if key.endswith("conv_logits.bias"):
            noise = 0 * noise - 2.0
        else:
            noise *= 0.3 if key.endswith("conv_offset.bias") else 0.05
    elif len(shape) == 1:
        base = 0.3 if ".bn3." in key else 0.03 if key.startswith("neck.") else 1.0
        noise = base * (1.0 + 0.1 * noise)
    else:
        fan = shape[0] if key == "mask_head.upsample.weight" else int(np.prod(shape[1:]))
        gain = next((g for end, g in GAINS.items() if key.endswith(end)), 1.0)
        noise *= gain * np.sqrt(2.0 / fan)
    return torch.from_numpy(np.asarray(noise, dtype=np.float32))


@pytest.fixture(scope="session", autouse=True)
def share_the_cores() -> None:
    """Use one thread if several processes run tests, since more would compete."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def recipe() -> Callable[[Config], dict[str, torch.Tensor]]:
    """A function from a configuration to the weights of its network."""

    def fill(config: Config) -> dict[str, torch.Tensor]:
        weights = {key: recipe_tensor(key, shape) for key, shape in shapes(config).items()}
        if config.tracker == "siamrpn":  # its single level has larger features
            for branch in ("cls", "loc"):
                weights[f"rpn_head.{branch}.head.3.weight"] /= 256
        if config.tracker == "siammask":  # else masks fill their windows
            weights["refine_head.post2.bias"].fill_(-20)
        return weights

    return fill


@pytest.fixture(scope="session")
def recipe_weights(
    recipe: Callable[[Config], dict[str, torch.Tensor]],
) -> dict[str, torch.Tensor]:
    """The full-size SiamAttn's weights by released key, 560 MB; do not modify."""
    return recipe(preset("siamattn"))


@pytest.fixture(scope="session")
def nano_weights(recipe: Callable[[Config], dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Weights of the smallest SiamAttn."""
    return recipe(preset("siamattn-nano"))


@pytest.fixture(scope="session")
def nano_file(nano_weights: dict[str, torch.Tensor], tmp_path_factory: Any) -> Path:
    """The smallest SiamAttn in the authors' file format."""
    path: Path = tmp_path_factory.mktemp("nano") / "nano.pth"
    torch.save({"epoch": 20, "state_dict": nano_weights}, path)
    return path


@dataclass(frozen=True, eq=False)
class Golden:
    """Frames RGB, and the released trackers' numbers; see ORIGIN.md."""

    frames: list[np.ndarray]
    numbers: dict[str, Any]
    masks: dict[str, np.ndarray]

    @property
    def first_box(self) -> np.ndarray:
        """x, y, w, h with the centre at x + w / 2, as in the released test scripts."""
        return np.array(self.numbers["first_box"]) - [0.5, 0.5, 0, 0]


@pytest.fixture(scope="session")
def golden() -> Golden:
    """The generated sequence with the released trackers' results."""
    numbers = json.loads((GOLDEN / "synthetic.json").read_text())
    with np.load(GOLDEN / "synthetic_masks.npz") as file:
        masks = {name: file[name] for name in file.files}
    frames = synthetic_frames()
    assert [zlib.crc32(f[..., ::-1].tobytes()) for f in frames] == numbers["frames_crc32"]
    return Golden(frames, numbers, masks)


def synthetic_frames() -> list[np.ndarray]:
    """11 RGB frames (240, 320, 3): a textured ellipse moves and grows on a pattern."""
    y, x = np.mgrid[:240, :320].astype(np.int64)
    background = (
        (_wave(2 * x + y, 97) + _wave(3 * y - x, 61)) // 2,
        (_wave(x - 2 * y, 53) + _wave(x + y, 131)) // 2,
        (_wave(x * y // 64, 71) + _wave(y, 43)) // 2,
    )
    frames = []
    for i in range(11):
        dx, dy = x - (110 + 5 * i), y - (120 - 3 * i + i * i // 4)
        ellipse = (
            _wave(5 * dx + 3 * dy, 37),
            255 - _wave(4 * dy - dx, 29),
            _wave(dx * dx // 16 + dy, 47),
        )
        inside = dx * dx * 26**2 + dy * dy * (34 + i) ** 2 <= (34 + i) ** 2 * 26**2
        blue_green_red = [np.where(inside, a, b) for a, b in zip(ellipse, background, strict=True)]
        frames.append(np.stack(blue_green_red[::-1], axis=-1).astype(np.uint8))
    return frames


def _wave(v: np.ndarray, period: int) -> np.ndarray:
    return np.abs(v % (2 * period) - period) * 255 // period
