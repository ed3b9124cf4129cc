"""Reads the frames of a sequence, ahead of the tracker where a core is free for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from bench.arrays import Image
from bench.sequence import Frames

AHEAD = 8
"""Number of frames that wait for the tracker at most."""
MOST_BYTES = 256 << 20
"""Bytes of these frames at most, taking them to be as large as the latest."""


@contextmanager
def reader(frames: Frames, ahead: int = 0) -> Iterator[Reader]:
    """A reader of ``frames``; with ``ahead`` above 0, a thread decodes up to so many in advance.

    The tracker may modify an image that it gets: each is its own.
    """
    thread = ThreadPoolExecutor(1, "frames") if ahead else None
    try:
        yield Reader(frames, ahead, thread)
    finally:
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)


@dataclass(eq=False)
class Reader:
    """Frames by index, rising: those that are passed over are dropped.

    Attributes:
        frames: what to read. One thread at a time asks for a frame.
        ahead: number of frames to decode in advance.
        thread: decodes them; None to decode on demand.
    """

    frames: Frames
    ahead: int
    thread: ThreadPoolExecutor | None
    _waiting: dict[int, Future[Image]] = field(default_factory=dict)

    def __getitem__(self, index: int) -> Image:
        """The frame, as a new array.

        Raises:
            DatasetError: it cannot be decoded; raised when it is asked for, not before.
        """
        if self.thread is None:
            return self._read(index)
        for passed in [each for each in self._waiting if each < index]:
            self._waiting.pop(passed).cancel()
        wanted = self._waiting.pop(index, None) or self.thread.submit(self._read, index)
        image = wanted.result()
        room = min(self.ahead, MOST_BYTES // max(image.nbytes, 1))
        for later in range(index + 1, min(index + 1 + room, len(self.frames))):
            if later not in self._waiting:
                self._waiting[later] = self.thread.submit(self._read, later)
        return image

    def _read(self, index: int) -> Image:
        image = self.frames[index]
        return image if getattr(self.frames, "decodes", False) else np.array(image)
