"""The archive for TrackingNet's server, and all its possible errors."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import archives
from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError, SubmissionError
from bench.files import format_exact
from bench.results.onepass import OnePassStore
from bench.results.pack import pack_submission, validate_submission
from bench.sequence import Dataset

MakeDataset = Callable[..., Dataset]
TRACKINGNET = get_benchmark("trackingnet")
ROW = "1.5,2,3,4\n"
NAMES = ("-3TIfnTSM6c_2", "a1qoB1eERn0_0", "a2-lZhKXx9E_0")


def official_names() -> tuple[str, ...]:
    return tuple(TRACKINGNET.rows)


@pytest.fixture(scope="module")
def whole(make_dataset: MakeDataset) -> Dataset:
    """All 511 names, with two frames each."""
    return make_dataset("trackingnet", dict.fromkeys(official_names(), 2), expected=511)


@pytest.fixture
def small(make_dataset: MakeDataset) -> Dataset:
    return make_dataset("trackingnet", dict.fromkeys(NAMES, 2), expected=511)


def fill(root: Path, dataset: Dataset, content: str = ROW * 2) -> OnePassStore:
    store = OnePassStore(root, "trackingnet")
    store.folder("T").mkdir(parents=True)
    for sequence in dataset:
        store.boxes_path("T", sequence.name).write_text(content)
    return store


def zipped(path: Path, files: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def good(names: tuple[str, ...] = NAMES) -> dict[str, str]:
    return {f"{name}.txt": ROW * 2 for name in names}


def test_the_whole_test_set(tmp_path: Path, whole: Dataset) -> None:
    store, archive = fill(tmp_path / "r", whole), tmp_path / "out" / "T.zip"
    pack_submission(store, "T", whole, archive)
    with zipfile.ZipFile(archive) as packed:
        assert packed.namelist() == sorted(f"{name}.txt" for name in official_names())
        assert len(packed.namelist()) == 511
        assert packed.comment == b""
        read = np.loadtxt(packed.open("YaXKZdSEwt4_0.txt"), delimiter=",")
    np.testing.assert_array_equal(read, [[1.5, 2, 3, 4]] * 2)
    assert validate_submission(TRACKINGNET, archive, whole) == []


def test_the_same_results_give_the_same_bytes(tmp_path: Path, whole: Dataset) -> None:
    store = fill(tmp_path / "r", whole)
    for name in ("a.zip", "b.zip"):
        pack_submission(store, "T", whole, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_part_is_packed_only_as_a_rehearsal(tmp_path: Path, small: Dataset) -> None:
    store, archive = fill(tmp_path / "r", small), tmp_path / "T.zip"
    with pytest.raises(
        SubmissionError, match=r"expected the complete TEST set, found \d+ of the 511"
    ):
        pack_submission(store, "T", small, archive)
    assert not archive.exists()
    pack_submission(store, "T", small, archive, partial=True)
    with zipfile.ZipFile(archive) as packed:
        assert packed.comment.startswith(b"rehearsal: ")
    assert validate_submission(TRACKINGNET, archive, small) == []
    assert any("missing" in problem for problem in validate_submission(TRACKINGNET, archive))


def test_a_miniature_is_never_taken_for_the_benchmark(tmp_path: Path, whole: Dataset) -> None:
    stand_in = replace(whole, miniature=True)
    store = fill(tmp_path / "r", whole)
    with pytest.raises(SubmissionError, match="miniature"):
        pack_submission(store, "T", stand_in, tmp_path / "T.zip")


def test_missing_results(tmp_path: Path, whole: Dataset) -> None:
    store = fill(tmp_path / "r", whole)
    store.boxes_path("T", "YaXKZdSEwt4_0").unlink()
    with pytest.raises(SubmissionError, match=r"no result for 1 of 511 .*YaXKZdSEwt4_0"):
        pack_submission(store, "T", whole, tmp_path / "T.zip")
    with pytest.raises(ConfigError, match=r"unknown tracker .*'U'.* Known: T"):
        pack_submission(store, "U", whole, tmp_path / "T.zip")


def test_every_problem_is_listed_and_nothing_written(tmp_path: Path, whole: Dataset) -> None:
    store, archive = fill(tmp_path / "r", whole), tmp_path / "T.zip"
    first, second, third = official_names()[:3]
    store.boxes_path("T", first).write_text(ROW)
    store.boxes_path("T", second).write_text(f"{ROW}nan,nan,nan,nan\n")
    store.boxes_path("T", third).write_text(f"{ROW}1,2,1e999,4\n")
    with pytest.raises(SubmissionError, match="nothing packed, 3 problems") as caught:
        pack_submission(store, "T", whole, archive)
    message = str(caught.value)
    assert f"{first}.txt: expected 2 rows, one per frame, found 1" in message
    assert f"{second}.txt:2: expected finite numbers" in message
    assert f"{third}.txt:2: expected finite numbers" in message
    assert not archive.exists()


def test_a_good_archive(tmp_path: Path, small: Dataset) -> None:
    assert validate_submission(TRACKINGNET, zipped(tmp_path / "a.zip", good()), small) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"-3TIfnTSM6c_2.txt": ROW}, "-3TIfnTSM6c_2.txt: expected 2 rows"),
        ({"-3TIfnTSM6c_2.txt": ""}, "expected 2 rows, one per frame, found 0"),
        ({"-3TIfnTSM6c_2.txt": "1,2,3\n" * 2}, "txt:1: expected 4 numbers, found 3"),
        ({"-3TIfnTSM6c_2.txt": "1,2,3,x\n" * 2}, "txt:1: expected numbers, found '1,2,3,x'"),
        ({"-3TIfnTSM6c_2.txt": ROW + "1,NaN,3,4\n"}, "txt:2: expected finite numbers"),
        ({"-3TIfnTSM6c_2.txt": "1\t2\t3\t4\n" * 2}, "expected only commas"),
        ({"-3TIfnTSM6c_2.txt": "1 2 3 4\n" * 2}, "expected only commas"),
        ({"a9jgDU5THOU_0.txt": ROW * 2}, "1 of 3 sequences unknown: a9jgDU5THOU_0"),
        ({"readme.md": "hello"}, "found 1 others (readme.md)"),
        ({"../evil.txt": ROW}, "leaves the archive"),
    ],
)
def test_problems_are_reported(
    tmp_path: Path, small: Dataset, change: dict[str, str], problem: str
) -> None:
    archive = zipped(tmp_path / "a.zip", good() | change)
    (found,) = validate_submission(TRACKINGNET, archive, small)
    assert problem in found


def test_a_folder_around_the_files(tmp_path: Path, small: Dataset) -> None:
    files = {f"results/{name}": text for name, text in good().items()}
    (problem,) = validate_submission(TRACKINGNET, zipped(tmp_path / "a.zip", files), small)
    assert "top level, found 3 in folders (results/-3TIfnTSM6c_2.txt, " in problem


def test_missing_and_surplus_at_once(tmp_path: Path, small: Dataset) -> None:
    archive = zipped(tmp_path / "a.zip", {**good(NAMES[:2]), "x.txt": ROW})
    problems = validate_submission(TRACKINGNET, archive, small)
    assert problems == [
        "1 of 3 sequences missing: a2-lZhKXx9E_0",
        "1 of 3 sequences unknown: x",
    ]


def test_the_total_number_of_rows_without_images(tmp_path: Path) -> None:
    """The 511 sequences have 225,589 frames; without images, only the sum is known."""
    names, frames = official_names(), TRACKINGNET.expected_frames
    assert frames is not None
    assert frames == 225_589
    last = frames - 2 * (len(names) - 1)
    files = good(names) | {f"{names[-1]}.txt": "1,2,3,4\n" * last}
    assert validate_submission(TRACKINGNET, zipped(tmp_path / "a.zip", files)) == []
    (problem,) = validate_submission(TRACKINGNET, zipped(tmp_path / "b.zip", good(names)))
    assert problem == f"expected {frames} rows in total, found {2 * len(names)}"


def test_files_other_than_archives(tmp_path: Path, small: Dataset) -> None:
    path = tmp_path / "a.zip"
    assert validate_submission(TRACKINGNET, path, small) == [f"{path}: no such file"]
    for content in (b"", b"no zip", zipped(tmp_path / "b.zip", good()).read_bytes()[:200]):
        path.write_bytes(content)
        (problem,) = validate_submission(TRACKINGNET, path, small)
        assert "cannot be read as a zip archive" in problem


def test_archives_that_unpack_to_too_much(
    tmp_path: Path, small: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 10)
    (problem,) = validate_submission(TRACKINGNET, zipped(tmp_path / "a.zip", good()), small)
    assert "unpacks to 0 MiB; expected at most" in problem


def test_the_sample_of_the_server(shared: Path, make_dataset: MakeDataset) -> None:
    """The devkit's sample submission, with names of training sequences."""
    archive = shared / "data/trackingnet/annotations/dummy_subm.zip"
    with zipfile.ZipFile(archive) as opened:
        rows = {n.removesuffix(".txt"): opened.read(n).count(b"\n") for n in opened.namelist()}
    assert validate_submission(TRACKINGNET, archive, make_dataset("trackingnet", rows)) == []
    (problem, *others) = validate_submission(TRACKINGNET, archive)
    assert problem.startswith("511 of 511 sequences missing")
    assert len(others) == 1


def test_boxes_keep_every_digit(tmp_path: Path, small: Dataset) -> None:
    boxes = np.random.default_rng(0).uniform(0, 500, (2, 4))
    store = fill(tmp_path / "r", small, format_exact(boxes).decode())
    pack_submission(store, "T", small, tmp_path / "T.zip", partial=True)
    with zipfile.ZipFile(tmp_path / "T.zip") as packed:
        read = np.loadtxt(packed.open(f"{NAMES[0]}.txt"), delimiter=",")
    np.testing.assert_array_equal(read, boxes)


def test_an_unwritable_destination(tmp_path: Path, small: Dataset) -> None:
    store = fill(tmp_path / "r", small)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="file: cannot be written"):
        pack_submission(store, "T", small, tmp_path / "file" / "T.zip", partial=True)
    (tmp_path / "T.zip").mkdir()
    with pytest.raises(SubmissionError, match=r"T\.zip: cannot be written"):
        pack_submission(store, "T", small, tmp_path / "T.zip", partial=True)
