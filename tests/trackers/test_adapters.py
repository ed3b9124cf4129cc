"""Classes written for other toolkits run by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.registry import find_tracker, make_spec, tracker_options
from bench.tracker import Prediction, starts_on
from trackers.adapters import adapter_for, as_prediction, from_answer, missing_methods
from trackers.kcf import KCF
from trackers.static import Static

IMAGE = np.zeros((24, 32, 3), dtype=np.uint8)
IMAGE[..., 0] = 200  # red
BOX = np.array([3.0, 4.0, 5.0, 6.0])
ADAPTERS_OWN = ["images", "first_box", "origin"]

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
        return "0,0,4,4"


class Typed(Plain):
    def __init__(self, fast=False, scale=1, rate=0.5, net_path=None, sizes=(1, 2), *, mode):
        self.given = [fast, scale, rate, net_path, sizes, mode]


class Named2(Plain):
    def __init__(self, images="none"):
        self.images = images


class Broken(Plain):
    def __init__(self, gain: "no such name" = 1.5, other: 3 = True):
        self.gain, self.other = gain, other


class Exits(Plain):
    def __init__(self):
        raise SystemExit("bye")


class Raises(Plain):
    def __init__(self):
        {}["bilinear"]


class Annotated(Plain):  # a type of its own that is called like ours
    def update(self, image) -> "Prediction":
        return self.box


class Arrays(Tracker):  # a got10k class that reads arrays
    def __init__(self, late=False):
        super().__init__("Arrays", True)
        self.late = late

    def init(self, image, box):
        self.height = None if self.late else image.shape[0]
        self.box = box

    def update(self, image):
        self.pixel = image[0, 0].tolist()
        return self.box


class Random(Got10k):
    def __init__(self):
        Tracker.__init__(self, "Random", is_deterministic=False)
        self.step = 0


class Sees(Plain):
    def init(self, image, box):
        self.first, self.box = image, box


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
    assert list(options) == ["step", "verbose", *ADAPTERS_OWN]
    assert [options[name].annotation for name in ("step", "verbose")] == [float, bool]
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
    assert list(tracker_options("foreign_trackers:Plain")) == ADAPTERS_OWN


def test_annotations_that_cannot_be_resolved() -> None:
    options = tracker_options("foreign_trackers:Unresolved")
    assert list(options) == ["params", "gain", *ADAPTERS_OWN]
    assert options["gain"].annotation is float
    assert build("Unresolved", gain="2").wrapped.gain == 2.0


def test_our_own_trackers_are_not_adapted() -> None:
    assert adapter_for(KCF) is None
    assert adapter_for(Static) is None
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
        ("Late", "expected a box of four numbers, found '0,0,4,4'"),
        ("Wordy", "expected 'polygon' or 'bbox' in .*track.*found 'box'"),
        ("Silent", "expected a dict from track"),
    ],
)
def test_invalid_results_are_named(name: str, message: str) -> None:
    with pytest.raises(TrackerError, match=message):
        build(name).update(IMAGE)


def test_a_class_is_not_taken_for_deterministic_unless_it_says_so() -> None:
    """A stochastic class that runs once on VOT has another robustness than one that runs often."""
    said = {"Plain": False, "PySOT": False, "Got10k": True, "Arrays": True, "Random": False}
    for name, answer in said.items():
        assert make_spec(f"foreign_trackers:{name}").is_deterministic() is answer, name
    assert make_spec("got10k.trackers:IdentityTracker").is_deterministic()


@pytest.mark.parametrize("annotated", [True, False])
@pytest.mark.parametrize("deterministic", [True, False, None])
def test_annotations_make_no_difference(annotated: bool, deterministic: bool | None) -> None:
    class Mine:
        starts_on = "polygon"

        def init(self, image, region):  # type: ignore[no-untyped-def]
            self.region = region

        def update(self, image):  # type: ignore[no-untyped-def]
            return make(self.region)

    make = Prediction
    if annotated:
        Mine.update.__annotations__["return"] = Prediction
    if deterministic is not None:
        Mine.deterministic = deterministic  # type: ignore[attr-defined]
    found = adapter_for(Mine) or Mine
    assert getattr(found, "deterministic", False) is bool(deterministic)
    tracker = found()
    assert starts_on(tracker) == "polygon"
    corners = np.array([[0.0, 0], [4, 0], [4, 2], [0, 2]])
    tracker.init(IMAGE, corners)
    assert tracker.update(IMAGE).region.tolist() == corners.tolist()


def test_a_type_that_is_only_called_like_ours() -> None:
    assert build("Annotated").update(IMAGE).region.tolist() == BOX.tolist()


def test_the_batch_form_of_a_class_without_annotations() -> None:
    class Batch:
        def init(self, image, region):  # type: ignore[no-untyped-def]
            raise NotImplementedError

        def update(self, image):  # type: ignore[no-untyped-def]
            raise NotImplementedError

        def start(self, image, region):  # type: ignore[no-untyped-def]
            return 3

        def advance(self, states, images):  # type: ignore[no-untyped-def]
            return states, images

        @staticmethod
        def convert(source, target, preset):  # type: ignore[no-untyped-def]
            return {"preset": preset}

    found = adapter_for(Batch)
    assert found is not None
    assert found().start(IMAGE, BOX) == 3
    assert found().advance([1], [2]) == ([1], [2])
    assert found.convert(1, 2, "a") == {"preset": "a"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("images", "pixel"),
    [("rgb", [200, 0, 0]), ("bgr", [0, 0, 200]), ("gray", 60), ("pil", (200, 0, 0))],
)
def test_the_images_can_be_chosen(images: str, pixel: object) -> None:
    first = build("Sees", images=images).wrapped.first
    found = first.getpixel((0, 0)) if images == "pil" else first[0, 0].tolist()
    assert found == pixel
    assert isinstance(first, np.ndarray) == (images != "pil")


def test_the_first_box_and_the_origin_can_be_chosen() -> None:
    tracker = build("Sees", first_box="pysot")
    assert tracker.wrapped.box.tolist() == [3.5, 4.5, 5.0, 6.0]
    assert tracker.update(IMAGE).region.tolist() == [3.5, 4.5, 5.0, 6.0]
    tracker = build("Sees", origin="1")
    assert tracker.wrapped.box.tolist() == [4.0, 5.0, 5.0, 6.0]
    assert tracker.update(IMAGE).region.tolist() == BOX.tolist()
    polygon = build("Siam", origin="1").update(IMAGE).region
    assert polygon.tolist() == [[-1, -1], [3, -1], [3, 1], [-1, 1]]
    with pytest.raises(ConfigError, match=r"unknown value .*images.* 'rbg'. Did you mean 'rgb'"):
        make_spec("foreign_trackers:Plain", {"images": "rbg"})


@pytest.mark.parametrize("late", ["false", "true"])
def test_got10k_classes_that_read_arrays(late: str) -> None:
    tracker = build("Arrays", late=late)
    for _ in range(2):
        assert tracker.update(IMAGE).region.tolist() == BOX.tolist()
        assert tracker.wrapped.pixel == [200, 0, 0]
        tracker.init(IMAGE, BOX)
    assert tracker.update(IMAGE) is not None
    assert "images rgb (it cannot read PIL images: " in tracker.adapter_choice
    assert build("Arrays", images="bgr").update(IMAGE).region.tolist() == BOX.tolist()


def test_the_case_of_a_got10k_class_that_overrides_track(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(shared / "cases" / "array-got10k")
    tracker = make_spec("sfc:TrackerSiamFC").build()
    tracker.init(IMAGE, BOX)
    assert tracker.update(IMAGE).region.tolist() == BOX.tolist()


def test_an_error_that_is_not_of_the_image_stays_what_it_is() -> None:
    class Faulty:
        def init(self, image, box):  # type: ignore[no-untyped-def]
            raise TypeError("lost my mind")

        def update(self, image):  # type: ignore[no-untyped-def]
            raise NotImplementedError

        def track(self, files, box):  # type: ignore[no-untyped-def]
            raise NotImplementedError

    found = adapter_for(Faulty)
    assert found is not None
    with pytest.raises(TypeError, match="lost my mind"):
        found().init(IMAGE, BOX)


def test_the_choice_is_told() -> None:
    tracker = build("PySOT", first_box="pysot")
    assert tracker.adapter_choice == "written for PySOT: images bgr, first box pysot, origin 0"
    assert build("Got10k").adapter_choice.startswith("written for got10k: images auto")


def test_options_without_annotation_have_the_type_of_their_default() -> None:
    settings = {"fast": "False", "scale": "0.5", "rate": "2", "net_path": "None", "mode": "3"}
    assert build("Typed", **settings).wrapped.given == [False, 0.5, 2.0, None, (1, 2), 3]
    settings = {"net_path": "a.pth", "mode": "true", "sizes": "[4]", "scale": "2", "fast": "yes"}
    assert build("Typed", **settings).wrapped.given == [True, 2, 0.5, "a.pth", [4], True]
    with pytest.raises(ConfigError, match="'scale': expected a number, found 'much'"):
        build("Typed", scale="much", mode="1")
    with pytest.raises(ConfigError, match="expected true or false, found 'maybe'"):
        build("Typed", fast="maybe", mode="1")


def test_an_option_of_the_same_name_is_the_trackers() -> None:
    assert list(tracker_options("foreign_trackers:Named2"))[:2] == ["images", "adapter_images"]
    tracker = build("Named2", images="some", adapter_images="bgr")
    assert tracker.wrapped.images == "some"


def test_annotations_that_do_not_evaluate() -> None:
    tracker = build("Broken", gain="2", other="no")
    assert (tracker.wrapped.gain, tracker.wrapped.other) == (2.0, False)


def test_a_class_without_a_python_signature() -> None:
    class Coded(bytearray):
        def init(self, image, box):  # type: ignore[no-untyped-def]
            self.box = box

        def update(self, image):  # type: ignore[no-untyped-def]
            return self.box

    found = adapter_for(Coded)
    assert found is not None
    tracker = found()
    tracker.init(IMAGE, BOX)
    assert tracker.update(IMAGE).region.tolist() == BOX.tolist()


@pytest.mark.parametrize(("name", "found"), [("Net", "forward"), ("Half", "init"),
    ("Mixed", "update, initialize"), ("Call", "init, __call__")])  # fmt: skip
def test_a_class_that_is_no_tracker_is_refused_before_anything_runs(
    name: str, found: str, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(shared / "cases" / "no-methods")
    with pytest.raises(ConfigError, match=rf"class {name} .*nomethods\.py:\d+\) is not a tracker: "
        rf"expected methods init and update.*found {found}\. Name another"):  # fmt: skip
        make_spec(f"nomethods:{name}")


def test_a_class_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"class dict .*is not a tracker"):
        adapter_for(dict)
    assert missing_methods(KCF) is None


def test_constructors_that_raise_name_file_and_line() -> None:
    with pytest.raises(TrackerError, match=r"KeyError: 'bilinear' \(.*foreign_trackers\.py:\d+\)"):
        build("Raises")
    with pytest.raises(TrackerError, match="SystemExit: bye"):
        build("Exits")


NOTHING: list[object] = [None, [], np.zeros((24, 32), bool), np.zeros((1, 24, 32), np.uint8)]


@pytest.mark.parametrize("nothing", NOTHING)
def test_not_visible_is_an_answer(nothing: object) -> None:
    for prediction in (
        as_prediction(nothing, IMAGE.shape[:2]),
        from_answer({"bbox": nothing, "best_score": 0.1}, ("polygon", "bbox"), IMAGE.shape[:2]),
    ):
        assert prediction.region is None
    assert prediction.score == 0.1
    assert from_answer(None, ("bbox",)).region is None


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
def test_masks(kind: type) -> None:
    mask = np.zeros((1, 24, 32), kind)
    mask[0, 3:5, 6:9] = 1
    region = as_prediction(mask, (24, 32)).region
    assert region.dtype == bool
    assert np.argwhere(region)[[0, -1]].tolist() == [[3, 6], [4, 8]]


@pytest.mark.parametrize(
    "answer",
    [
        (True, (1, 2, 3, 4)),  # OpenCV's
        (np.True_, np.array([[1, 2, 3, 4]])),
        ([1, 2, 3, 4], 0.75),
        (np.array([1, 2, 3, 4]), np.float32(0.75)),
        {"target_bbox": [1, 2, 3, 4], "best_score": 0.75},
        {"bbox": np.array([1, 2, 3, 4]), "confidence": [0.75]},
    ],
)
def test_answers_of_no_toolkit(answer: object) -> None:
    said = as_prediction(answer, (24, 32))
    assert said.region.tolist() == [1, 2, 3, 4]
    has_score = isinstance(answer, dict) or not isinstance(answer[0], bool | np.bool_)  # type: ignore[index]
    assert said.score == (0.75 if has_score else None)


def test_opencv_says_that_the_target_is_lost() -> None:
    assert as_prediction((False, (0, 0, 0, 0))).region is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.pad([[1, 2]], ((0, 23), (0, 30))).astype(np.uint8), "one object, found values from 1"),
        ({}, "an empty dict"),
        (np.array([1, 2, 3, 4j]), "expected a box"),
        (np.array(["1", "2", "3", "4"]), "expected a box"),
        (["1", "2", "3", "4"], "expected a box"),
        (np.array(["2020-01-01"] * 4, "datetime64[D]"), "expected a box"),
        (3, "expected a box"),
        (iter([1, 2, 3, 4]), "expected a box"),
        (np.ones((12, 16), bool), r"as large as the image, \(24, 32\), found one of \(12, 16\)"),
        (np.full((24, 32), 7.5), "numbers from 7.5 to 7.5"),
        (np.ones(5, bool), "truths"),
    ],
)
def test_answers_that_are_no_regions(answer: object, message: str) -> None:
    with pytest.raises(TrackerError, match=message):
        as_prediction(answer, (24, 32))


def test_answers_that_are_tensors() -> None:
    torch = pytest.importorskip("torch")
    box = torch.tensor([[1.0, 2.0, 3.0, 4.0]], requires_grad=True)
    assert as_prediction(box).region.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert as_prediction(list(box[0].detach())).region.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert as_prediction(box.bfloat16()).region.tolist() == [1.0, 2.0, 3.0, 4.0]
