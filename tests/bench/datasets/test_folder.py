"""Own clips: folders and videos, with boxes for every frame or only the first."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.errors import DatasetError
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results.onepass import OnePassStore


def write_video(path: Path, frames: int) -> None:
    """A short video in a codec built into OpenCV."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for _ in range(frames):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()


@pytest.fixture
def clips(tmp_path: Path, write_images) -> Path:
    """A clip of each kind, and a folder that is not a clip."""
    write_images(tmp_path / "clip10", [1, 2, 3])
    (tmp_path / "clip10" / "groundtruth_rect.txt").write_text("1 2 3 4\n" * 3)
    write_images(tmp_path / "clip2" / "img", [5, 6], suffix="png")
    (tmp_path / "clip2" / "init.txt").write_text("1,2,3,4")
    write_video(tmp_path / "film.avi", 4)
    (tmp_path / "film.txt").write_text("1,2,3,4\n")
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_clips_of_every_kind(clips: Path):
    dataset = open_dataset("folder", clips)
    assert {s.name: (len(s), s.hidden) for s in dataset} == {
        "clip2": (2, True),
        "clip10": (3, False),
        "film": (4, True),
    }
    assert [s.name for s in dataset] == ["clip2", "clip10", "film"], "natural order"
    assert not dataset.partial
    assert all(s.frames is not None and s.frames[-1].ndim == 3 for s in dataset)
    assert dataset["clip2"].initial_box.tolist() == [1, 2, 3, 4], "0-based as in the file"


@pytest.mark.parametrize(("inner", "name"), [("clip10", "clip10"), ("film.avi", "film")])
def test_the_root_is_itself_a_clip(clips: Path, inner: str, name: str):
    assert [s.name for s in open_dataset("folder", clips / inner)] == [name]


def test_a_clip_without_a_box(clips: Path):
    (clips / "film.txt").unlink()
    with pytest.raises(DatasetError, match=r"'film'.*expected .*film\.txt"):
        open_dataset("folder", clips)
    (clips / "clip2" / "init.txt").unlink()
    with pytest.raises(DatasetError, match=r"'clip2'.*expected .*groundtruth\.txt or"):
        open_dataset("folder", clips / "clip2")


def test_two_clips_of_one_name(clips: Path):
    write_video(clips / "clip2.avi", 1)
    with pytest.raises(DatasetError, match=r"several clips .*clip2"):
        open_dataset("folder", clips)


@pytest.mark.parametrize("inner", ["notes", "nowhere"])
def test_nothing_there(clips: Path, inner: str):
    with pytest.raises(DatasetError, match=r"no own clips .*"):
        open_dataset("folder", clips / inner)


def test_real_sequences_as_clips(shared: Path):
    dataset = open_dataset("folder", shared / "data/otb2015/sequences")
    assert len(dataset["David"].frames or ()) == 471
    assert len(dataset["Football1"].frames or ()) == 81, "no table, so every image"


def test_boxes_without_images(shared: Path):
    dataset = open_dataset("folder", shared / "cases/folder-annotation-only/data")
    assert {s.name: len(s) for s in dataset} == {"clip1": 6, "clip2": 6}
    assert all(s.frames is None and not s.hidden for s in dataset)


@pytest.mark.parametrize("inner", ["clip1.txt", "clip2"])
def test_one_text_or_folder_of_boxes(shared: Path, inner: str):
    root = shared / "cases/folder-annotation-only/data" / inner
    assert [s.name for s in open_dataset("folder", root)] == [Path(inner).stem]


def test_texts_that_are_no_clips(clips: Path):
    (clips / "README.txt").write_text("Three clips of a car.\n")
    (clips / "list.txt").write_text("clip2\nclip10\n")
    (clips / "clip2.txt").write_text("9,9,9,9\n")
    (clips / "alone.txt").write_text("1,2,3,4\n5,6,7,8\n")
    dataset = open_dataset("folder", clips)
    assert [s.name for s in dataset] == ["alone", "clip2", "clip10", "film"]
    assert dataset["clip2"].initial_box.tolist() == [1, 2, 3, 4], "beside a clip: none of its own"


def test_a_text_that_is_malformed_further_down_is_named(tmp_path: Path):
    (tmp_path / "alone.txt").write_text("1,2,3,4\n5,6,7\n")
    with pytest.raises(DatasetError, match=r"alone\.txt:2: expected 4 numbers"):
        open_dataset("folder", tmp_path)


def test_what_macos_and_windows_leave_behind(clips: Path):
    (clips / "._clip2").mkdir()
    (clips / "__MACOSX").mkdir()
    (clips / "._film.avi").write_text("x")
    (clips / "clip2" / "img" / "._0005.png").write_text("x")
    (clips / "clip2" / "img" / ".DS_Store").write_text("x")
    (clips / "clip2" / "img" / "Thumbs.db").write_text("x")
    dataset = open_dataset("folder", clips)
    assert [s.name for s in dataset] == ["clip2", "clip10", "film"]
    assert len(dataset["clip2"].frames or ()) == 2


def test_boxes_alone_are_scored_by_the_otb_rule(shared: Path, tmp_path: Path):
    dataset = open_dataset("folder", shared / "cases/folder-annotation-only/data")
    folder = tmp_path / "folder" / "same"
    folder.mkdir(parents=True)
    for sequence in dataset:
        (folder / f"{sequence.name}.txt").write_bytes(format_exact(sequence.ground_truth))
    (scores,) = evaluate(dataset, OnePassStore(tmp_path, "folder"))
    assert scores.sequences == 2
    assert scores.trackers["same"].measures["success"] == pytest.approx(20 / 21)
    assert scores.trackers["same"].measures["precision"] == 1
    assert scores.convention == "otb"


def test_a_declared_list_decides_what_counts(clips: Path, tmp_path: Path):
    """What is not on it is named, not scored, and what is not here is missing."""
    declaration = tmp_path / "harbour.toml"
    declaration.write_text("""
        title = "Harbour"
        layout = "folder"
        rule = "otb"
        index_base = 0
        source = "ours"
        sequences = [{ name = "clip10", frames = 3, attributes = ["OCC"] }, "ferry"]
    """)
    dataset = open_dataset(str(declaration), clips)
    assert [s.name for s in dataset] == ["clip10"]
    assert dataset["clip10"].attributes == {"OCC"}
    assert (dataset.partial, dataset.missing) == (True, ("ferry",))
    problems = {f.sequence: f.problem for f in check_dataset(str(declaration), clips)}
    assert problems.keys() >= {"ferry", "clip2", "film"}
