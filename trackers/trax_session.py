"""One tracker process that speaks TraX, and the client connected to it.

The process is started here rather than by the client library, so that errors can report its
stderr, exit code or time-out.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from bench.arrays import FloatArray, Image
from bench.errors import TrackerError
from bench.geometry import box_to_polygon
from bench.interop.trax_server import REGIONS, decode_region
from bench.tracker import Region

Answer = TypeVar("Answer")

_MESSAGE = b"@@TRAX:"
_HIDDEN = re.compile(rb"(?<!\n)" + _MESSAGE)  # a message that does not start a line
_CHUNK = 1 << 16

_QUOTED_LINES = 15  # lines of stderr quoted in errors
_EXIT_GRACE = 2.0  # seconds a process gets to exit


class Output(threading.Thread):
    """Passes a tracker's output on to the client, with every message at the start of a line.

    A tracker that prints without a newline would hide its answers from the library.

    Attributes:
        lines: what the client reads.
        ended: set before ``lines`` ends, because the tracker has ended or closed its output.
    """

    def __init__(self, source: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        assert source is not None
        self.source = source.fileno()
        inside, self.sink = os.pipe()
        self.lines = os.fdopen(inside, "rb", buffering=0)
        self.ended = threading.Event()

    def run(self) -> None:
        """Pass on until the tracker's output ends."""
        held, before = b"", b"\n"
        with contextlib.suppress(OSError):  # the reader is gone: the session has ended
            while chunk := os.read(self.source, _CHUNK):
                data = held + chunk
                held = _start_of_message(data)
                data = data[: len(data) - len(held)]
                self._pass(_HIDDEN.sub(b"\n" + _MESSAGE, before + data)[1:])
                before = data[-1:] or before
        self.ended.set()
        os.close(self.sink)

    def _pass(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.sink, rest) :]

    def close(self) -> None:
        """Wait for the end, which comes with that of the process, and close what it opened."""
        self.join(_EXIT_GRACE)
        self.lines.close()


def _start_of_message(data: bytes) -> bytes:
    """The end of ``data`` that may be the start of a message."""
    lengths = range(min(len(_MESSAGE) - 1, len(data)), 0, -1)
    return next((_MESSAGE[:n] for n in lengths if data.endswith(_MESSAGE[:n])), b"")


class TraxSession:
    """A running tracker; every answer must arrive within ``timeout`` seconds.

    Raises:
        TrackerError: the process cannot be started, exits, or does not answer in time.
    """

    def __init__(self, command: str, timeout: float) -> None:
        from trax.client import Client

        self.command = command
        self.timeout = timeout
        self.frames = 0
        self.client: Any = None
        self.folder = tempfile.TemporaryDirectory(prefix="bench-trax-")
        self.process = self._start()
        self.thread = futures.ThreadPoolExecutor(max_workers=1)
        self.output = Output(self.process.stdout)
        self.output.start()
        # The client requires a log; this one discards everything.
        stream = (self._pipes[0].fileno(), self.output.lines.fileno())
        self.client = self._ask("start", lambda: Client(stream=stream, log=lambda line: None))

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.process.poll() is None

    @property
    def _path(self) -> Path:
        return Path(self.folder.name)

    @property
    def _pipes(self) -> list[IO[bytes]]:
        return [pipe for pipe in (self.process.stdin, self.process.stdout) if pipe is not None]

    def initialize(self, image: Image, box: FloatArray) -> None:
        """Start on ``box``; the tracker's answer is ignored."""
        images = self._images(image)
        objects: list[tuple[Any, dict[str, str]]] = [(self._region(box), {})]
        self.frames = 1
        self._ask("frame 1", lambda: self.client.initialize(images, objects, {}))
        self._check_alive()

    def frame(self, image: Image) -> tuple[Region | None, float | None]:
        """Region and confidence in the next frame; no region if the tracker reports failure."""
        images = self._images(image)
        self.frames += 1
        # The client's default for new objects, None, cannot be sent; an empty list can.
        objects, _ = self._ask(
            f"frame {self.frames}", lambda: self.client.frame(images, {}, objects=[])
        )
        self._check_alive()
        if not objects:
            return None, 0.0
        region, properties = objects[0]
        return _decode(region, image), self._score(properties.get("confidence"))

    def _score(self, text: str | None) -> float | None:
        try:
            return None if text is None else float(text)
        except ValueError as error:
            raise TrackerError(
                f"trax: {self.command!r} at frame {self.frames}: expected a number as its "
                f"confidence, found {text!r:.80}"
            ) from error

    def _check_alive(self) -> None:
        """Refuse an answer of a tracker that has ended: the library gives one for silence.

        Raises:
            TrackerError: the process has ended, or closed its output.
        """
        if self.output.ended.is_set() or not self.alive:
            raise self._failure(f"frame {self.frames}", self._state())

    def close(self) -> None:
        """Ask the process to quit, then end it."""
        if self.client is not None and self.alive:
            self.client.quit()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_EXIT_GRACE)
        self._kill()
        self.thread.shutdown()
        if self.client is not None:
            # Releasing its handle, the library writes to its log and the pipes, and crashes if
            # Python has freed the log before. Release it now, while both exist.
            self.client._handle = None
        self.client = None
        self.output.close()
        for pipe in self._pipes:
            pipe.close()
        self.folder.cleanup()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the process as leader of its own process group."""
        with (self._path / "stderr").open("wb") as stderr:
            try:
                return subprocess.Popen(
                    shlex.split(self.command),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    start_new_session=True,
                )
            except OSError as error:
                self.folder.cleanup()
                raise TrackerError(
                    f"trax: cannot start {self.command!r}: {error.strerror}. Give a command that "
                    "runs in this folder with --set command='...'"
                ) from error

    def _ask(self, what: str, question: Callable[[], Answer]) -> Answer:
        """Wait for an answer, up to the time-out.

        Raises:
            TrackerError: no answer; gives the reason and quotes the end of stderr.
        """
        from trax import TraxException

        future = self.thread.submit(question)  # so that the wait can time out
        try:
            return future.result(self.timeout)
        except futures.TimeoutError as error:
            self._kill()
            cause = f"no answer within {self.timeout:g} s (raise it with --set timeout=...)"
            raise self._failure(what, cause) from error
        except TraxException as error:
            raise self._failure(what, f"{self._state()} ({error})") from error
        except BaseException:  # the user interrupts the run: leave no process behind
            self._kill()
            self.close()
            raise

    def _state(self) -> str:
        """Describe how the process ended."""
        try:
            return f"it ended with exit code {self.process.wait(_EXIT_GRACE)}"
        except subprocess.TimeoutExpired:
            return "it closed the connection"

    def _failure(self, what: str, cause: str) -> TrackerError:
        """Build the error with the cause and the end of stderr; ends the session."""
        self._kill()
        lines = (self._path / "stderr").read_text(errors="replace").rstrip().splitlines()
        quoted = "\n  ".join(lines[-_QUOTED_LINES:]) or "(nothing)"
        self.close()
        return TrackerError(
            f"trax: {self.command!r} at {what}: {cause}. Its stderr ends:\n  {quoted}"
        )

    def _kill(self) -> None:
        """Kill the process and its children, which would keep the pipes open."""
        if sys.platform == "win32":
            self.process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _images(self, image: Image) -> dict[str, Any]:
        """The frame in the first format that the tracker accepts."""
        import cv2
        from trax import BufferImage, FileImage, MemoryImage

        if self.client is None:
            raise TrackerError(f"trax: {self.command!r} has ended; call init() to restart it")
        formats = self.client.image_formats
        bgr = image[:, :, ::-1]
        if "path" in formats:
            path = self._path / "frame.png"
            cv2.imwrite(str(path), bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            return {"color": FileImage.create(str(path))}
        if "memory" in formats:
            return {"color": MemoryImage.create(np.ascontiguousarray(image))}
        if "buffer" in formats:
            return {"color": BufferImage.create(cv2.imencode(".png", bgr)[1].tobytes())}
        raise TrackerError(
            f"trax: {self.command!r} accepts images only as {', '.join(formats)}; expected path, "
            "memory or buffer"
        )

    def _region(self, box: FloatArray) -> Any:
        """The box as a rectangle, or as a polygon if the tracker accepts no rectangle."""
        from trax import Polygon, Rectangle

        if "rectangle" in self.client.region_formats:
            return Rectangle.create(*box.tolist())
        if "polygon" in self.client.region_formats:
            return Polygon.create([tuple(corner) for corner in box_to_polygon(box).tolist()])
        raise TrackerError(
            f"trax: {self.command!r} starts only on {', '.join(self.client.region_formats)}; "
            "expected rectangle or polygon"
        )


def _decode(region: Any, image: Image) -> Region | None:
    """A TraX region as a box, polygon or mask of the image; None for "not visible".

    That is a special region, or a mask without a pixel.
    """
    if region.type not in REGIONS:
        return None
    found = decode_region(region, image)
    return None if found.dtype == bool and not found.any() else found
