"""The installed got10k package, driven live, agrees with the convention named after it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.evaluation import evaluate
from bench.files import format_exact, read_rows, write_atomically
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset, Sequence

GOLDEN = Path(__file__).parents[1] / "golden" / "ope" / "in"
NAMES = [f"s{i}" for i in range(6)]
TRACKERS = [f"t{i}" for i in range(4)]


@pytest.fixture(scope="module")
def experiments() -> Any:
    """got10k's experiments module; its imports warn on new NumPy and Matplotlib."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("got10k.experiments", reason="needs the extra `got10k`")


def prepared(kind: str, benchmark: str, root: Path) -> tuple[Dataset, OnePassStore]:
    store = OnePassStore(root, benchmark)
    sequences = []
    for name in NAMES:
        sequences.append(Sequence(name, read_rows(GOLDEN / kind / f"{name}.txt"), index_base=1.0))
        for tracker in TRACKERS:
            rows = read_rows(GOLDEN / kind / f"{tracker}__{name}.txt")
            write_atomically(store.boxes_path(tracker, name), format_exact(rows))
    return Dataset(benchmark, root, tuple(sequences)), store


class Annotations:
    """What got10k's experiments ask of a dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.seq_names = [sequence.name for sequence in dataset]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[list[str], np.ndarray]:
        return [], self.dataset.sequences[index].ground_truth.copy()


@pytest.mark.parametrize(
    ("kind", "benchmark", "name"),
    [("otb", "otb2015", "ExperimentOTB"), ("uav", "uav123", "ExperimentUAV123")],
)
def test_got10k_reports_the_same_scores(
    experiments: Any, kind: str, benchmark: str, name: str, tmp_path: Path
) -> None:
    dataset, store = prepared(kind, benchmark, tmp_path)
    experiment = getattr(experiments, name).__new__(getattr(experiments, name))
    experiment.dataset = Annotations(dataset)
    experiment.nbins_iou, experiment.nbins_ce = 21, 51
    experiment.result_dir = str(store.root / benchmark)
    experiment.report_dir = str(tmp_path / "reports")
    experiment.plot_curves = lambda names: None
    reported = experiment.report(TRACKERS)
    (ours,) = evaluate(dataset, store, conventions=["got10k"])
    for tracker in TRACKERS:
        theirs = reported[tracker]["overall"]
        measures = ours.trackers[tracker].measures
        assert measures["success"] == pytest.approx(theirs["success_score"], abs=1e-12)
        assert measures["precision"] == pytest.approx(theirs["precision_score"], abs=1e-12)
        assert measures["success_rate_50"] == pytest.approx(theirs["success_rate"], abs=1e-12)
        curve = ours.trackers[tracker].curves["success"]
        assert np.allclose(curve, theirs["success_curve"], rtol=0, atol=1e-12)
