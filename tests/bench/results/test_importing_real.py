"""Published raw results are imported completely and without change."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from bench.benchmarks import get_benchmark
from bench.evaluation import evaluate
from bench.files import read_rows
from bench.results.importing import import_results
from bench.results.names import normalized
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset, Sequence

MakeDataset = Callable[..., Dataset]


def real_dataset(shared: Path, benchmark: str, folder: str) -> Dataset:
    """Names of the table, with the available annotation."""
    files = {normalized(f.stem): f for f in (shared / "data" / benchmark / folder).glob("*.txt")}
    rows = [r for r in get_benchmark(benchmark).table if normalized(r.name) in files]
    sequences = (
        Sequence(
            row.name,
            read_rows(files[normalized(row.name)]),
            index_base=1.0,
            skippable_frames=row.skippable,
        )
        for row in rows
    )
    return Dataset(benchmark, shared, tuple(sequences))


@pytest.fixture(scope="session")
def real_otb(shared: Path) -> Dataset:
    return real_dataset(shared, "otb2015", "annotations/anno")


TIGER = "Tiger1: 349 rows, read as frames 6 to 354"


def test_real_mats(shared: Path, tmp_path: Path, real_otb: Dataset) -> None:
    """The printed scores of SRDCF (success .598) and LADCF (.696, precision .906)."""
    store = OnePassStore(tmp_path, "otb2015")
    for tracker in ("SRDCF", "LADCF"):
        folder = shared / "data/otb2015/results" / tracker
        report = import_results(folder, store, tracker, real_otb)
        assert report.format == "otb-mat"
        assert len(report.imported) == 100
        assert report.notes[0] == TIGER
        assert len(report.notes) == 2
    theirs = loadmat(folder / "Bolt_LADCF.mat")
    res = theirs["results"][0, 0]["res"][0, 0]
    np.testing.assert_array_equal(store.read_boxes("LADCF", "Bolt"), res)
    (scores,) = evaluate(real_otb, store)
    printed = {
        name: tuple(round(tracker.measures[m], 3) for m in ("success", "precision"))
        for name, tracker in scores.trackers.items()
    }
    assert printed["LADCF"] == (0.696, 0.906)
    assert printed["SRDCF"][0] == 0.598


@pytest.mark.parametrize("tracker", ["SiamFC", "SiamRPN++", "ATOM"])
def test_real_texts_with_mixed_names(
    shared: Path, tmp_path: Path, real_otb: Dataset, tracker: str
) -> None:
    store = OnePassStore(tmp_path, "otb2015")
    folder = shared / "data/otb2015/results" / tracker
    report = import_results(folder, store, tracker, real_otb)
    assert (report.format, len(report.imported), report.notes) == ("pysot", 100, (TIGER,))
    files = {normalized(f.stem): f for f in folder.glob("*.txt")}
    for name in ("Jogging-2", "Human4-2", "Skating2-1", "Suv", "FaceOcc1"):
        theirs = np.loadtxt(files[normalized(name)], delimiter=",")
        np.testing.assert_array_equal(store.read_boxes(tracker, name), theirs)


def test_real_json_with_surplus_files(shared: Path, tmp_path: Path) -> None:
    dataset = real_dataset(shared, "uav123", "annotations/anno")
    store = OnePassStore(tmp_path, "uav123")
    folder = shared / "data/uav123/results/SRDCF"
    report = import_results(folder, store, "SRDCF", dataset)
    assert (report.format, len(report.imported)) == ("otb-json", 123)
    (note,) = report.notes
    assert note.startswith("19 unknown files ignored (no sequence of uav123): bird1.json, car1")
    for name in ("car1_1", "car11", "uav1_2"):
        theirs = json.loads((folder / f"{name}.json").read_text())["res"]
        np.testing.assert_array_equal(store.read_boxes("SRDCF", name), theirs)


def test_real_lasot(shared: Path, tmp_path: Path) -> None:
    dataset = real_dataset(shared, "lasot", "annotations")
    store = OnePassStore(tmp_path, "lasot")
    folder = shared / "data/lasot/results/ATOM"
    report = import_results(folder, store, "ATOM", dataset)
    assert len(report.imported) == len(dataset) >= 279
    for name in ("monkey-17", "airplane-1"):
        theirs = np.loadtxt(folder / f"{name}.txt", delimiter=",")
        np.testing.assert_array_equal(store.read_boxes("ATOM", name), theirs)


def test_the_sample_submission_of_trackingnet(
    shared: Path, tmp_path: Path, make_dataset: MakeDataset
) -> None:
    """A zip with carriage returns and leading spaces."""
    archive = shared / "data/trackingnet/annotations/dummy_subm.zip"
    with zipfile.ZipFile(archive) as opened:
        rows = {n.removesuffix(".txt"): opened.read(n).count(b"\n") for n in opened.namelist()}
        first = np.loadtxt(opened.open("a1qoB1eERn0_0.txt"), delimiter=",")
    dataset, store = make_dataset("trackingnet", rows), OnePassStore(tmp_path, "trackingnet")
    report = import_results(archive, store, "dummy", dataset)
    assert (report.format, len(report.imported)) == ("trackingnet", 8)
    (note,) = report.notes  # the boxes of the dataset are made up
    assert note.startswith("the first row is not the first box of the ground truth in 8 of 8")
    np.testing.assert_array_equal(store.read_boxes("dummy", "a1qoB1eERn0_0"), first)
