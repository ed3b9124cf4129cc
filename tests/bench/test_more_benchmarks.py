"""Every benchmark beside the paper's six, on a miniature; the got10k package reads the same."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench
from bench.benchmarks import benchmarks, get_benchmark
from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.errors import SubmissionError
from bench.mini import plan, write_miniature
from bench.results.exporting import export_results
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.results.pack import pack_submission, validate_submission

FRAMES = 5
MORE = [name for name, row in benchmarks().items() if not (row.overview or row.open)]
ONEPASS = [name for name in MORE if get_benchmark(name).kind == "onepass"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Miniatures of two short sequences each."""
    folder = tmp_path_factory.mktemp("more")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "FRAMES", FRAMES)
        patch.setattr(plan, "_PLANNED", 2)
        patch.setattr(plan, "_SIZE", (96, 72))
        write_miniature(folder, benchmarks=MORE, jobs=1)
    return folder


def subset_of(name: str) -> str:
    """A subset whose ground truth is public."""
    return "val" if name == "got10k" else "test"


@pytest.mark.parametrize("name", MORE)
def test_it_is_read_run_and_scored(root: Path, name: str) -> None:
    dataset = open_dataset(name, root, subset=subset_of(name))
    assert check_dataset(name, root, subset=subset_of(name)) == []
    assert [len(sequence) for sequence in dataset] == [FRAMES] * 2
    assert all(s.frames is not None and len(s.frames) == FRAMES for s in dataset)
    assert {s.name for s in dataset} < set(get_benchmark(name).rows)
    runs = bench.run("static", dataset, repetitions=1, progress=False)
    (tracker,) = bench.evaluate({"static": runs}, dataset).trackers.values()
    first = "eao" if get_benchmark(name).kind == "vot" else "success_rate_50"
    assert np.isfinite(tracker.measures[first])


@pytest.mark.parametrize("name", ONEPASS)
@pytest.mark.parametrize("format_", ["got10k", "pytracking", "pysot"])
def test_results_go_out_and_come_back(root: Path, tmp_path: Path, name: str, format_: str) -> None:
    dataset = open_dataset(name, root, subset=subset_of(name))
    store = OnePassStore(tmp_path / "r", name)
    bench.run("static", dataset, progress=False, results=tmp_path / "r")
    export_results(store, "static", dataset, format_, tmp_path / "out")
    nested = format_ == get_benchmark(name).result_format == "got10k"
    files = (path for path in (tmp_path / "out").rglob("*.txt") if path.parent.name != "times")
    folder = next(files).parent
    folder = folder.parent if nested else folder
    other = OnePassStore(tmp_path / "s", name)
    import_results(folder, other, "back", dataset, format=format_)
    assert not nested or folder == tmp_path / "out/GOT-10k/static"
    for sequence in dataset:
        np.testing.assert_array_equal(
            store.read_run("static", sequence.name).values,
            other.read_run("back", sequence.name).values,
        )


def test_the_archive_for_got10k_s_server(root: Path, tmp_path: Path) -> None:
    dataset = open_dataset("got10k", root)
    assert all(sequence.hidden for sequence in dataset)
    assert [len(sequence) for sequence in dataset] == [FRAMES] * 2
    store, archive = OnePassStore(tmp_path / "r", "got10k"), tmp_path / "a.zip"
    bench.run("static", dataset, progress=False, results=tmp_path / "r", repetitions=2)
    with pytest.raises(SubmissionError, match="a miniature"):
        pack_submission(store, "static", dataset, archive)
    pack_submission(store, "static", dataset, archive, partial=True)
    facts = get_benchmark("got10k")
    assert validate_submission(facts, archive, dataset) == []
    name = dataset[0].name
    with zipfile.ZipFile(archive) as packed:
        inside = [each for each in packed.namelist() if each.startswith(name)]
        assert inside == [
            f"{name}/{name}_001.txt", f"{name}/{name}_002.txt", f"{name}/{name}_time.txt"
        ]  # fmt: skip
        assert np.loadtxt(packed.open(inside[0]), delimiter=",").shape == (FRAMES, 4)
        assert np.loadtxt(packed.open(inside[2]), delimiter=",").shape == (FRAMES, 2)
    problems = validate_submission(facts, archive)
    assert problems[0].startswith("178 of 180 sequences missing")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as flat:
        flat.writestr(f"{name}.txt", "1,2,3,4\n")
    assert "found 1 others" in validate_submission(facts, tmp_path / "b.zip")[0]


@pytest.mark.parametrize(
    ("name", "theirs", "options"),
    [
        ("nfs", "NfS", {"fps": 30}),
        ("tc128", "TColor128", {"download": False}),
        ("dtb70", "DTB70", {}),
    ],
)
def test_the_got10k_package_reads_the_same(
    root: Path, name: str, theirs: str, options: dict[str, Any], tmp_path: Path
) -> None:
    datasets = pytest.importorskip("got10k.datasets", exc_type=(ImportError, AttributeError))
    folder = tmp_path / name
    folder.mkdir()
    for path in (root / name).iterdir():
        if path.is_dir() and path.name != "att":
            (folder / path.name).symlink_to(path)
    other = getattr(datasets, theirs)(str(folder), **options)
    ours = open_dataset(name, folder)
    assert sorted(other.seq_names) == sorted(sequence.name for sequence in ours)
    for sequence in ours:
        files, boxes = other[sequence.name]
        np.testing.assert_allclose(sequence.ground_truth, boxes)
        assert sequence.frames is not None
        assert len(sequence.frames) == len(files)


def test_nfs_rows_at_240_frames_per_second(root: Path, tmp_path: Path) -> None:
    """Some of the 30 fps files hold every row of the 240 fps video, and one too many."""
    name = "airboard_1"
    rows = [f'0 {n} {n} {n + 20} {n + 10} {n} 0 0 0 "ball"' for n in range(8 * 425 - 3)]
    folder = tmp_path / name / "30"
    folder.mkdir(parents=True)
    (folder / f"{name}.txt").write_text("\n".join(rows))
    (sequence,) = open_dataset("nfs", tmp_path)
    assert len(sequence) == 425
    np.testing.assert_array_equal(sequence.ground_truth[1], [8, 8, 20, 10])


def test_missing_flags_of_absence_are_named(root: Path, tmp_path: Path) -> None:
    name = next(iter(get_benchmark("tnl2k").rows))
    (tmp_path / name).mkdir()
    (tmp_path / name / "groundtruth.txt").write_text("1,2,3,4\n")
    dataset = open_dataset("tnl2k", tmp_path)
    assert dataset[0].absent is None
    assert "no flags of absence for 1 sequences" in " ".join(map(str, dataset.caveats))


def test_a_list_that_is_not_known(root: Path, tmp_path: Path) -> None:
    declaration = tmp_path / "vast.toml"
    declaration.write_text("title = 'Vast'\nlayout = 'vasttrack'\nrule = 'lasot'\nindex_base = 1")
    data = open_dataset(str(declaration), root / "vasttrack")
    dataset = dataclasses.replace(data, miniature=False)
    assert "list not known, 2 sequences found" in " ".join(map(str, dataset.caveats))
