"""`bench check` names every missing or surplus sequence, frame and row, with a fix."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.datasets.check import (
    Finding,
    check_dataset,
    counted,
    runnable,
    summary,
    without_frames,
)
from bench.errors import DatasetError


def of(findings: list[Finding], sequence: str | None) -> list[str]:
    assert all(finding.fix for finding in findings)
    return [finding.problem for finding in findings if finding.sequence == sequence]


@pytest.fixture
def skiing(tmp_path: Path, write_images) -> Path:
    """One complete sequence of 81 frames."""
    write_images(tmp_path / "Skiing/img", range(1, 82))
    (tmp_path / "Skiing/groundtruth_rect.txt").write_text("1,2,3,4\n" * 81)
    return tmp_path


def test_missing_sequences(skiing: Path):
    findings = check_dataset("otb2015", skiing)
    assert len(findings) == 1 + 99
    assert "1 of 100 sequences" in of(findings, None)[0]
    assert of(findings, "Jogging-2")[0].startswith("missing")
    assert of(findings, "Skiing") == []


def test_missing_and_surplus_frames(skiing: Path, write_images):
    for number in (7, 8, 9, 40, 81):
        (skiing / f"Skiing/img/{number:04d}.jpg").unlink()
    write_images(skiing / "Skiing/img", [0, 90, 91])
    problems = of(check_dataset("otb2015", skiing), "Skiing")
    assert len(problems) == 2
    assert problems[0].startswith("5 missing frames in ")
    assert problems[0].endswith("0007.jpg ... 0009.jpg, 0040.jpg, 0081.jpg")
    assert problems[1].endswith("0000.jpg, 0090.jpg ... 0091.jpg")


def test_images_beyond_the_range_are_official_for_some(tmp_path: Path, write_images):
    write_images(tmp_path / "Football1/img", range(1, 82))
    (tmp_path / "Football1/groundtruth_rect.txt").write_text("1,2,3,4\n" * 74)
    assert of(check_dataset("otb2015", tmp_path), "Football1") == []


@pytest.mark.parametrize(("rows", "problem"), [(80, "1 missing"), (83, "2 surplus")])
def test_rows(skiing: Path, rows: int, problem: str):
    (skiing / "Skiing/groundtruth_rect.txt").write_text("1,2,3,4\n" * rows)
    problems = of(check_dataset("otb2015", skiing), "Skiing")
    assert all(part in problems[0] for part in (f"{rows} rows", "expected 81", problem))


def test_no_images_for_one_of_two(skiing: Path):
    (skiing / "Boy").mkdir()
    (skiing / "Boy/groundtruth_rect.txt").write_text("1,2,3,4\n" * 602)
    assert of(check_dataset("otb2015", skiing), "Boy") == ["no images"]


def test_every_unreadable_annotation_is_named(skiing: Path):
    for name in ("Boy", "Girl"):
        (skiing / name).mkdir()
        (skiing / name / "groundtruth_rect.txt").write_text("1,2,3,4\n1,2,3\n")
    findings = check_dataset("otb2015", skiing)
    for name in ("Boy", "Girl"):
        (problem,) = of(findings, name)
        assert "groundtruth_rect.txt:2: expected 4 numbers" in problem


def test_surplus_sequences(skiing: Path):
    (skiing / "Skiing2/img").mkdir(parents=True)
    problems = of(check_dataset("otb2015", skiing), "Skiing2")
    assert len(problems) == 1
    assert "surplus" in problems[0]
    assert "OTB-2015" in problems[0]


def test_a_first_row_that_is_no_box(skiing: Path):
    (skiing / "Skiing/groundtruth_rect.txt").write_text("NaN,NaN,NaN,NaN\n" + "1,2,3,4\n" * 80)
    (problem,) = of(check_dataset("otb2015", skiing), "Skiing")
    assert "row 1" in problem
    assert "[nan, nan, nan, nan]" in problem


def test_a_miniature_is_not_held_to_the_counts(skiing: Path):
    (skiing / "miniature.json").write_text("{}")
    (skiing / "Skiing/groundtruth_rect.txt").write_text("1,2,3,4\n" * 60)
    (problem,) = of(check_dataset("otb2015", skiing), "Skiing")
    assert "21 surplus frames" in problem
    assert len(check_dataset("otb2015", skiing)) == 1


def test_own_clip_with_another_number_of_rows(tmp_path: Path, write_images):
    write_images(tmp_path / "clip", [1, 2, 3])
    (tmp_path / "clip/groundtruth.txt").write_text("1,2,3,4\n1,2,3,4\n")
    (problem,) = of(check_dataset("folder", tmp_path), "clip")
    assert "3 frames" in problem
    assert "2 rows" in problem


def test_the_folder_named_is_the_folder_read(skiing: Path):
    (skiing / "Skiing/img/0007.jpg").unlink()
    nested = skiing / "otb2015"
    nested.mkdir()
    (skiing / "Skiing").rename(nested / "Skiing")
    (problem,) = of(check_dataset("otb2015", str(skiing)), "Skiing")
    assert f"{nested / 'Skiing/img'}" in problem


def test_another_subset_is_checked_against_its_own_list(tmp_path: Path):
    for name in ("airplane-1", "airplane-2"):  # a test and a training sequence
        folder = tmp_path / name
        folder.mkdir()
        (folder / "groundtruth.txt").write_text("1,2,3,4\n5,6,7,8\n")
        for flags in ("full_occlusion.txt", "out_of_view.txt"):
            (folder / flags).write_text("0,0\n")
    findings = check_dataset("lasot", tmp_path, subset="train")
    assert findings[0].problem.startswith("1 of 1120 sequences")
    missing = {finding.sequence for finding in findings if finding.problem.startswith("missing")}
    assert len(missing) == 1119
    assert not missing & {"airplane-1", "airplane-2"}


def test_nothing_at_all(tmp_path: Path):
    with pytest.raises(DatasetError, match="no LaSOT dataset at"):
        check_dataset("lasot", tmp_path)


@pytest.mark.parametrize(
    ("benchmark", "root", "sequences"),
    [
        ("otb2015", "otb2015/annotations", set()),
        ("vot2016", "vot2016/annotations", set()),
        ("vot2018", "vot2018/annotations", set()),
        ("lasot", "lasot/annotations", set()),
        ("otb2015", "otb2015/annotations/OTB100.json", {"Tiger1"}),
    ],
)
def test_real_annotation(shared: Path, benchmark: str, root: str, sequences: set[str | None]):
    assert {f.sequence for f in check_dataset(benchmark, shared / "data" / root)} == sequences


def test_whole_folders_of_uav20l_beside_uav123_are_no_findings(shared: Path):
    root = shared / "data/uav123/annotations"
    assert len(list((root / "anno").glob("*.txt"))) == 142
    assert check_dataset("uav123", root) == []


def cut_short(path: Path, fraction: float = 0.34) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])


@pytest.mark.parametrize("deep", [False, True])
def test_damaged_frames_are_named(skiing: Path, deep: bool):
    cut_short(skiing / "Skiing/img/0040.jpg")
    (skiing / "Skiing/img/0041.jpg").write_bytes(b"")
    problems = of(check_dataset("otb2015", skiing, deep=deep), "Skiing")
    assert len(problems) == 2
    assert "0040.jpg: the image is cut short" in problems[0]
    assert "0041.jpg cannot be decoded" in problems[1]


def test_frames_of_another_size_are_named(skiing: Path):
    cv2.imwrite(str(skiing / "Skiing/img/0040.jpg"), np.zeros((6, 8, 3), np.uint8))
    (problem,) = of(check_dataset("otb2015", skiing), "Skiing")
    assert problem.startswith("frames of 2 sizes, expected one: 16x12 from ")
    assert problem.endswith("0040.jpg")


def test_a_first_box_outside_the_frame_is_named(shared: Path):
    (problem,) = of(check_dataset("folder", shared / "cases/first-box-outside"), "clip")
    assert "0001.jpg" in problem
    assert "outside the frame of 360x240 pixels" in problem


def test_a_truncated_jpeg_is_named_and_never_decoded(shared: Path):
    root = shared / "cases/truncated-jpeg"
    (problem,) = of(check_dataset("folder", root), "clip")
    assert "0006.jpg: the image is cut short" in problem
    frames = open_dataset("folder", root)["clip"].frames
    assert frames is not None
    with pytest.raises(DatasetError, match=r"0006\.jpg: the image is cut short"):
        list(frames)


def test_a_broken_video_hides_nothing(shared: Path):
    findings = check_dataset("folder", shared / "cases/check-stops-at-broken-video/clips")
    assert [finding.sequence for finding in findings] == ["a_folder", "b", "c_folder"]
    assert "3 frames, but 2 rows" in findings[0].problem
    assert "b.mp4 cannot be decoded" in findings[1].problem


def test_pixels_inside_a_frame_only_show_when_decoded(tmp_path: Path, write_images):
    write_images(tmp_path / "clip", [1, 2], suffix="png")
    (tmp_path / "clip/groundtruth.txt").write_text("1,2,3,4\n1,2,3,4\n")
    path = tmp_path / "clip/0002.png"
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    path.write_bytes(bytes(data))
    assert check_dataset("folder", tmp_path) == []
    (problem,) = of(check_dataset("folder", tmp_path, deep=True), "clip")
    assert "0002.png cannot be decoded" in problem


def test_annotation_alone_is_said(shared: Path):
    dataset = open_dataset("vot2018", shared / "data/vot2018/annotations")
    line = "VOT2018: 60 sequences, 21356 frames, annotation only, 60 sequences without frames"
    assert summary(dataset) == line
    clips = open_dataset("folder", shared / "data/real-video/davis2016-val")
    assert summary(clips) == "own clips: 20 sequences, 1376 frames, nothing missing"


def test_which_sequences_can_run(tmp_path: Path, write_images):
    for name in ("bag", "ball1", "ball2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "groundtruth.txt").write_text("1,2,3,4\n")
    write_images(tmp_path / "ball1/color", [1], digits=8)
    (tmp_path / "ball2/color").mkdir()
    dataset = open_dataset("vot2018", tmp_path)
    assert runnable(dataset) == (["ball1"], ["bag", "ball2"])
    line = without_frames(dataset)
    assert line.startswith(f"2 of 3 sequences in {tmp_path} have no frames (bag, ball2).")
    assert "--sequence" in line
    assert "--partial" in line
    assert "\n" not in line


def test_a_complete_dataset_can_run(shared: Path):
    dataset = open_dataset("otb2015", shared / "data/otb2015/sequences")
    assert without_frames(dataset) == ""


@pytest.mark.parametrize(
    ("benchmark", "sequence", "file", "folder"),
    [
        ("otb2015", "Boy", "Boy/groundtruth_rect.txt", "Boy2"),
        ("vot2018", "bag", "bag/groundtruth.txt", "bag2"),
        ("lasot", "airplane-1", "airplane/airplane-1/groundtruth.txt", "airplanes"),
        ("uav123", "bike1", "anno/UAV123/bike1.txt", "data_seq/UAV123/bike9"),
        ("folder", "clip", "clip/groundtruth.txt", "clip2"),
    ],
)
def test_surplus_folders_are_named(tmp_path: Path, benchmark, sequence, file, folder):
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("1,2,3,4\n")
    for flags in ("full_occlusion.txt", "out_of_view.txt"):
        (tmp_path / file).with_name(flags).write_text("0\n")
    if benchmark == "vot2018":
        (tmp_path / "list.txt").write_text("bag\n")
    (tmp_path / folder).mkdir(parents=True)
    (problem,) = of(check_dataset(benchmark, tmp_path), Path(folder).name)
    assert problem.startswith("surplus")


def test_one_finding_is_not_many():
    assert [counted(n, "finding") for n in (0, 1, 2)] == ["0 findings", "1 finding", "2 findings"]


def test_rows_without_a_box_are_counted(shared: Path, tmp_path: Path):
    dataset = open_dataset("uav123", shared / "data/uav123/annotations")
    assert summary(dataset).endswith("2683 rows without a box (target absent)")
    (tmp_path / "clip.txt").write_text("1,2,3,4\n0,0,0,0\nNaN,NaN,NaN,NaN\n")
    assert "2 rows without a box" in summary(open_dataset("folder", tmp_path))


def test_names_from_a_disk_are_printable(skiing: Path):
    (skiing / "a\x1b[31m\nb").mkdir()
    (finding,) = (f for f in check_dataset("otb2015", skiing) if f.problem.startswith("surplus"))
    assert finding.sequence == r"a\x1b[31m\nb"


def test_a_video_shorter_than_its_duration_is_named(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    path = tmp_path / "film.mkv"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (160, 120))
    for number in range(60):
        frame = cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC)
        writer.write(np.roll(frame, 3 * number, axis=1))
    writer.release()
    (tmp_path / "film.txt").write_text("1,2,3,4\n")
    assert check_dataset("folder", tmp_path, deep=True) == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    (problem,) = of(check_dataset("folder", tmp_path), "film")
    assert "frames decode, duration and frame rate promise 60" in problem
