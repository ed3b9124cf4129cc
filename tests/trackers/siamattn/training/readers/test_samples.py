"""Batches from files: sets with and without masks, boxes that leave the image."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch

from trackers.siamattn.config import preset
from trackers.siamattn.training.config import recipe
from trackers.siamattn.training.data import Samples, collate
from trackers.siamattn.training.mixture import Mixture
from trackers.siamattn.training.readers import open_source
from trackers.siamattn.training.sources import Use

Paint = Callable[..., None]


def write_sets(root: Path, paint: Paint) -> None:
    """A video whose target leaves the image, and an image with two objects."""
    video = root / "got10k" / "train" / "GOT-10k_Train_000001"
    for number in range(1, 4):
        paint(video / f"{number:08d}.jpg")
    (video / "groundtruth.txt").write_text("4,5,20,10\n-15,5,20,10\n4,5,200,100\n")
    (video / "absence.label").write_text("0\n0\n0\n")
    paint(root / "coco" / "train2017" / "7.jpg")
    image = {"id": 7, "file_name": "7.jpg", "width": 64, "height": 48}
    rows = [
        {"id": n, "image_id": 7, "category_id": 1, "bbox": [x, 8, 20, 12], "segmentation": shape}
        for n, x, shape in (
            (1, 10, [[10, 8, 30, 8, 30, 20, 10, 20]]),
            (2, 30, {"size": [48, 64], "counts": [48 * 64]}),
        )
    ]
    path = root / "coco" / "annotations" / "instances_train2017.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"images": [image], "annotations": rows, "categories": []}))


def test_pairs_of_files_become_batches(tmp_path: Path, paint: Paint) -> None:
    write_sets(tmp_path, paint)
    uses = [
        Use(open_source("coco", tmp_path / "coco"), 1, 6),
        Use(open_source("got10k", tmp_path / "got10k"), 30, 6),
    ]
    chosen = recipe("nano")
    samples = Samples(Mixture(uses, 0), chosen, preset(chosen.preset))
    batch = collate([samples[index] for index in range(24)])
    again = collate([samples[index] for index in range(24)])
    for name, first in vars(batch).items():
        assert torch.equal(first, getattr(again, name)), name
        assert first.isfinite().all(), name
    positive, masked = batch.positive, batch.masked
    assert positive.any()
    assert not positive.all()
    assert masked.any()  # of COCO's first object; its second has an empty mask
    assert not (masked & ~positive).any()
