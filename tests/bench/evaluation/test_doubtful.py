"""Rows without a valid region, and regions of VOT runs that no tracker answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.evaluation import evaluate
from bench.evaluation.doubtful import (
    InvalidRows,
    RowCounts,
    count_rows,
    invalid_answers,
    largest_image,
)
from bench.files import format_exact, parse_rows
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.sequence import Dataset, Sequence
from bench.tracker import ABSENT

NAN = float("nan")
IMAGE = (1280, 720)
FRAMES = 196
SOUND = [[float(x), 50.0, 40.0, 30.0] for x in range(100, 100 + FRAMES)]
THIN = "regions without width or height"
SCALE = "regions with numbers that are not pixels of an image"
LEAVES = "single regions off the target, where the protocol counts a failure"


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ([1, -1, -1, -1], (0, 3)),
        ([1, -1, 2, 0, 0, 0, 0, 1, -1], (0, 2)),  # what the protocol writes
        ([1, -1, 0, -1, 2, 0], (1, 3)),
        ([1, 0, 0, 0], (3, 3)),
        ([1], (0, 0)),
    ],
)
def test_code_0_is_for_the_frames_after_a_failure(
    codes: list[int], found: tuple[int, int]
) -> None:
    invalid, rows = found
    assert invalid_answers(np.array([codes])) == RowCounts(rows, invalid)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, RowCounts(3)),
        ({0: [0, 0, 0, 0]}, RowCounts(3)),  # the first row is given
        ({0: [NAN] * 4}, RowCounts(3)),
        ({0: [2e6, 0, 5, 5]}, RowCounts(3, far=1)),
        ({1: [1, 2, 0, 5], 3: [1, 2, 5, -1]}, RowCounts(3, invalid=2)),
        ({2: [NAN, 2, 5, 5]}, RowCounts(3, invalid=1)),
        ({2: [1, 2, NAN, 5]}, RowCounts(3, invalid=1)),
        ({1: [-2e6, 2, 5, 5], 2: [NAN] * 4}, RowCounts(3, invalid=1, far=1)),
        ({3: [1, 2, float("inf"), 5]}, RowCounts(3, far=1)),
        ({1: [10, 900, 30, 40]}, RowCounts(3, leaping=1)),
        ({2: [-400, 20, 30, 40]}, RowCounts(3, leaping=1)),
        ({1: [10, 20, 30, 4000]}, RowCounts(3, leaping=1)),
        ({2: [10, 20, 3000, 40], 3: [NAN] * 4}, RowCounts(3, invalid=1)),
        ({1: [1200, 600, 30, 40]}, RowCounts(3)),  # a detector may answer anywhere in the image
        ({1: [1260, 700, 30, 40]}, RowCounts(3)),
        ({1: [10, 900, 30, 40], 2: [12, 900, 30, 40]}, RowCounts(3)),  # a tracker that drifts off
        ({0: [10, 900, 30, 40]}, RowCounts(3)),
        ({3: [10, 900, 30, 40]}, RowCounts(3)),
    ],
)
def test_rows_are_counted_fast_or_one_by_one(
    changed: dict[int, list[float]], expected: RowCounts
) -> None:
    boxes = np.tile([10.0, 20.0, 30.0, 40.0], (4, 1))
    for row, values in changed.items():
        boxes[row] = values
    assert count_rows(boxes, IMAGE) == expected
    assert count_rows(np.empty((0, 4)), IMAGE) == RowCounts()


def test_images_of_unknown_size_are_as_large_as_the_ground_truth_of_their_dataset() -> None:
    def sequence(name: str, box: list[float], size: tuple[int, int] | None = None) -> Sequence:
        return Sequence(name, np.array([box, [NAN] * 4]), size=size)

    small = sequence("a", [10.0, 20.0, 30.0, 40.0])
    large = sequence("b", [1500.0, 20.0, 30.0, 1000.0])
    known = sequence("c", [5000.0, 20.0, 30.0, 40.0], (6000, 4000))
    nothing = sequence("d", [NAN] * 4)
    assert largest_image(Dataset("otb2015", Path(), (small, known, nothing))) == IMAGE
    assert largest_image(Dataset("otb2015", Path(), (small, large))) == (1530, 1020)
    assert largest_image(Dataset("folder", Path(), (small, large))) == (4096, 2160)


@pytest.mark.parametrize("results", ["otb2015/results/ATOM", "lasot/results/DiMP50"])
def test_no_real_result_leaps_out_of_the_image(shared: Path, results: str) -> None:
    files = sorted((shared / "data" / results).glob("*.txt"))
    found = [count_rows(parse_rows(file.read_bytes(), file), IMAGE).leaping for file in files]
    assert len(found) >= 100
    assert sum(found) == 0


def test_a_row_that_leaps_is_named_beside_the_score(tmp_path: Path) -> None:
    truth = np.tile([100.0, 80.0, 40.0, 30.0], (20, 1))
    (tmp_path / "anno").mkdir()
    results = tmp_path / "results" / "otb2015" / "T"
    results.mkdir(parents=True)
    for name in ("Boy", "Couple"):
        (tmp_path / "anno" / f"{name}.txt").write_bytes(format_exact(truth))
        (results / f"{name}.txt").write_bytes(format_exact(truth))
    dataset = open_dataset("otb2015", tmp_path)
    store = OnePassStore(tmp_path / "results", "otb2015")

    def notes() -> str:
        (scores,) = evaluate(dataset, store, partial=True)
        return "; ".join(scores.trackers["T"].notes)

    assert "leap" not in notes()
    truth[[3, 4, 6]] = np.add(ABSENT, [1, 1, 0, 0])  # "not visible" leaps nowhere
    (results / "Couple.txt").write_bytes(format_exact(truth))
    assert "leap" not in notes()
    truth[10, 1] = 800
    (results / "Couple.txt").write_bytes(format_exact(truth))
    assert "single rows that leap far out of the image: 1, in Couple" in notes()


def test_the_note_counts_rows_and_sequences() -> None:
    count = InvalidRows()
    assert count.note("are odd", "so what") == []
    count.add(RowCounts(9), "a")
    count.add(RowCounts(10, invalid=2), "a")
    assert count.note("are odd", "so what") == ["2 of 19 rows are odd, in 1 sequence: so what"]
    assert not count.all
    count = InvalidRows()
    count.add(RowCounts(4, invalid=4), "a")
    assert count.all


def notes(folder: Path, rows: list[list[float]], experiment: str = "baseline") -> list[str]:
    """Remarks on one run of the sequence bag."""
    truth = folder / "data" / "bag"
    truth.mkdir(parents=True)
    (truth / "groundtruth.txt").write_bytes(format_exact(np.array(SOUND)))
    run = folder / "vot2018" / "T" / experiment / "bag" / "bag_001.txt"
    run.parent.mkdir(parents=True)
    run.write_text("".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows))
    dataset = open_dataset("vot2018", folder / "data")
    (scores,) = evaluate(dataset, VotStore(folder, "vot2018", experiment), partial=True)
    return [note for note in scores.trackers["T"].notes if note.endswith("in bag")]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({9: [109, 50, 0, 30]}, THIN),
        ({9: [109, 50, 40, -30]}, THIN),
        ({9: [109, 50, 40, 1e-12]}, THIN),
        ({9: [1e-40, 50, 140, 30]}, SCALE),
        ({9: [109, 50, 1e6, 30]}, SCALE),
        ({9: [400, 50, 40, 30]}, LEAVES),
        ({9: [400, 50, 420, 50, 420, 60, 400, 60]}, LEAVES),
        ({9: [108, 85, 40, 30]}, LEAVES),
        ({9: [125, 79, 40, 30]}, None),
        ({9: [400, 50, 40, 30], 10: [400, 50, 40, 30]}, None),  # a drift, as some real runs have
        ({9: [2], 10: [0], 11: [0], 12: [0], 13: [0], 14: [0], 15: [1]}, None),
        ({9: [2], 10: [1]}, None),
        ({9: [1]}, "starts without a failure before them"),
        ({0: SOUND[0]}, "runs that do not begin with a start, code 1"),
    ],
)
def test_odd_regions(
    tmp_path: Path, changed: dict[int, list[float]], expected: str | None
) -> None:
    rows = [[1.0], *SOUND[1:]]
    for row, values in changed.items():
        rows[row] = values
    wanted = [] if expected is None else [f"{expected}: 1, in bag"]
    assert notes(tmp_path, rows) == wanted


def test_without_resets_a_tracker_may_leave_its_target(tmp_path: Path) -> None:
    rows = [[1.0], *SOUND[1:]]
    rows[9] = [400, 50, 40, 30]
    rows[20] = [0, 0, 0, 0]  # absent, as vot-toolkit writes it
    assert notes(tmp_path, rows, "unsupervised") == []
