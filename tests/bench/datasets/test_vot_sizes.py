"""Image sizes of VOT: of the frames where they can be read, else of the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.datasets.check import check_dataset
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results.vot.store import VotStore

POLYGON = "1,1,4,2,3,6,0,5\n"


@pytest.fixture(scope="module")
def official(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Official folders of all 60 sequences without one frame, written from the JSON."""
    root = tmp_path_factory.mktemp("vot2018")
    for sequence in open_dataset("vot2018", shared / "data/vot2018/annotations"):
        folder = root / sequence.name
        folder.mkdir()
        regions = sequence.ground_truth
        if sequence.polygons is not None:
            regions = sequence.polygons.reshape(-1, 8)
        (folder / "groundtruth.txt").write_bytes(format_exact(regions))
        for name, flags in sequence.tags.items():
            (folder / f"{name}.tag").write_bytes(format_exact(flags[:, None].astype(float)))
    return root


@pytest.mark.parametrize(
    ("tracker", "eao", "accuracy"), [("SiamRPN", 0.383, 0.586), ("UPDT", 0.378, 0.536)]
)
def test_folders_without_frames_score_as_the_json(
    shared: Path, official: Path, tmp_path: Path, tracker: str, eao: float, accuracy: float
) -> None:
    (tmp_path / "vot2018").symlink_to(shared / "data/vot2018/results")
    store = VotStore(tmp_path, "vot2018", "baseline")
    folders = open_dataset("vot2018", official)
    single = open_dataset("vot2018", shared / "data/vot2018/annotations")
    assert [s.size for s in folders] == [s.size for s in single]
    found, expected = (
        next(iter(evaluate(dataset, store, [tracker], ["vot"]))).trackers[tracker]
        for dataset in (folders, single)
    )
    assert found.measures == expected.measures
    assert round(found.measures["eao"], 3) == eao
    assert round(found.measures["accuracy"], 3) == accuracy
    assert not any("bounds" in note for note in found.notes)


def test_tags_of_folders_are_those_of_the_json(shared: Path, official: Path) -> None:
    folders = open_dataset("vot2018", official)
    for sequence in open_dataset("vot2018", shared / "data/vot2018/annotations"):
        for name, flags in sequence.tags.items():
            np.testing.assert_array_equal(folders[sequence.name].tags[name], flags)


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0\x00"])
def test_unreadable_frames_leave_the_size_of_the_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bag/color").mkdir(parents=True)
    (tmp_path / "bag/color/00000001.jpg").write_bytes(content)
    (tmp_path / "bag/groundtruth.txt").write_text(POLYGON)
    assert open_dataset("vot2018", tmp_path)["bag"].size == (480, 360)


def test_the_frames_own_size_wins_and_is_a_finding(tmp_path: Path, write_images) -> None:
    write_images(tmp_path / "bag/color", [1], digits=8)
    (tmp_path / "bag/groundtruth.txt").write_text(POLYGON)
    assert open_dataset("vot2018", tmp_path)["bag"].size == (16, 12)
    problems = [f.problem for f in check_dataset("vot2018", tmp_path) if f.sequence == "bag"]
    assert any("frames of 16x12 pixels, expected 480x360" in problem for problem in problems)
