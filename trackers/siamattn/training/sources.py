"""Interfaces of training sets: targets, each a list of frames with a known box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image


class Target(Protocol):
    """One target of a video, or of an image, which has a single row.

    Attributes:
        name: identifies the target, e.g. ``lasot/airplane-1``.
        boxes: ``(N, 4)`` x, y, width, height in 0-based pixels, widths and heights positive.
            Frames in which the target is absent, hidden or badly annotated are excluded.
        numbers: ``(N,)`` int, increasing: frame number of each row, so that frame ranges measure
            time.
    """

    @property
    def name(self) -> str: ...
    @property
    def boxes(self) -> FloatArray: ...
    @property
    def numbers(self) -> NDArray[np.int64]: ...

    def image(self, index: int) -> Image:
        """Frame of row ``index``, RGB ``uint8 (H, W, 3)``.

        Raises:
            DatasetError: the image is missing or cannot be decoded.
        """
        ...

    def mask(self, index: int) -> BoolArray | None:
        """Mask ``(H, W)`` bool of row ``index``; None if the dataset has no masks.

        Raises:
            DatasetError: the mask is missing or cannot be decoded.
        """
        ...


class Source(Protocol):
    """One training set; ``len`` is its number of targets.

    Attributes:
        name: name of the set.
        has_masks: whether its targets have masks.
    """

    @property
    def name(self) -> str: ...
    @property
    def has_masks(self) -> bool: ...

    def __len__(self) -> int: ...

    def target(self, index: int) -> Target:
        """Target ``index``, 0 <= index < len; may read its annotation from disk.

        Raises:
            DatasetError: the annotation is missing or broken, or no frame has a known box.
        """
        ...


@dataclass(frozen=True)
class Use:
    """How much of a source a mixture uses.

    Attributes:
        source: the training set.
        frame_range: maximum distance of the search frame from the template frame, in frames.
        uses: targets per epoch, repeated if the source has fewer; None uses each once.
    """

    source: Source
    frame_range: int
    uses: int | None = None
