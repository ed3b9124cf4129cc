"""Trackers from files, classes and objects, and names that the working folder must not hide."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, TrackerError
from bench.loading import ROOT, find_tracker
from bench.registry import TrackerSpec, make_spec, tracker_options
from bench.tracker import Prediction

FILE = """
from bench.tracker import Prediction
from {helper} import SHIFT

class Mine:
    def __init__(self, shift: float = SHIFT) -> None:
        self.shift = shift
    def init(self, image, region):
        self.box = region + [self.shift, 0, 0, 0]
    def update(self, image) -> Prediction:
        return Prediction(self.box)
"""


class Here:
    """A class of this module, for specifications from classes and objects."""

    deterministic = True

    def __init__(self, shift: float = 0.0, model: object = None) -> None:
        self.shift, self.model = shift, model

    def init(self, image: np.ndarray, region: np.ndarray) -> None:
        self.box = region + np.array([self.shift, 0.0, 0.0, 0.0])

    def update(self, image: np.ndarray) -> Prediction:
        return Prediction(self.box)


class Foreign:
    """Returns a bare box, so it needs an adapter."""

    def init(self, image: np.ndarray, box: np.ndarray) -> None:
        self.box = box

    def update(self, image: np.ndarray) -> np.ndarray:
        return self.box


@pytest.fixture
def _path_restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = sys.path[:]
    yield
    sys.path[:] = before


@pytest.fixture
def plugin(tmp_path: Path, _path_restored: None) -> Path:
    """A file with a tracker, in a folder with a module that it imports."""
    helper = f"helper_{abs(hash(tmp_path))}"
    (tmp_path / "plug-ins").mkdir()
    (tmp_path / "plug-ins" / f"{helper}.py").write_text("SHIFT = 2.5\n")
    path = tmp_path / "plug-ins" / "my tracker.py"
    path.write_text(FILE.format(helper=helper))
    return path


def test_a_class_in_a_file(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(f"{plugin}:Mine", {"shift": "3"})
    assert (spec.name, spec.options) == ("Mine", {"shift": 3.0})
    assert tracker_options(spec.target)["shift"].default == 2.5
    monkeypatch.chdir(plugin.parent.parent)
    assert find_tracker("plug-ins/my tracker.py:Mine") is find_tracker(spec.target)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("no/such.py:Mine", ConfigError, "such.py does not exist"),
        ("{plugin}:Mien", ConfigError, "Did you mean 'Mine'"),
        ("{broken}:Mine", TrackerError, "needs the module 'not_installed_anywhere'"),
        ("{plugin}", ConfigError, "path/file.py:Class"),
    ],
)
def test_files_without_the_class(
    plugin: Path, target: str, error: type[Exception], message: str
) -> None:
    broken = plugin.with_name("broken.py")
    broken.write_text("import not_installed_anywhere\n")
    with pytest.raises(error, match=message):
        make_spec(target.format(plugin=plugin, broken=broken))


def test_a_class_takes_options_of_any_type() -> None:
    model = object()
    spec = make_spec(Here, {"shift": "2", "model": model})
    assert spec.name == "Here"
    assert spec.options == {"shift": 2.0, "model": model}
    assert (spec.is_deterministic(), spec.is_batch(), spec.is_registered()) == (True, False, False)
    assert spec.build().shift == 2.0  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="Did you mean 'shift'"):
        make_spec(Here, {"shfit": "2"})


def test_an_object_is_the_tracker_itself() -> None:
    tracker = Here(4.0)
    spec = make_spec(tracker, name="mine")
    assert spec.name == "mine"
    assert spec.is_deterministic()
    assert spec.build() is tracker
    for wrong in ({"settings": {"shift": "1"}}, {"device": "cpu"}):
        with pytest.raises(ConfigError):
            make_spec(tracker, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="init and update, found int"):
        make_spec(3)


@pytest.mark.parametrize("tracker", [Foreign, Foreign()], ids=["class", "object"])
def test_a_class_or_object_of_another_toolkit_is_adapted(tracker: object) -> None:
    built = make_spec(tracker).build()
    built.init(np.zeros((4, 4, 3), np.uint8), np.ones(4))
    assert built.update(np.zeros((4, 4, 3), np.uint8)).region.tolist() == [1, 1, 1, 1]


def test_a_factory_travels_by_value() -> None:
    local = 7.0

    class Local(Here):
        def __init__(self) -> None:
            super().__init__(local)

    for spec in (
        make_spec(Local),
        make_spec(Local()),
        TrackerSpec("x", "x", factory=lambda: Local()),
    ):
        again = pickle.loads(pickle.dumps(spec))
        assert (again.name, again.target, again.options) == (spec.name, spec.target, spec.options)
        assert again.build().shift == 7.0
    plain = TrackerSpec("kcf", "kcf", {"scales": 3})
    assert pickle.loads(pickle.dumps(plain)) == plain


HOSTILE = {
    "bench.py": "raise SystemExit('bench.py of the working folder')",
    "torch.py": "raise SystemExit('torch.py of the working folder')",
    "cv2.py": "raise SystemExit('cv2.py of the working folder')",
    "trackers/__init__.py": "",
    "trackers/mine.py": FILE.format(helper="trackers.helper"),
    "trackers/helper.py": "SHIFT = 1.0",
}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working folder with modules named like ours, and with one clip."""
    import cv2

    clip = tmp_path / "clips" / "walk"
    clip.mkdir(parents=True)
    for number in (1, 2, 3):
        assert cv2.imwrite(str(clip / f"{number}.png"), np.full((48, 64, 3), 90, np.uint8))
    (clip / "groundtruth.txt").write_text("20,10,16,16\n" * 3)
    for name, text in HOSTILE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("bench")), "run", "folder", "--data", "clips"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip


@pytest.mark.parametrize("tracker", ["kcf", "static"])
def test_the_working_folder_hides_no_registered_tracker(hostile: Path, tracker: str) -> None:
    done = run_in(hostile, "--tracker", tracker)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (hostile / "results" / "folder" / tracker / "walk.txt").is_file()


@pytest.mark.parametrize("target", ["trackers.mine:Mine", "trackers/mine.py:Mine"])
def test_a_tracker_in_a_package_named_like_ours(hostile: Path, target: str) -> None:
    for name in ("torch.py", "cv2.py"):  # the user's own, first on the path of the user's tracker
        (hostile / name).unlink()
    (hostile / "trackers" / "mine.py").write_text(
        HOSTILE["trackers/mine.py"].replace("trackers.helper", "helper")
        if target.endswith(".py:Mine")
        else HOSTILE["trackers/mine.py"]
    )
    done = run_in(hostile, "--tracker", target)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (hostile / "results" / "folder" / "Mine" / "walk.txt").read_text().splitlines()
    assert [float(row.split(",")[0]) for row in rows] == [20, 21, 21]


def test_ours_replace_a_package_that_was_imported_before(hostile: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, ''); import trackers.mine; sys.path.remove('')\n"
        "from bench.loading import find_tracker\n"
        "print(find_tracker('trackers.mine:Mine').__name__, find_tracker('kcf').__module__)"
    )
    (hostile / "bench.py").unlink()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=hostile, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    assert done.stdout.split() == ["Mine", "trackers.kcf"], done.stderr
