"""Shared values and fixtures of the training tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trackers.siamattn.config import preset
from trackers.siamattn.training.config import Jitter, recipe
from trackers.siamattn.training.crops import Shot
from trackers.siamattn.training.generated import GeneratedPairs

GOLDEN = Path(__file__).parents[5] / "shared" / "golden" / "siamattn"
needs_golden = pytest.mark.skipif(
    not (GOLDEN / "training.npz").exists(),
    reason=f"needs the released training code's values, {GOLDEN / 'training.npz'}",
)

WORLD = {"data.scenes": 2, "data.streams": 1, "data.parts": 0.0, "data.motley": 0.0}
RECIPE = recipe("nano", {**WORLD, "data.margin": 0.0, "data.look": 0.0, "schedule.batch": 4})
CONFIG = preset(RECIPE.preset)
TRACKING = CONFIG.tracking_for()
STILL = Jitter(shift=0, scale=0, blur=0, flip=0, colour=0)


def shot(box: tuple[float, ...], size: tuple[int, int] = (240, 320)) -> Shot:
    """Noise with a bright rectangle on the target, which may be outside the image."""
    image = np.random.default_rng(0).integers(0, 60, (*size, 3), dtype=np.uint8)
    x, y, w, h = (round(v) for v in box)
    mask = np.zeros(size, dtype=bool)
    mask[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
    image[mask] = (250, 200, 150)
    return Shot(image, np.array(box, dtype=np.float64), mask)


@pytest.fixture(scope="module")
def source() -> GeneratedPairs:
    return GeneratedPairs(RECIPE.data, seed=3)
