"""LaSOT: flat and by category, absent flags, subsets, the toolkit's annotation."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError


def make(folder: Path, occluded: str = "0,1,0", outside: str = "0,0,1") -> None:
    """A sequence of three rows in the official layout."""
    folder.mkdir(parents=True)
    (folder / "groundtruth.txt").write_text("1,2,3,4\n0,0,0,0\n5,6,7,8\n")
    (folder / "full_occlusion.txt").write_text(occluded)
    (folder / "out_of_view.txt").write_text(outside)


@pytest.mark.parametrize("level", ["", "LaSOTBenchmark"])
@pytest.mark.parametrize("by_category", [True, False])
def test_layouts(tmp_path: Path, write_images, number_of, level: str, by_category: bool):
    base = tmp_path / level
    for name in ("airplane-1", "airplane-2", "zebra-10"):
        folder = base / name.rpartition("-")[0] / name if by_category else base / name
        make(folder)
        write_images(folder / "img", [1, 2, 3], digits=8)
    dataset = open_dataset("lasot", tmp_path)
    assert [s.name for s in dataset] == ["airplane-1", "zebra-10"], "airplane-2 is training"
    assert dataset.expected == 280
    plane = dataset["airplane-1"]
    assert plane.absent is not None
    assert plane.absent.tolist() == [False, True, True]
    assert plane.index_base == 1
    assert plane.frames is not None
    assert [number_of(frame) for frame in plane.frames] == [1, 2, 3]
    everything = open_dataset("lasot", tmp_path, subset="all")
    assert len(everything) == 3
    assert everything.expected == 1400
    training = open_dataset("lasot", tmp_path, subset="train")
    assert [s.name for s in training] == ["airplane-2"]
    assert training.expected == 1120


def test_attributes_beside_the_sequences(tmp_path: Path):
    make(tmp_path / "airplane" / "airplane-1")
    (tmp_path / "att").mkdir()
    (tmp_path / "att" / "airplane-1.txt").write_text("1,0,0,0,0,0,0,0,0,0,0,0,0,1\n")
    assert open_dataset("lasot", tmp_path)["airplane-1"].attributes == {"IV", "ARC"}


@pytest.mark.parametrize(
    ("occluded", "message"),
    [("0,1", "full_occlusion.txt: expected 3 flags .*found 2"), ("0,1,x", "found b'x'")],
)
def test_malformed_flags(tmp_path: Path, occluded: str, message: str):
    make(tmp_path / "airplane-1", occluded)
    with pytest.raises(DatasetError, match=message):
        open_dataset("lasot", tmp_path)


def test_missing_flags_are_no_silent_zero(tmp_path: Path):
    make(tmp_path / "airplane-1")
    (tmp_path / "airplane-1" / "out_of_view.txt").unlink()
    with pytest.raises(DatasetError, match=r"out_of_view\.txt: cannot be read"):
        open_dataset("lasot", tmp_path)


def test_unknown_subset(tmp_path: Path):
    with pytest.raises(ConfigError, match="Did you mean 'test'"):
        open_dataset("lasot", tmp_path, subset="tests")


def test_real_toolkit_annotation_is_whole(shared: Path):
    started = time.process_time()
    dataset = open_dataset("lasot", shared / "data/lasot/annotations")
    assert time.process_time() - started < 2, "annotation of 280 sequences opens quickly"
    assert len(dataset) == 280
    assert not dataset.caveats
    assert sum(len(s) for s in dataset) == 685360
    absent = [s.absent for s in dataset]
    assert all(a is not None and len(a) == len(s) for a, s in zip(absent, dataset, strict=True))
    assert not any(a is None or a[0] for a in absent), "frame 1 is never absent"
    assert all(s.attributes for s in dataset)


def test_real_attributes_mean_what_the_table_says(shared: Path):
    """Scale variation can be recomputed from the boxes (LaSOT paper: ratio outside [0.5, 2])."""
    dataset = open_dataset("lasot", shared / "data/lasot/annotations")
    agree = 0
    for sequence in dataset:
        area = sequence.ground_truth[:, 2] * sequence.ground_truth[:, 3]
        ratio = area[area > 0] / area[0]
        agree += ((ratio > 2) | (ratio < 0.5)).any() == ("SV" in sequence.attributes)
    assert agree >= 270
    full = [s for s in dataset if s.absent is not None and s.absent.any()]
    assert np.mean([bool(s.attributes & {"FOC", "OV"}) for s in full]) > 0.9
