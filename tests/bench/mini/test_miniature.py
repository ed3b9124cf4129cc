"""The whole miniature on disk: layouts, quirks, reproducibility, run time, readers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import cv2
import numpy as np
import pytest

from bench.benchmarks import benchmarks, get_benchmark
from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError
from bench.geometry import mask_to_box
from bench.locks import locked
from bench.mini import write_miniature
from bench.mini.annotate import rotated_box
from bench.mini.clip import draw_video, write_video
from bench.mini.plan import enlarged, get_plan, plans
from bench.mini.render import render_frame
from bench.sequence import to_tracker
from tests.conftest import Miniature

ALL = tuple(plans())
SECONDS = 60 * 2  # CPU time: a minute on two cores


def digest(folder: Path) -> str:
    parts = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        parts.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return parts.hexdigest()


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_all_six_benchmarks_are_planned() -> None:
    assert set(ALL) == {name for name, row in benchmarks().items() if row.overview}


def test_it_takes_less_than_a_minute(miniature: Miniature) -> None:
    assert sum(map(miniature.seconds, ALL)) < SECONDS


def test_equal_seeds_give_equal_bytes(root: Path, tmp_path: Path) -> None:
    """The number of processes and the other benchmarks make no difference."""
    write_miniature(tmp_path, seed=0, benchmarks=["vot2016"], jobs=1)
    assert digest(tmp_path / "vot2016") == digest(root / "vot2016")


def test_other_seeds_give_other_videos(root: Path, tmp_path: Path) -> None:
    video = get_plan("vot2016").videos[1]
    write_video(tmp_path, "vot2016", video, seed=1)
    for name in ("00000001.jpg", "groundtruth.txt"):
        other = (tmp_path / video.folder / name).read_bytes()
        assert other != (root / "vot2016" / video.folder / name).read_bytes()


@pytest.mark.parametrize("benchmark", ALL)
def test_it_says_that_it_is_generated(root: Path, benchmark: str) -> None:
    record = json.loads((root / benchmark / "miniature.json").read_text(encoding="utf-8"))
    assert record["generated"] is True
    assert (record["benchmark"], record["seed"]) == (benchmark, 0)
    assert record["version"] >= 1


def test_nothing_unfinished_is_left(root: Path) -> None:
    assert visible(root) == sorted(ALL), "and the lock, which stays"


@pytest.mark.parametrize("benchmark", ALL)
def test_its_own_reader_reads_it(root: Path, benchmark: str) -> None:
    dataset = open_dataset(benchmark, root / benchmark)
    assert dataset.miniature
    assert len(dataset) >= 4
    planned = {e.name: e.frames for v in get_plan(benchmark).videos for e in v.entries}
    for sequence in dataset:
        assert 60 <= len(sequence) <= 120
        assert len(sequence) == planned[sequence.name]
        assert sequence.frames is not None
        assert len(sequence.frames) == len(sequence)
        height, width = sequence.frames[len(sequence) - 1].shape[:2]
        assert width >= 320
        assert height >= 240
        x, y, w, h = to_tracker(sequence.ground_truth[0], sequence.index_base)
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height


@pytest.mark.parametrize("benchmark", ["otb2015", "uav123", "lasot", "trackingnet"])
def test_boxes_on_disk_are_the_boxes_of_the_masks(root: Path, benchmark: str) -> None:
    dataset = open_dataset(benchmark, root / benchmark)
    video = get_plan(benchmark).videos[1]
    scene = draw_video(benchmark, video, seed=0)
    for entry in video.entries:
        sequence = dataset[entry.name]
        for time in range(0, entry.frames, 17):
            frame = render_frame(scene, entry.start + time)
            box = to_tracker(sequence.ground_truth[time], get_benchmark(benchmark).index_base)
            if sequence.absent is None or not sequence.absent[time]:
                assert (box == mask_to_box(frame.targets[entry.target].full)).all()
            assert sequence.frames is not None
            assert np.abs(sequence.frames[time].astype(int) - frame.image).mean() < 6


def test_vot_polygons_are_those_of_the_masks(root: Path) -> None:
    sequence = open_dataset("vot2018", root / "vot2018")["ants1"]
    scene = draw_video("vot2018", get_plan("vot2018").videos[0], seed=0)
    assert sequence.polygons is not None
    for time in range(0, 80, 19):
        view = render_frame(scene, time).targets[0]
        corners = rotated_box(view.silhouette) + view.offset
        assert sequence.polygons[time] == pytest.approx(corners, abs=0.0051)


def test_otb_quirks(root: Path) -> None:
    otb = root / "otb2015"
    assert (otb / "Board/img/00001.jpg").is_file()
    assert (otb / "David/img/0300.jpg").is_file()
    assert "\t" in lines(otb / "Crossing/groundtruth_rect.txt")[0]
    assert "," in lines(otb / "David/groundtruth_rect.txt")[0]
    assert " " in lines(otb / "Human4/groundtruth_rect.2.txt")[0]
    assert (otb / "Human4/groundtruth_rect.1.txt").read_bytes() == b""
    first, second = (lines(otb / f"Jogging/groundtruth_rect.{k}.txt") for k in (1, 2))
    assert len(first) == len(second) == len(list((otb / "Jogging/img").iterdir()))
    assert first != second
    assert all(len(lines(path)[0].split(",")) == 11 for path in (otb / "att").iterdir())


def test_uav_quirks(root: Path) -> None:
    uav = root / "uav123"
    images = sorted(path.stem for path in (uav / "data_seq/UAV123/bird1").iterdir())
    assert (images[0], images[70], len(images)) == ("000001", "000775", 150)
    rows = [line for path in (uav / "anno/UAV123").glob("*.txt") for line in lines(path)]
    assert "NaN,NaN,NaN,NaN" in rows
    assert all("." not in row for row in rows)
    flags = lines(uav / "anno/UAV123/att/car4.txt")[0].split(",")
    assert len(flags) == 12


def test_vot_quirks(root: Path) -> None:
    assert lines(root / "vot2016/list.txt") == ["bag", "ball1", "birds1", "car1"]
    assert (root / "vot2016/bag/00000001.jpg").is_file()
    assert (root / "vot2018/ants1/color/00000001.jpg").is_file()
    assert len(lines(root / "vot2016/bag/groundtruth.txt")[0].split(",")) == 8
    assert len(lines(root / "vot2016/car1/groundtruth.txt")[0].split(",")) == 4
    for name in ("camera_motion", "illum_change", "motion_change", "occlusion", "size_change"):
        flags = lines(root / f"vot2018/soccer1/{name}.tag")
        assert len(flags) == 100
        assert set(flags) <= {"0", "1"}
    assert 0 < float(lines(root / "vot2016/bag/practical.value")[0]) < 0.3


@pytest.mark.parametrize("benchmark", ["vot2016", "vot2018"])
def test_vot_targets_never_leave_for_long(root: Path, benchmark: str) -> None:
    for sequence in open_dataset(benchmark, root / benchmark):
        assert sequence.frames is not None
        height, width = sequence.frames[0].shape[:2]
        x, y, w, h = sequence.ground_truth.T  # of rotated annotation, its bounding box
        x, y = x + w / 2, y + h / 2
        away = (x < -20) | (y < -20) | (x > width + 20) | (y > height + 20)
        assert away.sum() <= 5


def test_lasot_quirks(root: Path) -> None:
    folder = root / "lasot/person/person-1"
    hidden, outside = (
        np.array(lines(folder / f"{name}.txt")[0].split(",")).astype(int)
        for name in ("full_occlusion", "out_of_view")
    )
    boxes = lines(folder / "groundtruth.txt")
    zeros = [row == "0,0,0,0" for row in boxes]
    assert zeros == ((hidden + outside) > 0).tolist()
    assert not (hidden & outside).any()
    assert outside.any()
    assert len(lines(folder / "nlp.txt")) == 1
    assert len(lines(root / "lasot/att/person-1.txt")[0].split(",")) == 14


def test_trackingnet_quirks(root: Path) -> None:
    for path in (root / "trackingnet/TEST/anno").iterdir():
        full = lines(root / "trackingnet/TEST/anno_full" / path.name)
        assert lines(path) == full[:1]
        frames = root / "trackingnet/TEST/frames" / path.stem
        assert len(list(frames.iterdir())) == len(full)
        assert (frames / "0.jpg").is_file()
    training = open_dataset("trackingnet", root / "trackingnet", subset="TRAIN_0")
    assert [len(sequence) for sequence in training] == [60]


def test_size_attributes_follow_from_the_boxes_on_disk(root: Path) -> None:
    """SV, ARC and LR recomputed from the files by the definitions of the UAV123 paper."""
    for sequence in open_dataset("uav123", root / "uav123"):
        boxes = sequence.ground_truth[np.isfinite(sequence.ground_truth[:, 0])]
        area, aspect = boxes[:, 2] * boxes[:, 3], boxes[:, 2] / boxes[:, 3]
        for name, value in (("SV", area), ("ARC", aspect)):
            ratio = value / value[0]
            expected = bool((ratio < 0.5).any() or (ratio > 2).any())
            assert (name in sequence.attributes) == expected
        assert ("LR" in sequence.attributes) == bool((area < 400).any())


def test_standing_still_does_not_track_it(root: Path) -> None:
    overlaps = []
    for benchmark in ALL:
        for sequence in open_dataset(benchmark, root / benchmark):
            boxes = np.nan_to_num(sequence.ground_truth)
            low = np.maximum(boxes[0, :2], boxes[:, :2])
            high = np.minimum(boxes[0, :2] + boxes[0, 2:], boxes[:, :2] + boxes[:, 2:])
            common = np.maximum(high - low, 0).prod(axis=1)
            union = boxes[0, 2:].prod() + boxes[:, 2:].prod(axis=1) - common
            overlaps.append((common / union).mean())
    assert 0.05 < np.mean(overlaps) < 0.3


@pytest.mark.parametrize("benchmark", ALL)
def test_further_sequences_have_official_names_and_are_read(
    benchmark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.mini.plan.FRAMES", 3)
    monkeypatch.setattr(
        "bench.mini.write.get_plan", lambda name: replace(get_plan(name), videos=())
    )
    write_miniature(tmp_path, benchmarks=[benchmark], sequences=5, jobs=1)
    dataset = open_dataset(benchmark, tmp_path / benchmark)
    assert dataset.miniature
    assert [len(sequence.ground_truth) for sequence in dataset] == [3] * 5
    for sequence in dataset:
        assert sequence.frames is not None
        assert len(sequence.frames) == 3


def test_a_larger_miniature_begins_with_the_planned_one() -> None:
    plan = get_plan("otb2015")
    assert enlarged(plan, "otb2015", 3) == plan
    larger = enlarged(plan, "otb2015", 12)
    assert larger.videos[: len(plan.videos)] == plan.videos
    names = [entry.name for video in larger.videos for entry in video.entries]
    assert len(names) == len(set(names)) == 12
    assert {"Basketball", "Biker"} < set(names)
    test = [v for v in enlarged(get_plan("trackingnet"), "trackingnet", 6).videos if not v.quirks]
    assert len(test) == 6, "beside the training sequence"
    with pytest.raises(ConfigError, match=r"at most 60 sequences.*vot2018, found 61"):
        enlarged(get_plan("vot2018"), "vot2018", 61)


def test_a_foreign_folder_is_never_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "otb2015" / "Crossing" / "groundtruth_rect.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("1,1,2,2\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"otb2015 exists .*expected .*miniature\.json"):
        write_miniature(tmp_path, benchmarks=["otb2015"])
    assert mine.read_text(encoding="utf-8") == "1,1,2,2\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"benchmarks": ["vot2015"]}, r"'vot2015'.*Did you mean 'vot201\d'.*uav123"),
        ({"seed": -1}, "seed >= 0"),
        ({"jobs": 0}, "jobs >= 1"),
    ],
)
def test_bad_arguments_are_named(
    tmp_path: Path, arguments: dict[str, int | list[str]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        write_miniature(tmp_path, **arguments)
    assert not any(tmp_path.iterdir())


def test_a_miniature_is_replaced_and_rubbish_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(root: Path, benchmark: str, video: object, seed: int) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / f"seed{seed}.txt").write_text("", encoding="utf-8")

    monkeypatch.setattr("bench.mini.clip.write_video", quick)
    rubbish = tmp_path / ".lasot.unfinished"
    rubbish.mkdir()
    (rubbish / "half.jpg").write_bytes(b"")
    for seed in (3, 4):
        write_miniature(tmp_path, seed=seed, benchmarks=["lasot"], jobs=1)
        names = {path.name for path in (tmp_path / "lasot").iterdir()}
        assert names == {f"seed{seed}.txt", "miniature.json"}


def test_images_are_ordinary_jpegs(root: Path) -> None:
    image = cv2.imread(str(root / "otb2015/David/img/0300.jpg"))
    assert image is not None
    assert image.shape == (240, 320, 3)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small file in place of each video."""

    def write(root: Path, benchmark: str, video: object, seed: int) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / f"seed{seed}.txt").write_text("", encoding="utf-8")

    monkeypatch.setattr("bench.mini.clip.write_video", write)


class Killed(BaseException):
    """As a signal: nothing of ours catches it."""


def visible(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name != ".lock")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("where", ["shutil.rmtree", "Path.rename"])
@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_one_that_was_killed_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, call: int
) -> None:
    """Killed at any call that deletes or moves, half done: the next miniature is complete."""
    write_miniature(tmp_path, seed=1, benchmarks=["lasot"], jobs=1)
    calls = []
    owner, name = (shutil, "rmtree") if where == "shutil.rmtree" else (Path, "rename")
    real = getattr(owner, name)

    def kill(target: Path, *arguments: object, **options: object) -> object:
        calls.append(target)
        if len(calls) < call:
            return real(target, *arguments, **options)
        if name == "rmtree":
            for path in sorted(Path(target).glob("*.json")):
                path.unlink()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, kill)
        with contextlib.suppress(Killed):
            write_miniature(tmp_path, seed=2, benchmarks=["lasot"], jobs=1)
    write_miniature(tmp_path, seed=3, benchmarks=["lasot"], jobs=1)
    assert visible(tmp_path) == ["lasot"]
    assert {path.name for path in (tmp_path / "lasot").iterdir()} == {
        "seed3.txt",
        "miniature.json",
    }


@pytest.mark.usefixtures("quick")
def test_two_never_write_into_one_folder(tmp_path: Path) -> None:
    write_miniature(tmp_path, seed=1, benchmarks=["lasot"], jobs=1)
    with locked(tmp_path), pytest.raises(DatasetError, match="another `bench mini` is writing"):
        write_miniature(tmp_path, seed=2, benchmarks=["lasot"], jobs=1)
    assert (tmp_path / "lasot/seed1.txt").is_file()
    write_miniature(tmp_path, seed=2, benchmarks=["LaSOT"], jobs=1)
    assert (tmp_path / "lasot/seed2.txt").is_file()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_processes_end_with_the_command_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "mini", "out", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = monotonic() + 60
    while len(found := children.read_text().split()) < 3:  # two, and the tracker of resources
        assert monotonic() < deadline
        sleep(0.05)
    process.kill()
    process.wait()
    while left := [pid for pid in found if _runs(pid)]:
        assert monotonic() < deadline, left
        sleep(0.05)


def _runs(pid: str) -> bool:
    """True unless a process has ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
