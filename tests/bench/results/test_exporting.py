"""Exported results are readable by the toolkit, and re-import without change."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import loadmat

from bench.errors import ConfigError, ResultError
from bench.files import format_exact, write_atomically
from bench.results.exporting import export_results
from bench.results.formats import FORMATS
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset

MakeDataset = Callable[..., Dataset]
FRAMES = {"Bolt": 3, "Jogging-1": 4, "Human4-2": 2}
TIMES = np.array([0.5, 0.25, 0.125])
WRITTEN = {
    "pysot": "T/Jogging-1.txt",
    "got10k": "OTB2015/T/Jogging.1.txt",
    "pytracking": "T/Jogging_1.txt",
    "lasot": "T_tracking_result/Jogging-1.txt",
    "otb-mat": "jogging-1_T.mat",
    "otb-json": "T/Jogging-1.json",
    "trackingnet": "T/Jogging-1.txt",
}


@pytest.fixture(scope="session")
def otb(make_dataset: MakeDataset) -> Dataset:
    return make_dataset("otb2015", FRAMES)


def fill(root: Path, dataset: Dataset, boxes: np.ndarray | None = None) -> OnePassStore:
    """A store with the results of tracker T, and times for the first sequence."""
    store = OnePassStore(root, dataset.benchmark)
    for seed, sequence in enumerate(dataset):
        rows = np.random.default_rng(seed).uniform(-5, 500, (len(sequence), 4))
        chosen = rows if boxes is None else np.resize(boxes, rows.shape)
        write_atomically(store.boxes_path("T", sequence.name), format_exact(chosen))
    first = dataset.sequences[0].name
    write_atomically(store.times_path("T", first), format_exact(TIMES[:, None]))
    return store


def top_of(written: Path) -> Path:
    """The folder to import from: the one with the result files."""
    return next(p.parent for p in sorted(written.rglob("*")) if p.is_file())


@pytest.mark.parametrize("format_", FORMATS)
def test_layout_of_exported_files(tmp_path: Path, otb: Dataset, format_: str) -> None:
    store, out = fill(tmp_path / "ours", otb), tmp_path / "out"
    assert export_results(store, "T", otb, format_, out) == 3
    assert (out / WRITTEN[format_]).is_file()
    times = [str(p.relative_to(out)) for p in out.rglob("*_time.txt")]
    expected = {"got10k": "OTB2015/T/times/Bolt_time.txt", "pytracking": "T/Bolt_time.txt"}
    assert times == ([expected[format_]] if format_ in expected else [])


BOXES = arrays(np.float64, (5, 4), elements=st.floats(-1e6, 1e6) | st.just(np.nan))


@settings(max_examples=10, deadline=None)
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("sniffed", [False, True])
@given(boxes=BOXES)
def test_a_round_trip_gives_equal_numbers(
    otb: Dataset, format_: str, sniffed: bool, boxes: np.ndarray
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        store = fill(root / "ours", otb, boxes)
        export_results(store, "T", otb, format_, root / "out")
        back = OnePassStore(root / "back", "otb2015")
        import_results(top_of(root / "out"), back, "T", otb, format=None if sniffed else format_)
        for name in FRAMES:
            np.testing.assert_array_equal(back.read_boxes("T", name), store.read_boxes("T", name))
        times = back.read_times("T", "Bolt")
    if format_ in ("got10k", "pytracking"):
        np.testing.assert_array_equal(times, TIMES)
    elif format_ in ("otb-mat", "otb-json"):
        np.testing.assert_allclose(times.sum(), TIMES.sum())
    else:
        assert times is None


@pytest.mark.parametrize(
    ("format_", "delimiter"),
    [("pysot", ","), ("got10k", ","), ("pytracking", "\t"), ("lasot", ","), ("trackingnet", ",")],
)
def test_numpy_reads_the_text(tmp_path: Path, otb: Dataset, format_: str, delimiter: str) -> None:
    store = fill(tmp_path / "ours", otb)
    export_results(store, "T", otb, format_, tmp_path)
    theirs = np.loadtxt(tmp_path / WRITTEN[format_], delimiter=delimiter)
    np.testing.assert_array_equal(theirs, store.read_boxes("T", "Jogging-1"))


def test_scipy_reads_the_struct(tmp_path: Path, make_dataset: MakeDataset) -> None:
    plain = make_dataset("otb2015", {"Tiger1": 8})
    dataset = replace(plain, sequences=(replace(plain.sequences[0], skippable_frames=5),))
    store = OnePassStore(tmp_path / "ours", "otb2015")
    rows = np.arange(12.0).reshape(3, 4)
    write_atomically(store.boxes_path("T", "Tiger1"), format_exact(rows))
    write_atomically(store.times_path("T", "Tiger1"), format_exact(TIMES[:, None]))
    export_results(store, "T", dataset, "otb-mat", tmp_path)
    results = loadmat(tmp_path / "tiger1_T.mat", simplify_cells=True)["results"]
    np.testing.assert_array_equal(results.pop("res"), rows)
    assert results == {
        "type": "rect",
        "fps": 3 / 0.875,
        "len": 3,
        "annoBegin": 1,
        "startFrame": 6,
    }


def test_the_json_of_the_python_benchmark(tmp_path: Path, otb: Dataset) -> None:
    store = fill(tmp_path / "ours", otb)
    export_results(store, "T", otb, "otb-json", tmp_path)
    (record,) = json.loads((tmp_path / "T/Human4-2.json").read_text())
    assert record["res"] == store.read_boxes("T", "Human4-2").tolist()
    del record["res"]
    assert record == {
        "tracker": "T",
        "seqName": "Human4-2",
        "startFrame": 1,
        "endFrame": 2,
        "evalType": "OPE",
        "fps": None,
        "shiftType": None,
        "resType": "rect",
        "tmplsize": None,
    }


def test_an_origin_that_differs(tmp_path: Path, otb: Dataset) -> None:
    store = fill(tmp_path / "ours", otb)
    export_results(store, "T", otb, "pysot", tmp_path, index_base=0)
    theirs = np.loadtxt(tmp_path / "T/Bolt.txt", delimiter=",")
    np.testing.assert_array_equal(theirs, store.read_boxes("T", "Bolt") - np.array([1, 1, 0, 0]))


@pytest.mark.parametrize("format_", FORMATS)
def test_exporting_again_changes_nothing_but_never_replaces(
    tmp_path: Path, otb: Dataset, format_: str
) -> None:
    store, out = fill(tmp_path / "ours", otb), tmp_path / "out"
    export_results(store, "T", otb, format_, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert export_results(store, "T", otb, format_, out) == 3
    store.boxes_path("T", "Jogging-1").write_text("1,2,3,4\n" * 4)
    with pytest.raises(ResultError, match="holds other results"):
        export_results(store, "T", otb, format_, out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_incomplete_results_are_exported(tmp_path: Path, otb: Dataset) -> None:
    store = fill(tmp_path / "ours", otb)
    store.boxes_path("T", "Bolt").unlink()
    assert export_results(store, "T", otb, "pysot", tmp_path / "out") == 2


def test_unknown_names_are_errors(tmp_path: Path, otb: Dataset) -> None:
    store = fill(tmp_path / "ours", otb)
    with pytest.raises(ConfigError, match=r"unknown tracker with results in .* 'U'.* Known: T"):
        export_results(store, "U", otb, "pysot", tmp_path)
    with pytest.raises(ConfigError, match="unknown format 'voc'"):
        export_results(store, "T", otb, "voc", tmp_path)
    with pytest.raises(ConfigError, match="not a valid file name"):
        export_results(store, "../T", otb, "pysot", tmp_path)


def test_a_destination_that_is_a_file(tmp_path: Path, otb: Dataset) -> None:
    store = fill(tmp_path / "ours", otb)
    (tmp_path / "out").write_text("")
    with pytest.raises(ResultError, match="out: cannot be written"):
        export_results(store, "T", otb, "pysot", tmp_path / "out")
