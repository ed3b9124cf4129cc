"""The named mixtures: their contents, and errors for missing sets."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.errors import ConfigError, DatasetError
from trackers.siamattn.training.config import recipe, recipe_names
from trackers.siamattn.training.mixtures import (
    MIXTURES,
    Blend,
    mixture_names,
    open_mixture,
    open_pairs,
    skips_of,
)
from trackers.siamattn.training.readers import LAYOUTS, options_of

TABLE = json.loads(MIXTURES.read_text(encoding="utf-8"))


def uses(name: str) -> dict[str, tuple[int, int | None]]:
    rows = TABLE[name]["uses"]
    return {row.get("folder", row["layout"]): (row["frame_range"], row["uses"]) for row in rows}


def test_mixtures_have_the_released_numbers() -> None:
    paper = {
        "coco": (1, None),
        "youtube-vos": (100, 150_000),
        "lasot": (300, 200_000),
        "trackingnet": (100, 200_000),
    }
    assert uses("paper") == paper
    assert uses("released") == uses("released-crop511") == paper | {"got10k": (30, 150_000)}
    assert uses("table7-a").keys() == {"vid", "youtube-bb", "coco", "det", "youtube-vos"}


@pytest.mark.parametrize("name", mixture_names())
def test_every_mixture_can_be_opened_by_the_readers(name: str) -> None:
    for row in TABLE[name]["uses"]:
        assert row["layout"] in LAYOUTS
        assert set(row.get("options", {})) <= set(options_of(row["layout"]))


def test_every_recipe_names_a_mixture() -> None:
    known = {*mixture_names(), "generated"}
    assert {recipe(name).data.mixture for name in recipe_names()} <= known


def test_missing_sets_of_a_mixture_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'paper': 4 of its 4") as caught:
        open_mixture("paper", tmp_path, 0)
    for layout in ("coco", "youtube-vos", "lasot", "trackingnet"):
        assert str(tmp_path / layout) in str(caught.value)
    with pytest.raises(ConfigError, match=r"mixture.*'papier'.*mean 'paper'"):
        open_mixture("papier", tmp_path, 0)


def write_crops(root: Path, annotation: str, videos: int) -> None:
    """Write crops of two tracks per video, smaller than real ones."""
    box = [10, 20, 60, 70]
    tracks = {"00": {"000000": box, "000007": box}, "01": {"000000": box}}
    for video in map(str, range(videos)):
        for name in ("000000.00", "000007.00", "000000.01"):
            path = root / "crop511" / video / f"{name}.x.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), np.zeros((511, 511, 3), dtype=np.uint8))
    text = json.dumps({str(video): tracks for video in range(videos)})
    (root / annotation).write_text(text)


def test_a_mixture_of_folders_gives_pairs(tmp_path: Path) -> None:
    for folder in ("coco", "youtube-vos", "lasot", "trackingnet", "got10k"):
        write_crops(tmp_path / folder, "train2017.json" if folder == "coco" else "train.json", 3)
    mixture = open_mixture("released-crop511", tmp_path, 1, skipped=tmp_path / "skipped.jsonl")
    assert len(mixture) == 3 + 150_000 + 200_000 + 200_000 + 150_000
    names = [use.source.name for use in mixture.uses]
    assert names == ["coco", "youtube-vos", "lasot", "trackingnet", "got10k"]
    pairs = [mixture.pair(index) for index in range(20)]
    assert {pair.positive for pair in pairs} == {True, False}
    assert pairs[0].search.box == pytest.approx([223.75, 223.75, 63.5, 63.5])
    (tmp_path / "lasot" / "crop511" / "0" / "000000.01.x.jpg").unlink()
    for index in range(200):
        mixture.pair(index)
    (skip,) = mixture.skips()
    assert (skip.source, skip.count) == ("lasot", 1)
    assert "000000.01.x.jpg does not exist" in skip.first[0]


class Counted:
    """A source whose pairs are their numbers."""

    def pair(self, index: int) -> int:
        return index


@pytest.mark.parametrize("share", [0.0, 0.2, 1 / 3, 0.5, 1.0])
def test_a_blend_uses_each_pair_of_both_sources_in_turn(share: float) -> None:
    first, second = Counted(), Counted()
    blend = Blend(first, second, share)  # type: ignore[arg-type]
    drawn = [blend.pair(index) for index in range(100)]
    taken = [int(share * (n + 1)) - int(share * n) for n in range(100)]
    assert sum(taken) == int(100 * share)
    numbers = {
        kind: [p for p, t in zip(drawn, taken, strict=True) if t == kind] for kind in (0, 1)
    }
    assert all(found == list(range(len(found))) for found in numbers.values())
    assert skips_of(blend) == []


def test_a_mixture_from_a_file(tmp_path: Path) -> None:
    write_crops(tmp_path / "sets" / "mine", "train.json", 3)
    path = tmp_path / "own.toml"
    path.write_text(
        '[[uses]]\nlayout = "crop511"\nfolder = "mine"\nframe_range = 20\nuses = 40\n'
        '[[uses]]\nlayout = "crop511"\nfolder = "mine"\nframe_range = 5\noptions = {name = "b"}\n'
    )
    mixture = open_mixture(str(path), tmp_path / "sets", 1)
    assert [(use.source.name, use.frame_range, use.uses) for use in mixture.uses] == [
        ("crop511", 20, 40), ("b", 5, 3)
    ]  # fmt: skip
    own = recipe("paper", {"data.mixture": str(path)})
    assert len(open_pairs(own, tmp_path / "sets")) == 43  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "expected a list 'uses'"),
        ({"uses": [3]}, "row 1: expected the settings of a training set, found 3"),
        ({"uses": [{"layout": "coco"}]}, "row 1: expected frame_range of type int, found None"),
        ({"uses": [{"layout": "coco", "frame_range": True}]}, "type int, found True"),
        ({"uses": [{"layout": "coco", "frame_range": 1, "share": 2}]}, "'share'"),
    ],
)
def test_a_broken_mixture_is_named(content: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=message) as caught:
        open_mixture(str(path), tmp_path, 0)
    assert "own.json" in str(caught.value)


def test_a_changed_mixture_is_refused_by_its_run(tmp_path: Path) -> None:
    write_crops(tmp_path / "mine", "train.json", 3)
    path, folder = tmp_path / "own.json", tmp_path / "run"
    row = {"layout": "crop511", "folder": "mine", "frame_range": 20}
    own = recipe("paper", {"data.mixture": str(path)})
    path.write_text(json.dumps({"uses": [row]}))
    open_pairs(own, tmp_path, folder)
    open_pairs(own, tmp_path, folder)
    path.write_text(json.dumps({"uses": [{**row, "frame_range": 21}]}))
    with pytest.raises(ConfigError, match=r"own\.json: .*run/mixture\.json"):
        open_pairs(own, tmp_path, folder)
