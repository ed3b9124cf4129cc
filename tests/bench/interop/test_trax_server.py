"""A plug-in tracker over TraX: all kinds of images and regions, and reported failures."""

from __future__ import annotations

import contextlib
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
    def __init__(self, step: float = 1.0, fail: bool = False, mask: bool = False) -> None:
        self.step, self.fail, self.mask = step, fail, mask
    def init(self, image: Image, region: Region) -> None:
        assert image.shape == (48, 64, 3) and image[0, 0].tolist() == [200, 0, 0], image[0, 0]
        assert image[20, 30].tolist() == [1, 2, 3]
        self.region = region
        print("a line that is not of the protocol", flush=True)
    def update(self, image: Image) -> Prediction:
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


def test_a_registered_tracker_with_options(start: Callable[..., TraxSession]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    session = start("kcf", scales="1")
    session.initialize(image, BOX)
    region, score = session.frame(image)
    assert region == pytest.approx(BOX, abs=0.5)
    assert score is not None
