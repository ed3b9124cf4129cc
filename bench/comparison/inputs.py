"""Frames read otherwise, and how much that changes the frame where two runs part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from collections.abc import Sequence as List
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.arrays import Image
from bench.comparison.pairs import Pair, parting_of
from bench.errors import BenchError, ConfigError
from bench.sequence import Frames, Sequence

Read = Callable[[Frames, int], Image]
Alter = Callable[[Sequence], Sequence]


@dataclass(frozen=True, eq=False)
class _Frames:
    """Frames that are read otherwise."""

    inner: Frames
    read: Read

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, index: int) -> Image:
        return self.read(self.inner, index)


def read_by(read: Read) -> Alter:
    """A sequence whose frames are read so."""

    def altered(sequence: Sequence) -> Sequence:
        if sequence.frames is None:
            return sequence
        return dataclasses.replace(sequence, frames=_Frames(sequence.frames, read))

    return altered


def swapped(frames: Frames, index: int) -> Image:
    """BGR for RGB."""
    return frames[index][..., ::-1].copy()


def grey(frames: Frames, index: int) -> Image:
    """Three equal channels."""
    import cv2

    one = cv2.cvtColor(frames[index], cv2.COLOR_RGB2GRAY)
    return np.repeat(one[..., None], 3, axis=2).astype(np.uint8)


def by_pillow(frames: Frames, index: int) -> Image:
    """Decoded by Pillow in place of OpenCV.

    Raises:
        ConfigError: the frame is not an image file.
    """
    from PIL import Image as Pictures

    where = getattr(frames, "where", None)
    path = Path(where(index)) if where is not None else None
    if path is None or not path.is_file():
        raise ConfigError("no image file that Pillow could decode")
    return np.array(Pictures.open(path).convert("RGB"))


def halved(frames: Frames, index: int) -> Image:
    """Made half as large, and as large as before again."""
    import cv2

    image = frames[index]
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.uint8)


READERS = {
    "BGR for RGB": swapped,
    "grey": grey,
    "decoded by Pillow": by_pillow,
    "halved and enlarged": halved,
}


@dataclass(frozen=True)
class InputTest:
    """What a change does to the frame where two runs part first.

    Attributes:
        change: in words.
        sequence: that parts first.
        frame: index of the frame, from 0.
        mean, largest: difference of the pixels in the target's box, in grey levels of 255.
    """

    change: str
    sequence: str
    frame: int
    mean: float
    largest: float


def input_tests(pairs: List[Pair]) -> Iterator[InputTest]:
    """Each change on the frame where the first sequence with frames parts; none without frames."""
    places = [
        (at, pair)
        for pair in pairs
        if pair.sequence.frames is not None and (at := parting_of(pair).any) is not None
    ]
    if not places:
        return
    at, pair = min(places, key=lambda place: place[0])
    frames = pair.sequence.frames
    try:
        plain = frames[at] if frames is not None else None
    except (BenchError, IndexError):
        return
    for change, read in READERS.items():
        if plain is None or frames is None:
            return
        try:
            off = np.abs(read(frames, at).astype(int) - plain)[_target(pair, at)]
        except (BenchError, OSError, ValueError):
            continue
        if off.size:
            yield InputTest(change, pair.name, at, float(off.mean()), float(off.max()))


def _target(pair: Pair, at: int) -> tuple[slice, slice]:
    """Rows and columns of the target's box, or of the whole frame where it is not known."""
    box = pair.truth[min(at, len(pair.truth) - 1)]
    if not np.isfinite(box).all():
        return slice(None), slice(None)
    x, y, w, h = np.maximum(box, 0).astype(int).tolist()
    return slice(y, y + h), slice(x, x + w)
