"""A plug-in tracker over TraX: all kinds of images and regions, and reported failures."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.errors import TrackerError

pytest.importorskip("trax")

from trackers.trax_session import TraxSession

IMAGE = np.zeros((48, 64, 3), dtype=np.uint8)
IMAGE[..., 0] = 200  # RGB: red
IMAGE[20, 30] = (1, 2, 3)
BOX = np.array([10.0, 11.0, 5.0, 6.0])
PLUGIN = """
import numpy as np
from bench.arrays import Image
from bench.tracker import Prediction, Region

class Echo:
    starts_on = "polygon"
    def __init__(
        self, step: float = 1.0, fail: bool = False, mask: bool = False, exit: bool = False,
        nothing: bool = False,
    ) -> None:
        self.step, self.fail, self.mask, self.exit = step, fail, mask, exit
        self.nothing = nothing
    def init(self, image: Image, region: Region) -> None:
        assert image.shape == (48, 64, 3) and image[0, 0].tolist() == [200, 0, 0], image[0, 0]
        assert image[20, 30].tolist() == [1, 2, 3]
        self.region = region
        print("a line that is not of the protocol", flush=True)
        print("@@TRAX:state", end="", flush=True)  # not even the start of a message
        import os, sys
        os.write(1, b"written past Python")
        assert sys.stdin.read() == ""
    def update(self, image: Image) -> Prediction:
        print("fps 30", end=" ", flush=True)
        if self.exit:
            raise SystemExit(0)
        if self.nothing:
            return Prediction(np.zeros((48, 64), dtype=bool), score=0.25)
        if self.fail:
            raise RuntimeError("lost my mind")
        self.region = self.region + self.step
        if self.mask:
            mask = np.zeros((48, 64), dtype=bool)
            mask[10:20, 30:51] = True
            return Prediction(mask)
        return Prediction(self.region, score=0.5)

class EchoBox(Echo):
    starts_on = "bounding"
"""
SERVE = (
    "import sys; sys.path.insert(0, {folder!r}); "
    "from bench.interop.trax_server import TraxServer; from bench.registry import make_spec; "
    "TraxServer(make_spec({target!r}, {settings!r})).serve()"
)


def command(folder: Path, target: str, **settings: str) -> str:
    (folder / "echo_plugin.py").write_text(PLUGIN)
    code = SERVE.format(folder=str(folder), target=target, settings=settings)
    (folder / "serve.py").write_text(code)
    return f"{sys.executable} {folder / 'serve.py'}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., TraxSession]]:
    """Starts servers, and stops them after the test."""
    with contextlib.ExitStack() as stack:

        def begin(target: str = "echo_plugin:Echo", **settings: str) -> TraxSession:
            session = TraxSession(command(tmp_path, target, **settings), timeout=30)
            stack.callback(session.close)
            return session

        yield begin


@pytest.fixture
def session(start: Callable[..., TraxSession]) -> TraxSession:
    return start(step="0.25")


@pytest.fixture
def box_session(start: Callable[..., TraxSession]) -> TraxSession:
    return start("echo_plugin:EchoBox", step="0.25")


def test_started_again_and_again(box_session: TraxSession) -> None:
    for _ in range(2):
        box_session.initialize(IMAGE, BOX)
        answers = [box_session.frame(IMAGE) for _ in range(3)]
        for number, (region, score) in enumerate(answers, start=1):
            assert region is not None
            assert region.tolist() == (BOX + number / 4).tolist()
            assert score == 0.5


def test_images_of_every_kind(box_session: TraxSession, tmp_path: Path) -> None:
    """The tracker checks the colours; its box encodes the number of calls."""
    from trax import BufferImage, FileImage, MemoryImage, Rectangle

    path = tmp_path / "image.png"
    cv2.imwrite(str(path), IMAGE[:, :, ::-1])
    region = [(Rectangle.create(*BOX.tolist()), {})]
    for image in (
        FileImage.create(str(path)),
        MemoryImage.create(IMAGE),
        BufferImage.create(path.read_bytes()),
    ):
        box_session.client.initialize({"color": image}, region, {})
        objects, _ = box_session.client.frame({"color": image}, {}, [])
        assert objects[0][0].bounds() == tuple(BOX + 0.25)


def test_a_box_reaches_a_tracker_of_polygons_as_corners(session: TraxSession) -> None:
    session.initialize(IMAGE, BOX)
    region, _ = session.frame(IMAGE)
    assert region is not None
    x, y, width, height = (BOX + np.array([0.25, 0.25, 0, 0])).tolist()
    assert region.tolist() == [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
    ]


def test_polygons_both_ways(session: TraxSession) -> None:
    from trax import MemoryImage, Polygon

    corners = [(10.5, 0.0), (20.0, 10.0), (10.0, 20.0), (0.0, 10.0)]
    image = {"color": MemoryImage.create(IMAGE)}
    session.client.initialize(image, [(Polygon.create(corners), {})], {})
    objects, _ = session.client.frame(image, {}, [])
    assert objects[0][0].type == "polygon"
    assert list(objects[0][0]) == [(x + 0.25, y + 0.25) for x, y in corners]
    assert objects[0][1]["confidence"] == "0.5"


def test_masks_both_ways(start: Callable[..., TraxSession]) -> None:
    """An initial mask that crosses the border, and a predicted mask."""
    from trax import Mask, MemoryImage

    session = start(mask="true")
    image = {"color": MemoryImage.create(IMAGE)}
    mask = Mask.create(np.ones((8, 9), dtype=np.uint8), x=-3, y=44)
    session.client.initialize(image, [(mask, {})], {})
    objects, _ = session.client.frame(image, {}, [])
    assert objects[0][0].type == "polygon"
    corners = np.array(list(objects[0][0]))
    assert corners.min(axis=0) == pytest.approx([30, 10], abs=1.01)
    assert corners.max(axis=0) == pytest.approx([51, 20], abs=1.01)


def test_the_client_is_told_what_failed(start: Callable[..., TraxSession]) -> None:
    session = start(fail="true")
    session.initialize(IMAGE, BOX)
    with pytest.raises(TrackerError, match="tracker 'Echo' at update: RuntimeError: lost my mind"):
        session.frame(IMAGE)


def test_a_tracker_that_exits_is_a_failure(start: Callable[..., TraxSession]) -> None:
    session = start(exit="true")
    session.initialize(IMAGE, BOX)
    with pytest.raises(TrackerError, match="at update: SystemExit: 0"):
        session.frame(IMAGE)


def test_not_visible_reaches_the_client(start: Callable[..., TraxSession]) -> None:
    session = start(nothing="true")
    session.initialize(IMAGE, BOX)
    assert session.frame(IMAGE) == (None, 0.25)
    assert session.frame(IMAGE) == (None, 0.25)


START = '@@TRAX:initialize "1,2,3,4" \n'
FRAME = '@@TRAX:frame "file://{image}" \n'


def serve(
    messages: str, folder: Path, *options: object, end: bool = True, reads: bool = True
) -> tuple[int, str, str]:
    """Exit code and both outputs of `bench serve`, for a client that says this and is gone."""
    image = folder / "image.png"
    cv2.imwrite(str(image), IMAGE)
    command = [sys.executable, "-m", "bench", "serve", "--tracker", "static", *map(str, options)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, cwd=folder, text=True, env=environment())
    assert process.stdin is not None
    if not reads:
        assert process.stdout is not None
        process.stdout.close()
    process.stdin.write(messages.format(image=image))
    process.stdin.flush()
    try:
        if end:
            said, error = process.communicate(timeout=30)
            return process.returncode, said, error
        process.wait(timeout=30)
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.read() if reads else ""
        return process.returncode, said, process.stderr.read()
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def environment() -> dict[str, str]:
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": root, "COLUMNS": "300", "TERM": "dumb"}


def test_a_client_that_quits(tmp_path: Path) -> None:
    code, said, error = serve(START + FRAME + FRAME + "@@TRAX:quit \n", tmp_path)
    assert (code, error) == (0, "")
    assert said.count("@@TRAX:state") == 2


@pytest.mark.parametrize(
    "messages",
    ["", START, START + FRAME, START + FRAME + FRAME, START + FRAME + '@@TRAX:frame "file:///',
     START + '@@TRAX:initialize "1,2', "noise\n\0\n"],
)  # fmt: skip
def test_a_client_that_is_gone_in_the_middle(messages: str, tmp_path: Path) -> None:
    code, _, error = serve(messages, tmp_path)
    assert code == 1
    assert error.startswith("error: the TraX client disconnected: it is gone, without `quit`")
    assert "Traceback" not in error


def test_a_client_that_falls_silent(tmp_path: Path) -> None:
    code, _, error = serve(START + FRAME, tmp_path, "--idle", 1, end=False)
    assert code == 1
    assert "it said nothing for 1 s between two messages" in error
    assert "in the middle of a message" in serve("@@TRAX:in", tmp_path, "--idle", 1, end=False)[2]


def test_a_client_that_does_not_read(tmp_path: Path) -> None:
    code, _, error = serve(START + FRAME + FRAME, tmp_path, end=False, reads=False)
    assert code == 1
    assert "error: the TraX client disconnected: it does not read" in error


@pytest.mark.parametrize(
    "region",
    ["", "mask:", "mask:a,b", "x", "nan,1,2,3", "mask:0,0,-5,-5,0,5", "mask:0,0,99999,99999,0,5",
     "mask:0,0,2147483647,2147483647,1,2"],
)  # fmt: skip
def test_a_region_that_is_none(region: str, tmp_path: Path) -> None:
    """The library crashes on the first, and makes room for the last ones."""
    code, _, error = serve(f'@@TRAX:initialize "{region}" \n' + FRAME, tmp_path)
    assert code == 1
    assert f'expected the numbers of a region in `initialize`, found "{region}"' in error
    assert "Traceback" not in error


def test_a_tracker_that_exits_on_import(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("print('no newline', end='')\nimport sys\nsys.exit()\n")
    command = [sys.executable, "-m", "bench", "serve", "--tracker", "leaving:Class"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=environment(), check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "called sys.exit(None)" in done.stderr


def test_over_a_socket(tmp_path: Path) -> None:
    """As vot-toolkit has it with ``socket = true``."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-m", "bench", "serve", "--tracker", "static"]
        port = {"TRAX_SOCKET": str(server.getsockname()[1])}
        with subprocess.Popen(
            command, env=environment() | port, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as process:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(1 << 16).startswith(b"@@TRAX:")
            _, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"error: the TraX client disconnected: " in error


def test_a_registered_tracker_with_options(start: Callable[..., TraxSession]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    session = start("kcf", scales="1")
    session.initialize(image, BOX)
    region, score = session.frame(image)
    assert region == pytest.approx(BOX, abs=0.5)
    assert score is not None
