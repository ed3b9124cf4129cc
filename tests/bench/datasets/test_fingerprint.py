"""Hashes that tell whether two copies of a dataset are the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.datasets.fingerprint import annotation_hash, fingerprint, sequence_hash
from bench.sequence import Sequence


def test_the_hash_is_of_three_decimals() -> None:
    boxes = np.array([[1.0, 2.0, 3.0, 4.0], [np.nan] * 4])
    same = Sequence("s", boxes + 1e-5)
    assert sequence_hash(same) == sequence_hash(Sequence("s", boxes))
    assert sequence_hash(Sequence("s", boxes + 1e-2)) != sequence_hash(same)
    assert sequence_hash(Sequence("s", boxes[:1])) != sequence_hash(same)


def test_published_annotation_is_known_in_both_forms(shared: Path) -> None:
    """Tiger1 has 354 rows in the official files, 349 in the JSON of PySOT's users."""
    folder = shared / "data" / "otb2015" / "annotations"
    official = open_dataset("otb2015", folder / "anno")
    found = fingerprint(official)
    assert (found.known, found.other, found.frames) == (100, (), None)
    copied = open_dataset("otb2015", folder / "OTB100.json")
    assert fingerprint(copied).other == ("Tiger1",)
    assert annotation_hash(copied) != annotation_hash(official)


def test_frames_are_sampled_or_all(shared: Path) -> None:
    dataset = open_dataset("vot2018", shared / "data" / "vot2018" / "sequences")
    few, every = fingerprint(dataset), fingerprint(dataset, deep=True)
    assert (few.images, every.images) == (3, 196)
    assert few.frames != every.frames
    assert few.annotation == every.annotation
    assert (few.known, few.other) == (1, ())


@pytest.mark.parametrize("name", ["uav123", "vot2016", "lasot"])
def test_every_published_sequence_is_known(shared: Path, name: str) -> None:
    dataset = open_dataset(name, shared / "data" / name / "annotations")
    found = fingerprint(dataset)
    assert found.known == len(dataset)
    assert found.other == ()


def test_the_miniature_is_not_held_against_the_benchmark(shared: Path) -> None:
    dataset = open_dataset("vot2018", shared / "data" / "vot2018" / "sequences")
    stand_in = dataclasses.replace(dataset, miniature=True)
    assert fingerprint(stand_in).known == 0
