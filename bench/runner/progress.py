"""What a person sees while a run goes on: sequences, frames per second, time left."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
        frames: tracked so far, of sequences that ended and of those that are running.
        ended: sequences that finished or failed.
        failed: of these, the ones that failed.
        running: names of the sequences that are running.
    """

    frames: int
    ended: int
    failed: int
    running: tuple[str, ...]


Show: TypeAlias = Callable[[Status], None]


@contextlib.contextmanager
def progress_display(sequences: int, frames: int, wanted: bool | None) -> Iterator[Show]:
    """A function that shows a status: a line on the terminal, or nothing at all.

    Args:
        sequences: that will be run.
        frames: of all of them together.
        wanted: True shows it even in a file; None shows it where standard error is a terminal.
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
    """One line: how many sequences ended and failed, and which are running.

    >>> describe(Status(120, 3, 1, ("Basketball", "Bolt")), 100)
    '3/100 sequences, 1 failed: Basketball, Bolt'
    """
    failed = f", {status.failed} failed" if status.failed else ""
    names = ", ".join(status.running[:2]) + (", ..." if len(status.running) > 2 else "")
    return f"{status.ended}/{sequences} sequences{failed}: {names or 'starting'}"
