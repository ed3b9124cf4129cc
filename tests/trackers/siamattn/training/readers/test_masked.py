"""COCO and YouTube-VOS: boxes and masks of single objects, and files that are broken."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DatasetError
from trackers.siamattn.training.readers import elements, open_source

Paint = Callable[..., None]


def annotation(number: int, box: list[float], **changes: Any) -> dict[str, Any]:
    x, y, w, h = box
    outline = [x, y, x + w, y, x + w, y + h, x, y + h]
    row = {"id": number, "image_id": 7, "category_id": 1, "bbox": box, "iscrowd": 0}
    return row | {"area": w * h, "segmentation": [outline]} | changes


def write_coco(root: Path, rows: list[dict[str, Any]], paint: Paint) -> Path:
    paint(root / "train2017" / "000000000007.jpg", 120)
    path = root / "annotations" / "instances_train2017.json"
    path.parent.mkdir(exist_ok=True)
    image = {"id": 7, "file_name": "000000000007.jpg", "width": 64, "height": 48}
    path.write_text(json.dumps({"images": [image], "annotations": rows, "categories": []}))
    return path


def test_coco_objects_are_targets_of_one_frame(
    tmp_path: Path, paint: Paint, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        annotation(1, [10, 8, 20, 12]),
        annotation(2, [30, 20, 0, 5]),
        annotation(3, [0, 0, 60, 40], iscrowd=1),
        annotation(4, [50.5, 30.5, 30, 30]),
    ]
    write_coco(tmp_path, rows, paint)
    source = open_source("coco", tmp_path)
    assert (len(source), source.videos, source.has_masks) == (2, 1, True)
    target = source.target(0)
    assert target.name == "coco/000000000007/1"
    assert target.boxes.tolist() == [[10, 8, 20, 12]]
    assert target.numbers.tolist() == [0]
    assert target.image(0).shape == (48, 64, 3)
    mask = target.mask(0)
    assert mask is not None
    assert mask.dtype == bool
    assert mask.sum() == 20 * 12
    assert mask[8:20, 10:30].all()
    assert source.target(1).name == "coco/000000000007/4"
    assert source.target(1).boxes.tolist() == [[50.5, 30.5, 30, 30]]
    assert capsys.readouterr().out == ""


def test_an_index_of_coco_is_not_read_into_memory(tmp_path: Path, paint: Paint) -> None:
    """It is mapped, stays correct in a worker's copy, and follows the annotation."""
    path = write_coco(tmp_path, [annotation(1, [10, 8, 20, 12])], paint)
    store = tmp_path / "run" / "coco.npz"
    open_source("coco", tmp_path, index=store)
    written = store.stat().st_mtime_ns
    source = open_source("coco", tmp_path, index=store)
    assert store.stat().st_mtime_ns == written
    table = source.load.args[0]  # type: ignore[attr-defined]
    assert all(isinstance(column, np.memmap) for column in vars(table).values())
    copy = pickle.loads(pickle.dumps(source)).target(0)
    mask = copy.mask(0)
    assert mask is not None
    assert mask.sum() == 20 * 12
    path.write_text(path.read_text().replace("20", "21").replace("é", "è"))
    store.write_bytes(store.read_bytes()[:-300])  # as if the disk had been full
    again = open_source("coco", tmp_path, index=store).target(0)
    assert again.boxes.tolist() == [[10, 8, 21, 12]]


@pytest.mark.parametrize("indent", [None, 1])
def test_elements_of_a_file_and_their_places(
    tmp_path: Path, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the order, the spacing and the part of the file that is held."""
    monkeypatch.setattr(elements, "_CHUNK", 3)
    whole = {"info": {"a": [1]}, "year": 2017, "images": [{"id": 1, "n": "café ]}"}, 12, "x"],
             "none": [], "last": [[1, 2], {}]}  # fmt: skip
    path = tmp_path / "whole.json"
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
    data, found = path.read_bytes(), {}
    for name, element, first, length in elements.Elements(path):
        assert json.loads(data[first : first + length]) == whole[name][len(found.get(name, []))]
        found.setdefault(name, []).append(element)
    assert list(found) == ["images", "last"]
    assert elements.text(found["images"][0]["n"]) == "café ]}"
    for text in (data[:-3], b"[]", b'{"a": [1 2]}', b'{"a" 3}'):
        path.write_bytes(text)
        with pytest.raises(ValueError, match="xpect"):
            list(elements.Elements(path))


def test_coco_masks_as_run_lengths_and_empty_ones(tmp_path: Path, paint: Paint) -> None:
    counts = {"size": [48, 64], "counts": [2 * 48, 3 * 48, 59 * 48]}
    empty = {"size": [48, 64], "counts": [48 * 64]}
    rows = [
        annotation(1, [2, 0, 3, 48], segmentation=counts),
        annotation(2, [2, 0, 3, 48], segmentation=empty),
        annotation(3, [2, 0, 3, 48], segmentation="?"),
    ]
    write_coco(tmp_path, rows, paint)
    source = open_source("coco", tmp_path)
    full, nothing = source.target(0).mask(0), source.target(1).mask(0)
    assert full is not None
    assert np.flatnonzero(full.all(axis=0)).tolist() == [2, 3, 4]
    assert nothing is not None
    assert nothing.shape == (48, 64)
    assert not nothing.any()
    with pytest.raises(DatasetError, match=r"2017\.json: the annotation at byte \d+ has no mask"):
        source.target(2).mask(0)


def test_broken_coco_is_named(tmp_path: Path, paint: Paint) -> None:
    outside = [annotation(1, [200, 8, 20, 12]), annotation(2, [1, 1, 5, 5], image_id=8)]
    path = write_coco(tmp_path, outside, paint)
    source = open_source("coco", tmp_path)
    with pytest.raises(DatasetError, match="coco/000000000007/1: expected a frame"):
        source.target(0)
    with pytest.raises(DatasetError, match="coco/2: its image is not among"):
        source.target(1)
    write_coco(tmp_path, [{"id": 5, "image_id": 7, "category_id": 1}], paint)
    with pytest.raises(DatasetError, match="annotation 5 lacks"):
        open_source("coco", tmp_path)
    write_coco(tmp_path, [], paint)
    with pytest.raises(DatasetError, match="no annotations"):
        open_source("coco", tmp_path)
    for text in ("{", "[1, 2]", '{"annotations": [3]}'):
        path.write_text(text)
        with pytest.raises(DatasetError, match=r"instances_train2017.json: expected the JSON"):
            open_source("coco", tmp_path)
    with pytest.raises(DatasetError, match=r"annotations/instances_val2017.json"):
        open_source("coco", tmp_path, split="val2017")


@pytest.fixture
def vos(tmp_path: Path, paint: Paint, paint_labels: Paint) -> Path:
    folder = tmp_path / "train"
    boxes = {
        "00000": {"object1": (5, 6, 10, 8)},
        "00005": {"object1": (7, 6, 10, 8), "object2": (30, 20, 4, 9)},
        "00010": {"object2": (31, 20, 4, 9)},
    }
    for frame, found in boxes.items():
        paint(folder / "JPEGImages" / "0a1b" / f"{frame}.jpg", 10 + int(frame))
        paint_labels(folder / "Annotations" / "0a1b" / f"{frame}.png", **found)
    objects = {
        "1": {"category": "dog", "frames": ["00000", "00005", "00010"]},
        "2": {"category": "cat", "frames": ["00010", "00005"]},
    }
    (folder / "meta.json").write_text(json.dumps({"videos": {"0a1b": {"objects": objects}}}))
    return tmp_path


def test_youtube_vos_boxes_enclose_the_masks(vos: Path) -> None:
    source = open_source("youtube-vos", vos)
    assert (len(source), source.videos, source.has_masks) == (2, 1, True)
    first, second = source.target(0), source.target(1)
    assert first.name == "youtube-vos/0a1b/1"
    assert first.numbers.tolist() == [0, 5]  # in frame 10 its mask is empty
    assert first.boxes.tolist() == [[5, 6, 10, 8], [7, 6, 10, 8]]
    assert second.boxes.tolist() == [[30, 20, 4, 9], [31, 20, 4, 9]]
    mask = second.mask(0)
    assert mask is not None
    assert mask.sum() == 36
    assert mask[20:29, 30:34].all()
    assert abs(int(second.image(1)[0, 0, 0]) - 20) <= 1


def test_an_index_is_reused_only_for_its_own_folder(vos: Path, tmp_path: Path) -> None:
    store = tmp_path / "kept" / "youtube-vos.npz"
    boxes = open_source("youtube-vos", vos, index=store).target(0).boxes
    image = vos / "train" / "Annotations" / "0a1b" / "00000.png"
    image.rename(image.with_suffix(".gone"))
    assert open_source("youtube-vos", vos, index=store).target(0).boxes.tolist() == boxes.tolist()
    moved = vos / "elsewhere"
    moved.mkdir()
    (vos / "train").rename(moved / "train")
    assert len(open_source("youtube-vos", moved, index=store).target(0).boxes) == 1
    store.write_bytes(b"PK no archive")
    assert len(open_source("youtube-vos", moved, index=store).target(0).boxes) == 1


def test_broken_youtube_vos_is_named(vos: Path, paint: Paint) -> None:
    masks = vos / "train" / "Annotations" / "0a1b"
    (masks / "00000.png").write_bytes(b"\x89PNG no image")
    paint(masks / "00005.png", 1)  # colours where indices should be
    source = open_source("youtube-vos", vos)
    assert len(source) == 3
    assert source.target(0).numbers.tolist() == [10]
    with pytest.raises(DatasetError, match=r"00000.png: .*cannot be read"):
        source.target(1)
    with pytest.raises(DatasetError, match=r"00005.png: .*found one of mode RGB"):
        source.target(2)
    meta = vos / "train" / "meta.json"
    for text in ("{", "[]", '{"videos": {"0a1b": {}}}', '{"videos": 3}'):
        meta.write_text(text)
        with pytest.raises(DatasetError, match=r"meta.json: expected"):
            open_source("youtube-vos", vos)
    meta.unlink()
    with pytest.raises(DatasetError, match=r"train/meta.json"):
        open_source("youtube-vos", vos)
