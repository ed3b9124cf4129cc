"""Reset-based sets for ``speed.py``: ours beside vot-toolkit's own analysis.

Ten trackers on a set of the size of VOT2018 (60 sequences of the true lengths, 21,356 frames,
rotated polygons, 26 to 153 failures a tracker), once with one repetition and once with fifteen,
in the official layout. vot-toolkit analyses the same files, in a workspace, one repetition only:
its time grows with the repetitions.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.results.vot.store import VotStore
from bench.sequence import Dataset

FloatArray = NDArray[np.float64]

TRACKERS = 10
SETS = {"vot2018-x1": 1, "vot2018-x15": 15}
FEWEST_FAILURES, MOST_FAILURES = 26, 153
SKIPPED = 5  # frames from a failure to the next start
CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def describe(name: str) -> str:
    """A set in a few words."""
    rows = _sequences()
    frames = sum(int(row["frames"]) for row in rows)
    return f"vot2018-size ({len(rows)} sequences, {frames} frames) x {SETS[name]}"


def tracker_names(trackers: int = TRACKERS) -> list[str]:
    """The generated trackers, from the best to the worst."""
    return [f"T{index:02}" for index in range(trackers)]


@lru_cache(maxsize=1)
def _sequences() -> list[dict[str, Any]]:
    return [dataclasses.asdict(row) for row in get_benchmark("vot2018").table]


def generate(name: str, root: Path, trackers: int = TRACKERS) -> None:
    """Annotation, results in the official layout, and a workspace of vot-toolkit."""
    rng = np.random.default_rng(0)
    rows = _sequences()
    shapes = {row["name"]: _walk(row, rng) for row in rows}
    annotation = {
        row["name"]: {
            "img_names": [f"{row['name']}/color/00000001.jpg"],
            "gt_rect": _polygons(shapes[row["name"]]).reshape(-1, 8).round(4).tolist(),
            "width": int(row["width"]),
            "height": int(row["height"]),
        }
        for row in rows
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "VOT2018.json").write_text(json.dumps(annotation))
    store = VotStore(root / "results", "vot2018", "baseline")
    frames = sum(map(len, shapes.values()))
    rates = np.linspace(FEWEST_FAILURES, MOST_FAILURES, trackers) / frames
    for index, tracker in enumerate(tracker_names(trackers)):
        for sequence, truth in shapes.items():
            for repetition in range(1, SETS[name] + 1):
                path = store.run_path(tracker, sequence, repetition)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(_run(truth, 0.05 + 0.01 * index, rates[index], rng))
    if SETS[name] == 1:
        _write_workspace(root)


def _walk(row: dict[str, str], rng: np.random.Generator) -> FloatArray:
    """``(N, 5)`` centre, sides (about 100 x 80) and angle of a target that stays in the image."""
    frames, size = int(row["frames"]), np.array([float(row["width"]), float(row["height"])])
    steps = np.cumsum(rng.normal(0, 3, (frames, 2)), axis=0) + size * rng.random(2)
    centre = np.abs((steps % (2 * size)) - size)  # reflected at the borders
    sides = np.exp(np.cumsum(rng.normal(0, 0.005, (frames, 2)), axis=0)) * [100, 80]
    angle = np.cumsum(rng.normal(0, 0.02, (frames, 1)), axis=0)
    return np.hstack([centre, sides, angle])


def _polygons(shapes: FloatArray) -> FloatArray:
    """``(N, 4, 2)`` corners of rectangles ``(N, 5)``: centre, sides, angle."""
    cos, sin = np.cos(shapes[:, 4]), np.sin(shapes[:, 4])
    turn = np.array([[cos, sin], [-sin, cos]]).transpose(2, 0, 1)
    return (CORNERS * shapes[:, None, 2:4]) @ turn + shapes[:, None, :2]


def _run(truth: FloatArray, noise: float, rate: float, rng: np.random.Generator) -> str:
    """One trajectory as text: polygons near the truth, codes where the protocol puts them."""
    scale = noise * np.array([100.0, 80.0, 50.0, 40.0, 1.0])
    polygons = _polygons(truth + rng.normal(0, scale, truth.shape)).reshape(-1, 8)
    lines = [",".join(f"{value:.4f}" for value in row) for row in polygons.tolist()]
    lines[0] = "1"
    start = 0
    for frame in np.flatnonzero(rng.random(len(truth)) < rate).tolist():
        if frame > start:
            start = frame + SKIPPED
            after = ["2", *["0"] * (SKIPPED - 1), "1"]
            lines[frame : start + 1] = after[: len(lines) - frame]
    return "\n".join(lines) + "\n"


def _write_workspace(root: Path) -> None:
    from bench.interop.workspace import write_workspace

    dataset = open_dataset("vot2018", root / "VOT2018.json")
    write_workspace(
        root / "workspace", dataset, results=root / "results", trackers=tracker_names()
    )


def score_vot(root: Path, dataset: Dataset, *, cache: bool = False) -> dict[str, dict[str, float]]:
    """Accuracy, robustness and expected average overlap of every tracker, by this toolkit."""
    from bench.evaluation import evaluate

    store = VotStore(root / "results", "vot2018", "baseline")
    (scores,) = evaluate(dataset, store, cache=cache)
    return {
        tracker: {name: one.measures[name] for name in ("accuracy", "robustness", "eao")}
        for tracker, one in scores.trackers.items()
    }


def prepare_ours(name: str, root: Path, *, cache: bool = False) -> Callable[[], object]:
    """A, R, EAO and all else that `bench eval` computes, from the files, or as kept."""
    import bench.datasets.vot
    import bench.evaluation.vot  # noqa: F401 (so that its import is not counted as scoring)
    from bench.geometry import Regions, region_overlaps
    from bench.geometry.overlap import PAYS_OFF, pixel_counter

    if not cache:  # loading numba and its kernel stands in the column of the whole process
        square = Regions.from_boxes(np.array([[0.0, 0.0, 9.0, 9.0]]))
        region_overlaps(square, square, count=pixel_counter(PAYS_OFF))
    return lambda: score_vot(root, open_dataset("vot2018", root / "VOT2018.json"), cache=cache)


def prepare_toolkit(name: str, root: Path) -> Callable[[], object]:
    """`vot analysis` of the experiment, in one thread, with nothing left from an earlier run."""
    import vot.analysis.supervised  # noqa: F401 (so that its import is not counted as scoring)

    from bench.interop import vot_toolkit

    os.environ |= {"VOT_PERSISTENT_CACHE": "false", "VOT_WORKER_POOL_SIZE": "1"}
    options = ["--workspace", str(root / "workspace"), "--experiments", "baseline"]

    def analyse() -> Any:
        with suppress(SystemExit):  # it ends the process even where all went well
            vot_toolkit.run(["analysis", *options, "--name", "speed", *tracker_names()])
        return json.loads((root / "workspace/analysis/speed.json").read_text())

    return analyse
