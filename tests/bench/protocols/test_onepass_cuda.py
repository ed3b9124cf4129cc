"""Per-frame times on a GPU hold the work that a tracker has only queued."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.protocols.onepass import run_one_pass
from bench.sequence import Sequence
from bench.tracker import Prediction

torch: Any = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class Grey:
    """Plain frames in memory."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> np.ndarray:
        return np.zeros((48, 64, 3), dtype=np.uint8)


class Queueing:
    """Queues a matrix product a frame and returns before it is done."""

    def __init__(self) -> None:
        self.matrix = torch.ones(8192, 8192, device="cuda") / 8192

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.box = region

    def update(self, image: np.ndarray) -> Prediction:
        self.product = self.matrix @ self.matrix
        return Prediction(self.box)


def test_queued_work_is_inside_the_time() -> None:
    sequence = Sequence("grey", np.tile([1.0, 1, 8, 8], (8, 1)), frames=Grey())
    tracker = Queueing()
    waited = run_one_pass(tracker, sequence).times[3:]
    queued = run_one_pass(tracker, sequence, synchronize=lambda: None).times[3:]
    torch.cuda.synchronize()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    tracker.update(Grey()[0])
    end.record()
    torch.cuda.synchronize()
    product = start.elapsed_time(end) / 1000
    assert np.median(waited) > 0.5 * product
    assert np.median(queued) < 0.5 * product
