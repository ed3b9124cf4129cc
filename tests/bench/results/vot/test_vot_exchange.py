"""Import and export of all experiments of a tracker."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.errors import ConfigError, ResultError
from bench.geometry import TRACKED
from bench.results.exporting import export_results
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, Sequence

RUN = "1\n1.123456789,2,3,4\n0,0,9,0,9,9,0,9\n"
FRAMES = {"bag": 3, "car1": 3}


def fill(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def runs(prefix: str = "", names: Mapping[str, int] = FRAMES) -> dict[str, str | bytes]:
    return {f"{prefix}{n}/{n}_{r:03d}.txt": RUN for n in names for r in (1, 2)}


@pytest.fixture
def dataset() -> Dataset:
    box = np.array([[10.0, 20.0, 30.0, 40.0]])
    sequences = tuple(Sequence(n, np.repeat(box, count, axis=0)) for n, count in FRAMES.items())
    return Dataset("vot2018", Path("data"), sequences)


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    return OnePassStore(tmp_path / "results", "vot2018")


def baseline(store: OnePassStore, experiment: str = "baseline") -> VotStore:
    return VotStore(store.root, store.benchmark, experiment)


@pytest.mark.parametrize("format_", [None, "vot"])
@pytest.mark.parametrize("prefix", ["", "baseline/", "T/baseline/"])
def test_experiment_folders_at_any_level(
    tmp_path: Path, dataset: Dataset, store: OnePassStore, prefix: str, format_: str | None
) -> None:
    source = fill(tmp_path / "theirs", runs(prefix))
    report = import_results(source, store, "T", dataset, format=format_)
    assert report.imported == ("bag", "car1")
    assert report.format == "vot"
    assert baseline(store).repetitions("T", "car1") == (1, 2)
    run = baseline(store).read_run("T", "bag", 2, frames=3)
    assert run.values[1, 0] == 1.123456789
    assert json.loads(baseline(store).record_path("T").read_text())["kind"] == "import"


@pytest.mark.parametrize("filler", ["0", "NaN"])
def test_codes_filled_up_to_the_length_of_a_row(
    tmp_path: Path, dataset: Dataset, store: OnePassStore, filler: str
) -> None:
    """A writer of matrices has rows of one length; ``2,0,0,0`` is a failure and no box."""
    rest = f",{filler}" * 3
    files = {f"{n}/{n}_001.txt": f"1{rest}\n1,2,3,4\n2{rest}\n" for n in FRAMES}
    import_results(fill(tmp_path / "theirs", files), store, "T", dataset)
    run = baseline(store).read_run("T", "bag", 1)
    assert run.codes.tolist() == [1, TRACKED, 2]
    files = {f"{n}/{n}_001.txt": "1\n0,0,0,0\n1,0,0,0\n" for n in FRAMES}  # boxes of a tracker
    import_results(fill(tmp_path / "ours", files), store, "U", dataset)
    assert baseline(store).read_run("U", "bag", 1).codes.tolist() == [1, TRACKED, TRACKED]


def test_numbers_of_repetitions(tmp_path: Path, dataset: Dataset, store: OnePassStore) -> None:
    files = {f"Baseline/{n}/{n}_{r}.txt": RUN for n in FRAMES for r in (1, 2)}
    import_results(fill(tmp_path / "theirs", files), store, "T", dataset)
    assert baseline(store).repetitions("T", "car1") == (1, 2)
    fill(tmp_path / "theirs", {"baseline/bag/bag_000.txt": RUN, "baseline/car1/car1_000.txt": RUN})
    with pytest.raises(ResultError, match="bag: expected repetitions that count from 001"):
        import_results(tmp_path / "theirs/baseline", store, "U", dataset)
    fill(store.root, {"vot2018/V/baseline/bag/bag_000.txt": RUN})
    assert baseline(store).repetitions("V", "bag") == ()


def test_a_store_of_an_experiment_will_do(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    source = fill(tmp_path / "theirs", {**runs("baseline/"), **runs("realtime/")})
    import_results(source, baseline(store), "T", dataset)
    for experiment in ("baseline", "realtime"):
        assert baseline(store, experiment).sequences("T") == {"bag", "car1"}
    assert export_results(baseline(store), "T", dataset, "vot", tmp_path / "out") == 2
    assert {path.name for path in (tmp_path / "out/T").iterdir()} == {"baseline", "realtime"}


def test_all_experiments_of_an_archive(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    """An archive of `vot pack`, with an experiment of another year."""
    files = {**runs("baseline/"), **runs("unsupervised/"), **runs("longterm/"), "manifest.yml": ""}
    archive = tmp_path / "theirs.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for name, content in files.items():
            stream.writestr(name, content)
    report = import_results(archive, store, "T", dataset)
    assert report.notes == ("longterm ignored: not an experiment of this benchmark",)
    for experiment in ("baseline", "unsupervised"):
        assert baseline(store, experiment).sequences("T") == {"bag", "car1"}
    assert baseline(store, "realtime").sequences("T") == frozenset()


def test_one_experiment_by_the_name_of_its_folder(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    import_results(fill(tmp_path / "realtime", runs()), store, "T", dataset)
    assert baseline(store, "realtime").sequences("T") == {"bag", "car1"}
    assert baseline(store).sequences("T") == frozenset()


def test_binary_masks_times_and_confidences(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    binary = struct.pack("<hIBIB4fBhhHHHHH", 1, 3, 0, 1, 1, 1, 2, 3, 4, 3, 5, 6, 2, 2, 2, 0, 4)
    files = {
        **runs(),
        "bag/bag_001.bin": binary,  # the text takes precedence
        "car1/car1_003.bin": binary,
        "car1/car1_time.txt": "1,2,3\n" * 3,
        "bag/bag_001_time.value": "0.5\n\n0.25\n",
        "bag/bag_001_confidence.value": "\n0.5\n0.25\n",
        "bag/bag_001_colour.value": "x\n",
        "bag/notes.txt": "not a run",
    }
    report = import_results(fill(tmp_path / "theirs", files), store, "T", dataset)
    assert report.notes == ("baseline: 1 mask kept, and converted to rotated rectangles",)
    reader = baseline(store)
    assert reader.repetitions("T", "car1") == (1, 2, 3)
    assert reader.read_run("T", "car1", 3).counts.tolist() == [1, 4, 8]
    assert reader.masks_path("T", "car1", 3).read_text() == "0\n0\nm5,6,2,2,0,4\n"
    assert reader.read_masks("T", "car1", 1) is None
    assert reader.read_run("T", "bag", 1).values[1, 0] == 1.123456789
    np.testing.assert_array_equal(reader.read_times("T", "car1"), [[1, 2, 3]] * 3)
    times = reader.read_times("T", "bag")
    np.testing.assert_array_equal(times, [[0.5, np.nan], [np.nan, np.nan], [0.25, np.nan]])
    names = sorted(p.name for p in (reader.folder("T") / "bag").iterdir())
    assert names == [
        "bag_001.txt",
        "bag_001_confidence.value",
        "bag_001_time.value",
        "bag_002.txt",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bag/bag_time.txt": "1\n"}, "bag_time.txt: expected a finite number for each of 3"),
        ({"bag/bag_time.txt": "1\ninf\n1\n"}, "bag_time.txt: expected a finite number"),
        ({"bag/bag_001_confidence.value": "a\n"}, "confidence.value:1: expected a number"),
        ({"bag/bag_002.txt": "1\n0\n"}, "bag_002.txt: 2 of 3 frames, scored as far as it goes"),
        ({"bag/bag_004.txt": RUN}, "bag: repetition 3 is missing"),
    ],
)
def test_what_scoring_does_not_need_is_left_out_with_a_remark(
    tmp_path: Path, dataset: Dataset, store: VotStore, change: dict[str, str], problem: str
) -> None:
    source = fill(tmp_path / "theirs", {**runs(), **change})
    report = import_results(source, store, "T", dataset)
    assert any(problem in note for note in report.notes)
    assert "bag" in baseline(store).sequences("T")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bag/bag_002.txt": "1\n0\n0\n0\n"}, r"bag_002.txt: expected 3 rows, .* found 4"),
        ({"bag/bag_002.txt": "1\n0\nx\n"}, r"bag_002.txt:3: expected numbers, found 'x'"),
    ],
)
def test_malformed_sources_write_nothing(
    tmp_path: Path,
    dataset: Dataset,
    store: OnePassStore,
    change: dict[str, str | bytes],
    problem: str,
) -> None:
    source = fill(tmp_path / "theirs", {**runs(), **change})
    with pytest.raises(ResultError, match=problem):
        import_results(source, store, "T", dataset)
    assert not store.root.exists()


def test_missing_and_surplus_sequences(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    source = fill(tmp_path / "theirs", runs(names={"bag": 3, "tiger": 3}))
    with pytest.raises(ResultError, match=r"missing: car1.*--partial"):
        import_results(source, store, "T", dataset)
    report = import_results(source, store, "T", dataset, partial=True)
    assert report.imported == ("bag",)
    assert report.notes[0] == "baseline: partial: 1 of 2 sequences"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"bag.txt": "1,2,3,4\n"}, "found none"),
        ({**runs("year/"), "x": ""}, "the experiments baseline, .* found none .found year"),
        (
            {**runs("A/baseline/"), **runs("B/baseline/")},
            "expected the results of one tracker, found 2: A, B",
        ),
    ],
)
def test_other_layouts(
    tmp_path: Path,
    dataset: Dataset,
    store: OnePassStore,
    files: dict[str, str | bytes],
    problem: str,
) -> None:
    with pytest.raises(ResultError, match=problem):
        import_results(fill(tmp_path / "theirs", files), store, "T", dataset)


def test_other_results_are_never_overwritten(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    source = fill(tmp_path / "theirs", runs())
    import_results(source, store, "T", dataset)
    import_results(source, store, "T", dataset)  # importing the same results again is allowed
    fill(source, {"bag/bag_001.txt": "1\n2\n0\n"})
    with pytest.raises(ResultError, match=r"holds other results \(files_sha256"):
        import_results(source, store, "T", dataset)


def test_what_is_exported_imports_to_the_same_files(
    tmp_path: Path, dataset: Dataset, store: OnePassStore
) -> None:
    files = {
        **runs("baseline/"),
        **runs("realtime/"),
        "baseline/bag/bag_time.txt": "0.5,0.25\n" * 3,
        "realtime/car1/car1_002_confidence.value": "\n0.5\n0.25\n",
    }
    import_results(fill(tmp_path / "theirs", files), store, "T", dataset)
    assert export_results(store, "T", dataset, "vot", tmp_path / "out") == 2
    written = {
        str(p.relative_to(tmp_path / "out/T"))
        for p in (tmp_path / "out").rglob("*")
        if p.is_file()
    }
    assert written == set(files)
    again = OnePassStore(tmp_path / "again", "vot2018")
    import_results(tmp_path / "out/T", again, "T", dataset)
    for path in written:
        ours, theirs = store.folder("T") / path, again.folder("T") / path
        assert theirs.read_bytes() == ours.read_bytes() or "time" in path


def test_export_errors(tmp_path: Path, dataset: Dataset, store: OnePassStore) -> None:
    with pytest.raises(ConfigError, match=r"unknown tracker with results in .*"):
        export_results(store, "T", dataset, "vot", tmp_path / "out")
    import_results(fill(tmp_path / "theirs", runs()), store, "T", dataset)
    fill(tmp_path / "out/T/baseline/bag", {"bag_001.txt": "1\n0\n0\n"})
    with pytest.raises(ResultError, match=r"bag_001.txt: holds other results"):
        export_results(store, "T", dataset, "vot", tmp_path / "out")


def test_only_for_the_challenge(tmp_path: Path, store: OnePassStore) -> None:
    other = Dataset("otb2015", Path("data"), ())
    with pytest.raises(ConfigError, match="otb2015 has no VOT experiments"):
        import_results(tmp_path, store, "T", other, format="vot")
    with pytest.raises(ConfigError, match="otb2015 has no VOT experiments"):
        export_results(store, "T", other, "vot", tmp_path)


def test_only_from_zero(tmp_path: Path, dataset: Dataset, store: OnePassStore) -> None:
    with pytest.raises(ConfigError, match=r"expected --origin 0, .* found 1"):
        import_results(tmp_path, store, "T", dataset, index_base=1)


@pytest.mark.parametrize("tracker", ["SiamFC", "SiamAttn-rerun"])
def test_real_results(shared: Path, tmp_path: Path, tracker: str) -> None:
    """The challenge's own files keep all their numbers."""
    dataset = open_dataset("vot2018", shared / "data/vot2018/annotations")
    store = OnePassStore(tmp_path, "vot2018")
    source = shared / "data/vot2018/results" / tracker
    report = import_results(source, store, "T", dataset)
    assert len(report.imported) == 60
    assert report.notes == ()
    theirs = VotStore(source.parent.parent, "results", "baseline")
    for name in report.imported:
        pairs = zip(
            theirs.read_runs(tracker, name), baseline(store).read_runs("T", name), strict=True
        )
        for there, here in pairs:
            np.testing.assert_array_equal(there.values, here.values)
