"""What a record states of tracker, code and machine."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bench
from bench.errors import ConfigError
from bench.loading import ROOT
from bench.registry import TrackerSpec, make_spec
from bench.runner import own_files
from bench.runner.provenance import make_record
from bench.sequence import Dataset


@pytest.fixture
def dataset(fakes: ModuleType) -> Dataset:
    made: Dataset = fakes.make_dataset(a=3)
    return made


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a tracker class in one module and its base class in another."""
    package = tmp_path / "plug_in_under_test"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("from .main import Plug\n")
    (package / "main.py").write_text("from .base import Base\nclass Plug(Base):\n    pass\n")
    (package / "base.py").write_text(
        "class Base:\n    def init(self, image, box): ...\n    def update(self, image): ...\n"
    )
    (package / "deep" / "math.py").write_text("PI = 3\n")
    (package / "data.bin").write_text("1")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [n for n in sys.modules if n.startswith("plug_in_under_test")]:
        monkeypatch.delitem(sys.modules, name)
    return package


def provenance(dataset: Dataset, **changes: Any) -> dict[str, Any]:
    spec = dataclasses.replace(TrackerSpec("w", "fake_trackers:Wanderer"), **changes)
    return dict(make_record(dataset, spec, seed=0, jobs=1).provenance)


def test_facts_are_those_of_this_installation(dataset: Dataset) -> None:
    import cv2

    record = make_record(dataset, TrackerSpec("w", "fake_trackers:Wanderer"), seed=5, jobs=2)
    facts, session = record.provenance, record.sessions[0]
    assert facts["libraries"]["numpy"] == importlib.metadata.version("numpy")
    assert facts["decoder"] == f"opencv imread {cv2.__version__}"
    assert facts["bench_version"] == bench.__version__
    assert (facts["benchmark"], facts["seed"], facts["protocol"]) == ("otb2015", 5, "onepass")
    assert "device" not in facts  # known when a sequence has been run
    assert (session["jobs"], session["ended"]) == (2, None)
    assert session["cpu"]
    assert json.loads(json.dumps(session)) == session


def test_the_commit_is_that_of_the_checkout(dataset: Dataset) -> None:
    root = Path(bench.__file__).parent.parent
    if not (root / ".git").exists():
        pytest.skip("not a checkout")
    head = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    session = make_record(
        dataset, TrackerSpec("w", "fake_trackers:Wanderer"), seed=0, jobs=1
    ).sessions[0]
    assert session["commit"] == head.stdout.strip()
    assert isinstance(session["dirty"], bool)


def test_a_file_counts_by_its_content_not_by_its_folder(dataset: Dataset, tmp_path: Path) -> None:
    for folder, content in (("one", b"weights"), ("two", b"weights"), ("three", b"other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.pth").write_bytes(content)
    one, two, three = (
        provenance(dataset, options={"weights": tmp_path / folder / "net.pth", "scale": 2.5})
        for folder in ("one", "two", "three")
    )
    assert one == two != three
    assert one["options"] == {"weights": "net.pth", "scale": 2.5}
    assert one["weights_sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert provenance(dataset)["weights_sha256"] is None


def test_any_value_of_an_option_can_be_recorded(dataset: Dataset) -> None:
    options = {"folder": Path("/no/where"), "sizes": (1, 2), "plan": {1: "x"}}
    stated = provenance(dataset, options=options)["options"]
    assert stated == {"folder": "/no/where", "sizes": [1, 2], "plan": {"1": "x"}}


@pytest.mark.parametrize(
    ("target", "counts"),
    [
        ("plug_in_under_test:Plug", ["__init__.py", "main.py", "base.py", "deep/math.py"]),
        ("plug_in_under_test.main:Plug", ["main.py", "base.py"]),
        ("plug_in_under_test.base:Base", ["base.py"]),
    ],
)
def test_the_code_of_a_tracker_counts(
    target: str, counts: list[str], plug_in: Path, dataset: Dataset
) -> None:
    def code() -> str:
        return str(provenance(dataset, target=target)["tracker_code_sha256"])

    before = code()
    assert code() == before
    for name in ("__init__.py", "main.py", "base.py", "deep/math.py", "data.bin"):
        path = plug_in / name
        original = path.read_bytes()
        path.write_bytes(original + b"# edited\n")
        assert (code() != before) == (name in counts), name
        path.write_bytes(original)


def test_an_unknown_tracker_has_no_record(dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'Wanderer'"):
        provenance(dataset, target="fake_trackers:Wonderer")


def test_the_code_of_a_class_without_a_file_counts(dataset: Dataset) -> None:
    def code(text: str) -> str:
        names: dict[str, Any] = {"__name__": "notebook"}
        exec(text, names)
        spec = make_spec(names["Mine"])
        return str(make_record(dataset, spec, seed=0, jobs=1).provenance["tracker_code_sha256"])

    text = "class Mine:\n    def init(self, image, region): ...\n    def update(self, image): {}\n"
    assert code(text.format("...")) == code(text.format("..."))
    assert code(text.format("...")) != code(text.format("return 1"))


def test_the_file_of_a_tracker_counts(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("class Mine:\n    def init(self): ...\n    def update(self): ...\n")
    before = provenance(dataset, target=f"{path}:Mine")["tracker_code_sha256"]
    path.write_text(path.read_text() + "# edited\n")
    assert provenance(dataset, target=f"{path}:Mine")["tracker_code_sha256"] != before


OWN = {
    "helper.py": "def shift(): return 1\n",
    "constants.py": "STEP = 1\n",
    "later.py": "X = 1\n",
    "parent.py": "class Parent:\n    def init(self, image, box): self.box = box\n",
    "own_tracker.py": (
        "from parent import Parent\nimport helper\nfrom constants import STEP\n"
        "class T(Parent):\n"
        "    files = ['more.bin']\n"
        "    def __init__(self, config: str = 'c.yaml', net_path=None, zoo='models'): pass\n"
        "    def update(self, image):\n        import later\n        return self.box\n"
    ),
    "unrelated.py": "",
    "models/deep.bin": "1",
    "more.bin": "1",
    "c.yaml": "a: 1",
    "net.pth": "weights",
}


def write_own(folder: Path) -> None:
    for name, content in OWN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_own(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN_OWN = """
import sys
from pathlib import Path
import fake_trackers
from bench.registry import make_spec
from bench.results.onepass import OnePassStore
from bench.runner import RunOptions, run_tracker
dataset = fake_trackers.make_dataset(a=3, b=4)
spec = make_spec("own_tracker.py:T", {"net_path": "net.pth"})
run_tracker(dataset, spec, OnePassStore(Path("r"), "otb2015"), RunOptions(sequences=[sys.argv[1]]))
"""


def run_own(folder: Path, sequence: str) -> subprocess.CompletedProcess[str]:
    """Run the tracker of a folder on a sequence, in a process that has imported nothing of it."""
    path = os.pathsep.join([str(Path(__file__).parent), ROOT])
    return subprocess.run(
        [sys.executable, "-c", RUN_OWN, sequence], cwd=folder,
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the tracker has run on the first sequence."""
    folder = tmp_path_factory.mktemp("begun")
    write_own(folder)
    first = run_own(folder, "a")
    assert first.returncode == 0, first.stderr
    return folder


@pytest.mark.parametrize("changed", [*OWN, "none"])
def test_every_file_a_tracker_depends_on_counts(changed: str, begun: Path, tmp_path: Path) -> None:
    """Its base class, helpers, constants, late imports, files that options and it itself name."""
    folder = shutil.copytree(begun, tmp_path / "own")
    if changed != "none":
        with (folder / changed).open("a") as stream:
            stream.write("\n#2")
    again = run_own(folder, "b")
    accepted = changed in ("unrelated.py", "none")
    assert (again.returncode == 0) == accepted, again.stderr
    if not accepted:
        assert "another provenance" in again.stderr


def test_text_that_names_a_file_counts_unless_it_is_written_to(
    own: Path, dataset: Dataset
) -> None:
    def facts(**options: str) -> dict[str, Any]:
        return provenance(dataset, options=options)

    (own / "elsewhere").mkdir()
    (own / "elsewhere/net.pth").write_text("weights")
    named = facts(config=str(own / "net.pth"))
    assert named["weights_sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert named == facts(config="net.pth") == facts(config="elsewhere/net.pth")
    assert named["options"] == {"config": "net.pth"}
    assert facts(start_log="net.pth")["weights_sha256"] is None
    assert facts(config="no such file")["options"] == {"config": "no such file"}
    assert facts(config="x" * 5000)["weights_sha256"] is None


def test_a_folder_that_an_option_names_counts(own: Path, dataset: Dataset) -> None:
    """By the names and contents of its files, wherever it lies; hidden ones do not count."""

    def facts(folder: object) -> dict[str, Any]:
        return provenance(dataset, options={"models": folder})

    (own / "models/deep.bin").unlink()
    for place in ("models", "elsewhere/models"):
        (own / place / "deep").mkdir(parents=True)
        (own / place / "deep/net.pth").write_text("weights")
        (own / place / "plan.json").write_text("{}")
    one = facts("models")
    assert one["options"] == {"models": "models"}
    assert one["option_folders"]["models"].endswith(" (2 files)")
    assert one == facts(own / "models") == facts("elsewhere/models/")
    for name in ("__pycache__/a.pyc", ".git/HEAD", "deep/.DS_Store"):
        (own / "models" / name).parent.mkdir(exist_ok=True)
        (own / "models" / name).write_text("x")
    assert facts("models") == one
    (own / "models/deep/net.pth").write_text("weightz")
    changed = facts("models")
    assert changed != one
    (own / "models/deep/net.pth").rename(own / "models/deep/other.pth")
    assert facts("models") not in (one, changed)
    assert "option_folders" not in facts("no such folder")
    assert "option_folders" not in facts(".")  # the results may lie there
    assert "option_folders" not in provenance(dataset, options={"save_to": "models"})


def test_a_large_folder_counts_by_sizes_and_times(
    own: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> str:
        stated = provenance(dataset, options={"models": "models"})["option_folders"]["models"]
        return str(stated)

    for name in "ab":
        (own / "models" / name).write_text("1")
    monkeypatch.setattr(own_files, "_MOST_FILES", 2)
    before = found()
    assert before.endswith(" (3 files, by size and time of change)")
    assert found() == before
    os.utime(own / "models/deep.bin", (1, 1))
    assert found() != before


def test_a_tracker_may_name_files_by_a_method(own: Path) -> None:
    from bench.errors import TrackerError
    from bench.runner.own_files import files_of

    class Names:
        where: Any = "more.bin"

        def files(self) -> Any:
            return [Path(self.where)]

    assert list(files_of(Names())) == ["more.bin"]
    assert files_of(Names) == {}  # known once it is built
    Names.where = "absent.bin"
    with pytest.raises(TrackerError, match=r"Names.files names 'absent.bin', but there is no"):
        files_of(Names())


def test_facts_are_text(dataset: Dataset) -> None:
    odd = dataclasses.replace(dataset, root=Path("/data/\udc80"))
    record = make_record(odd, TrackerSpec("w", "fake_trackers:Wanderer"), seed=0, jobs=1)
    assert record.sessions[0]["dataset"] == "/data/?"
