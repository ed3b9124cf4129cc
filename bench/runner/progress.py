"""The progress line of a run: sequences, frames per second, time left."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Status:
    """The progress of a run.

    Attributes:
        frames: tracked so far, in sequences that ended and in those that are running.
        ended: number of sequences that finished or failed.
        failed: number of sequences that failed.
        running: names of the sequences that are running.
    """

    frames: int
    ended: int
    failed: int
    running: tuple[str, ...]


Show: TypeAlias = Callable[[Status], None]


@contextlib.contextmanager
def progress_display(sequences: int, frames: int, wanted: bool | None) -> Iterator[Show]:
    """Give a function that shows a status as a line on the terminal, or does nothing.

    Args:
        sequences: number of sequences to run.
        frames: number of frames in all of them.
        wanted: True shows it always, False never, None if standard error is a terminal.
    """
    from rich.console import Console

    console = Console(stderr=True, force_terminal=wanted)
    if not console.is_terminal:
        yield lambda status: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[speed]:.0f} frames/s, left"),
        TimeLeft(),
    )
    started = time.monotonic()
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("starting", total=frames, speed=0.0)

        def show(status: Status) -> None:
            speed = status.frames / max(time.monotonic() - started, 1e-3)
            text = describe(status, sequences)
            display.update(task, completed=status.frames, description=text, speed=speed)

        yield show


def describe(status: Status, sequences: int) -> str:
    """The sequences that ended, failed and are running, in one line.

    >>> describe(Status(120, 3, 1, ("Basketball", "Bolt")), 100)
    '3/100 sequences, 1 failed: Basketball, Bolt'
    """
    failed = f", {status.failed} failed" if status.failed else ""
    names = ", ".join(status.running[:2]) + (", ..." if len(status.running) > 2 else "")
    return f"{status.ended}/{sequences} sequences{failed}: {names or 'starting'}"
