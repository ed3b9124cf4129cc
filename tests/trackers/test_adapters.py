"""Classes written for other toolkits run by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.registry import find_tracker, make_spec, tracker_options
from bench.tracker import Prediction
from trackers.adapters import adapter_for
from trackers.kcf import KCF
from trackers.static import Static

IMAGE = np.zeros((24, 32, 3), dtype=np.uint8)
IMAGE[..., 0] = 200  # red
BOX = np.array([3.0, 4.0, 5.0, 6.0])

FOREIGN = """
import numpy as np
from got10k.trackers import Tracker


class Got10k(Tracker):
    def __init__(self, step=2.0, verbose=False):
        super().__init__(name="Got10k", is_deterministic=True)
        self.step, self.verbose = step, verbose

    def init(self, image, box):
        self.image, self.box = image, box

    def update(self, image):
        self.box = self.box + np.array([self.step, 0, 0, 0])
        return self.box


class Named(Tracker):
    pass


class BaseTracker:  # PySOT
    def init(self, img, bbox):
        raise NotImplementedError

    def track(self, img):
        raise NotImplementedError


class PySOT(BaseTracker):
    def init(self, img, bbox):
        self.pixel, self.bbox = img[0, 0].tolist(), bbox

    def track(self, img):
        return {"bbox": self.bbox, "best_score": np.float32(0.75)}


class Siam(PySOT):
    def track(self, img):
        return {"bbox": self.bbox, "best_score": 1.0, "polygon": [0, 0, 4, 0, 4, 2, 0, 2]}

    def update(self, template):  # not the tracking method
        raise RuntimeError


class PyTracking:
    def __init__(self, params):
        self.params = params

    def initialize(self, image, info):
        self.pixel, self.box, self.infos = image[0, 0].tolist(), info["init_bbox"], []
        return {"time": 0.1}

    def track(self, image, info=None):
        self.infos.append(info)
        return {"target_bbox": self.box, "max_score": 0.5}


class Plain:
    def init(self, image, box):
        self.box = box

    def update(self, image):
        return tuple(self.box)


class Unresolved(Plain):
    def __init__(self, params: "NoSuchName" = None, gain: "float" = 1.5):
        self.gain = gain


class Late(Plain):
    def update(self, image):
        return None


class Wordy(PySOT):
    def track(self, img):
        return {"box": self.bbox}


class Silent(PySOT):
    def track(self, img):
        return self.bbox
"""


@pytest.fixture(autouse=True)
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "foreign_trackers.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(tmp_path)


def build(name: str, **settings: str) -> Any:
    tracker = make_spec(f"foreign_trackers:{name}", settings).build()
    tracker.init(IMAGE, BOX)
    return tracker


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_got10k() -> None:
    tracker = build("Got10k", step="1.5")
    assert tracker.wrapped.image.getpixel((0, 0)) == (200, 0, 0)
    assert tracker.wrapped.image.size == (32, 24)
    assert tracker.update(IMAGE).region.tolist() == [4.5, 4.0, 5.0, 6.0]
    assert tracker.update(IMAGE).region.tolist() == [6.0, 4.0, 5.0, 6.0]
    assert tracker.update(IMAGE).score is None


def test_options_of_the_foreign_constructor_are_listed_and_typed() -> None:
    options = tracker_options("foreign_trackers:Got10k")
    assert list(options) == ["step", "verbose"]
    assert [option.annotation for option in options.values()] == [float, bool]
    assert options["step"].default == 2.0
    with pytest.raises(ConfigError, match="Did you mean 'step'"):
        make_spec("foreign_trackers:Got10k", {"stop": "1"})
    assert make_spec("foreign_trackers:Got10k", {"verbose": "yes"}).options == {"verbose": True}


def test_required_options_are_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"needs the option\(s\) name"):
        make_spec("foreign_trackers:Named")
    with pytest.raises(ConfigError, match=r"needs the option\(s\) params"):
        make_spec("foreign_trackers:PyTracking")


def test_got10k_own_tracker_runs_by_name() -> None:
    tracker = make_spec("got10k.trackers:IdentityTracker").build()
    tracker.init(IMAGE, BOX)
    assert tracker.update(IMAGE).region.tolist() == BOX.tolist()


def test_pysot() -> None:
    tracker = build("PySOT")
    assert tracker.wrapped.pixel == [0, 0, 200]
    prediction = tracker.update(IMAGE)
    assert prediction.region.tolist() == BOX.tolist()
    assert prediction.score == 0.75
    assert type(prediction.score) is float


def test_pysot_with_a_polygon_and_its_own_update() -> None:
    prediction = build("Siam").update(IMAGE)
    assert prediction.region.tolist() == [[0, 0], [4, 0], [4, 2], [0, 2]]
    assert prediction.score == 1.0


def test_pytracking() -> None:
    tracker = build("PyTracking", params="dimp50")
    assert tracker.wrapped.params == "dimp50"
    assert tracker.wrapped.pixel == [200, 0, 0]
    first = tracker.update(IMAGE)
    assert (first.region.tolist(), first.score) == (BOX.tolist(), 0.5)
    tracker.update(IMAGE)
    assert tracker.wrapped.infos[0] == {"previous_output": {"time": 0.1}}
    assert tracker.wrapped.infos[1]["previous_output"]["max_score"] == 0.5


def test_a_plain_class() -> None:
    assert build("Plain").update(IMAGE).region.tolist() == BOX.tolist()
    assert list(tracker_options("foreign_trackers:Plain")) == []


def test_annotations_that_cannot_be_resolved() -> None:
    options = tracker_options("foreign_trackers:Unresolved")
    assert list(options) == ["params", "gain"]
    assert options["gain"].annotation is float
    assert build("Unresolved", gain="2").wrapped.gain == 2.0


def test_our_own_trackers_are_not_adapted() -> None:
    assert adapter_for(KCF) is None
    assert adapter_for(Static) is None
    assert adapter_for(dict) is None  # not a tracker
    assert find_tracker("trackers.static:Static") is Static


def test_our_interface_without_annotation_works_too() -> None:
    class Mine:
        def init(self, image, region):  # type: ignore[no-untyped-def]
            self.answer = Prediction(region, 0.9)

        def update(self, image):  # type: ignore[no-untyped-def]
            return self.answer

    tracker = adapter_for(Mine)()
    tracker.init(IMAGE, BOX)
    assert tracker.update(IMAGE) is tracker.answer


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Late", "expected a box of four numbers, found None"),
        ("Wordy", "expected 'polygon' or 'bbox' in .*track.*found 'box'"),
        ("Silent", "expected a dict from track"),
    ],
)
def test_invalid_results_are_named(name: str, message: str) -> None:
    with pytest.raises(TrackerError, match=message):
        build(name).update(IMAGE)
