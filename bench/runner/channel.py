"""What a worker tells its parent: framed messages that nothing a tracker writes can imitate.

A tracker shares its process with the worker, so it may write into any open file, fork, or stop
in the middle of a message. The parent therefore never blocks on half a message, takes only
messages that begin with a key it gave out and carry their own hash, and gives a worker up whose
channel holds anything else.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import os
import pickle
import struct
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from bench.errors import printable

KEY_BYTES = 16
_HEADER = struct.Struct(f"!{KEY_BYTES}sQ16s")  # key, length, hash
_LARGEST = 1 << 30  # bytes of a message
_BLOCK = 1 << 20
_OUTPUT_KEPT = 1 << 16  # bytes of what a tracker printed last


class GarbledError(Exception):
    """Something else than a message of the worker is in its channel."""


class Outbox:
    """The worker's end of a channel."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection, self._key, self._process = connection, key, os.getpid()

    def send(self, message: Any) -> None:
        """Send a message; a process that the tracker forked ends here instead.

        Raises:
            OSError: the parent, or the channel, is gone.
        """
        if os.getpid() != self._process:
            os._exit(0)
        body = pickle.dumps(message)
        framed = _HEADER.pack(self._key, len(body), _hash(body)) + body
        if sys.platform == "win32":
            self._connection.send_bytes(framed)
            return
        rest = memoryview(framed)
        while rest:
            rest = rest[os.write(self._connection.fileno(), rest) :]


class Inbox:
    """The parent's end of a channel."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection, self._key, self._buffer = connection, key, bytearray()

    def messages(self) -> Iterator[Any]:
        """The messages that have arrived whole; never waits.

        Raises:
            EOFError, OSError: the worker's end is closed.
            GarbledError: something else is in the channel.
        """
        while self._connection.poll():
            self._buffer += self._read()
            while (message := self._take()) is not None:
                yield message

    def _read(self) -> bytes:
        if sys.platform == "win32":
            return self._connection.recv_bytes()
        block = os.read(self._connection.fileno(), _BLOCK)
        if not block:
            raise EOFError
        return block

    def _take(self) -> Any:
        """The first message of the buffer, or None if it is not there as a whole."""
        if not self._key.startswith(self._buffer[:KEY_BYTES]):
            raise GarbledError
        if len(self._buffer) < _HEADER.size:
            return None
        _, length, digest = _HEADER.unpack_from(self._buffer)
        if length > _LARGEST:
            raise GarbledError
        if len(self._buffer) < _HEADER.size + length:
            return None
        body = bytes(self._buffer[_HEADER.size : _HEADER.size + length])
        if _hash(body) != digest:
            raise GarbledError
        del self._buffer[: _HEADER.size + length]
        return pickle.loads(body)


def _hash(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


class Output:
    """What a worker and its tracker print: read at once, so that nobody waits; the end is kept."""

    def __init__(self, connection: Connection, echo: bool = False) -> None:
        self.connection, self.open = connection, True
        self._echo, self._kept = echo, bytearray()

    def read(self) -> None:
        """Read a block, if there is one; never waits."""
        try:
            if not (self.open and self.connection.poll()):
                return
            block = os.read(self.connection.fileno(), _OUTPUT_KEPT)
        except OSError:
            block = b""
        if not block:
            self.open = False
            return
        self._kept = (self._kept + block)[-_OUTPUT_KEPT:]
        if self._echo:
            sys.stderr.write(printable(block.decode(errors="backslashreplace"), lines=True))

    def text(self) -> str:
        """The end of what was printed since the last ``clear``."""
        for _ in range(100):  # what the process left behind; never for ever
            before = len(self._kept)
            self.read()
            if len(self._kept) == before:
                break
        return self._kept.decode(errors="backslashreplace")

    def clear(self) -> None:
        """Forget what was printed."""
        self._kept.clear()


def redirect_output(connection: Connection) -> None:
    """Let standard output and standard error of this process go into ``connection``."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or none
            getattr(sys, name).flush()
        os.dup2(connection.fileno(), number)
        stream = open(  # noqa: SIM115  it stays open
            number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    connection.close()
    faulthandler.enable(file=2)
