"""The progress of a run: a bar on a terminal, or a plain line every minute."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.errors import printable


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
Wanted: TypeAlias = bool | Literal["lines"] | None
"""True shows a bar always, False nothing, ``"lines"`` a bar on a terminal and plain lines
elsewhere, None a bar on a terminal and nothing elsewhere."""
_PERIOD = 60.0  # seconds between two plain lines
_NEVER = float("inf")


@contextlib.contextmanager
def progress_display(sequences: int, frames: int, wanted: Wanted) -> Iterator[Show]:
    """Give a function that shows a status, or does nothing.

    Args:
        sequences: number of sequences to run.
        frames: number of frames in all of them.
        wanted: see ``Wanted``.
    """
    from rich.console import Console

    console = Console(stderr=True, force_terminal=wanted if isinstance(wanted, bool) else None)
    if not console.is_terminal and wanted == "lines":
        yield _plain_lines(sequences, frames)
        return
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


def _plain_lines(sequences: int, frames: int) -> Show:
    """Print a line now, one every minute, and one when everything has ended."""
    started = last = time.monotonic()
    print(f"{counted(sequences, 'sequence')} to run, {counted(frames, 'frame')}", file=sys.stderr)

    def show(status: Status) -> None:
        nonlocal last
        now = time.monotonic()
        over = status.ended >= sequences
        if last == _NEVER or (now - last < _PERIOD and not over):
            return
        last = _NEVER if over else now
        speed = status.frames / max(now - started, 1e-3)
        left = "" if over else f", {_duration((frames - status.frames) / max(speed, 1e-9))} left"
        text = describe(status, sequences).removesuffix(": starting")
        line = f"{text}; {speed:.0f} frames/s{left}"
        print(printable(line), file=sys.stderr, flush=True)

    return show


def _duration(seconds: float) -> str:
    """Seconds in words.

    >>> _duration(42), _duration(600), _duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "sequence"), counted(2, "sequence")
    ('1 sequence', '2 sequences')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def describe(status: Status, sequences: int) -> str:
    """The sequences that ended, failed and are running, in one line.

    >>> describe(Status(120, 3, 1, ("Basketball", "Bolt")), 100)
    '3/100 sequences, 1 failed: Basketball, Bolt'
    """
    failed = f", {status.failed} failed" if status.failed else ""
    names = ", ".join(status.running[:2]) + (", ..." if len(status.running) > 2 else "")
    return f"{status.ended}/{sequences} sequences{failed}: {names or 'starting'}"
