"""Trackers in their own process: working, crashing, hanging, missing."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.registry import make_spec, tracker_options
from trackers.external import TraxTracker

pytest.importorskip("trax")

IMAGE = np.zeros((48, 64, 3), dtype=np.uint8)
IMAGE[..., 0] = 200
BOX = np.array([10.0, 11.0, 5.0, 6.0])

SERVER = """
import sys, time
import numpy as np
from trax import Mask, Polygon, Rectangle, Server, Special

mode, image_format = sys.argv[1:3]
print("a line that is not of the protocol", flush=True)
if mode == "early":
    sys.exit("cannot find weights.bin")
if mode == "mute":
    time.sleep(60)
regions = ["polygon"] if mode == "polygon" else ["rectangle", "mask"]
with Server(regions, [image_format]) as server:
    while True:
        request = server.wait()
        if request.type == "initialize":
            count, region = 0, request.objects[0][0]
            image = request.image["color"]
        elif request.type == "frame":
            count += 1
            if mode == "crash" and count == 2:
                sys.stderr.write("CUDA out of memory\\n")
                sys.stderr.flush()
                import os; os._exit(3)
            if mode == "hang" and count == 2:
                sys.stderr.write("thinking\\n")
                sys.stderr.flush()
                time.sleep(60)
            if mode in ("raises", "leaves", "mumbles") and count == 2:
                sys.stdout.write("fps 30 ")
                sys.stdout.flush()
                if mode == "raises":
                    raise ValueError("boom")
                import os; os._exit(mode == "mumbles")
            if mode == "prints":
                print("fps 30", end=" ", flush=True)
            if mode == "split":
                print("fps @@TR", end="", flush=True)
                time.sleep(0.1)
            if mode == "words":
                server.status([(region, {"confidence": "sure"})])
                continue
            if mode == "empty" and count == 2:
                server.status([(Mask.create(np.zeros((2, 3), np.uint8)), {"confidence": 0.0})])
                continue
            if mode == "lose" and count == 2:
                server.status([(Special.create(0), {})])
                continue
            if mode == "mask":
                server.status([(Mask.create(np.ones((2, 3), np.uint8), x=4, y=5), {})])
                continue
            if mode != "polygon":
                x, y, w, h = region.bounds()
                region = Rectangle.create(x + 1, y, w, h)
        else:
            break
        server.status([(region, {"confidence": 0.5})])
"""


@pytest.fixture
def server(tmp_path: Path) -> str:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    return f"{sys.executable} {script}"


@pytest.mark.parametrize("image_format", ["path", "memory", "buffer"])
@pytest.mark.parametrize("restart", [True, False])
def test_a_working_tracker_runs_twice(server: str, image_format: str, restart: bool) -> None:
    tracker = TraxTracker(f"{server} good {image_format}", timeout=20, restart=restart)
    for _ in range(2):
        tracker.init(IMAGE, BOX)
        predictions = [tracker.update(IMAGE) for _ in range(3)]
        assert [p.region.tolist() for p in predictions] == [[11 + i, 11, 5, 6] for i in range(3)]
        assert [p.score for p in predictions] == [0.5] * 3
    tracker.close()


@pytest.mark.parametrize("mode", ["lose", "empty"])
def test_a_lost_target_is_not_visible(server: str, mode: str) -> None:
    tracker = TraxTracker(f"{server} {mode} path")
    tracker.init(IMAGE, BOX)
    found, lost, again = (tracker.update(IMAGE) for _ in range(3))
    assert found.region is not None
    assert lost.region is None
    assert lost.score == 0
    assert again.region is not None
    tracker.close()


@pytest.mark.parametrize("mode", ["prints", "split"])
def test_prints_without_a_newline_hide_no_answer(server: str, mode: str) -> None:
    tracker = TraxTracker(f"{server} {mode} path", timeout=20)
    tracker.init(IMAGE, BOX)
    assert [tracker.update(IMAGE).region[0] for _ in range(3)] == [11, 12, 13]
    tracker.close()


@pytest.mark.parametrize("mode", ["raises", "leaves", "mumbles"])
def test_a_process_that_ends_is_a_failure(server: str, mode: str) -> None:
    """The library answers for a process that is gone, as if the target were lost."""
    tracker = TraxTracker(f"{server} {mode} path", timeout=20)
    tracker.init(IMAGE, BOX)
    tracker.update(IMAGE)
    with pytest.raises(TrackerError, match=r"frame 3: it ended with exit code [01]"):
        tracker.update(IMAGE)


def test_a_tracker_that_crashed_is_not_counted_as_done(shared: Path) -> None:
    script = shared / "cases" / "trax-crash-counted-done" / "vot_tracker.py"
    with pytest.raises(TrackerError, match=r"frame 1: it ended with exit code 1(?s:.*)boom"):
        TraxTracker(f"{sys.executable} {script}").init(IMAGE, BOX)


def test_a_confidence_that_is_no_number(server: str) -> None:
    tracker = TraxTracker(f"{server} words path")
    tracker.init(IMAGE, BOX)
    with pytest.raises(TrackerError, match="a number as its confidence, found 'sure'"):
        tracker.update(IMAGE)
    tracker.close()


def test_polygons(server: str) -> None:
    tracker = TraxTracker(f"{server} polygon path")
    tracker.init(IMAGE, BOX)
    corners = [[10, 11], [15, 11], [15, 17], [10, 17]]
    assert tracker.update(IMAGE).region.tolist() == corners
    tracker.close()


def test_masks(server: str) -> None:
    tracker = TraxTracker(f"{server} mask path")
    tracker.init(IMAGE, BOX)
    mask = tracker.update(IMAGE).region
    assert mask.shape == (48, 64)
    assert np.argwhere(mask).tolist() == [[y, x] for y in (5, 6) for x in (4, 5, 6)]
    tracker.close()


def test_a_crash_quotes_code_frame_and_stderr(server: str) -> None:
    tracker = TraxTracker(f"{server} crash path")
    tracker.init(IMAGE, BOX)
    tracker.update(IMAGE)
    with pytest.raises(TrackerError, match=r"frame 3: .*exit code 3") as caught:
        tracker.update(IMAGE)
    assert "CUDA out of memory" in str(caught.value)
    with pytest.raises(TrackerError, match="has ended"):
        tracker.update(IMAGE)
    tracker.init(IMAGE, BOX)  # the next sequence restarts it
    assert tracker.update(IMAGE).score == 0.5
    tracker.close()


def test_a_hanging_process_is_killed(server: str) -> None:
    tracker = TraxTracker(f"{server} hang path", timeout=20)
    tracker.init(IMAGE, BOX)
    tracker.update(IMAGE)
    assert tracker.session is not None
    tracker.session.timeout = 1.5  # from here on: a busy machine may need longer to start it
    start = time.monotonic()
    with pytest.raises(TrackerError, match=r"no answer within 1\.5 s(?s:.*)thinking"):
        tracker.update(IMAGE)
    assert time.monotonic() - start < 6


def test_a_hanging_child_of_a_shell_is_killed(server: str) -> None:
    tracker = TraxTracker(f"sh -c '{server} mute path; true'", timeout=1)
    start = time.monotonic()
    with pytest.raises(TrackerError, match="at start: no answer within 1 s"):
        tracker.init(IMAGE, BOX)
    assert time.monotonic() - start < 6


def test_a_tracker_that_never_starts(server: str) -> None:
    with pytest.raises(TrackerError, match=r"at start: .*exit code 1(?s:.*)weights\.bin"):
        TraxTracker(f"{server} early path").init(IMAGE, BOX)


def test_a_missing_command() -> None:
    with pytest.raises(TrackerError, match="cannot start 'no-such-tracker --fast'"):
        TraxTracker("no-such-tracker --fast").init(IMAGE, BOX)


@pytest.mark.parametrize(
    "settings",
    [{"command": " "}, {"command": "a 'b"}, {"command": "a", "timeout": "0"}, {"timeout": "nan"}],
)
def test_options_are_checked(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="option"):
        make_spec("trax", settings).build()


def test_options_are_listed() -> None:
    assert list(tracker_options("trax")) == ["command", "timeout", "restart"]


def test_without_the_client_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trax.client", None)
    with pytest.raises(TrackerError, match=r"pip install 'siamattn-bench\[trax\]'"):
        TraxTracker("anything")
