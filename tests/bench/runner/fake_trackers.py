"""Trackers that behave and misbehave, and frames for them, importable by worker processes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DatasetError, TrackerError
from bench.sequence import Dataset, Sequence
from bench.tracker import Prediction


@dataclass(frozen=True)
class Noise:
    """``count`` images of 16 x 12 pixels, each a function of ``seed`` and its number."""

    seed: int
    count: int
    missing: int | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> np.ndarray:
        if index == self.missing:
            raise DatasetError(f"frame {index + 1} of {self.count}: /no/where.jpg does not exist")
        generator = np.random.default_rng([self.seed, index])
        return generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)


def make_sequence(name: str, count: int, index_base: float = 1.0, **changes: Any) -> Sequence:
    truth = np.tile([3.0, 4.0, 5.0, 6.0], (count, 1))
    frames = Noise(zlib.crc32(name.encode()), count)
    return Sequence(name, truth, **{"frames": frames, "index_base": index_base, **changes})


def make_dataset(**lengths: int) -> Dataset:
    sequences = tuple(make_sequence(name, count) for name, count in lengths.items())
    return Dataset("otb2015", Path("/data/otb"), sequences, expected=100)


class Wanderer:
    """Moves by what it sees and by every random generator, so that each leaves its mark."""

    def __init__(self, pause: float = 0.0, start_log: str | None = None) -> None:
        self.pause = pause
        self.start_log = start_log

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        if self.start_log is not None:
            with Path(self.start_log).open("a") as stream:
                stream.write(f"{os.getpid()} {image.sum()}\n")
        self.box = np.array(region)

    def update(self, image: np.ndarray) -> Prediction:
        import cv2

        time.sleep(self.pause)
        drawn = np.zeros(1)
        cv2.randu(drawn, 0.0, 1.0)
        across = random.random() + image.mean() / 100
        down = np.random.rand() + drawn.item()  # noqa: NPY002
        self.box = self.box + np.array([across, down, 0.0, 0.0])
        return Prediction(self.box, score=random.random())


class Trouble:
    """Answers the first box until, on frame ``at``, it does what ``plan`` says of the sequence.

    ``plan`` maps the sum of all values of the first image to a kind of trouble.
    """

    def __init__(self, plan: dict[int, str], at: int = 3) -> None:
        self.plan, self.at = plan, at
        self.spoilt = False

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        if self.spoilt:
            raise RuntimeError("state left over from a failure")
        self.frame, self.region = 0, region
        self.kind = self.plan.get(int(image.sum()))
        self.update(image)

    def update(self, image: np.ndarray) -> Prediction:  # some kinds of trouble break this promise
        self.frame += 1
        if self.frame != self.at or self.kind is None:
            return Prediction(self.region)
        self.spoilt = True
        return getattr(self, f"_{self.kind}")()

    def _raise(self) -> None:
        raise ValueError("lost\nmy mind")

    def _hang(self) -> None:
        time.sleep(1000)

    def _exit(self) -> None:
        os._exit(7)

    def _quit(self) -> None:
        sys.exit(9)

    def _crash(self) -> None:
        os.kill(os.getpid(), 11)

    def _killed(self) -> None:
        os.kill(os.getpid(), 9)

    def _nothing(self) -> None:
        return None

    def _nan(self) -> Prediction:
        return Prediction(np.array([1.0, np.nan, 3.0, 4.0]))

    def _shape(self) -> Prediction:
        return Prediction(np.zeros(5))


class WithChild:
    """Starts a process of its own, then hangs."""

    def __init__(self, log: str) -> None:
        self.log = Path(log)

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        self.log.write_text(f"{os.getpid()} {child.pid}\n")

    def update(self, image: np.ndarray) -> Prediction:
        time.sleep(1000)
        raise AssertionError


class Threads:
    """Puts the number of threads and the hash seed into the box."""

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        pass

    def update(self, image: np.ndarray) -> Prediction:
        import cv2

        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED")
        values = [float(os.environ[name]) for name in variables]
        return Prediction(np.array([cv2.getNumThreads(), *values]))


class SeesGpu:
    """Puts the GPU that it may use, and its process, into the box."""

    def __init__(self, pause: float = 0.0) -> None:
        time.sleep(pause)  # so that others start as well
        self.pause = pause

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        time.sleep(self.pause)

    def update(self, image: np.ndarray) -> Prediction:
        gpu = float(os.environ["CUDA_VISIBLE_DEVICES"])
        return Prediction(np.array([gpu, float(os.getpid()), 1.0, 1.0]))


class Still:
    """The first box for ever."""

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.region = region

    def update(self, image: np.ndarray) -> Prediction:
        return Prediction(self.region)


class Unbuildable(Still):
    def __init__(self, how: str = "raise") -> None:
        if how == "raise":
            raise OSError("no such weights: net.pth")
        if how == "say":
            raise TrackerError("needs a licence")
        if how == "exit":
            os._exit(5)
        time.sleep(1000)


class Sure(Still):
    """Says that two runs of it are the same."""

    deterministic = True


class Jumper(Still):
    """Leaves the target at random, and so fails now and then."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause

    def update(self, image: np.ndarray) -> Prediction:
        time.sleep(self.pause)
        away = 20.0 if random.random() < 0.2 else random.random()
        return Prediction(self.region + np.array([away, 0.0, 0.0, 0.0]), score=away)


class Together:
    """A batch tracker that moves by what it sees; ``guilty`` is the sum of a first image."""

    def __init__(self, guilty: int = -1, kind: str = "raise") -> None:
        self.guilty, self.kind = guilty, kind

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.state = self.start(image, region)

    def update(self, image: np.ndarray) -> Prediction:
        (self.state,), (prediction,) = self.advance([self.state], [image])
        return prediction

    def start(self, image: np.ndarray, region: np.ndarray) -> tuple[np.ndarray, int, int]:
        return np.array(region), int(image.sum()), 1

    def advance(self, states: list[Any], images: list[np.ndarray]) -> Any:
        moved = [self._one(*state, image) for state, image in zip(states, images, strict=True)]
        return [state for state, _ in moved], [prediction for _, prediction in moved]

    def _one(self, box: np.ndarray, first: int, frame: int, image: np.ndarray) -> Any:
        box = box + np.array([(image.mean() - 127) / 20, 0.0, 0.0, 0.0])
        if first == self.guilty and frame == 3:
            if self.kind == "raise":
                raise ValueError("lost")
            if self.kind == "exit":
                os._exit(7)
            box = box * np.nan
        return (box, first, frame + 1), Prediction(box, score=float(frame))
