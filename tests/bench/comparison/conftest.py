"""Generated trajectories, and pairs of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.comparison.pairs import Pair, Track
from bench.geometry import Regions
from bench.sequence import Sequence

Change = Callable[[FloatArray], FloatArray]
FRAMES = 80


def path(seed: int, frames: int = FRAMES) -> FloatArray:
    """Boxes ``(frames, 4)`` of a target that wanders, in four decimals."""
    random = np.random.default_rng(seed)
    steps = random.normal(0, 2.5, (frames, 2)).cumsum(axis=0) + random.normal(0, 0.3, (frames, 2))
    sizes = 40 * np.exp(random.normal(0, 0.02, (frames, 2)).cumsum(axis=0))
    boxes: FloatArray = np.round(np.concatenate([100 + steps, sizes], axis=1), 4)
    return boxes


def pair_of(name: str, a: FloatArray, b: FloatArray, truth: FloatArray) -> Pair:
    sequence = Sequence(name, truth)
    tracks = (Track.of([Regions.from_boxes(rows)], sequence) for rows in (a, b))
    return Pair(sequence, *tracks)


@pytest.fixture
def planted() -> Callable[..., list[Pair]]:
    """Pairs of several sequences: B is a run near the truth, A the same under a change."""

    def make(change: Change, count: int = 6) -> list[Pair]:
        pairs = []
        for seed in range(count):
            truth = path(seed)
            run = truth + np.round(np.random.default_rng(seed + 99).normal(0, 0.4, truth.shape), 4)
            run[0] = truth[0]
            pairs.append(pair_of(f"s{seed}", change(run.copy()), run, truth))
        return pairs

    return make
