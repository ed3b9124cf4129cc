"""GOT-10k's validation set, scored as the got10k package does, driven live on generated data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.errors import DatasetError
from bench.evaluation import evaluate
from bench.files import format_rows
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore

pytest.importorskip("got10k", exc_type=(ImportError, AttributeError))

NAMES = tuple(f"GOT-10k_Val_{number:06d}" for number in (1, 2, 3))
LENGTHS = (12, 30, 21)
SIZE = (160, 120)


def truth_of(rng: np.random.Generator, length: int) -> np.ndarray:
    """Boxes that leave the image now and then."""
    corner = np.cumsum(rng.normal(0, 6, (length, 2)), axis=0) + np.array([60.0, 40.0])
    return np.hstack([corner, rng.uniform(15, 60, (length, 2))]).round(4)


@pytest.fixture
def root(tmp_path: Path, write_images: Any) -> Path:
    """Three validation sequences in the official layout."""
    rng = np.random.default_rng(3)
    for name, length in zip(NAMES, LENGTHS, strict=True):
        folder = tmp_path / "data/val" / name
        write_images(folder, range(1, length + 1), digits=8)
        (folder / "groundtruth.txt").write_bytes(format_rows(truth_of(rng, length), 4))
        cover = rng.integers(1, 9, length) * (rng.random(length) > 0.2)
        cover[0] = 8
        for label, values in (
            ("cover", cover),
            ("absence", cover == 0),
            ("cut_by_image", cover > 6),
        ):
            text = "".join(f"{int(value)}\n" for value in values)
            (folder / f"{label}.label").write_text(text)
        (folder / "meta_info.ini").write_text(
            f"[METAINFO]\nurl: none\nresolution: {SIZE}\nobject_class: thing"
        )
    (tmp_path / "data/val/list.txt").write_text("\n".join(NAMES))
    return tmp_path


def write_results(root: Path, runs: int, trackers: tuple[str, ...]) -> None:
    """Noisy boxes of every run, in our store and where the package looks for them."""
    dataset = open_dataset("got10k", root / "data", subset="val")
    store, rng = OnePassStore(root / "results", "got10k"), np.random.default_rng(5)
    for tracker in trackers:
        for sequence in dataset:
            for run in range(1, runs + 1):
                noise = rng.normal(0, 12, sequence.ground_truth.shape)
                boxes = (sequence.ground_truth + noise).round(3)
                boxes[:, 2:] = np.maximum(boxes[:, 2:], 1)
                path = store.boxes_path(tracker, sequence.name, run)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(format_rows(boxes, 3))
                theirs = root / "got10k/GOT-10k" / tracker / sequence.name
                theirs.mkdir(parents=True, exist_ok=True)
                (theirs / f"{sequence.name}_{run:03d}.txt").write_bytes(format_rows(boxes, 3))
                times = rng.uniform(0.01, 0.02, (len(boxes), 1))
                (theirs / f"{sequence.name}_time.txt").write_bytes(format_rows(times, 8))


@pytest.mark.parametrize("runs", [1, 3])
def test_scores_are_those_of_the_package(
    root: Path, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from got10k.experiments import ExperimentGOT10k

    trackers = ("A", "B")
    write_results(root, runs, trackers)
    monkeypatch.chdir(root)
    experiment = ExperimentGOT10k(
        str(root / "data"), "val", str(root / "got10k"), str(root / "reports")
    )
    theirs = experiment.report(list(trackers))
    dataset = open_dataset("got10k", root / "data", subset="val")
    (ours,) = evaluate(dataset, OnePassStore(root / "results", "got10k"))
    assert ours.convention == "got10k"
    for tracker in trackers:
        mine, overall = ours.trackers[tracker], theirs[tracker]["overall"]
        curve = np.array(overall["succ_curve"])
        assert mine.measures["average_overlap"] == pytest.approx(overall["ao"], abs=1e-12)
        assert mine.measures["success_rate_50"] == pytest.approx(overall["sr"], abs=1e-12)
        assert mine.measures["success_rate_75"] == pytest.approx(curve[75], abs=1e-12)
        np.testing.assert_allclose(mine.curves["success"], curve, atol=1e-12)
        for name in NAMES:
            own = theirs[tracker]["seq_wise"][name]
            assert mine.per_sequence[name]["average_overlap"] == pytest.approx(
                own["ao"], abs=1e-12
            )
            assert mine.per_sequence[name]["success_rate_50"] == pytest.approx(
                own["sr"], abs=1e-12
            )
        assert 0.05 < mine.measures["average_overlap"] < 0.95
        low, high = mine.intervals["average_overlap"]
        assert low <= mine.measures["average_overlap"] <= high
        assert mine.repetitions == runs


def test_the_reader_sees_what_the_package_sees(root: Path) -> None:
    from got10k.datasets import GOT10k

    theirs = GOT10k(str(root / "data"), subset="val", return_meta=True)
    dataset = open_dataset("got10k", root / "data", subset="val")
    assert [s.name for s in dataset] == theirs.seq_names
    for sequence, (files, boxes, meta) in zip(dataset, theirs, strict=True):
        np.testing.assert_array_equal(sequence.ground_truth, boxes)
        assert sequence.absent is not None
        np.testing.assert_array_equal(sequence.absent, meta["cover"] == 0)
        assert sequence.size == SIZE
        assert sequence.frames is not None
        assert len(sequence.frames) == len(files)


def test_the_test_set_is_scored_by_the_server_only(root: Path, write_images: Any) -> None:
    folder = root / "data/test/GOT-10k_Test_000001"
    write_images(folder, [1, 2, 3], digits=8)
    (folder / "groundtruth.txt").write_text("10.0,10.0,20.0,20.0\n")
    dataset = open_dataset("got10k", root / "data")
    assert [s.hidden for s in dataset] == [True]
    assert len(dataset[0]) == 3
    store = OnePassStore(root / "results", "got10k")
    with pytest.raises(DatasetError, match=r"bench pack got10k.*--subset val"):
        evaluate(dataset, store)


def test_check_names_missing_sequences(root: Path) -> None:
    found = check_dataset("got10k", root / "data", subset="val")
    assert sum("missing: no annotation" in each.problem for each in found) == 177


def test_runs_of_the_package_are_imported(root: Path) -> None:
    write_results(root, 3, ("A",))
    dataset = open_dataset("got10k", root / "data", subset="val")
    store, other = (OnePassStore(root / name, "got10k") for name in ("results", "other"))
    report = import_results(root / "got10k/GOT-10k/A", other, "A", dataset)
    assert report.repetitions == 3
    for sequence in dataset:
        for run in (1, 2, 3):
            mine, theirs = (
                each.read_run("A", sequence.name, run).values for each in (store, other)
            )
            np.testing.assert_array_equal(mine, theirs)
        assert other.read_times("A", sequence.name, 1) is not None


def test_attributes_are_the_flags_of_frames(root: Path) -> None:
    dataset = open_dataset("got10k", root / "data", subset="val")
    for sequence in dataset:
        folder = root / "data/val" / sequence.name
        marked = {
            name
            for name, file in (("ABS", "absence"), ("CUT", "cut_by_image"))
            if "1" in (folder / f"{file}.label").read_text()
        }
        assert sequence.attributes == marked
    assert {name for sequence in dataset for name in sequence.attributes} == {"ABS", "CUT"}
