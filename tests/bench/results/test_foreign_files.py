"""Files as others publish them: read as their toolkits do, or refused with a true hint."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bench.arrays import FloatArray
from bench.datasets import open_dataset
from bench.errors import ResultError
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results.formats import get_format, open_source
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset

MakeDataset = Callable[..., Dataset]
FRAMES = {"Bolt": 3, "Jogging-1": 4, "Human4-2": 2}


def boxes_of(count: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).uniform(100, 500, (count, 4))


def texts(names: dict[str, int]) -> dict[str, bytes]:
    return {f"{n}.txt": format_exact(boxes_of(c, i)) for i, (n, c) in enumerate(names.items())}


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def mat(**variables: object) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables)
    return stream.getvalue()


def cell(*segments: object) -> np.ndarray:
    cells = np.empty((1, len(segments)), dtype=object)
    for index, segment in enumerate(segments):
        cells[0, index] = segment
    return cells


# --- MATLAB files


@pytest.mark.parametrize(
    ("case", "success"), [("otb-mat-ivtaff", 20 / 21), ("otb-mat-bare", 20 / 21)]
)
def test_cases_of_matlab_files(shared: Path, tmp_path: Path, case: str, success: float) -> None:
    folder = shared / "cases" / case
    dataset = open_dataset("otb2015", folder / "data")
    store = OnePassStore(tmp_path, "otb2015")
    import_results(folder / "raw", store, "demo", dataset, partial=True)
    (scores,) = evaluate(dataset, store, partial=True)
    assert scores.trackers["demo"].measures["success"] == pytest.approx(20 / 21)


def test_a_robustness_file_gives_its_first_segment(
    tmp_path: Path, make_dataset: MakeDataset, store: OnePassStore
) -> None:
    first, later = boxes_of(3), boxes_of(2, 1)
    segments = [{"type": "rect", "res": rows, "len": float(len(rows))} for rows in (first, later)]
    source = fill(tmp_path / "raw", {"Bolt_IVT.mat": mat(results=cell(*segments))})
    dataset = make_dataset("otb2015", {"Bolt": 3})
    report = import_results(source, store, "IVT", dataset)
    np.testing.assert_array_equal(store.read_boxes("IVT", "Bolt"), first)
    assert any("the first of 2 segments" in note for note in report.notes)


@pytest.mark.parametrize("variable", ["result", "res", "boxes", "rects"])
def test_a_bare_matrix(tmp_path: Path, variable: str) -> None:
    fill(tmp_path, {"Bolt.mat": mat(**{variable: boxes_of(3), "other": np.ones((2, 2))})})
    reader = get_format("otb-mat")
    (found,) = reader.find(open_source(tmp_path), {"Bolt": "Bolt"}.get)
    np.testing.assert_array_equal(reader.read(found).boxes, boxes_of(3))


def test_all_trackers_in_one_folder(tmp_path: Path, otb: Dataset, store: OnePassStore) -> None:
    files = {
        f"{name}_{tracker}.mat": mat(
            results=cell({"type": "rect", "res": boxes_of(count, seed), "len": float(count)})
        )
        for name, count in FRAMES.items()
        for seed, tracker in enumerate(("IVT", "Struck", "TLD"))
    }
    source = fill(tmp_path / "raw", files)
    with pytest.raises(ResultError, match=r"3 trackers, IVT, Struck, TLD.*such as --name IVT"):
        import_results(source, store, "mine", otb)
    for seed, tracker in enumerate(("IVT", "struck", "TLD")):
        import_results(source, store, tracker, otb)
        np.testing.assert_array_equal(store.read_boxes(tracker, "Bolt"), boxes_of(3, seed))


# --- lengths


def test_every_file_of_another_length_is_listed_and_left_out_on_request(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "cases" / "short-files-one-at-a-time"
    dataset = open_dataset("otb2015", folder / "data")
    store = OnePassStore(tmp_path / "r", "otb2015")
    with pytest.raises(ResultError, match=r"(?s)txt: expected .*txt: expected .*--partial"):
        import_results(folder / "raw", store, "demo", dataset)
    report = import_results(folder / "raw", store, "demo", dataset, partial=True)
    assert len(report.imported) == 1
    (note,) = (n for n in report.notes if n.startswith("left out, of another length"))
    left_out = {s.name for s in dataset} - set(report.imported)
    assert all(name in note for name in left_out)


def test_lengths_of_another_benchmark_are_recognised(shared: Path, tmp_path: Path) -> None:
    folder = shared / "cases" / "uav123-10fps"
    dataset = open_dataset("uav123", folder / "data")
    store = OnePassStore(tmp_path / "r", "uav123")
    with pytest.raises(ResultError, match=r"expected 553 rows.*found 185.*(?s:.*)UAV123@10fps"):
        import_results(folder / "raw", store, "demo", dataset, partial=True)


def test_ground_truth_of_another_benchmark_is_recognised(
    tmp_path: Path, make_dataset: MakeDataset
) -> None:
    """UAV123's annotation in place of UAV123@10fps's, which keeps every third row."""
    dataset = make_dataset("uav123-10fps", {"bike1": 3085, "bike2": 553})
    source = fill(tmp_path / "raw", texts({"bike1": 1029, "bike2": 185}))
    store = OnePassStore(tmp_path / "results", "uav123-10fps")
    with pytest.raises(
        ResultError, match=r"UAV123@10fps's lengths and the ground truth in .* not"
    ):
        import_results(source, store, "T", dataset)


def test_side_files_that_do_not_fit_are_dropped(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    source = fill(tmp_path / "raw", texts(FRAMES))
    side = {
        "Bolt_time.txt": b"0.1\ninf\n0.1\n",
        "Jogging-1_time.txt": b"0.1\n0.2\n",
        "Human4-2_time.txt": b"fast\n",
    }
    fill(source, side)
    report = import_results(source, store, "T", otb)
    assert store.read_times("T", "Bolt") is None
    assert sum("times left out" in note for note in report.notes) == 3


# --- names and folders


def test_two_benchmarks_in_one_folder(
    tmp_path: Path, make_dataset: MakeDataset, store: OnePassStore
) -> None:
    files = texts({"Car4": 3, "car4": 5, "Bolt": 3})
    otb, uav = make_dataset("otb2015", {"Car4": 3, "Bolt": 3}), make_dataset("uav123", {"car4": 5})
    source = fill(tmp_path / "raw", files)
    report = import_results(source, store, "T", otb)
    assert report.notes == ("1 unknown file ignored (no sequence of otb2015): car4.txt",)
    np.testing.assert_array_equal(store.read_boxes("T", "Car4"), boxes_of(3, 0))
    theirs = OnePassStore(store.root, "uav123")
    import_results(source, theirs, "T", uav)
    np.testing.assert_array_equal(theirs.read_boxes("T", "car4"), boxes_of(5, 1))


@pytest.mark.parametrize(
    "spell",
    [
        lambda name: f"otb_{name}",
        lambda name: f"OTB100_{name.replace('-', '_')}",
        lambda name: f"SiamFC_{name}",
        lambda name: f"{name}_SiamFC",
        lambda name: name.replace("-1", "(1)").replace("-2", " (2)"),
    ],
)
def test_spellings_of_whole_sets(
    tmp_path: Path, otb: Dataset, store: OnePassStore, spell: Callable[[str], str]
) -> None:
    source = fill(tmp_path / "raw", texts({spell(n): c for n, c in FRAMES.items()}))
    assert import_results(source, store, "T", otb).imported == tuple(FRAMES)
    np.testing.assert_array_equal(store.read_boxes("T", "Jogging-1"), boxes_of(4, 1))


def test_other_benchmarks_prefixes_are_no_sequences(
    tmp_path: Path, make_dataset: MakeDataset, store: OnePassStore
) -> None:
    files = texts({"Bolt": 3, "nfs_Bolt": 9, "uav_Bolt": 7})
    report = import_results(
        fill(tmp_path / "raw", files), store, "T", make_dataset("otb2015", {"Bolt": 3})
    )
    assert report.notes == (
        "2 unknown files ignored (no sequence of otb2015): nfs_Bolt.txt, uav_Bolt.txt",
    )


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_several_trackers_in_a_folder_or_archive(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    files = {f"all/{t}/{n}": c for t in ("SiamFC", "KCF") for n, c in texts(FRAMES).items()}
    folder, archive = fill(tmp_path / "raw", files) / "all", zipped(tmp_path / "all.zip", files)
    for index, source in enumerate((folder, archive)):
        with pytest.raises(ResultError, match=r"the folders KCF, SiamFC.*/KCF, or its name"):
            import_results(source, store, "mine", otb)
        import_results(source / "KCF", store, f"path{index}", otb)
        np.testing.assert_array_equal(store.read_boxes(f"path{index}", "Bolt"), boxes_of(3))
    report = import_results(archive, store, "siamfc", otb)
    assert "read from the folder SiamFC" in report.notes
    with pytest.raises(ResultError, match=r"expected one folder DSST in the archive, found none"):
        import_results(archive / "DSST", store, "x", otb)


def test_archives_in_archives_and_other_arrangements(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    plain = texts(FRAMES)
    inner = zipped(tmp_path / "raw/inner.zip", plain).read_bytes()
    sources = {
        "folder of an archive": tmp_path / "raw",
        "archive once more": zipped(tmp_path / "outer.zip", {"sub/inner.zip": inner}),
        "archives of trackers": fill(tmp_path / "t", {"KCF.zip": inner, "DSST.zip": b"none"}),
        "csv": fill(tmp_path / "c", {n.replace(".txt", ".csv"): c for n, c in plain.items()}),
        "a folder each": fill(tmp_path / "f", {f"{n[:-4]}/{n}": c for n, c in plain.items()}),
    }
    for number, source in enumerate(sources.values()):
        kept = OnePassStore(tmp_path / f"results{number}", "otb2015")
        import_results(source, kept, "KCF", otb)
        np.testing.assert_array_equal(kept.read_boxes("KCF", "Bolt"), boxes_of(3))
    arrays = fill(tmp_path / "n", {"Bolt.npy": b"", "Dog.npy": b""})
    with pytest.raises(ResultError, match=r"found none but the files Bolt\.npy, Dog\.npy"):
        import_results(arrays, store, "KCF", otb)


def test_lasot_names_of_other_sets_are_named_for_what_they_are(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "cases" / "lasot-no-sequence-wording"
    dataset = open_dataset("lasot", folder / "data")
    store = OnePassStore(tmp_path, "lasot")
    notes = import_results(folder / "raw", store, "demo", dataset).notes
    assert "1 file ignored (LaSOT's training set): airplane-10.txt" in notes
    unannotated = "1 file ignored (sequences of LaSOT without annotation here): volleyball-19.txt"
    assert unannotated in notes


def test_an_incomplete_import_is_told_to_import_the_rest(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    source = fill(tmp_path / "raw", texts({"Bolt": 3}))
    import_results(source, store, "T", otb, partial=True)
    (scores,) = evaluate(replace(otb, expected=3), store)
    assert "Import the missing files" in scores.refused["T"]
    assert "bench run" not in scores.refused["T"]
