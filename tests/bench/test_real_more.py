"""Published figures of benchmarks beside the paper's six, from real raw results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results import open_store
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.scores import TrackerScores
from bench.sequence import Dataset

ANNOTATION = "data/uav123/annotations"


def scored(
    dataset: Dataset, source: Path, folder: Path, *, partial: bool = False
) -> TrackerScores:
    """The scores of one tracker's raw results, imported and evaluated."""
    store = open_store(folder, dataset.benchmark)
    import_results(source, store, "T", dataset, partial=partial)
    (scores,) = evaluate(dataset, store)
    assert not scores.caveats
    return scores.trackers["T"]


def test_ocean_on_vot2019(shared: Path, tmp_path: Path) -> None:
    """Its authors' raw results carry the EAO in their folder's name: .323."""
    dataset = open_dataset("vot2019", shared / "data/vot2019/annotations")
    assert (len(dataset), sum(map(len, dataset))) == (60, 19935)
    found = scored(dataset, shared / "data/vot2019/results/Ocean", tmp_path)
    assert found.measures["eao"] == pytest.approx(0.323, abs=0.0005)


def test_srdcf_on_uav20l(shared: Path, tmp_path: Path) -> None:
    """The UAV123 paper prints .343 and .507."""
    dataset = open_dataset("uav20l", shared / ANNOTATION)
    assert (len(dataset), sum(map(len, dataset))) == (20, 58670)
    found = scored(dataset, shared / "data/uav123/results/SRDCF", tmp_path)
    assert found.measures["success"] == pytest.approx(0.343, abs=0.0005)
    assert found.measures["precision"] == pytest.approx(0.507, abs=0.0005)


def test_arcf_on_uav123_at_10_fps(shared: Path, tmp_path: Path) -> None:
    """ARCF-HC's paper prints .473 and .666; the annotation is every third row of UAV123's."""
    target = tmp_path / "data/anno/UAV123_10fps"
    target.mkdir(parents=True)
    for path in (shared / ANNOTATION / "anno").glob("*.txt"):
        rows = [row for row in path.read_text().splitlines() if row.strip()]
        (target / path.name).write_text("\n".join(rows[::3]))
    dataset = open_dataset("uav123-10fps", tmp_path / "data")
    assert (len(dataset), sum(map(len, dataset))) == (123, 37607)
    found = scored(dataset, shared / "data/uav123_10fps/results/ARCF-HC", tmp_path)
    assert found.measures["success"] == pytest.approx(0.473, abs=0.0005)
    assert found.measures["precision"] == pytest.approx(0.666, abs=0.0005)


@pytest.mark.parametrize(
    ("tracker", "success", "precision"), [("SRDCF", 0.628, 0.838), ("MUSTER", 0.641, 0.865)]
)
def test_otb_2013(
    shared: Path, tmp_path: Path, tracker: str, success: float, precision: float
) -> None:
    dataset = open_dataset("otb2013", shared / "data/otb2015/annotations/anno")
    assert (len(dataset), sum(map(len, dataset))) == (51, 29491)
    found = scored(dataset, shared / "data/otb2015/results" / tracker, tmp_path)
    assert found.measures["success"] == pytest.approx(success, abs=0.0005)
    assert found.measures["precision"] == pytest.approx(precision, abs=0.0005)


def test_the_sets_of_otb_in_matlab_s_own_output(shared: Path, tmp_path: Path) -> None:
    """Means over the sequences of a set are the means that OTB-2015's own scores have there."""
    whole = open_dataset("otb2015", shared / "data/otb2015/annotations/anno")
    source = shared / "data/otb2015/results/SRDCF"
    everywhere = scored(whole, source, tmp_path / "whole").per_sequence
    for name in ("otb2013", "tb50"):
        part = open_dataset(name, shared / "data/otb2015/annotations/anno")
        found = scored(part, source, tmp_path / name)
        mean = np.mean([everywhere[sequence.name]["success"] for sequence in part])
        assert found.measures["success"] == pytest.approx(mean, abs=1e-12)


@pytest.fixture(scope="module")
def tnl2k(shared: Path) -> Dataset:
    return open_dataset("tnl2k", shared / "data/tnl2k/annotations")


def test_the_annotation_of_tnl2k(shared: Path, tnl2k: Dataset) -> None:
    assert (len(tnl2k), sum(map(len, tnl2k))) == (700, 516038)
    absent = [s.absent for s in tnl2k if s.absent is not None]
    assert len(absent) == 700
    assert sum(int(flags.sum()) for flags in absent) == 65253
    assert sum(bool(s.attributes) for s in tnl2k) == 699
    found = check_dataset("tnl2k", shared / "data/tnl2k/annotations")
    assert len(found) == 12, "rows of no height that no flag explains"
    lists = shared / "data/tnl2k/TNL2K_testing_set.txt"
    assert list(get_benchmark("tnl2k").rows) == lists.read_text().split()


def test_the_two_scripts_of_tnl2k(tnl2k: Dataset, tmp_path: Path) -> None:
    """On a perfect result, Python scripts also count boxes that touch the left or upper border.

    14,555 frames of 248 sequences have x = 0 or y = 0: to the official code they are misses.
    """
    store = OnePassStore(tmp_path, "tnl2k")
    store.folder("T").mkdir(parents=True)
    for sequence in tnl2k:
        boxes = np.where(sequence.ground_truth[:, 2:].min(axis=1)[:, None] > 0,
                         sequence.ground_truth, [1.0, 1.0, 1.0, 1.0])  # fmt: skip
        store.boxes_path("T", sequence.name).write_bytes(format_exact(boxes))
    official, scripts = evaluate(tnl2k, store, conventions=["lasot", "libtest"])
    ours, theirs = official.trackers["T"].measures, scripts.trackers["T"].measures
    expected = []
    for sequence in tnl2k:
        assert sequence.absent is not None
        valid = (sequence.ground_truth > 0).all(axis=1) & ~sequence.absent
        expected.append(20 / 21 * valid.mean())
    assert ours["success"] == pytest.approx(np.mean(expected), abs=2e-3), "but for ties at 1"
    sized = [(s.ground_truth[:, 2:] > 0).all(axis=1).mean() * 20 / 21 for s in tnl2k]
    assert theirs["success"] == pytest.approx(np.mean(sized), abs=2e-3)
    assert theirs["success"] - ours["success"] > 0.02
    assert theirs["normalized_precision"] > ours["normalized_precision"]
