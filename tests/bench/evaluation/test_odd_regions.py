"""Regions of VOT runs that no tracker answers, or that the protocol would not have kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results.vot.store import VotStore

FRAMES = 196
SOUND = [[float(x), 50.0, 40.0, 30.0] for x in range(100, 100 + FRAMES)]
THIN = "regions without width or height"
SCALE = "regions with numbers that are no pixels of an image"
LEAVES = "single regions off the target, where the protocol counts a failure"


def notes(folder: Path, rows: list[list[float]], experiment: str = "baseline") -> list[str]:
    """Remarks on one run of the sequence bag."""
    truth = folder / "data" / "bag"
    truth.mkdir(parents=True)
    (truth / "groundtruth.txt").write_bytes(format_exact(np.array(SOUND)))
    run = folder / "vot2018" / "T" / experiment / "bag" / "bag_001.txt"
    run.parent.mkdir(parents=True)
    run.write_text("".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows))
    dataset = open_dataset("vot2018", folder / "data")
    (scores,) = evaluate(dataset, VotStore(folder, "vot2018", experiment), partial=True)
    return [note for note in scores.trackers["T"].notes if note.endswith("in bag")]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({9: [109, 50, 0, 30]}, THIN),
        ({9: [109, 50, 40, -30]}, THIN),
        ({9: [109, 50, 40, 1e-12]}, THIN),
        ({9: [1e-40, 50, 140, 30]}, SCALE),
        ({9: [109, 50, 1e6, 30]}, SCALE),
        ({9: [400, 50, 40, 30]}, LEAVES),
        ({9: [400, 50, 420, 50, 420, 60, 400, 60]}, LEAVES),
        ({9: [108, 85, 40, 30]}, LEAVES),
        ({9: [125, 79, 40, 30]}, None),
        ({9: [400, 50, 40, 30], 10: [400, 50, 40, 30]}, None),  # a drift, as some real runs have
        ({9: [2], 10: [0], 11: [0], 12: [0], 13: [0], 14: [0], 15: [1]}, None),
        ({9: [2], 10: [1]}, None),
        ({9: [1]}, "starts without a failure before them"),
    ],
)
def test_odd_regions(
    tmp_path: Path, changed: dict[int, list[float]], expected: str | None
) -> None:
    rows = [[1.0], *SOUND[1:]]
    for row, values in changed.items():
        rows[row] = values
    wanted = [] if expected is None else [f"{expected}: 1, in bag"]
    assert notes(tmp_path, rows) == wanted


def test_without_resets_a_tracker_may_leave_its_target(tmp_path: Path) -> None:
    rows = [[1.0], *SOUND[1:]]
    rows[9] = [400, 50, 40, 30]
    rows[20] = [0, 0, 0, 0]  # absent, as vot-toolkit writes it
    assert notes(tmp_path, rows, "unsupervised") == []
