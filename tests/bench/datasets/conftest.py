"""Small fabricated folders; the grey level of an image is ten times its number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.arrays import Image

WriteImages = Callable[..., None]


@pytest.fixture(scope="session")
def write_images() -> WriteImages:
    """Writes flat images 16 wide and 12 high, named by number."""

    def write(folder: Path, numbers: Iterable[int], digits: int = 4, suffix: str = "jpg") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            image = np.full((12, 16, 3), number * 10 % 250, dtype=np.uint8)
            cv2.imwrite(str(folder / f"{number:0{digits}d}.{suffix}"), image)

    return write


@pytest.fixture(scope="session")
def number_of() -> Callable[[Image], int]:
    """The number of a flat image, from its grey level."""
    return lambda image: round(float(image.mean()) / 10)
