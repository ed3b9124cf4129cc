"""What processes that this package starts share: few threads, and the end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def thread_environment() -> dict[str, str]:
    """Environment variables for a process that runs units: one thread, fixed hashing.

    The number of threads affects the last bits of a sum, so it must not depend on the number of
    jobs. ``OMP_NUM_THREADS`` of the caller's environment is respected.
    """
    count = os.environ.get("OMP_NUM_THREADS", "1")
    wanted = {**dict.fromkeys(_THREAD_VARIABLES, count), "PYTHONHASHSEED": "0"}
    return {name: os.environ.get(name, value) for name, value in wanted.items()}


def thread_count() -> int | None:
    """Number of threads that a unit may use; None if the environment gives no number."""
    count = thread_environment()["OMP_NUM_THREADS"]
    return int(count) if count.isdecimal() else None


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


def end_with_parent(*, and_group: bool = False) -> None:
    """End this process once the one that started it has ended, even if that is killed.

    Args:
        and_group: kill the processes of this one's group as well.
    """
    threading.Thread(target=_await_end, args=(and_group,), daemon=True).start()


def _await_end(and_group: bool) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    if and_group and sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
