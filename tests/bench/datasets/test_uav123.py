"""UAV123: shared folders, NaN rows, attributes; small folders and the real annotation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.errors import DatasetError


def test_official_folders_with_a_shared_folder(tmp_path: Path, write_images, number_of):
    """group1_2 starts at image 1333 of folder group1; car1_2 and car11 are distinct."""
    write_images(tmp_path / "data_seq/UAV123/group1", range(1332, 1340), digits=6)
    write_images(tmp_path / "data_seq/UAV123/car1", [751, 752], digits=6)
    anno = tmp_path / "anno/UAV123"
    (anno / "att").mkdir(parents=True)
    (anno / "group1_2.txt").write_text("1,2,3,4\nNaN,NaN,NaN,NaN\n5,6,7,8\n")
    (anno / "car1_2.txt").write_text("1,2,3,4\n")
    (anno / "car11.txt").write_text("9,9,9,9\n")
    (anno / "att/group1_2.txt").write_text("0,0,0,0,1,0,0,0,0,0,0,1\n")
    dataset = open_dataset("uav123", tmp_path)
    assert [s.name for s in dataset] == ["car1_2", "car11", "group1_2"]
    group = dataset["group1_2"]
    assert np.isnan(group.ground_truth[1]).all()
    np.testing.assert_array_equal(group.ground_truth[2], [5, 6, 7, 8])
    assert group.attributes == {"FOC", "SOB"}
    assert group.frames is not None
    assert [number_of(f) for f in group.frames] == [n * 10 % 250 // 10 for n in (1333, 1334, 1335)]
    assert len(dataset["car1_2"].frames or ()) == 1
    assert dataset["car11"].frames is None


@pytest.mark.parametrize("inner", ["", "anno"])
def test_real_annotation_alone(shared: Path, inner: str):
    dataset = open_dataset("uav123", shared / "data/uav123/annotations" / inner)
    assert len(dataset) == 123
    assert not dataset.partial
    truth = np.concatenate([s.ground_truth for s in dataset])
    assert len(truth) == 112578
    assert np.isnan(truth).any(axis=1).sum() == 2683
    assert all(s.index_base == 1 for s in dataset)
    assert {s.name for s in dataset} >= {"car1_1", "car11", "car1_s"}
    assert len(dataset["car1_1"]) != len(dataset["car11"])


def test_real_attributes_are_those_of_the_benchmark_s_own_scores(shared: Path):
    dataset = open_dataset("uav123", shared / "data/uav123/annotations")
    scores = shared / "data/uav123/results/SRDCF/scores"
    for path in scores.glob("*.json"):
        flag = path.stem.strip()
        if flag not in ("ALL", "LR"):  # the scores list no sequence under LR
            listed = set(json.loads(path.read_text())["seqs"])
            assert {s.name for s in dataset if flag in s.attributes} == listed


def test_real_ranges_agree_with_a_second_source(shared: Path):
    ranges = json.loads((shared / "data/uav123/annotations/uav123_ranges.json").read_text())
    for sequence in open_dataset("uav123", shared / "data/uav123/annotations"):
        other = ranges["UAV123"][sequence.name]
        assert sequence.first_frame == other["start_frame"]
        assert len(sequence) == other["end_frame"] - other["start_frame"] + 1


def test_missing_dataset(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"looked in: .*anno/UAV123.*UAV123\.json"):
        open_dataset("uav123", tmp_path)
