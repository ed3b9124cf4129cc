"""Time the reading of frames, in CPU milliseconds a frame, and what reading ahead gains: no test.

Frames are generated JPEG files. Every way of reading them gives an RGB array, all in one process
and in turns: ours; pytracking's (``imread``, then ``cvtColor``); got10k's (Pillow, then an
array); and a copy with reversed channels, as many loaders do. Reading ahead is timed on the wall
clock, for a tracker that waits a while for each frame, as for a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import cv2
import numpy as np
from PIL import Image as Pillow

from bench.images import ImageFiles, read_image
from bench.protocols.onepass import one_pass_steps
from bench.protocols.reading import AHEAD
from bench.protocols.steps import drive
from bench.sequence import Sequence as Film
from bench.tracker import Prediction

SIZES = {"480x360": (480, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
TEXTURE, NOISE = 24, 3  # pixels of a patch, grey levels
Read: TypeAlias = Callable[[Path], np.ndarray]


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path}: cannot be read")
    return image


def _opencv(path: Path) -> np.ndarray:
    return cv2.cvtColor(_read(path), cv2.COLOR_BGR2RGB)


def _reversed(path: Path) -> np.ndarray:
    return np.array(_read(path)[:, :, ::-1])


def _pillow(path: Path) -> np.ndarray:
    image = Pillow.open(path)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


WAYS: dict[str, Read] = {
    "ours": read_image,
    "pytracking's": _opencv,
    "got10k's": _pillow,
    "reversed copy": _reversed,
}


def write_frames(folder: Path, size: tuple[int, int], count: int) -> list[Path]:
    """JPEG files of a smooth, moving texture with some noise, of quality 90.

    They hold 0.19 bytes a pixel. Six real sequences, five of OTB-2015 and VOT2018's bag, hold 0.09
    to 0.29, with a median of 0.18.
    """
    generator = np.random.default_rng(0)
    width, height = size
    coarse = generator.integers(0, 256, (height // TEXTURE + 9, width // TEXTURE + 9, 3), np.uint8)
    texture = cv2.resize(coarse, None, fx=TEXTURE, fy=TEXTURE, interpolation=cv2.INTER_CUBIC)
    paths = []
    for number in range(count):
        image = texture[number : number + height, number : number + width].astype(np.int16)
        image = np.clip(image + generator.integers(-NOISE, NOISE + 1, image.shape), 0, 255)
        paths.append(folder / f"{number + 1:04d}.jpg")
        cv2.imwrite(str(paths[-1]), image.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return paths


def cpu_milliseconds(read: Read, paths: Sequence[Path]) -> float:
    """CPU time of this process for a frame."""
    before = time.process_time()
    for path in paths:
        read(path)
    return 1e3 * (time.process_time() - before) / len(paths)


class Waiting:
    """A tracker that needs some seconds a frame, in which it computes nothing here."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.region = region

    def update(self, image: np.ndarray) -> Prediction:
        time.sleep(self.seconds)
        return Prediction(self.region)


def along(paths: Sequence[Path], seconds: float, ahead: int) -> tuple[float, float]:
    """Wall-clock milliseconds a frame of a whole run, and those the tracker is said to need."""
    film = Film("film", np.tile([9.0, 9.0, 40.0, 40.0], (len(paths), 1)), ImageFiles(tuple(paths)))
    started = time.perf_counter()
    found = drive(Waiting(seconds), one_pass_steps(film, ahead=ahead))
    spent = time.perf_counter() - started
    return 1e3 * spent / len(paths), 1e3 * float(np.mean(found.times[1:]))


def measure(size: tuple[int, int], frames: int, rounds: int, wait: float) -> dict[str, float]:
    """Milliseconds a frame: CPU time of each way of reading, the median of rounds, and of runs."""
    with TemporaryDirectory(prefix="frames-") as folder:
        paths = write_frames(Path(folder), size, frames)
        expected = _opencv(paths[0])
        if not all(np.array_equal(WAYS[each](paths[0]), expected) for each in WAYS):
            raise SystemExit("the ways of reading do not give the same pixels")
        spent: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, read in WAYS.items():
                spent[way].append(cpu_milliseconds(read, paths))
        found = {way: statistics.median(each) for way, each in spent.items()}
        for label, ahead in (("on demand", 0), ("ahead", AHEAD)):
            runs = [along(paths, wait, ahead) for _ in range(rounds)]
            found[label] = statistics.median(whole for whole, _ in runs)
            found[f"tracker, {label}"] = statistics.median(own for _, own in runs)
        return found


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--wait", type=float, default=0.005, help="seconds a tracker needs")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    print("generated frames; ms a frame")
    for name, size in SIZES.items():
        found = measure(size, chosen.frames, chosen.rounds, chosen.wait)
        ways = ", ".join(f"{way} {found[way]:.2f}" for way in WAYS)
        print(f"{name:8} CPU of reading: {ways}")
        print(
            f"{'':8} run of a tracker that waits {1e3 * chosen.wait:g}: "
            f"{found['on demand']:.2f} on demand, {found['ahead']:.2f} reading ahead; "
            f"its own time {found['tracker, on demand']:.2f}, {found['tracker, ahead']:.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
