"""The golden trackers A, B and C of the VOT measures, read and overlapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.geometry import Regions, region_overlaps
from bench.measures.vot.runs import SequenceRuns
from bench.results.vot.text import parse_text

TAGS = ("camera_motion", "illum_change", "occlusion", "size_change", "motion_change")
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="session")
def golden_vot(shared: Path) -> dict[str, Any]:
    """The official MATLAB analysis, run in Octave."""
    return json.loads((shared / "golden/vot/golden_vot.json").read_text())  # type: ignore[no-any-return]


def load(folder: Path, tracker: str, rule: str) -> list[SequenceRuns]:
    """Every sequence of a golden tracker, with overlaps under a rule."""
    names = (folder / "list.txt").read_text().split()
    return [_sequence(folder, tracker, name, rule) for name in names]


def _sequence(folder: Path, tracker: str, name: str, rule: str) -> SequenceRuns:
    truth = read(folder / "sequences" / name / "groundtruth.txt")
    flags = np.loadtxt(folder / "sequences" / name / "tags.txt", delimiter=",", ndmin=2)
    results = sorted((folder / "results" / tracker / "baseline" / name).glob(f"{name}_0*.txt"))
    runs = [read(path) for path in results]
    overlaps = [
        np.stack([region_overlaps(truth, run, rule, bounds) for run in runs])
        for bounds in ((WIDTH, HEIGHT), (WIDTH - 1, HEIGHT - 1))
    ]
    codes = np.stack([run.codes for run in runs])
    tags = {tag: flags[:, index] > 0 for index, tag in enumerate(TAGS)}
    return SequenceRuns(name, codes, *overlaps, tags)


def read(path: Path) -> Regions:
    return parse_text(path.read_bytes(), path).regions


def simulate(
    failures: list[list[int]],
    overlaps: np.ndarray,
    name: str = "clip",
    tags: dict[str, np.ndarray] | None = None,
) -> SequenceRuns:
    """Runs with given failures, one list of frames per repetition, and overlaps ``(N,)``."""
    codes = np.full((len(failures), len(overlaps)), -1)
    codes[:, 0] = 1
    for row, frames in zip(codes, failures, strict=True):
        for frame in frames:
            row[frame] = 2
            row[frame + 1 : frame + 5] = 0
            row[frame + 5 : frame + 6] = 1
    values = np.where(codes < 0, overlaps, np.nan)
    return SequenceRuns(name, codes, values, values, tags or {})
