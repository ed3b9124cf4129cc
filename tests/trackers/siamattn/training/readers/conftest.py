"""Tiny images of training sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., None]
WIDTH, HEIGHT = 64, 48


@pytest.fixture(scope="session")
def paint() -> Paint:
    """Write a uniform grey image, by default 64 x 48."""

    def write(path: Path, level: int = 90, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), np.full((size[1], size[0], 3), level, dtype=np.uint8))

    return write


@pytest.fixture(scope="session")
def paint_labels() -> Paint:
    """Writes a palette image with rectangles x, y, width, height by index."""

    def write(path: Path, **boxes: tuple[int, int, int, int]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
        for name, (x, y, w, h) in boxes.items():
            labels[y : y + h, x : x + w] = int(name.removeprefix("object"))
        image = Image.fromarray(labels, mode=None).convert("P")
        image.putdata(labels.ravel().tolist())
        image.putpalette([0, 0, 0, 236, 95, 103, 249, 145, 87])
        image.save(path)

    return write
