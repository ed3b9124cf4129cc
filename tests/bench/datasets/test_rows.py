"""Rows of ground truth that cannot be are refused; those no official file holds are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.datasets.rows import ROW_CHECKS, miscounted_absences
from bench.errors import DatasetError
from bench.files import format_exact
from bench.sequence import Dataset, Sequence

IMPOSSIBLE = ["inf,2,3,4", "1,-inf,3,4", "1e300,2,3,4", "1,2,3,1e7", "NaN,2,3,4", "1,2,NaN,NaN"]


def place(root: Path, benchmark: str, rows: list[str]) -> Path:
    """One sequence of a benchmark, annotation only, in that benchmark's own layout."""
    name, path = {
        "otb2015": ("Boy", "anno/Boy.txt"),
        "uav123": ("bike1", "anno/UAV123/bike1.txt"),
        "lasot": ("airplane-1", "airplane-1.txt"),
        "vot2018": ("bag", "bag/groundtruth.txt"),
        "trackingnet": ("YaXKZdSEwt4_0", "TEST/anno/YaXKZdSEwt4_0.txt"),
        "folder": ("clip", "clip/groundtruth.txt"),
    }[benchmark]
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("".join(f"{row}\n" for row in rows))
    if benchmark == "lasot":
        (root / "absent").mkdir(exist_ok=True)
        (root / "absent" / f"{name}.txt").write_text("\n".join("0" * len(rows)))
    return root / path


BENCHMARKS = ["otb2015", "uav123", "lasot", "vot2018", "trackingnet", "folder"]


@pytest.mark.parametrize("row", IMPOSSIBLE)
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, benchmark: str, row: str) -> None:
    path = place(tmp_path, benchmark, ["1,2,3,4", "5,6,7,8", row])
    with pytest.raises(DatasetError, match=rf"{path.name}:3: expected .*found") as caught:
        open_dataset(benchmark, tmp_path)
    assert str(path) in str(caught.value)
    findings = check_dataset(benchmark, tmp_path)
    assert any(f"{path.name}:3:" in finding.problem for finding in findings)


def doubts(dataset: Dataset) -> list[str]:
    """All but that on the number of rows: these files are short."""
    found = [text for text in dataset.doubts if "another number of rows" not in text]
    return [f"doubtful: {'; '.join(found)}"] if found else []


def test_a_file_of_another_length_is_named(tmp_path: Path) -> None:
    right = ["1,2,3,4"] * 602
    for rows in (right, right[:300] + right[301:]):
        place(tmp_path, "otb2015", rows)
        (_, *found) = open_dataset("otb2015", tmp_path).caveats  # partial
        text = (
            "doubtful: another number of rows than the files of OTB-2015: Boy (601, expected 602)"
        )
        assert [str(each) for each in found] == ([] if rows is right else [text])


@pytest.mark.parametrize("row", ["5,6,0,8", "5,6,7,-1", "0,0,0,0"])
@pytest.mark.parametrize("benchmark", ["otb2015", "uav123", "lasot", "vot2018", "trackingnet"])
def test_a_row_without_a_size_is_named(tmp_path: Path, benchmark: str, row: str) -> None:
    place(tmp_path, benchmark, ["1,2,3,4", row, "5,6,7,8"])
    dataset = open_dataset(benchmark, tmp_path)
    (text,) = doubts(dataset)
    assert text.startswith("doubtful: 1 row of ground truth without a box")
    assert dataset.sequences[0].name in text
    problems = [finding.problem for finding in check_dataset(benchmark, tmp_path)]
    assert any("row 2 of the ground truth is not a valid box" in problem for problem in problems)


def test_rows_of_nan(tmp_path: Path) -> None:
    rows = ["1,2,3,4", "NaN,NaN,NaN,NaN"]
    for benchmark in ("uav123", "folder"):
        place(tmp_path / benchmark, benchmark, rows)
        assert doubts(open_dataset(benchmark, tmp_path / benchmark)) == []
    for benchmark in ("otb2015", "lasot"):
        place(tmp_path / benchmark, benchmark, rows)
        assert len(doubts(open_dataset(benchmark, tmp_path / benchmark))) == 1


@pytest.mark.parametrize("benchmark", ["vot2018", "trackingnet"])
def test_rules_without_a_value_for_nan(tmp_path: Path, benchmark: str) -> None:
    path = place(tmp_path, benchmark, ["1,2,3,4", "NaN,NaN,NaN,NaN"])
    with pytest.raises(DatasetError, match=rf"{path.name}:2: expected finite numbers"):
        open_dataset(benchmark, tmp_path)


def test_absent_targets_of_lasot_may_have_any_size(tmp_path: Path) -> None:
    place(tmp_path, "lasot", ["1,2,3,4", "0,0,0,0", "1,1,-1,-1"])
    (tmp_path / "absent/airplane-1.txt").write_text("0\n1\n1\n")
    assert doubts(open_dataset("lasot", tmp_path)) == []


def test_absences_of_uav123_are_counted() -> None:
    truth = np.ones((553, 4))
    truth[100:135] = np.nan
    facts = get_benchmark("uav123")
    assert miscounted_absences(facts, Sequence("bike2", truth)) == ""
    truth[300] = np.nan
    assert miscounted_absences(facts, Sequence("bike2", truth)) == "36 rows of NaN, expected 35"
    assert miscounted_absences(facts, Sequence("bike2", truth[:185])) == "", "another length"


def test_absences_of_lasot_are_counted() -> None:
    facts, truth = get_benchmark("lasot"), np.ones((1000, 4))
    flags = np.arange(1000) >= 992
    assert miscounted_absences(facts, Sequence("shark-3", truth, absent=flags)) == ""
    flags[500] = True
    found = miscounted_absences(facts, Sequence("shark-3", truth, absent=flags))
    assert found == "9 absent rows, expected 8"
    short = Sequence("shark-3", truth[:3], absent=np.array([True, False, False]))
    assert miscounted_absences(facts, short) == "absent in the first frame"


def squares(frames: int = 5) -> list[str]:
    """A square of 10 pixels that moves to the right."""
    return [f"{x},50,{x + 10},50,{x + 10},60,{x},60" for x in range(100, 100 + frames)]


@pytest.mark.parametrize(
    ("row", "doubt"),
    [
        ("101,50,111,50,111,0.5,101,60", "that are not rotated boxes, as those of VOT2018 are"),
        ("-31,50,-21,50,-21,60,-31,60", "outside any image"),
        ("480,50,490,50,490,60,480,60", "outside any image"),
        ("451,50,461,50,461,60,451,60", "far from the rows before and after them"),
    ],
)
def test_regions_of_vot_that_cannot_be_right(tmp_path: Path, row: str, doubt: str) -> None:
    rows = squares()
    place(tmp_path, "vot2018", rows)
    assert doubts(open_dataset("vot2018", tmp_path)) == []
    rows[1] = row
    place(tmp_path, "vot2018", rows)
    (text,) = doubts(open_dataset("vot2018", tmp_path))
    assert f"1 row of ground truth {doubt}: bag (1)" in text
    problems = [finding.problem for finding in check_dataset("vot2018", tmp_path)]
    assert any(problem.startswith("row 2 of the ground truth") for problem in problems)


def test_a_target_that_moves_on_does_not_leap(tmp_path: Path) -> None:
    place(tmp_path, "otb2015", ["1,2,9,9", "1,2,9,9", "700,2,9,9", "701,2,9,9"])
    assert doubts(open_dataset("otb2015", tmp_path)) == []
    place(tmp_path, "otb2015", ["1,2,9,9", "1,2,9,9", "700,2,9,9", "1,2,9,9"])
    assert "far from the rows" in "".join(doubts(open_dataset("otb2015", tmp_path)))
    place(tmp_path, "otb2015", ["1,2,9,9", "1,2,9,900", "1,2,9,9"])
    assert "far from the rows" in "".join(doubts(open_dataset("otb2015", tmp_path)))
    place(tmp_path, "otb2015", ["1,2,9,9", "90,2,99,99", "1,2,9,9"])  # another target, as in TNL2K
    assert doubts(open_dataset("otb2015", tmp_path)) == []


def test_corners_are_named(tmp_path: Path) -> None:
    """No first row tells them where results are corners too."""
    x, y = np.round(np.cumsum(np.random.default_rng(0).normal(0, 3, (2, 30)), axis=1)) + 60
    right, large = ([x, y, 0 * x + 40, 0 * x + 30], [x, y, 0 * x + 400, 300 - y % 7])
    step = (np.arange(30) > 9) + 0.0
    still = [20 + step, 10 + step, 300 + step, 220 + step]
    for columns, doubtful in ((right, 0), (large, 0), (still, 0), ([x, y, x + 40, y + 30], 1)):
        rows = np.stack(columns, axis=1)
        place(tmp_path, "folder", format_exact(rows).decode().splitlines())
        found = doubts(open_dataset("folder", tmp_path))
        assert len(found) == doubtful
        assert not found or "30 rows of ground truth that read as corners" in found[0]


def test_fractions_of_an_image_are_named(tmp_path: Path) -> None:
    """The overlap that counts pixels makes any two of them almost equal."""
    for rows, doubtful in ((["0.25,0.5,0.125,1"] * 2, 1), (["0,0,1,1", "1,0,1,1"], 0)):
        place(tmp_path, "folder", rows)
        found = doubts(open_dataset("folder", tmp_path))
        assert len(found) == doubtful
        assert not found or "2 rows of ground truth within one pixel, as fractions" in found[0]


@pytest.mark.parametrize("value", ["7e4", "1" * 50, "1." + "1" * 50])
def test_numbers_that_no_program_writes_are_refused(tmp_path: Path, value: str) -> None:
    path = place(tmp_path, "otb2015", ["1,2,3,4", f"{value},2,3,4"])
    with pytest.raises(DatasetError, match=rf"{path.name}:2: expected"):
        open_dataset("otb2015", tmp_path)


@pytest.mark.parametrize(
    ("benchmark", "root"),
    [
        ("otb2015", "otb2015/annotations"),
        ("otb2015", "otb2015/annotations/OTB100.json"),
        ("uav123", "uav123/annotations"),
        ("vot2016", "vot2016/annotations"),
        ("vot2018", "vot2018/annotations"),
        ("lasot", "lasot/annotations"),
        ("trackingnet", "trackingnet/annotations"),
    ],
)
def test_no_official_row_is_doubtful(shared: Path, benchmark: str, root: str) -> None:
    dataset = open_dataset(benchmark, shared / "data" / root)
    assert dataset.doubts == ()
    facts = get_benchmark(benchmark)
    found = [len(check.find(facts, sequence)) for check in ROW_CHECKS for sequence in dataset]
    assert sum(found) == 0


@pytest.mark.parametrize(
    "row", ["12,5,20,3,40,1,30,7", "12,5 20,3 40,1 30,7", "12,5;20,3;40,1;30,7"]
)
def test_decimal_commas_are_no_polygon(tmp_path: Path, row: str) -> None:
    path = place(tmp_path, "vot2018", [row] * 3)
    with pytest.raises(DatasetError, match="decimals with a point") as caught:
        open_dataset("vot2018", tmp_path)
    assert f"{path}:1:" in str(caught.value)
    place(tmp_path, "otb2015", [row] * 3)
    with pytest.raises(DatasetError, match="decimals with a point"):
        open_dataset("otb2015", tmp_path)


def test_polygons_of_whole_numbers_are_read(tmp_path: Path) -> None:
    place(tmp_path, "vot2018", ["1,1,9,1,9,9,1,9"] * 3)
    assert open_dataset("vot2018", tmp_path)["bag"].polygons is not None


@pytest.mark.parametrize("value", ["1e999", "1" + "0" * 400, "Infinity", "[" * 2000, "null"])
def test_json_rows_that_cannot_be(tmp_path: Path, value: str) -> None:
    text = json.dumps({"Boy": {"img_names": ["1.jpg"], "gt_rect": [[1, 2, 3, 4], [0, 2, 3, 5]]}})
    (tmp_path / "OTB100.json").write_text(text.replace("[0, 2", f"[{value}, 2"))
    with pytest.raises(DatasetError, match=r"OTB100\.json") as caught:
        open_dataset("otb2015", tmp_path)
    assert len(str(caught.value)) < 400
