"""One tracker process that speaks TraX, and the client connected to it.

The process is started here rather than by the client library, so that errors can report its
stderr, exit code or time-out.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
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

_QUOTED_LINES = 15  # lines of stderr quoted in errors
_EXIT_GRACE = 2.0  # seconds a process gets to exit


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
        # The client requires a log; this one discards everything.
        stream = tuple(pipe.fileno() for pipe in self._pipes)
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

    def frame(self, image: Image) -> tuple[Region | None, float | None]:
        """Region and confidence in the next frame; no region if the tracker reports failure."""
        images = self._images(image)
        self.frames += 1
        # The client's default for new objects, None, cannot be sent; an empty list can.
        objects, _ = self._ask(
            f"frame {self.frames}", lambda: self.client.frame(images, {}, objects=[])
        )
        if not objects:
            return None, 0.0
        region, properties = objects[0]
        score = properties.get("confidence")
        return _decode(region, image), None if score is None else float(score)

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
        lines = (self._path / "stderr").read_text(errors="replace").rstrip().splitlines()
        quoted = "\n  ".join(lines[-_QUOTED_LINES:]) or "(nothing)"
        self.close()
        return TrackerError(
            f"trax: {self.command!r} at {what}: {cause}. Its stderr ends:\n  {quoted}"
        )

    def _kill(self) -> None:
        """Kill the process and its children, which would keep the pipes open."""
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
    """A TraX region as a box, polygon or mask of the image; None for a reported failure."""
    return decode_region(region, image) if region.type in REGIONS else None
