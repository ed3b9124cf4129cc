"""LaSOT, TrackingNet and GOT-10k as training sets: which frames, which boxes, what is missing."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, DatasetError
from trackers.siamattn.training.readers import open_source
from trackers.siamattn.training.sources import Source, Target

Paint = Callable[..., None]
BOXES = ["10,12,20,16", "11,12,20,16", "0,0,0,0", "13,12,20,16", "nan,nan,nan,nan", "-5,40,9.5,20"]
TRAINING = "airplane-2"
TEST = "airplane-1"
TRAINING_NAMES = sorted(get_benchmark("lasot").listed("train"))


def video(source: Source, name: str) -> Target:
    """A video of LaSOT."""
    return source.target(TRAINING_NAMES.index(name))


def lasot_video(root: Path, name: str, paint: Paint) -> Path:
    folder = root / name.rpartition("-")[0] / name
    for number in range(1, 7):
        paint(folder / "img" / f"{number:08d}.jpg", 10 * number)
    (folder / "groundtruth.txt").write_text("\n".join(BOXES))
    (folder / "full_occlusion.txt").write_text("0,1,0,0,0,0")
    (folder / "out_of_view.txt").write_text("0,0,0,0,0,0")
    return folder


def test_lasot_has_training_videos_only_and_visible_frames(tmp_path: Path, paint: Paint) -> None:
    for name in (TEST, TRAINING):
        lasot_video(tmp_path, name, paint)
    source = open_source("lasot", tmp_path)
    names = set(get_benchmark("lasot").listed("test"))
    assert len(source) == source.videos == 1120
    assert names.isdisjoint(TRAINING_NAMES)
    target = video(source, TRAINING)
    assert target.name == f"lasot/{TRAINING}"
    # Files are 1-based. Row 1 is occluded, 2 has no area, 4 is unknown; 5 leaves the image.
    assert target.numbers.tolist() == [0, 3, 5]
    assert target.boxes.tolist() == [[9, 11, 20, 16], [12, 11, 20, 16], [-6, 39, 9.5, 20]]
    assert target.image(1).shape == (48, 64, 3)
    assert abs(int(target.image(1)[0, 0, 0]) - 40) <= 1
    assert target.mask(0) is None
    assert not source.has_masks


@pytest.mark.parametrize("kept", [False, True])
def test_lasot_names_missing_files(tmp_path: Path, paint: Paint, kept: bool) -> None:
    folder = lasot_video(tmp_path / "lasot", TRAINING, paint)

    def source() -> Source:
        index = tmp_path / "index" / f"{len(list(tmp_path.rglob('*.npz')))}.npz"
        return open_source("lasot", tmp_path / "lasot", index=index if kept else None)

    with pytest.raises(DatasetError, match="airplane-3"):
        video(source(), "airplane-3")
    (folder / "img" / "00000006.jpg").unlink()
    with pytest.raises(DatasetError, match=r"00000006.jpg does not exist"):
        video(source(), TRAINING).image(2)
    (folder / "full_occlusion.txt").write_text("0,1,0")
    with pytest.raises(DatasetError, match=r"full_occlusion.txt: expected 6 flags"):
        video(source(), TRAINING)
    (folder / "full_occlusion.txt").write_text("1,1,1,1,1,1")
    with pytest.raises(DatasetError, match="frame with a known box, found none"):
        video(source(), TRAINING)
    (folder / "groundtruth.txt").write_text("1,2,3\n")
    with pytest.raises(DatasetError, match=r"groundtruth.txt:1: expected 4 numbers"):
        video(source(), TRAINING)


def test_no_folder_is_listed_and_no_annotation_read_for_a_pair(
    tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasot_video(tmp_path, TRAINING, paint)
    target = video(open_source("lasot", tmp_path, index=tmp_path / "lasot.npz"), TRAINING)
    opened = []
    monkeypatch.setattr(os, "scandir", opened.append)
    monkeypatch.setattr(os, "listdir", opened.append)
    target.image(0)
    assert not opened


def trackingnet_part(root: Path, part: int, video: str, paint: Paint) -> None:
    folder = root / f"TRAIN_{part}"
    (folder / "anno").mkdir(parents=True)
    (folder / "anno" / f"{video}.txt").write_text("1.0,2.0,30.0,20.0\n2.5,2.0,30.0,20.0\n")
    for number in range(2):
        paint(folder / "frames" / video / f"{number}.jpg", 50 + 50 * number)


def test_trackingnet_uses_the_given_parts(tmp_path: Path, paint: Paint) -> None:
    trackingnet_part(tmp_path, 0, "abcdefghijk_0", paint)
    trackingnet_part(tmp_path, 3, "ABCDEFGHIJK_1", paint)
    with pytest.raises(DatasetError, match=r'TRAIN_1: .*"options": {"parts": \[0, 1\]}'):
        open_source("trackingnet", tmp_path)
    with pytest.raises(ConfigError, match="TRAIN_12"):
        open_source("trackingnet", tmp_path, parts=(12,))
    source = open_source("trackingnet", tmp_path, parts=(0, 3))
    names = [source.target(place).name for place in range(len(source))]
    assert names == ["trackingnet/ABCDEFGHIJK_1", "trackingnet/abcdefghijk_0"]
    target = source.target(1)
    assert target.boxes.tolist() == [[1, 2, 30, 20], [2.5, 2, 30, 20]]
    assert target.numbers.tolist() == [0, 1]
    assert abs(int(target.image(1)[0, 0, 0]) - 100) <= 1


def got10k_video(root: Path, name: str, paint: Paint) -> Path:
    folder = root / "train" / name
    for number in range(1, 5):
        paint(folder / f"{number:08d}.jpg", 20 * number)
    (folder / "groundtruth.txt").write_text("4.0,5.0,20.0,10.0\n" * 4)
    (folder / "absence.label").write_text("0\n1\n0\n0\n")
    (folder / "cover.label").write_text("8\n8\n0\n3\n")
    return folder


def test_got10k_drops_absent_and_covered_frames(tmp_path: Path, paint: Paint) -> None:
    folder = got10k_video(tmp_path, "GOT-10k_Train_000001", paint)
    (tmp_path / "train" / "list.txt").write_text("GOT-10k_Train_000001\nGOT-10k_Train_000002\n")
    source = open_source("got10k", tmp_path)
    target = source.target(0)
    assert target.numbers.tolist() == [0, 3]
    assert target.boxes.tolist() == [[4, 5, 20, 10]] * 2
    assert abs(int(target.image(1)[0, 0, 0]) - 80) <= 1
    with pytest.raises(DatasetError, match=r"000002.*groundtruth.txt: cannot be read"):
        source.target(1)
    (folder / "cover.label").write_text("8\n8\n")
    with pytest.raises(DatasetError, match=r"cover.label: expected 4 values.*found 2"):
        open_source("got10k", tmp_path).target(0)


def test_got10k_without_a_list_takes_the_folders(tmp_path: Path, paint: Paint) -> None:
    got10k_video(tmp_path, "GOT-10k_Train_000007", paint)
    source = open_source("got10k", tmp_path / "train")
    assert source.target(0).name == "got10k/GOT-10k_Train_000007"
    copy = pickle.loads(pickle.dumps(source))  # what a worker process gets
    assert copy.target(0).boxes.tolist() == source.target(0).boxes.tolist()
