"""The class that vot-toolkit imports, tested without the toolkit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.interop.vot_python import PluginTracker


@pytest.fixture
def frame(tmp_path: Path) -> str:
    path = tmp_path / "00000001.png"
    cv2.imwrite(str(path), np.zeros((48, 64, 3), dtype=np.uint8))
    return str(path)


def test_a_box_for_a_polygon(frame: str) -> None:
    """Corners arrive as a list of pairs; four plain floats are returned, for another process."""
    tracker = PluginTracker("static")
    corners = [(10.5, 0.0), (20.0, 10.0), (10.0, 20.0), (0.0, 10.0)]
    assert tracker.init(frame, (corners, {}), {}) == ((0.0, 0.0, 20.0, 20.0), {})
    assert tracker.update(frame) == ((0.0, 0.0, 20.0, 20.0), {"confidence": 1.0})


def test_options_are_typed(frame: str) -> None:
    tracker = PluginTracker("kcf", options='{"scales": "1", "padding": "1.5"}')
    tracker.init(frame, ((10.0, 11.0, 5.0, 6.0), {}), {})
    region, properties = tracker.update(frame)
    assert len(region) == 4
    assert set(properties) == {"confidence"}


@pytest.mark.parametrize(
    ("tracker", "options", "problem"),
    [
        ("kfc", "{}", "Did you mean 'kcf'"),
        ("kcf", '{"scale": "1"}', "unknown option"),
        ("kcf", '{"scales": "2"}', "odd"),
    ],
)
def test_errors_are_of_the_kind_that_is_passed_on(
    tracker: str, options: str, problem: str
) -> None:
    with pytest.raises(RuntimeError, match=problem):
        PluginTracker(tracker, options)


def test_a_missing_image(tmp_path: Path, frame: str) -> None:
    tracker = PluginTracker("static")
    box = ((10.0, 11.0, 5.0, 6.0), {})
    with pytest.raises(RuntimeError, match="does not exist"):
        tracker.init(str(tmp_path / "gone.jpg"), box, {})
    tracker.init(frame, box, {})
    with pytest.raises(RuntimeError, match="does not exist"):
        tracker.update(str(tmp_path / "gone.jpg"))
