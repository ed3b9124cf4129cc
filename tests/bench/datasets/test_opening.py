"""Opening by name: unknown names, unreadable and nested roots, the miniature's mark."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest

from bench.benchmarks import benchmarks, get_benchmark
from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.datasets.scan import shown_layout
from bench.errors import ConfigError, DatasetError


def test_unknown_benchmark(tmp_path: Path):
    with pytest.raises(ConfigError, match="Did you mean 'otb2015'"):
        open_dataset("otb2105", tmp_path)


@pytest.mark.parametrize("name", list(benchmarks()))
def test_an_empty_folder_and_a_file_are_missing_datasets(tmp_path: Path, name: str):
    file = tmp_path / "readme.md"
    for root, state in ((tmp_path, "no sequence found"), (tmp_path / "none", "does not exist")):
        with pytest.raises(DatasetError, match=state) as caught:
            open_dataset(name, root)
        message = str(caught.value)
        assert str(root) in message
        assert shown_layout(benchmarks()[name]) in message
        assert (benchmarks()[name].site or "") in message
        assert "make demo" in message
    file.write_text("no dataset")
    with pytest.raises(DatasetError, match="no sequence found"):
        open_dataset(name, file)


@pytest.mark.parametrize("name", list(benchmarks()))
def test_an_unreadable_root_is_one_clear_error(name: str):
    with pytest.raises(DatasetError, match="cannot be read"):
        open_dataset(name, Path("x" * 300))


def test_a_root_that_holds_the_benchmark_folder(tmp_path: Path):
    (tmp_path / "otb2015" / "anno").mkdir(parents=True)
    (tmp_path / "otb2015" / "anno" / "Boy.txt").write_text("1,2,3,4\n")
    for root in (str(tmp_path), tmp_path / "otb2015"):
        dataset = open_dataset("otb2015", root)
        assert dataset.root == tmp_path / "otb2015"
        assert {sequence.benchmark for sequence in dataset} == {"otb2015"}


@pytest.mark.parametrize(
    "place", ["OTB100/OTB100", "OTB100", "OTB2015/downloads", "x/x", "tracker_benchmark_v1.1"]
)
def test_a_dataset_lies_deeper_as_archives_leave_it(tmp_path: Path, place: str):
    (tmp_path / place / "anno").mkdir(parents=True)
    (tmp_path / place / "anno" / "Boy.txt").write_text("1,2,3,4\n")
    for root in (tmp_path, (tmp_path / place).parent):
        dataset = open_dataset("otb2015", root)
        assert dataset.root == tmp_path / place
        assert [sequence.name for sequence in dataset] == ["Boy"]


def test_folders_of_others_are_not_taken(tmp_path: Path):
    """Another benchmark's, the miniature, one of several, or any where no list tells them."""
    for name, mark in (("otb2013", ""), ("mini", "miniature.json"), ("p", "../q/readme.md")):
        (tmp_path / name / "x/anno").mkdir(parents=True)
        (tmp_path / name / "x/anno/Boy.txt").write_text("1,2,3,4\n")
        if mark:
            (tmp_path / name / mark).parent.mkdir(exist_ok=True)
            (tmp_path / name / mark).write_text("{}")
        with pytest.raises(DatasetError, match="no sequence found") as caught:
            open_dataset("otb2015", tmp_path)
        assert f"at {tmp_path}: " in str(caught.value)
        (tmp_path / name).rename(tmp_path.with_name(f"{tmp_path.name}-{name}"))
    (tmp_path / "q" / "readme.md").unlink()
    (tmp_path / "q").rmdir()
    clip = tmp_path / "films" / "clip"
    clip.mkdir(parents=True)
    (clip / "groundtruth.txt").write_text("1,2,3,4\n")
    with pytest.raises(DatasetError, match="no sequence found"):
        open_dataset("folder", tmp_path)
    (tmp_path / "films").rename(tmp_path / tmp_path.name)
    assert [sequence.name for sequence in open_dataset("folder", tmp_path)] == ["clip"]


def test_the_current_folder_is_named_by_its_own_name(tmp_path, write_images, monkeypatch):
    write_images(tmp_path / "clip", [1])
    (tmp_path / "clip" / "init.txt").write_text("1,2,3,4")
    monkeypatch.chdir(tmp_path / "clip")
    assert [s.name for s in open_dataset("folder", Path())] == ["clip"]


def test_a_miniature_is_known_from_a_folder_inside(tmp_path: Path):
    (tmp_path / "anno").mkdir()
    (tmp_path / "anno" / "Boy.txt").write_text("1,2,3,4\n")
    (tmp_path / "miniature.json").write_text("{}")
    assert open_dataset("otb2015", tmp_path / "anno").miniature


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("LaSOT", "lasot"), ("OTB100", "otb2015"), ("OTB-100", "otb2015"), ("otb", "otb2015"),
        ("OTB-2015", "otb2015"), ("vot18", "vot2018"), ("VOT-2018", "vot2018"),
        ("VOT 2016", "vot2016"), ("vot16", "vot2016"), ("UAV-123", "uav123"), ("uav", "uav123"),
        ("Tracking_Net", "trackingnet"), ("folder", "folder"), ("own clips", "folder"),
    ],
)  # fmt: skip
def test_benchmarks_by_other_spellings(spelling: str, name: str):
    assert get_benchmark(spelling).name == name


@pytest.mark.parametrize("name", ["", "otb50", "OTB-50", "vot2015", "uav20", "vots2024", "nfs240"])
def test_other_benchmarks_are_no_alias(name: str):
    with pytest.raises(ConfigError, match="unknown benchmark"):
        get_benchmark(name)


def test_a_dataset_has_the_name_of_its_benchmark(shared: Path):
    dataset = open_dataset("VOT-2018", shared / "data/vot2018/sequences")
    assert dataset.benchmark == "vot2018"
    assert {sequence.benchmark for sequence in dataset} == {"vot2018"}


def test_names_are_described_for_what_they_are(shared: Path):
    dataset = open_dataset("lasot", shared / "cases/lasot-no-sequence-wording/data")
    assert dataset.expected == 280
    assert dataset.describe("airplane-10") == "a sequence of LaSOT's training set"
    assert "without annotation here" in dataset.describe("volleyball-19")
    assert dataset.describe("airplane-1") == "", "it is there"
    assert dataset.describe("nonsense") == ""
    training = open_dataset("lasot", shared / "data/lasot/annotations")
    assert training.describe("airplane-10") == "a sequence of LaSOT's training set"


def test_names_of_uav20l(shared: Path):
    dataset = open_dataset("uav123", shared / "data/uav123/annotations")
    assert "UAV20L" in dataset.describe("person14")
    assert dataset.describe("person1") == ""


@pytest.mark.parametrize(("expected", "found"), [(3085, 1029), (553, 185), (9, 3), (10, 4)])
def test_every_third_frame_of_uav123_is_recognised(expected: int, found: int):
    assert "UAV123@10fps" in get_benchmark("uav123").length_hint(expected, found)
    assert get_benchmark("uav123").length_hint(expected, found + 1) == ""
    assert get_benchmark("lasot").length_hint(expected, found) == ""


def test_an_only_subset_needs_no_name(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"one set of sequences only: leave the subset out"):
        open_dataset("uav123", tmp_path, subset="train")


def test_nothing_is_assumed_of_uav123_any_more():
    assert get_benchmark("uav123").notes == ()
    assert get_benchmark("uav123").rule == "otb"


@pytest.mark.parametrize(
    ("benchmark", "place"),
    [
        ("otb2015", "anno/Boy.txt"),
        ("otb2015", "Boy/groundtruth_rect.txt"),
        ("uav123", "anno/UAV123/bike1.txt"),
        ("lasot", "airplane-1.txt"),
        ("lasot", "airplane/airplane-1/groundtruth.txt"),
        ("vot2018", "VOT2018.json"),
        ("vot2018", "bag/groundtruth.txt"),
        ("trackingnet", "GT.zip"),
        ("trackingnet", "TEST/anno/YaXKZdSEwt4_0.txt"),
        ("folder", "clip.txt"),
        ("folder", "clip.mp4"),
        ("folder", "clip/groundtruth.txt"),
    ],
)
def test_a_pipe_is_never_waited_for(tmp_path: Path, benchmark: str, place: str):
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / place)
    for read in (open_dataset, check_dataset):
        with contextlib.suppress(DatasetError):
            assert read(benchmark, tmp_path)
    with pytest.raises(DatasetError):
        open_dataset(benchmark, tmp_path / place)


def test_a_json_of_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bench.datasets.files.MAX_ROWS", 2)
    rows = [[1, 2, 3, 4]] * 3
    (tmp_path / "OTB100.json").write_text(json.dumps({"Boy": {"img_names": [], "gt_rect": rows}}))
    with pytest.raises(DatasetError, match=r"OTB100\.json.*'Boy': expected at most 2 rows"):
        open_dataset("otb2015", tmp_path)
