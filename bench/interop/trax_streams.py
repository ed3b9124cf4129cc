"""The streams that a TraX server talks over, guarded against its tracker and its client.

The library of the protocol reads for ever where its client has gone, and crashes on a region
without a number. So it never reads the client itself: it gets whole, checked lines from here, and
`quit` where no more will come. The tracker has no part in the streams: what it prints goes to
standard error, and its standard input is empty.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from bench.errors import TrackerError

IDLE = 3600.0
"""Seconds of silence between two messages after which a client counts as gone."""
_MESSAGE = 60.0  # seconds of silence in the middle of a message
_LONGEST = 1 << 28  # bytes of a message: an uncompressed frame of 8192 x 8192 as text
_CHUNK = 1 << 16
_QUIT = b"\n@@TRAX:quit \n"
_START = re.compile(rb"@@TRAX:initialize\b\s*")
# Numbers, after the kind of region where it is a mask.
_MASK = re.compile(
    rb'"?mask:\s*[-+0-9.]+,\s*[-+0-9.]+,\s*([-+]?[0-9]{1,12}),\s*([-+]?[0-9]{1,12})'
)
_PIXELS = 1 << 26  # of a mask: 8192 x 8192
_REGION = re.compile(rb'"?(?:[a-z]+:)?\s*[-+]?[0-9][-+0-9.,eE\s]*(?:"|$)')


@dataclass(frozen=True)
class Streams:
    """Numbers of the open files that messages come from and go to."""

    source: int
    sink: int


@contextlib.contextmanager
def protocol_streams() -> Iterator[Streams]:
    """The client's streams: TRAX_SOCKET, TRAX_IN and TRAX_OUT, or standard input and output.

    Inside, standard input is empty and standard output is standard error.

    Raises:
        TrackerError: the client's socket cannot be reached.
    """
    with contextlib.ExitStack() as stack:
        streams = stack.enter_context(_connected())
        kept = [os.dup(number) for number in (0, 1)]
        nothing = os.open(os.devnull, os.O_RDONLY)
        stack.callback(_restore, kept, nothing)
        sys.stdout.flush()
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        yield streams


def _restore(kept: list[int], nothing: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    for number, copy in enumerate(kept):
        os.dup2(copy, number)
        os.close(copy)
    os.close(nothing)


@contextlib.contextmanager
def _connected() -> Iterator[Streams]:
    address = os.environ.get("TRAX_SOCKET")
    if address is None:
        given = [os.environ.get(name) for name in ("TRAX_IN", "TRAX_OUT")]
        source, sink = (os.dup(int(n or own)) for own, n in enumerate(given))
        try:
            yield Streams(source, sink)
        finally:
            os.close(source)
            os.close(sink)
        return
    host, _, port = address.rpartition(":")
    try:
        connection = socket.create_connection((host or "127.0.0.1", int(port)), timeout=30)
    except (OSError, ValueError) as error:
        raise TrackerError(
            f"TRAX_SOCKET={address}: expected the port of a TraX client on this machine ({error})"
        ) from error
    with connection:
        connection.settimeout(None)
        yield Streams(connection.fileno(), connection.fileno())


class Feed(threading.Thread):
    """Passes whole, checked lines of the client on, and `quit` where no more will come.

    Attributes:
        outlet: number of the open file to read the lines from.
        fault: why it ended before the client quit; None where it did, or has not ended.
    """

    def __init__(self, streams: Streams, idle: float = IDLE) -> None:
        super().__init__(daemon=True)
        self._streams, self._idle = streams, idle
        self._poll = select.poll()
        self._poll.register(streams.sink, 0)  # tells of an error: nobody reads any more
        self._poll.register(streams.source, select.POLLIN)
        self.outlet, self._inlet = os.pipe()
        self.fault: str | None = None

    def run(self) -> None:
        """Pass lines on until there are no more."""
        ended = False
        try:
            for line in self._lines():
                problem = problem_of(line)
                if problem is not None:
                    self.fault = problem
                    break
                self._pass(line)
                ended = line.startswith(b"@@TRAX:quit")
                if ended:
                    break
            else:
                self.fault = self.fault or "it is gone, without `quit`"
        except OSError as error:
            self.fault = f"reading from it failed ({error.strerror})"
        if not ended:
            with contextlib.suppress(OSError):  # the server has ended as well
                self._pass(_QUIT)

    def _lines(self) -> Iterator[bytes]:
        """Whole lines; the rest of one that was cut short is dropped."""
        parts: list[bytes] = []
        size = 0
        while chunk := self._chunk(bool(parts)):
            *whole, rest = chunk.split(b"\n")
            for end in whole:
                yield b"".join([*parts, end, b"\n"])
                parts, size = [], 0
            if rest:
                parts.append(rest)
                size += len(rest)
            if size > _LONGEST:
                self.fault = f"it sent a message of more than {_LONGEST >> 20} MB"
                return

    def _chunk(self, inside: bool) -> bytes:
        limit = min(_MESSAGE, self._idle) if inside else self._idle
        ready = dict(self._poll.poll(limit * 1000))
        if self._streams.source in ready:
            return os.read(self._streams.source, _CHUNK)
        where = "in the middle of a message" if inside else "between two messages"
        self.fault = (
            f"it said nothing for {limit:g} s {where}" if not ready else "it does not read"
        )
        return b""

    def _pass(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._inlet, rest) :]


def problem_of(line: bytes) -> str | None:
    """What is wrong with a line so that the library would crash on it; None if nothing is."""
    start = _START.match(line)
    if start is None or not line[start.end() :].strip():
        return None  # a client that starts again sends its region in another message
    if _is_a_region(line[start.end() :]):
        return None
    shown = line[start.end() : start.end() + 80].decode(errors="replace").strip()
    return f"expected the numbers of a region in `initialize`, found {shown}"


def _is_a_region(region: bytes) -> bool:
    """Whether the library can read a region, within memory."""
    if not _REGION.match(region):
        return False
    mask = _MASK.match(region)
    width, height = map(int, mask.groups()) if mask else (0, 0)
    return width >= 0 and height >= 0 and width * height <= _PIXELS
