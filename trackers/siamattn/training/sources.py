"""What training sees of a dataset: targets, each a row of frames in which its box is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray, Image

BoolArray = NDArray[np.bool_]


class Target(Protocol):
    """One target of one video; of one image, a row of one frame.

    Attributes:
        name: says where it is from, e.g. ``lasot/airplane-1``.
        boxes: ``(N, 4)`` x, y, width, height in 0-based pixels, widths and heights positive.
            Frames in which the target is absent, hidden or badly annotated are not among the N.
        numbers: ``(N,)`` int, increasing: which frame of the video each row is, so that a frame
            range means time.
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
            DatasetError: it is missing or cannot be decoded.
        """
        ...

    def mask(self, index: int) -> BoolArray | None:
        """``(H, W)`` bool of row ``index``; None where the dataset has no masks.

        Raises:
            DatasetError: it is missing or cannot be decoded.
        """
        ...


class Source(Protocol):
    """One training set. ``len`` counts targets; reading one may read its annotation from disk.

    Attributes:
        name: of the set.
        has_masks: whether its targets have masks.
    """

    @property
    def name(self) -> str: ...
    @property
    def has_masks(self) -> bool: ...

    def __len__(self) -> int: ...

    def target(self, index: int) -> Target:
        """Target ``index``, 0 <= index < len.

        Raises:
            DatasetError: its annotation is missing or broken, or no frame of it has a known box.
        """
        ...


@dataclass(frozen=True)
class Use:
    """How much of a source a mixture takes.

    Attributes:
        source: the training set.
        frame_range: the search frame lies at most this many frames from the template's.
        uses: targets taken in one epoch, with repetition where the source has fewer; None takes
            each once.
    """

    source: Source
    frame_range: int
    uses: int | None = None
