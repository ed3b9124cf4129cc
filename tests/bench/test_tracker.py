"""Finding trackers by name, typed options, and what counts as a region."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.geometry import EMPTY, Regions
from bench.registry import (
    TrackerSpec,
    find_tracker,
    make_spec,
    parse_value,
    registered_trackers,
    tracker_options,
)
from bench.sequence import to_file
from bench.tracker import ABSENT, Prediction, absent_rows, as_box, mask_of

PLUGIN = """
from pathlib import Path
from typing import Literal
from bench.tracker import Prediction

class Good:
    def __init__(self, rate: float = 0.5, steps: int = 3, fast: bool = False,
                 mode: Literal["a", "b"] = "a", weights: Path | None = None,
                 device: str = "cpu", limit: int | None = None):
        self.rate, self.steps, self.fast, self.mode = rate, steps, fast, mode
        self.weights, self.device, self.limit = weights, device, limit
    def init(self, image, region): self.region = region
    def update(self, image) -> Prediction: return Prediction(self.region)

class Needy:
    def __init__(self, model: str): ...
    def init(self, image, region): ...
    def update(self, image): return Prediction(region=None)

class Broken:
    def __init__(self): raise RuntimeError("no such layer")
    def init(self, image, region): ...
    def update(self, image): return Prediction(region=None)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A plug-in module in the current folder, as a user has it; its name is unique."""
    name = f"plugin_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(PLUGIN)
    (tmp_path / f"{name}_needs.py").write_text("import not_installed_anywhere\n")
    (tmp_path / f"{name}_syntax.py").write_text("def\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_every_registered_tracker_is_found() -> None:
    names = registered_trackers()
    assert {"static", "kcf", "opencv-mil", "trax"} <= set(names)
    for name in names:
        assert isinstance(find_tracker(name), type)


def test_module_and_class_from_the_current_folder(plugin: str) -> None:
    spec = make_spec(f"{plugin}:Good", {"rate": "0.25", "fast": "yes", "mode": "b", "limit": "7"})
    tracker = spec.build()
    assert spec.name == "Good"
    assert vars(tracker) == {
        "rate": 0.25, "steps": 3, "fast": True, "mode": "b",
        "weights": None, "device": "cpu", "limit": 7,
    }  # fmt: skip


def test_options_are_listed_with_their_types(plugin: str) -> None:
    options = tracker_options(f"{plugin}:Good")
    assert list(options) == ["rate", "steps", "fast", "mode", "weights", "device", "limit"]
    assert options["rate"].annotation is float


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rat": "1"}, r"unknown option .*'rat'.*Did you mean 'rate'.*steps"),
        ({"steps": "1.5"}, r"option 'steps': expected int, found '1.5'"),
        ({"fast": "perhaps"}, r"option 'fast': expected true or false, found 'perhaps'"),
        ({"mode": "c"}, r"unknown value of .*'c'.*Known: a, b"),
    ],
)
def test_wrong_options_say_what_is_known(
    plugin: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_spec(f"{plugin}:Good", settings)


def test_required_option_is_named(plugin: str) -> None:
    with pytest.raises(ConfigError, match=r"needs the option\(s\) model: .*--set model=VALUE"):
        make_spec(f"{plugin}:Needy")


def test_weights_and_device_reach_trackers_that_take_them(plugin: str, tmp_path: Path) -> None:
    weights = tmp_path / "w.bin"
    weights.write_bytes(b"abc")
    spec = make_spec(f"{plugin}:Good", weights=weights, device="cuda:1")
    assert spec.options == {"weights": weights, "device": "cuda:1"}
    sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert spec.weights_hash() == sha256_of_abc
    with pytest.raises(ConfigError, match="no option to choose where it runs, but --device cuda"):
        make_spec("static", device="cuda")
    with pytest.raises(ConfigError, match="takes no weights"):
        make_spec("static", weights=weights)
    with pytest.raises(ConfigError, match="no such file"):
        make_spec(f"{plugin}:Good", weights=tmp_path / "none")


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("kfc", ConfigError, "Did you mean 'kcf'"),
        ("{plugin}:God", ConfigError, "Did you mean 'Good'"),
        ("no_module_anywhere:X", ConfigError, "no module 'no_module_anywhere'"),
        ("{plugin}_needs:X", TrackerError, "needs the module 'not_installed_anywhere'"),
        ("{plugin}_syntax:X", TrackerError, "SyntaxError"),
    ],
)
def test_names_that_lead_nowhere(
    plugin: str, target: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        find_tracker(target.format(plugin=plugin))


def test_constructor_that_raises_is_a_tracker_error(plugin: str) -> None:
    with pytest.raises(TrackerError, match=r"could not be built.*RuntimeError: no such layer"):
        TrackerSpec("broken", f"{plugin}:Broken").build()


def test_optional_values() -> None:
    assert parse_value("none", int | None, "x") is None
    assert parse_value("4", int | None, "x") == 4
    assert parse_value("a/b", Path, "x") == Path("a/b")


def test_regions_become_boxes() -> None:
    assert as_box(np.array([1, 2, 3, 4])).tolist() == [1, 2, 3, 4]
    assert as_box(np.array([[0, 0], [4, 0], [4, 2], [0, 2]])).tolist() == [0, 0, 4, 2]
    mask = np.zeros((5, 5), dtype=bool)
    mask[1:3, 2:5] = True
    assert as_box(mask).tolist() == [2, 1, 3, 2]


@pytest.mark.parametrize(
    "region",
    [np.zeros(3), np.array([1, 2, np.nan, 4]), np.zeros((2, 2, 2)), np.zeros((5, 5), bool)],
)
def test_what_is_no_region_is_an_error(region: np.ndarray) -> None:
    with pytest.raises(TrackerError, match="expected"):
        as_box(region)


@pytest.mark.parametrize("index_base", [0.0, 1.0])
def test_stored_rows_that_say_absent(index_base: float) -> None:
    away = to_file(np.array(ABSENT), index_base).tolist()
    rows = [away, [0, 0, 0, 0], [0, 5, 6, 7], [away[0], 1, 2, 3], [0], [1, 2, 3, 4]]
    found = absent_rows(Regions.from_rows([*rows, [0] * 8]), index_base)
    assert found.tolist() == [True, True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Prediction(np.ones(4)), None),
        (Prediction(None), EMPTY),
        (Prediction(np.zeros(4), mask=np.ones((2, 2), dtype=bool)), EMPTY),
        (Prediction(np.zeros((2, 2), dtype=bool)), EMPTY),
        (Prediction(np.ones((1, 2), dtype=bool)), [0, 0, 2, 1, 0, 2]),
        (Prediction(np.ones(4), mask=np.ones((1, 2), dtype=bool)), [0, 0, 2, 1, 0, 2]),
    ],
)
def test_the_mask_of_an_answer(answer: Prediction, expected: object) -> None:
    found = mask_of(answer)
    assert found is None if expected is None else np.array_equal(found, expected)
