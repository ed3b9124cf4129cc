"""Trackers whose best option is known, importable by worker processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal

import numpy as np

from bench.errors import ConfigError
from bench.tracker import Prediction


class Shifted:
    """The first box, moved by ``shift`` pixels: right where ``shift`` is 0."""

    deterministic = True

    def __init__(
        self,
        shift: float = 5.0,
        grow: int = 0,
        way: Literal["right", "down"] = "right",
        limit: float = 1e9,
        lose: float = 1e9,
        pause: float = 0.0,
        log: str | None = None,
    ) -> None:
        if shift > limit:
            raise ConfigError(f"shift: expected at most {limit}, found {shift}")
        self.shift, self.grow, self.axis = shift, grow, int(way == "down")
        self.lose, self.pause, self.log = lose, pause, log

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        if self.log is not None:
            with Path(self.log).open("a") as stream:
                stream.write(f"{os.getpid()} {self.shift!r} {image.mean():.0f}\n")
        self.box = np.array(region)
        self.box[self.axis] += self.shift
        self.box[2:] += self.grow

    def update(self, image: np.ndarray) -> Prediction:
        time.sleep(self.pause)
        if self.shift > self.lose:
            raise RuntimeError("lost my mind")
        return Prediction(self.box)
