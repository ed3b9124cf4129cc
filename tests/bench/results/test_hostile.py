"""Small inputs that would hang, fill the memory or end in a traceback."""

from __future__ import annotations

import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ResultError
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results.formats.mat5 import read_first, read_variable
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, Sequence

MakeDataset = Callable[..., Dataset]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and links")


def mat(*elements: bytes) -> bytes:
    return b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(elements)


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def array(name: str, kind: int, shape: list[int], *content: bytes) -> bytes:
    sizes = struct.pack(f"<{len(shape)}i", *shape)
    flags = element(6, struct.pack("<II", kind, 0))
    return element(14, flags + element(5, sizes) + element(1, name.encode()) + b"".join(content))


def packed(data: bytes) -> bytes:
    squeezed = zlib.compress(data, 9)
    return struct.pack("<II", 15, len(squeezed)) + squeezed


BOMBS = {
    "many dimensions": mat(packed(array("results", 6, [1] * 400_000))),
    "a cell array of billions": mat(array("results", 1, [40_000, 40_000])),
    "empty cells by the million": mat(
        packed(array("results", 1, [3_000_000], element(14, b"") * 3_000_000))
    ),
    "nested in itself": mat(packed(packed(packed(array("results", 6, [1, 1]))))),
    "hundreds of bombs": mat(*[packed(element(14, bytes(60 << 20)))] * 900),
    "nothing": mat(packed(b"")),
    "a name of megabytes": mat(packed(array("x" * 5_000_000, 6, [0, 0], element(9, b"")))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_matlab_bombs(name: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_first(BOMBS[name], "results", "result")
    assert len(str(caught.value)) < 500


def test_a_variable_before_the_results_is_skipped() -> None:
    numbers = element(9, np.arange(8.0).tobytes())
    data = mat(packed(array("other", 6, [2, 4], numbers)), array("results", 6, [2, 4], numbers))
    assert np.shape(read_variable(data, "results")) == (2, 4)


@pytest.fixture
def otb(make_dataset: MakeDataset) -> Dataset:
    return make_dataset("otb2015", {"Bolt": 3, "Dog": 3})


def sound(otb: Dataset, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for sequence in otb:
        (folder / f"{sequence.name}.txt").write_bytes(format_exact(sequence.ground_truth))
    return folder


def test_a_pipe_is_no_file(tmp_path: Path, otb: Dataset) -> None:
    source = sound(otb, tmp_path / "raw")
    (source / "Dog.txt").unlink()
    os.mkfifo(source / "Dog.txt")
    store = OnePassStore(tmp_path / "r", "otb2015")
    with pytest.raises(ResultError, match=r"Dog\.txt: expected a regular file, found a pipe"):
        import_results(source, store, "T", otb)
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(ResultError, match=r"pipe\.zip: expected a folder or a \.zip"):
        import_results(tmp_path / "pipe.zip", store, "T", otb)


@pytest.mark.parametrize("what", ["pipe", "dangling link", "folder", "infinite", "absurd"])
def test_a_broken_stored_result_is_the_fault_of_its_tracker(
    tmp_path: Path, otb: Dataset, what: str
) -> None:
    store = OnePassStore(tmp_path, "otb2015")
    for tracker in ("good", "bad"):
        sound(otb, store.folder(tracker))
    path = store.boxes_path("bad", "Dog")
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    elif what == "folder":
        path.mkdir()
    else:
        number = "inf" if what == "infinite" else "1e300"
        path.write_text(f"10,20,30,40\n10,{number},30,40\n10,20,30,40\n")
    (scores,) = evaluate(otb, store)
    assert set(scores.trackers) == {"good"}
    assert "Dog" in scores.refused["bad"]


def test_numbers_beyond_any_image_are_noted(tmp_path: Path, otb: Dataset) -> None:
    store = OnePassStore(tmp_path, "otb2015")
    sound(otb, store.folder("T"))
    store.boxes_path("T", "Dog").write_text("10,20,30,40\n1e9,20,30,40\n10,20,30,40\n")
    (scores,) = evaluate(otb, store)
    assert "1 rows hold numbers beyond any image, over 1e6 pixels" in scores.trackers["T"].notes


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"kind": ' + b"9" * 500, b"\xff\xfe", b"[]"]
)
def test_a_broken_record_is_no_matter_of_scores(
    tmp_path: Path, otb: Dataset, content: bytes
) -> None:
    store = OnePassStore(tmp_path, "otb2015")
    sound(otb, store.folder("T"))
    store.record_path("T").write_bytes(content)
    (scores,) = evaluate(otb, store)
    assert any("run.json cannot be read" in note for note in scores.trackers["T"].notes)


def test_an_archive_that_unpacks_to_gigabytes(tmp_path: Path, otb: Dataset) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(10):
            archive.writestr(f"{index}.txt", bytes(50 << 20))
    store = OnePassStore(tmp_path / "r", "otb2015")
    with pytest.raises(ResultError, match="over 200 times as much"):
        import_results(tmp_path / "a.zip", store, "T", otb)


def vot(tmp_path: Path, runs: tuple[int, ...]) -> tuple[Dataset, VotStore]:
    truth = np.tile([10.0, 20.0, 30.0, 40.0], (6, 1))
    dataset = Dataset("vot2018", Path("data"), (Sequence("bag", truth, size=(100, 100)),))
    store = VotStore(tmp_path, "vot2018", "baseline")
    for run in runs:
        path = store.run_path("T", "bag", run)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n" + "10,20,30,40\n" * 5)
    return dataset, store


def test_a_missing_repetition_is_said(tmp_path: Path) -> None:
    dataset, store = vot(tmp_path, (1, 2, 4))
    (scores,) = evaluate(dataset, store)
    assert "bag: repetition 3 is missing" in scores.trackers["T"].notes


def test_a_dangling_repetition_is_said(tmp_path: Path) -> None:
    dataset, store = vot(tmp_path, (1, 2))
    store.run_path("T", "bag", 3).symlink_to(tmp_path / "nowhere")
    (scores,) = evaluate(dataset, store)
    assert "bag_003.txt: cannot be read" in scores.refused["T"]


def test_records_stay_readable_json(tmp_path: Path, otb: Dataset) -> None:
    store = OnePassStore(tmp_path / "r", "otb2015")
    import_results(sound(otb, tmp_path / "raw"), store, "T", otb)
    assert json.loads(store.record_path("T").read_text())["kind"] == "import"
