"""TrackingNet: hidden and full ground truth, training splits, annotation only."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError

FIRST, SECOND = list(get_benchmark("trackingnet").rows)[:2]
FULL = "".join(f"{i}.25,2.00,30.00,40.50\n" for i in range(12))


@pytest.fixture
def official(tmp_path: Path, write_images) -> Path:
    """Two sequences of TEST, one of TRAIN_3; SECOND comes first by name on disk."""
    for name in (FIRST, SECOND):
        write_images(tmp_path / "TEST/frames" / name, range(12), digits=1)
        (tmp_path / "TEST/anno").mkdir(exist_ok=True)
        (tmp_path / "TEST/anno" / f"{name}.txt").write_text(FULL.splitlines()[0])
    write_images(tmp_path / "TRAIN_3/frames/abc_0", range(12), digits=1)
    (tmp_path / "TRAIN_3/anno").mkdir()
    (tmp_path / "TRAIN_3/anno/abc_0.txt").write_text(FULL)
    return tmp_path


@pytest.mark.parametrize("inner", ["", "TEST"])
def test_hidden_ground_truth(official: Path, number_of, inner: str):
    dataset = open_dataset("trackingnet", official / inner)
    assert [s.name for s in dataset] == [FIRST, SECOND]
    assert [str(c) for c in dataset.caveats] == ["partial: 2 of 511 sequences"]
    sequence = dataset[FIRST]
    assert sequence.hidden
    assert sequence.ground_truth.tolist() == [[0.25, 2, 30, 40.5]]
    assert len(sequence) == 12
    assert sequence.frames is not None
    assert [number_of(frame) for frame in sequence.frames] == list(range(12))
    assert (sequence.index_base, sequence.first_frame) == (0, 0)


def test_the_copy_kept_aside_is_used(official: Path):
    (official / "TEST/anno_full").mkdir()
    (official / f"TEST/anno_full/{FIRST}.txt").write_text(FULL)
    dataset = open_dataset("trackingnet", official)
    assert not dataset[FIRST].hidden
    assert len(dataset[FIRST].ground_truth) == 12
    assert dataset[SECOND].hidden


@pytest.mark.parametrize("inner", ["", "TRAIN_3"])
def test_training_split(official: Path, inner: str):
    dataset = open_dataset("trackingnet", official / inner, subset="TRAIN_3")
    assert [s.name for s in dataset] == ["abc_0"]
    assert not dataset["abc_0"].hidden
    assert len(dataset["abc_0"]) == len(dataset["abc_0"].frames or ()) == 12
    assert not dataset.partial


def test_a_split_that_is_not_there(official: Path):
    with pytest.raises(DatasetError, match="TRAIN_4/anno"):
        open_dataset("trackingnet", official, subset="TRAIN_4")
    with pytest.raises(ConfigError, match="TRAIN_11"):
        open_dataset("trackingnet", official, subset="TRAIN_12")


def test_annotation_alone_in_a_folder_and_a_zip(tmp_path: Path):
    (tmp_path / f"{FIRST}.txt").write_text(FULL)
    with zipfile.ZipFile(tmp_path / "GT.zip", "w") as archive:
        archive.writestr(f"inner/{FIRST}.txt", FULL)
    for root in (tmp_path, tmp_path / "GT.zip"):
        dataset = open_dataset("trackingnet", root)
        assert [s.name for s in dataset] == [FIRST]
        assert len(dataset[FIRST].ground_truth) == 12
        assert dataset[FIRST].frames is None


def test_other_texts_are_no_annotation(tmp_path: Path):
    (tmp_path / "README.txt").write_text("Unpack TEST.zip here.")
    with pytest.raises(DatasetError, match="no TrackingNet dataset"):
        open_dataset("trackingnet", tmp_path)


def test_a_broken_zip_and_a_broken_member(tmp_path: Path):
    (tmp_path / "GT.zip").write_text("no archive")
    with pytest.raises(DatasetError, match=r"GT\.zip: cannot be read as a zip"):
        open_dataset("trackingnet", tmp_path)
    with zipfile.ZipFile(tmp_path / "GT.zip", "w") as archive:
        archive.writestr(f"{FIRST}.txt", "1,2,3,4\n1,2\n")
    with pytest.raises(DatasetError, match=rf"GT\.zip/{FIRST}\.txt:2: expected 4 numbers"):
        open_dataset("trackingnet", tmp_path)


@pytest.mark.parametrize("inner", ["", "dummy_GT.zip"])
def test_real_sample_of_the_devkit(shared: Path, inner: str):
    """Nine training sequences with Windows line ends are read and labelled as partial."""
    dataset = open_dataset("trackingnet", shared / "data/trackingnet/annotations" / inner)
    assert [str(c) for c in dataset.caveats] == ["partial: 9 of 511 sequences"]
    assert sum(len(s) for s in dataset) == 4500
    assert dataset["a1qoB1eERn0_0"].ground_truth[1].tolist() == [152.74, 114.55, 42.93, 78.07]


def test_a_damaged_member(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "GT.zip", "w") as archive:
        archive.writestr(f"{FIRST}.txt", FULL)
    content = (tmp_path / "GT.zip").read_bytes()
    (tmp_path / "GT.zip").write_bytes(content.replace(b"0.25", b"9.25", 1))
    with pytest.raises(DatasetError, match=rf"{FIRST}\.txt is damaged"):
        open_dataset("trackingnet", tmp_path / "GT.zip")


@pytest.mark.parametrize("fraction", [0.2, 0.6, 0.95])
def test_a_zip_that_was_cut_short(tmp_path: Path, fraction: float):
    path = tmp_path / "GT.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{FIRST}.txt", FULL)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    with pytest.raises(DatasetError, match=r"GT\.zip: cannot be read as a zip"):
        open_dataset("trackingnet", tmp_path)


def test_names_that_are_no_utf8(tmp_path: Path):
    path = tmp_path / "GT.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{FIRST}.txt", FULL)
        archive.writestr("é.txt", FULL)
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(DatasetError, match=r"GT\.zip: cannot be read as a zip"):
        open_dataset("trackingnet", tmp_path)


def test_a_zip_that_unpacks_to_gigabytes(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "GT.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{FIRST}.txt", bytes(100 << 20))
    with pytest.raises(DatasetError, match="unpacks to 100 MiB; expected at most"):
        open_dataset("trackingnet", tmp_path)


def test_other_members_are_not_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "GT.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("video.bin", bytes(300 << 20))
        archive.writestr(f"{FIRST}.txt", FULL)
    assert [s.name for s in open_dataset("trackingnet", tmp_path)] == [FIRST]


@pytest.mark.parametrize(("subset", "hint"), [("train", "TRAIN_0"), ("train_3", "'TRAIN_3'")])
def test_a_subset_spelled_otherwise(official: Path, subset: str, hint: str):
    with pytest.raises(ConfigError, match=hint) as caught:
        open_dataset("trackingnet", official, subset=subset)
    assert "TRAIN_9, TRAIN_10, TRAIN_11" in str(caught.value), "in natural order"


def test_two_members_of_one_sequence(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "GT.zip", "w") as archive:
        archive.writestr(f"a/{FIRST}.txt", FULL)
        archive.writestr(f"b/{FIRST}.txt", FULL)
    with pytest.raises(DatasetError, match=f"several for {FIRST}"):
        open_dataset("trackingnet", tmp_path)
