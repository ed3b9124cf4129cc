"""One-pass sets for ``speed.py``: ours beside got10k.

Ten trackers on an OTB-size set (100 sequences x 576 frames) and a LaSOT-size set (280 x 2,500),
as text files in official layouts. got10k 0.1.3 has no LaSOT experiment, so its OTB experiment
scores the LaSOT-size set, and it draws no plots here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.benchmarks import get_benchmark
from bench.files import format_rows

TRACKERS = 10
SETS = {"otb2015": 576, "lasot": 2500}


def describe(benchmark: str) -> str:
    """A set in a few words."""
    return f"{benchmark}-size ({len(sequence_names(benchmark))} x {SETS[benchmark]})"


def sequence_names(benchmark: str) -> list[str]:
    """Official names: all of OTB, the test set of LaSOT."""
    return list(get_benchmark(benchmark).listed("test"))


def generate(benchmark: str, root: Path, trackers: int = TRACKERS) -> None:
    """Ground truth and results of so many trackers as text."""
    frames = SETS[benchmark]
    rng = np.random.default_rng(0)
    for name in sequence_names(benchmark):
        walk = np.cumsum(rng.normal(0, 2, (frames, 2)), axis=0) + 1000
        truth = np.hstack([walk.round(), np.tile([60.0, 60.0], (frames, 1))])
        _write(root / "annotation" / f"{name}.txt", format_rows(truth, 0))
        if benchmark == "lasot":
            absent = (rng.random((frames, 1)) < 0.03).astype(float)
            absent[0] = 0
            _write(root / "annotation" / "absent" / f"{name}.txt", format_rows(absent, 0))
        for tracker in range(trackers):
            noise = rng.normal(0, 2 + tracker, (frames, 4)) * [1, 1, 0.3, 0.3]
            path = root / "results" / benchmark / f"T{tracker:02}" / f"{name}.txt"
            _write(path, format_rows(truth + noise, 2))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def prepare_ours(benchmark: str, root: Path, *, cache: bool = False) -> Callable[[], object]:
    """All measures and curves, intervals, per sequence, from the files, or as kept."""
    import bench.datasets.forms
    import bench.evaluation.onepass  # noqa: F401 (so that its import is not counted as scoring)
    from bench.datasets import open_dataset
    from bench.evaluation import evaluate
    from bench.results.onepass import OnePassStore

    return lambda: evaluate(
        open_dataset(benchmark, root / "annotation"),
        OnePassStore(root / "results", benchmark),
        cache=cache,
    )


def prepare_got10k(benchmark: str, root: Path) -> Callable[[], object]:
    """Success and precision by got10k's own OTB experiment, from the same files."""
    from got10k.experiments import ExperimentOTB

    names = sequence_names(benchmark)

    class Files:
        seq_names = names

        def __len__(self) -> int:
            return len(names)

        def __getitem__(self, index: int) -> tuple[list[str], np.ndarray]:
            return [], np.loadtxt(root / "annotation" / f"{names[index]}.txt", delimiter=",")

    experiment = ExperimentOTB.__new__(ExperimentOTB)
    experiment.dataset, experiment.nbins_iou, experiment.nbins_ce = Files(), 21, 51
    experiment.result_dir = str(root / "results" / benchmark)
    experiment.report_dir = str(root / "reports")
    experiment.plot_curves = lambda names: None
    return lambda: experiment.report([f"T{i:02}" for i in range(TRACKERS)])
