"""Initial regions and predictions of a plug-in tracker in another toolkit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.interop.session import Session
from bench.protocols.vot import starting_region
from bench.registry import TrackerSpec

IMAGE = np.zeros((48, 64, 3), dtype=np.uint8)
SQUARE_ON_ITS_TIP = np.array([[10.0, 0], [20, 10], [10, 20], [0, 10]])
PLUGIN = """
import numpy as np
from bench.errors import TrackerError
from bench.arrays import Image
from bench.tracker import Prediction, Region

class Tracker:
    starts_on = {starts_on!r}
    def init(self, image: Image, region: Region) -> None:
        self.region = region
        self.draw = np.random.random()
    def update(self, image: Image) -> Prediction:
        {update}
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., TrackerSpec]:
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(update: str, starts_on: str = "bounding") -> TrackerSpec:
        name = f"plugin_of_{tmp_path.name}"  # classes are cached by name
        (tmp_path / f"{name}.py").write_text(PLUGIN.format(update=update, starts_on=starts_on))
        return TrackerSpec("mine", f"{name}:Tracker", {})

    return write


@pytest.mark.parametrize(
    ("starts_on", "expected"),
    [
        ("bounding", [0, 0, 20, 20]),
        # Same area, 200, and centre as the square.
        ("area-preserving", [10 - 50**0.5, 10 - 50**0.5, 200**0.5, 200**0.5]),
        ("polygon", SQUARE_ON_ITS_TIP.tolist()),
    ],
)
def test_it_starts_on_what_it_asks_for(
    plugin: Callable[..., TrackerSpec], starts_on: str, expected: list[float]
) -> None:
    session = Session(plugin("return Prediction(self.region, 0.5)", starts_on))
    session.start(IMAGE, SQUARE_ON_ITS_TIP)
    region, score = session.follow(IMAGE)
    np.testing.assert_allclose(region, expected)
    assert score == 0.5


@pytest.mark.parametrize("starts_on", ["bounding", "area-preserving"])
def test_a_box_stays_a_box(starts_on: str) -> None:
    assert starting_region(np.array([1, 2, 3, 4]), starts_on).tolist() == [1, 2, 3, 4]


def test_a_box_has_corners_for_who_wants_them() -> None:
    corners = starting_region(np.array([1, 2, 3, 4]), "polygon")
    assert corners.tolist() == [[1, 2], [4, 2], [4, 6], [1, 6]]


def test_five_corners_have_a_bounding_box_only() -> None:
    five = np.vstack([SQUARE_ON_ITS_TIP, [[5, 5]]])
    assert starting_region(five, "area-preserving").tolist() == [0, 0, 20, 20]
    assert starting_region(five, "polygon").shape == (5, 2)


def test_masks_are_rotated_rectangles() -> None:
    mask = np.zeros((48, 64), dtype=bool)
    mask[10:21, 30:51] = True
    x, y, w, h = starting_region(mask, "bounding")
    assert (x, y, w, h) == pytest.approx((30, 10, 21, 11), abs=1.01)
    assert starting_region(mask, "polygon").shape == (4, 2)


def test_a_mask_for_an_answer(plugin: Callable[..., TrackerSpec]) -> None:
    session = Session(
        plugin("m = np.zeros((48, 64), bool); m[1:9, 2:7] = 1; return Prediction(m)")
    )
    session.start(IMAGE, SQUARE_ON_ITS_TIP)
    region, score = session.follow(IMAGE)
    assert region.shape == (4, 2)
    assert score is None


def test_each_start_is_seeded_alike(plugin: Callable[..., TrackerSpec]) -> None:
    session = Session(plugin("return Prediction(self.region, self.draw)"), seed=3)
    draws = []
    for _ in range(2):
        session.start(IMAGE, np.array([1.0, 2, 3, 4]))
        draws.append(session.follow(IMAGE)[1])
    assert draws[0] == draws[1]


@pytest.mark.parametrize(
    ("update", "problem"),
    [
        ("raise ValueError('lost my mind')", "tracker 'mine' at update: ValueError: lost my mind"),
        ("raise TrackerError('no')", "tracker 'mine' at update: no"),
        ("return None", "tracker 'mine' at update: expected a Prediction, found None"),
        ("return Prediction(self.region * np.nan)", "expected finite numbers"),
    ],
)
def test_what_goes_wrong_is_one_error(
    plugin: Callable[..., TrackerSpec], update: str, problem: str
) -> None:
    session = Session(plugin(update))
    session.start(IMAGE, np.array([1.0, 2, 3, 4]))
    with pytest.raises(TrackerError, match=problem):
        session.follow(IMAGE)


def test_an_unknown_wish(plugin: Callable[..., TrackerSpec]) -> None:
    spec = plugin("return Prediction(self.region)", "poligon")
    with pytest.raises(ConfigError, match=r"starts_on .*'poligon'\. Did you mean 'polygon'"):
        Session(spec)
