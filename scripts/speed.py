"""Time scoring beside got10k on generated results, in CPU seconds. A benchmark, not a test.

Ten trackers on an OTB-size set (100 sequences x 576 frames) and a LaSOT-size set (280 x 2,500),
as text files in official layouts. Every run is a fresh process of the same interpreter; the
figure is user + system time of all threads, imports apart from scoring. got10k 0.1.3 has no
LaSOT experiment, so its OTB experiment scores the LaSOT-size set, and it draws no plots here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench.datasets.tables import read_table
from bench.results.text import format_rows

CACHE = Path("build/speed")
TRACKERS = 10
REPEATS = 5
SETS = {"otb2015": ("otb_sequences.csv", 576), "lasot": ("lasot_sequences.csv", 2500)}


def sequence_names(table: str) -> list[str]:
    """Official names: all of OTB, the test set of LaSOT."""
    return [row["name"] for row in read_table(table) if row.get("subset", "test") == "test"]


def generate(benchmark: str) -> None:
    """Ground truth and results of all trackers as text; kept between calls."""
    table, frames = SETS[benchmark]
    root, rng = CACHE / benchmark, np.random.default_rng(0)
    if (root / "complete").exists():
        return
    for name in sequence_names(table):
        walk = np.cumsum(rng.normal(0, 2, (frames, 2)), axis=0) + 1000
        truth = np.hstack([walk.round(), np.tile([60.0, 60.0], (frames, 1))])
        _write(root / "annotation" / f"{name}.txt", format_rows(truth, 0))
        if benchmark == "lasot":
            absent = (rng.random((frames, 1)) < 0.03).astype(float)
            absent[0] = 0
            _write(root / "annotation" / "absent" / f"{name}.txt", format_rows(absent, 0))
        for tracker in range(TRACKERS):
            noise = rng.normal(0, 2 + tracker, (frames, 4)) * [1, 1, 0.3, 0.3]
            path = root / "results" / benchmark / f"T{tracker:02}" / f"{name}.txt"
            _write(path, format_rows(truth + noise, 2))
    (root / "complete").touch()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def score_ours(benchmark: str) -> None:
    """All measures and curves, intervals, per sequence, from the files."""
    import scipy.stats  # noqa: F401 (so that its import is not counted as scoring)

    from bench.datasets import open_dataset
    from bench.evaluation import evaluate
    from bench.results.store import ResultStore

    root = CACHE / benchmark
    _timed(
        lambda: evaluate(
            open_dataset(benchmark, root / "annotation"), ResultStore(root / "results", benchmark)
        )
    )


def score_got10k(benchmark: str) -> None:
    """Success and precision by got10k's own OTB experiment, from the same files."""
    from got10k.experiments import ExperimentOTB

    root = CACHE / benchmark
    names = sequence_names(SETS[benchmark][0])

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
    _timed(lambda: experiment.report([f"T{i:02}" for i in range(TRACKERS)]))


def _timed(score: object) -> None:
    before = time.process_time()
    score()  # type: ignore[operator]
    scoring = time.process_time() - before
    spent = os.times()
    print(json.dumps({"scoring": scoring, "process": spent.user + spent.system}))


def measure(side: str, benchmark: str) -> dict[str, float]:
    """CPU seconds of one fresh process."""
    command = [sys.executable, __file__, side, benchmark]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    spent: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return spent


def main() -> None:
    """Run both sides in turn and print a table."""
    from rich.console import Console
    from rich.table import Table

    for benchmark in SETS:
        generate(benchmark)
    table = Table(title=f"Scoring {TRACKERS} trackers, CPU seconds: median (min) of {REPEATS}")
    for heading in ("set", "toolkit", "scoring", "whole process"):
        table.add_column(heading)
    for benchmark, (_, frames) in SETS.items():
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "got10k": []}
        for _ in range(REPEATS):
            for side, spent in runs.items():
                spent.append(measure(side, benchmark))
        for side, spent in runs.items():
            cells = [_median_and_min([s[key] for s in spent]) for key in ("scoring", "process")]
            size = f"{benchmark}-size ({len(sequence_names(SETS[benchmark][0]))} x {frames})"
            table.add_row(size, side, *cells)
    Console().print(table)


def _median_and_min(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f})"


if __name__ == "__main__":
    if len(sys.argv) == 3:
        {"ours": score_ours, "got10k": score_got10k}[sys.argv[1]](sys.argv[2])
    else:
        main()
