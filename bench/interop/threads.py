"""The threads of a network that runs outside the runner: as many as a worker has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.runner.unit import thread_count, thread_environment


def limit_threads() -> None:
    """Limit the threads of this process as the runner limits those of its workers.

    How a sum is split over threads decides its last bits, and small networks are slower on many.
    """
    os.environ.update(thread_environment())  # for libraries that are loaded later
    count = thread_count()
    if count is not None:
        _set_threads(count, count)


@contextmanager
def few_threads() -> Iterator[None]:
    """The same, until the end of the block."""
    import cv2

    count = thread_count()
    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch.get_num_threads() if torch else 0
    if count is not None:
        _set_threads(count, count)
    try:
        yield
    finally:
        _set_threads(*before)


def _set_threads(opencv: int, pytorch: int) -> None:
    import cv2

    cv2.setNumThreads(opencv)
    torch = sys.modules.get("torch")
    if torch is not None and pytorch:
        torch.set_num_threads(pytorch)
