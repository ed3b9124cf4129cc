"""`bench check` names every missing or surplus sequence, frame and row, with a fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.datasets.check import Finding, check_dataset
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
