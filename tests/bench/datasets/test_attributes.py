"""Attributes of every benchmark against a second source, so that no column can be exchanged."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.arrays import FloatArray
from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.datasets.pysot_json import attributes_from_titles
from bench.sequence import Dataset

EXCHANGED = frozenset(
    [
        "Board",
        "ClifBar",
        "Coupon",
        "Dancer",
        "Dog",
        "Gym",
        "Human2",
        "Human4-2",
        "Human5",
        "Human7",
        "Skater",
        "Skater2",
        "Surfer",
        "Toy",
        "Trans",
        "Twinnings",
    ]
)
RARE_IN_JSON = {"LR", "FM", "MB", "SV", "BC", "OPR"}


def test_the_list_names_every_sequence_and_only_known_attributes() -> None:
    benchmark = get_benchmark("otb2015")
    flags = [flag for row in benchmark.table for flag in row.attributes or ()]
    assert set(flags) == set(benchmark.attributes)
    counts = Counter(flags)
    assert counts["IPR"] == 51
    assert counts["OCC"] == 49
    assert counts["DEF"] == 44
    assert counts["OV"] == 14


def test_the_json_of_pysot_differs_from_the_list_in_few_flags_only(shared: Path) -> None:
    videos = json.loads((shared / "data/otb2015/annotations/OTB100.json").read_bytes())
    differing = {}
    for name, video in videos.items():
        listed = get_benchmark("otb2015").rows[name].attributes
        theirs = attributes_from_titles(get_benchmark("otb2015"), video["attr"])
        assert listed is not None
        if listed != theirs:
            differing[name] = listed ^ theirs
    assert not set(differing) & EXCHANGED, "occlusion and rotation are as in the list"
    assert len(differing) == 14
    assert set().union(*differing.values()) <= RARE_IN_JSON


def test_the_flag_files_exchange_two_columns_in_16_sequences(shared: Path) -> None:
    folder = shared / "data/otb2015/annotations/anno/att"
    columns = tuple(get_benchmark("otb2015").attributes)
    exchanged = set()
    for name, entry in get_benchmark("otb2015").rows.items():
        path = next(p for s in (name, *entry.spellings) if (p := folder / f"{s}.txt").is_file())
        flags = path.read_text().replace(",", " ").split()
        theirs = {flag for flag, value in zip(columns, flags, strict=True) if value == "1"}
        if theirs ^ (get_benchmark("otb2015").rows[name].attributes or frozenset()) == {
            "OCC",
            "OPR",
        }:
            exchanged.add(name)
    assert exchanged == EXCHANGED


@pytest.mark.parametrize(
    ("case", "benchmark_counts"),
    [
        ("otb-att-swapped", {"BC": 2, "OPR": 2, "SV": 2}),
        ("otb-official-folder-no-attributes", {"BC": 3, "OPR": 3, "SV": 2, "DEF": 2, "FM": 2}),
    ],
)
def test_every_layout_has_the_list(shared: Path, case: str, benchmark_counts: dict[str, int]):
    dataset = open_dataset("otb2015", shared / "cases" / case / "data")
    counts = Counter(flag for sequence in dataset for flag in sequence.attributes)
    assert counts.items() >= benchmark_counts.items()
    assert dataset.without_attributes == ""


def test_a_dataset_without_attributes_says_so(shared: Path) -> None:
    dataset = open_dataset("folder", shared / "cases/folder-annotation-only/data")
    assert "none of the 2 sequences" in dataset.without_attributes


def _ratio(values: FloatArray) -> bool:
    ratio = values / values[0]
    return bool((ratio < 0.5).any() or (ratio > 2).any())


def _agreement(dataset: Dataset, smallest: float) -> dict[str, float]:
    """Fraction of sequences whose attribute follows from the boxes as its definition says."""
    same: Counter[str] = Counter()
    for sequence in dataset:
        boxes = sequence.ground_truth
        seen = np.isfinite(boxes).all(axis=1) & (np.nan_to_num(boxes[:, 2:]) > 0).all(axis=1)
        if sequence.absent is not None:
            seen &= ~sequence.absent
        w, h = boxes[seen, 2], boxes[seen, 3]
        found = {
            "SV": _ratio(w * h),
            "ARC": _ratio(w / h),
            "LR": bool((w * h < smallest).any()),
            "absent": not seen.all(),
        }
        flags = {name: name in sequence.attributes for name in ("SV", "ARC", "LR")}
        flags["absent"] = bool(sequence.attributes & {"FOC", "OV"})
        same.update(name for name in found if found[name] == flags[name])
    return {name: number / len(dataset) for name, number in same.items()}


def test_uav123_follows_from_the_boxes(shared: Path) -> None:
    dataset = open_dataset("uav123", shared / "data/uav123/annotations")
    agreement = _agreement(dataset, 400)
    assert agreement["SV"] == agreement["ARC"] == agreement["LR"] == 1
    for sequence in dataset:
        if np.isnan(sequence.ground_truth).any():
            assert sequence.attributes & {"FOC", "OV"}, sequence.name


def test_lasot_follows_from_the_boxes_and_the_absent_flags(shared: Path) -> None:
    """Its authors set flags by hand: nearly all agree, and exchanged columns would not."""
    dataset = open_dataset("lasot", shared / "data/lasot/annotations")
    agreement = _agreement(dataset, 1000)
    assert min(agreement.values()) > 0.96
    assert min(agreement["SV"], agreement["ARC"]) > 0.97
    assert all(sequence.attributes for sequence in dataset)
