"""Pairs that one core reads, crops, augments and labels in a second, for each training set.

    python scripts/speed_readers.py FOLDER [--recipe paper] [--pairs 400] [--sets coco,lasot]

Writes every set in its official layout to FOLDER, once: noise of natural smoothness in pictures
of the sets' usual sizes. Folders have as many images as real ones; they are links to a few files,
so they come from memory, not from a disk.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.benchmarks import get_benchmark
from bench.processes import few_threads
from trackers.siamattn.config import preset
from trackers.siamattn.training.config import Recipe, recipe
from trackers.siamattn.training.data import Samples
from trackers.siamattn.training.mixture import Mixture
from trackers.siamattn.training.mixtures import open_pairs

PICTURES, QUALITY = 8, 90
_OCTAVES = ((4, 60), (16, 40), (64, 20), (256, 10))  # (cells across, grey levels)


class Album:
    """A few JPEG files of one size, of which any number of frames are links."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self.size = (width, height)
        self.paths = [folder / f"{width}x{height}-{number}.jpg" for number in range(PICTURES)]
        folder.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(self.paths):
            if not path.exists():
                options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
                cv2.imwrite(str(path), _picture(width, height, number), options)

    def link(self, path: Path, number: int) -> None:
        """Give frame ``number`` the name ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(self.paths[number % PICTURES], path)


def _picture(width: int, height: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 120, np.float32)
    for cells, levels in _OCTAVES:
        grid = rng.normal(0, levels, (max(2, cells * height // width), cells, 3))
        image += cv2.resize(
            grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(image + rng.normal(0, 3, (height, width, 1)), 0, 255).astype(np.uint8)


def _boxes(count: int, size: tuple[int, int], seed: int) -> np.ndarray:
    """Boxes inside the frame ``(count, 4)``: x, y, width, height."""
    rng = np.random.default_rng(seed)
    sides = rng.uniform(0.08, 0.4, (count, 2)) * size
    return np.hstack([rng.uniform(0, 1, (count, 2)) * (size - sides), sides]).round(2)


def _text(path: Path, rows: np.ndarray, separator: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(separator.join(",".join(f"{v:g}" for v in np.atleast_1d(r)) for r in rows))


def write_coco(root: Path, album: Album, images: int = 2000) -> None:
    """Seven objects an image, each with a polygon of 40 corners, as COCO has on average."""
    rows = []
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) / 2 + 0.5
    for number in range(images):
        album.link(root / "train2017" / f"{number:012d}.jpg", number)
        for place, box in enumerate(_boxes(7, album.size, number)):
            outline = (box[:2] + ring * box[2:]).round(2).ravel().tolist()
            rows.append({
                "segmentation": [outline], "area": float(box[2] * box[3]), "iscrowd": 0,
                "image_id": number, "bbox": box.tolist(), "category_id": 1,
                "id": number * 7 + place,
            })  # fmt: skip
    width, height = album.size
    shown = [
        {"file_name": f"{n:012d}.jpg", "height": height, "width": width, "id": n}
        for n in range(images)
    ]
    path = root / "annotations" / "instances_train2017.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"images": shown, "annotations": rows, "categories": []}))


def write_youtube_vos(root: Path, album: Album, videos: int = 12) -> None:
    """Two objects in every fifth frame."""
    width, height = album.size
    meta = {}
    for video in range(videos):
        frames = [f"{number:05d}" for number in range(0, 150, 5)]
        for place, frame in enumerate(frames):
            album.link(root / "train" / "JPEGImages" / f"v{video}" / f"{frame}.jpg", place)
            labels = np.zeros((height, width), np.uint8)
            for key, (x, y, w, h) in enumerate(_boxes(2, album.size, video * 100 + place), 1):
                centre, axes = (int(x + w / 2), int(y + h / 2)), (int(w / 2), int(h / 2))
                cv2.ellipse(labels, centre, axes, 0, 0, 360, key, -1)
            image = Image.fromarray(labels, mode="P")
            image.putpalette([0, 0, 0, 236, 95, 103, 249, 145, 87])
            path = root / "train" / "Annotations" / f"v{video}" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
        objects = {str(key): {"category": "x", "frames": frames} for key in (1, 2)}
        meta[f"v{video}"] = {"objects": objects}
    (root / "train" / "meta.json").write_text(json.dumps({"videos": meta}))


def write_lasot(root: Path, album: Album, frames: int = 2500, real: int = 3) -> None:
    """All 1120 training videos, most of them links to the first ones."""
    names = get_benchmark("lasot").listed("train")
    folders = [root / name.rpartition("-")[0] / name for name in names]
    for folder in folders[real:]:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(os.path.relpath(folders[0], folder.parent))
    for place, folder in enumerate(folders[:real]):
        for number in range(frames):
            album.link(folder / "img" / f"{number + 1:08d}.jpg", number)
        _text(folder / "groundtruth.txt", _boxes(frames, album.size, place).round())
        for flags in ("full_occlusion.txt", "out_of_view.txt"):
            _text(folder / flags, np.zeros(frames), ",")


def write_trackingnet(root: Path, album: Album, frames: int = 470) -> None:
    """Two videos in each part."""
    for video in range(24):
        part, name = root / f"TRAIN_{video % 12}", f"abcdefghijk_{video}"
        for number in range(frames):
            album.link(part / "frames" / name / f"{number}.jpg", number)
        _text(part / "anno" / f"{name}.txt", _boxes(frames, album.size, video))


def write_got10k(root: Path, album: Album, frames: int = 150, videos: int = 12) -> None:
    """Videos with the labels of absence and cover."""
    names = [f"GOT-10k_Train_{video + 1:06d}" for video in range(videos)]
    for video, name in enumerate(names):
        folder = root / "train" / name
        for number in range(frames):
            album.link(folder / f"{number + 1:08d}.jpg", number)
        _text(folder / "groundtruth.txt", _boxes(frames, album.size, video))
        _text(folder / "absence.label", np.zeros(frames))
        _text(folder / "cover.label", np.full(frames, 8))
    (root / "train" / "list.txt").write_text("\n".join(names))


def _xml(path: Path, box: np.ndarray, size: tuple[int, int]) -> None:
    x, y, w, h = box.round().astype(int).tolist()
    corners = f"<xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + w}</xmax><ymax>{y + h}</ymax>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>"
        f"<object><trackid>0</trackid><bndbox>{corners}</bndbox></object></annotation>"
    )


def write_vid(root: Path, album: Album, frames: int = 280, videos: int = 12) -> None:
    """One track a video."""
    for video in range(videos):
        group = Path("VID/train/ILSVRC2015_VID_train_0000") / f"v{video}"
        for number, box in enumerate(_boxes(frames, album.size, video)):
            album.link(root / "Data" / group / f"{number:06d}.JPEG", number)
            _xml(root / "Annotations" / group / f"{number:06d}.xml", box, album.size)


def write_det(root: Path, album: Album, images: int = 500) -> None:
    """One object an image."""
    for number, box in enumerate(_boxes(images, album.size, 0)):
        group = Path("DET/train") / f"n{number:05d}"
        album.link(root / "Data" / f"{group}.JPEG", number)
        _xml(root / "Annotations" / f"{group}.xml", box, album.size)


def write_youtube_bb(root: Path, album: Album, videos: int = 200, seconds: int = 15) -> None:
    """One object a video, seen once a second."""
    lines = []
    for video in range(videos):
        for second, (x, y, w, h) in enumerate(_boxes(seconds, (1, 1), video)):
            name = f"{video:011d}_{second * 1000}_0_0.jpg"
            album.link(root / "yt_bb_detection_train" / "0" / name, second)
            edges = f"{x:.3f},{x + w:.3f},{y:.3f},{y + h:.3f}"
            lines.append(f"{video:011d},{second * 1000},0,person,0,present,{edges}")
    (root / "yt_bb_detection_train.csv").write_text("\n".join(lines) + "\n")


SETS: dict[str, tuple[Callable[[Path, Album], None], tuple[int, int]]] = {
    "coco": (write_coco, (640, 480)),
    "youtube-vos": (write_youtube_vos, (1280, 720)),
    "lasot": (write_lasot, (1280, 720)),
    "trackingnet": (write_trackingnet, (1280, 720)),
    "got10k": (write_got10k, (1920, 1080)),
    "vid": (write_vid, (1280, 720)),
    "det": (write_det, (500, 375)),
    "youtube-bb": (write_youtube_bb, (640, 360)),
}


def write_sets(root: Path, names: set[str]) -> None:
    """Write the sets that are not there yet."""
    for name, (write, size) in SETS.items():
        if name in names and not (root / name).exists():
            partial = root / f".{name}"
            write(partial, Album(root / "album", *size))
            partial.rename(root / name)


def rate(pairs: Mixture, chosen: Recipe, count: int) -> float:
    """Samples made in a second of this process's time, after a few to warm up."""
    samples = Samples(pairs, chosen, preset(chosen.preset))
    for index in range(20):
        samples[index]
    begun = time.process_time()
    for index in range(20, 20 + count):
        samples[index]
    return count / (time.process_time() - begun)


def main() -> None:
    """Write the sets and time them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", default="paper")
    parser.add_argument("--pairs", type=int, default=400)
    given = parser.parse_args()
    chosen = recipe(given.recipe)
    write_sets(given.folder, set(SETS))
    with few_threads():
        mixture = open_pairs(chosen, given.folder, given.folder / "run")
        assert isinstance(mixture, Mixture)
        for use in mixture.uses:
            alone = Mixture([replace(use, uses=None)], 0, mixture.negatives)
            print(f"{use.source.name:12} {rate(alone, chosen, given.pairs):6.1f} pairs/s")
        found = rate(mixture, chosen, given.pairs)
    print(f"{chosen.data.mixture:12} {found:6.1f} pairs/s on one core")
    for skips in mixture.skips():
        print(skips)


if __name__ == "__main__":
    main()
