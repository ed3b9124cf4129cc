"""One process that speaks TraX, and the client that talks to it.

The process is started here rather than by the client library, so that its stderr, its exit code
and its silence can be told to the user.
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

_QUOTED_LINES = 15  # of stderr
_FAREWELL = 2.0  # seconds that a process has to end after it was told to


class TraxSession:
    """A started tracker; each answer is waited for ``timeout`` seconds.

    Raises:
        TrackerError: the process cannot be started, ends, or does not answer in time.
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
        # The client cannot be built without a log: one that forgets.
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
        """Start on ``box``; the answer to it is of no interest."""
        images = self._images(image)
        objects: list[tuple[Any, dict[str, str]]] = [(self._region(box), {})]
        self.frames = 1
        self._ask("frame 1", lambda: self.client.initialize(images, objects, {}))

    def frame(self, image: Image) -> tuple[Region | None, float | None]:
        """Region and confidence of the next frame; no region where the tracker has failed."""
        images = self._images(image)
        self.frames += 1
        # An empty list of new objects: the client has None as default but cannot send it.
        objects, _ = self._ask(
            f"frame {self.frames}", lambda: self.client.frame(images, {}, objects=[])
        )
        if not objects:
            return None, 0.0
        region, properties = objects[0]
        score = properties.get("confidence")
        return _decode(region, image), None if score is None else float(score)

    def close(self) -> None:
        """Tell the process to end, and end it."""
        if self.client is not None and self.alive:
            self.client.quit()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_FAREWELL)
        self._kill()
        self.thread.shutdown()
        if self.client is not None:
            # The library writes to its log and to the pipes while it lets go of its handle, and
            # crashes if Python has freed the log before: so now, while all are there.
            self.client._handle = None
        self.client = None
        for pipe in self._pipes:
            pipe.close()
        self.folder.cleanup()

    def _start(self) -> subprocess.Popen[bytes]:
        """The process, the leader of a group of its own."""
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
        """Wait for an answer, but no longer than the time-out.

        Raises:
            TrackerError: no answer; says why, and quotes the end of stderr.
        """
        from trax import TraxException

        future = self.thread.submit(question)  # so that waiting can be given up
        try:
            return future.result(self.timeout)
        except futures.TimeoutError as error:
            self._kill()
            cause = f"no answer within {self.timeout:g} s (raise it with --set timeout=...)"
            raise self._failure(what, cause) from error
        except TraxException as error:
            raise self._failure(what, f"{self._state()} ({error})") from error
        except BaseException:  # the user stops the run: leave nothing behind
            self._kill()
            self.close()
            raise

    def _state(self) -> str:
        """What became of the process, in words."""
        try:
            return f"it ended with exit code {self.process.wait(_FAREWELL)}"
        except subprocess.TimeoutExpired:
            return "it broke off the session"

    def _failure(self, what: str, cause: str) -> TrackerError:
        """The error that tells the cause and the end of stderr; ends the session."""
        lines = (self._path / "stderr").read_text(errors="replace").rstrip().splitlines()
        quoted = "\n  ".join(lines[-_QUOTED_LINES:]) or "(nothing)"
        self.close()
        return TrackerError(
            f"trax: {self.command!r} at {what}: {cause}. Its stderr ends:\n  {quoted}"
        )

    def _kill(self) -> None:
        """End the process and those it started, which would keep the pipes open."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _images(self, image: Image) -> dict[str, Any]:
        """The frame in the first form that the tracker takes."""
        import cv2
        from trax import BufferImage, FileImage, MemoryImage

        if self.client is None:
            raise TrackerError(f"trax: {self.command!r} has ended; the next init() starts it")
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
        raise TrackerError(f"trax: {self.command!r} takes images only as {', '.join(formats)}")

    def _region(self, box: FloatArray) -> Any:
        """The box as a rectangle, or as a polygon where the tracker takes no rectangle."""
        from trax import Polygon, Rectangle

        if "rectangle" in self.client.region_formats:
            return Rectangle.create(*box.tolist())
        if "polygon" in self.client.region_formats:
            return Polygon.create([tuple(corner) for corner in box_to_polygon(box).tolist()])
        raise TrackerError(
            f"trax: {self.command!r} starts on {', '.join(self.client.region_formats)} only; "
            "a benchmark gives it boxes"
        )


def _decode(region: Any, image: Image) -> Region | None:
    """A TraX region as box, polygon or mask of the image; None for a reported failure."""
    return decode_region(region, image) if region.type in REGIONS else None
